//! XNAT's document of the prearchive API, request by request, in its order, as clients write the requests.

mod actions;
mod clients;
mod files;
mod lists;
mod services;
mod settings;

use narthex_tests::{Api, Modality, Response, Service, Study, Table, zip_study};

use super::COLUMNS;

const FORM: &str = "application/x-www-form-urlencoded";

fn study(seed: u64) -> Study {
    let label = format!("S{seed}");
    Study::new(Modality::Mr, seed)
        .patient(&label, &format!("SUBJ{seed}"))
        .series_named(1, "localizer")
        .slices(2)
        .and_series(2, "t1", Modality::Mr, 3)
}

/// A service with the projects P1 and P2.
fn service() -> Service {
    let service = Service::start();
    service.api().project("P1");
    service.api().project("P2");
    service
}

/// Imports a study into P1; gives what follows `/prearchive/projects/P1/`.
fn import(api: &Api, seed: u64) -> String {
    let uri = api.import("P1", &study(seed));
    uri.strip_prefix("/data/prearchive/projects/P1/").expect("an address in P1").to_owned()
}

/// Imports a study to a place of its own.
fn import_at(api: &Api, project: &str, seed: u64, place: &str) {
    api.import_zip(&format!("dest=/prearchive/projects/{project}/{place}"), &zip_study(&study(seed)));
}

/// POST with an empty body, as clients send it that write everything into the query.
#[track_caller]
fn post(api: &Api, path: &str) -> Response {
    api.client.request("POST", path).send_bytes(b"").unwrap_or_else(|error| panic!("POST {path}: {error}"))
}

#[track_caller]
fn post_form(api: &Api, path: &str, fields: &[(&str, &str)]) -> Response {
    api.client.post_form(path, fields).unwrap_or_else(|error| panic!("POST {path}: {error}"))
}

#[track_caller]
fn ok(response: &Response) {
    assert_eq!(response.status, 200, "{}", response.text());
}

/// The one row that a prearchive service answers with in JSON.
#[track_caller]
fn row(response: &Response) -> narthex_tests::Row {
    let table = Table::of(response);
    assert_eq!(table.only().columns(), COLUMNS);
    table.only().clone()
}

fn media_type(response: &Response) -> &str {
    response.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default()
}
