//! The list of sessions.

use narthex_tests::{Modality, Row, Service, Study};

use super::COLUMNS;

fn study() -> Study {
    Study::new(Modality::Mr, 21).patient("S21_MR1", "S21")
}

/// `9999-99-99 99:99:99.999`, as clients parse it.
fn has_the_form_of(text: &str, form: &str) -> bool {
    text.len() == form.len()
        && text
            .bytes()
            .zip(form.bytes())
            .all(|(byte, form)| if form == b'9' { byte.is_ascii_digit() } else { byte == form })
}

fn check_row(row: &Row) {
    assert_eq!(row.columns(), COLUMNS);
    for column in ["lastmod", "uploaded"] {
        assert!(has_the_form_of(row.get(column), "9999-99-99 99:99:99.999"), "{column}: {:?}", row.get(column));
    }
    assert!(row.get("uploaded") <= row.get("lastmod"));
    assert!(has_the_form_of(row.get("timestamp"), "99999999_999999999"), "{:?}", row.get("timestamp"));
    assert!(row.get("scan_date").starts_with("2024-05-01 00:00:00.0"), "{:?}", row.get("scan_date"));
    assert_eq!(row.get("scan_time"), "10:15:00");
    assert_eq!((row.get("project"), row.get("subject"), row.get("name")), ("P1", "S21", "S21_MR1"));
    assert_eq!(row.get("tag"), study().study_uid());
    assert_eq!(row.get("status"), "READY");
    let url = format!("/prearchive/projects/P1/{}/{}", row.get("timestamp"), row.get("folderName"));
    assert_eq!(row.get("url"), url);
    assert_eq!((row.get("prevent_anon"), row.get("prevent_auto_commit")), ("false", "true"));
    assert_eq!(row.get("SOURCE"), "SessionImporter");
    for column in ["VISIT", "PROTOCOL", "TIMEZONE"] {
        assert_eq!(row.get(column), "", "{column}");
    }
}

#[test]
fn the_row_has_every_column_in_order_and_the_formats_that_clients_parse() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    api.import("P1", &study());
    for path in ["/data/prearchive", "/data/prearchive/projects", "/data/prearchive/projects/P1", "/REST/prearchive"] {
        let list = api.table(path);
        check_row(list.only());
        assert!(list.rest.is_empty(), "only rows: {:?}", list.rest);
    }
}

#[test]
fn json_is_the_default() {
    let service = Service::start();
    let api = service.api();
    for accept in [None, Some("*/*"), Some("application/json")] {
        let mut request = api.client.request("GET", "/data/prearchive/projects");
        if let Some(accept) = accept {
            request = request.header("Accept", accept);
        }
        let response = request.send().unwrap();
        assert!(narthex_tests::Table::of(&response).rows.is_empty(), "{accept:?}");
    }
}

#[test]
fn each_project_has_its_own_list() {
    let service = Service::start();
    let api = service.api();
    for (project, seed) in [("P1", 1), ("P1", 2), ("P2", 3)] {
        api.project(project);
        api.import(project, &Study::new(Modality::Ct, seed));
    }
    assert_eq!(api.sessions("P1").rows.len(), 2);
    assert_eq!(api.sessions("P2").rows.len(), 1);
    assert_eq!(api.table("/data/prearchive/projects").rows.len(), 3);
    assert_eq!(api.sessions("P1,P2").rows.len(), 3, "several projects, separated by commas");
}

#[test]
fn rows_can_be_sorted() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    for (seed, name) in [(1, "B"), (2, "C"), (3, "A")] {
        api.import("P1", &Study::new(Modality::Ct, seed).patient(name, "X"));
    }
    let up = api.table("/data/prearchive/projects/P1?sortBy=name");
    assert_eq!(up.column("name"), ["A", "B", "C"]);
    let down = api.table("/data/prearchive/projects/P1?sortBy=name&sortOrder=DESC");
    assert_eq!(down.column("name"), ["C", "B", "A"]);
}

#[test]
fn a_list_survives_a_restart() {
    let mut service = Service::start();
    service.api().project("P1");
    let uri = service.api().import("P1", &study());
    service.restart();
    check_row(service.api().sessions("P1").only());
    service.api().assert_holds(&uri, &study());
}
