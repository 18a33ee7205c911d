//! The resource quarantine: `/data/services/triage`.

mod approve;
mod document;
mod names;
mod news;
mod refusals;
mod renamed;
mod rights;
mod round_trip;
mod setting;
mod several;

use narthex_tests::{Api, Modality, Response, Service, Study, form};

/// The quarantine of the project that tests use.
const TRIAGE: &str = "/data/services/triage/projects/P1";

/// A service with a project, in which a session is archived.
fn service() -> (Service, Api) {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let study = Study::new(Modality::Mr, 61).patient("S61_MR1", "S61").slices(1).matrix(8);
    api.archive(&api.import("P1", &study));
    (service, api)
}

#[track_caller]
fn send(api: &Api, method: &str, path: &str, content_type: &str, body: &[u8]) -> Response {
    let request = api.client.request(method, path).header("Content-Type", content_type);
    request.send_bytes(body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
}

/// Puts a file into a folder.
#[track_caller]
fn put(api: &Api, path: &str, target: &str, body: &[u8]) {
    let response = send(api, "POST", &format!("{TRIAGE}/resources/{path}?target={target}"), "text/plain", body);
    assert_eq!((response.status, response.text().as_str()), (200, ""), "{path}");
}

#[track_caller]
fn approve(api: &Api, fields: &[(&str, &str)]) -> Response {
    let body = form(fields);
    api.client
        .post("/data/services/triage/approve", "application/x-www-form-urlencoded", body.as_bytes())
        .unwrap_or_else(|error| panic!("{fields:?}: {error}"))
}

/// Approves what must be approved.
#[track_caller]
fn approved(api: &Api, src: &str, dest: &str) {
    let response = approve(api, &[("src", src), ("dest", dest)]);
    assert_eq!(response.status, 201, "{src}: {}", response.text());
    assert_eq!(response.text(), "Quarantine File(s) successfully approved");
    assert_eq!(response.header("content-type"), Some("text/html; charset=utf-8"));
}
