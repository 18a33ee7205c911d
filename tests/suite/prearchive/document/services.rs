//! "Move a session to a new project", "Rebuild an image session listing", "Delete an image session"

use std::time::Duration;

use narthex_tests::{encode, eventually, sentence};

use super::super::formats::parsers;
use super::{COLUMNS, FORM, import, import_at, media_type, ok, post, post_form, row, service, study};

const SOON: Duration = Duration::from_secs(20);

/// The ways in which a session is named.
const BEFORE: [&str; 3] = ["/prearchive/projects", "/data/prearchive/projects", "/REST/prearchive/projects"];

#[test]
fn a_session_is_moved_with_parameters_in_the_body_or_in_the_query() {
    let service = service();
    let api = service.api();
    let place = import(&api, 1);
    let (mut from, mut to) = ("P1", "P2");
    for service in ["/data/services/prearchive/move", "/REST/services/prearchive/move"] {
        for before in BEFORE {
            for in_body in [true, false] {
                let src = format!("{before}/{from}/{place}");
                let response = if in_body {
                    post_form(&api, &format!("{service}?format=json"), &[("src", &src), ("newProject", to)])
                } else {
                    post(&api, &format!("{service}?src={}&newProject={to}&format=json&async=false", encode(&src)))
                };
                let row = row(&response);
                assert_eq!((row.get("project"), row.get("status")), (to, "READY"), "{src}");
                assert_eq!(row.get("url"), format!("/prearchive/projects/{to}/{place}"), "{src}");
                assert!(api.sessions(from).rows.is_empty(), "{src}");
                assert_eq!(&row, api.sessions(to).only(), "{src}");
                (from, to) = (to, from);
            }
        }
    }
    api.assert_holds(&format!("/data/prearchive/projects/{from}/{place}"), &study(1));
}

#[test]
fn the_services_answer_with_the_table_in_each_format_xml_by_default_whatever_accept_says() {
    let service = service();
    let api = service.api();
    for (number, (format, expected)) in [
        ("", "text/xml"),
        ("?format=xml", "text/xml"),
        ("?format=html", "text/html"),
        ("?format=json", "application/json"),
        ("?format=csv", "text/csv"),
    ]
    .into_iter()
    .enumerate()
    {
        let place = import(&api, number as u64 + 1);
        for (service, form) in [
            ("rebuild", format!("src=/prearchive/projects/P1/{place}")),
            ("move", format!("src=/prearchive/projects/P1/{place}&newProject=P2")),
            ("delete", format!("src=/prearchive/projects/P2/{place}")),
        ] {
            let path = format!("/data/services/prearchive/{service}{format}");
            let request = api.client.request("POST", &path).header("Content-Type", FORM);
            let response = request.header("Accept", "application/json").send_bytes(form.as_bytes()).unwrap();
            ok(&response);
            assert_eq!(media_type(&response), expected, "{path}");
            let text = response.text();
            let cells = match expected {
                "application/json" => parsers::json(&response),
                "text/csv" => parsers::csv(text.as_bytes()),
                "text/xml" => parsers::xml(&text),
                _ => parsers::html(&text),
            };
            assert_eq!(cells.columns, COLUMNS, "{path}");
            assert_eq!(cells.rows.len(), 1, "{path}");
        }
    }
    assert!(api.table("/data/prearchive/projects").rows.is_empty());
}

#[test]
fn with_async_the_work_is_queued_and_done_afterwards() {
    let service = service();
    let api = service.api();
    let place = import(&api, 1);
    let src = format!("/prearchive/projects/P1/{place}");
    let queued = post_form(
        &api,
        "/data/services/prearchive/move?format=json",
        &[("src", &src), ("newProject", "P2"), ("async", "true")],
    );
    let status = row(&queued).get("status").to_owned();
    assert!(["QUEUED_MOVING", "MOVING"].contains(&status.as_str()), "{status}");
    eventually(SOON, "the session is moved", || {
        let there = api.sessions("P2");
        (there.rows.len() == 1 && there.only().get("status") == "READY").then_some(())
    });
    let src = format!("/prearchive/projects/P2/{place}");
    let queued = post(&api, &format!("/data/services/prearchive/rebuild?format=json&async=true&src={src}"));
    let status = row(&queued).get("status").to_owned();
    assert!(["QUEUED_BUILDING", "BUILDING"].contains(&status.as_str()), "{status}");
    eventually(SOON, "the session is built", || (api.sessions("P2").only().get("status") == "READY").then_some(()));
    let queued = post(&api, &format!("/data/services/prearchive/delete?format=json&async=true&src={src}"));
    let status = row(&queued).get("status").to_owned();
    assert!(["QUEUED_DELETING", "DELETING"].contains(&status.as_str()), "{status}");
    eventually(SOON, "the session is deleted", || api.sessions("P2").rows.is_empty().then_some(()));
}

#[test]
fn several_sessions_are_done_with_a_row_for_each() {
    let service = service();
    let api = service.api();
    let places: Vec<String> = (1..=3).map(|seed| import(&api, seed)).collect();
    let sources: Vec<String> = places.iter().map(|place| format!("/prearchive/projects/P1/{place}")).collect();
    let mut form: Vec<(&str, &str)> = sources.iter().map(|source| ("src", source.as_str())).collect();
    form.push(("newProject", "P2"));
    let moved = narthex_tests::Table::of(&post_form(&api, "/data/services/prearchive/move?format=json", &form));
    assert_eq!(moved.column("project"), ["P2"; 3]);
    assert_eq!(api.sessions("P2").rows.len(), 3);
}

#[test]
fn rebuilding_refreshes_the_document_and_keeps_the_project_of_a_move() {
    let service = service();
    let api = service.api();
    // By its description it belongs to P1.
    let belongs = study(1).description("P1");
    let uris = api.import_zip("dest=/prearchive", &narthex_tests::zip_study(&belongs));
    let place = uris[0].strip_prefix("/data/prearchive/projects/P1/").expect("its project").to_owned();
    ok(&post(&api, &format!("/data/services/prearchive/move?src=/prearchive/projects/P1/{place}&newProject=P2")));
    let src = format!("/prearchive/projects/P2/{place}");
    let rebuilt = row(&post_form(&api, "/data/services/prearchive/rebuild?format=json", &[("src", &src)]));
    assert_eq!((rebuilt.get("project"), rebuilt.get("status")), ("P2", "READY"));
    let document = String::from_utf8(api.bytes(&format!("/data{src}?format=xml"))).unwrap();
    assert!(document.contains("project=\"P2\"") && !document.contains("project=\"P1\""), "{document}");
    api.assert_holds(&format!("/data{src}"), &belongs);
}

#[test]
fn what_cannot_be_done_is_refused_and_changes_nothing() {
    let service = service();
    let api = service.api();
    let place = import(&api, 1);
    import_at(&api, "P1", 2, "20000101_050505/TWICE");
    import_at(&api, "P2", 3, "20000101_050505/TWICE");
    let src = format!("src=/prearchive/projects/P1/{place}");
    for (query, status) in [
        ("move?newProject=P2".to_owned(), 400),
        (format!("move?{src}"), 400),
        (format!("move?{src}&newProject="), 400),
        (format!("move?{src}&newProject=NONE"), 404),
        ("move?newProject=P2&src=/prearchive/projects/P1/20000101_050505/TWICE".to_owned(), 409),
        ("rebuild".to_owned(), 400),
        ("rebuild?src=".to_owned(), 400),
        ("rebuild?src=nonsense".to_owned(), 400),
        (format!("rebuild?src=prearchive/projects/P1/{place}"), 400),
        ("rebuild?src=/archive/projects/P1".to_owned(), 400),
        ("rebuild?src=/prearchive/projects/P1".to_owned(), 400),
        (format!("rebuild?{src}&src=/prearchive/projects/P1/20000101_050505/NONE"), 404),
        ("delete?src=/prearchive/projects/NONE/20000101_050505/TWICE".to_owned(), 404),
        (format!("delete?{src}&src=/prearchive/projects/P1/20000101_050505/NONE"), 404),
        (format!("delete?{src}&src=nonsense"), 400),
        (format!("vanish?{src}"), 404),
    ] {
        let response = post(&api, &format!("/data/services/prearchive/{query}"));
        assert_eq!(response.status, status, "{query}: {}", response.text());
        assert!(!sentence(&response).is_empty());
    }
    for service in ["move", "rebuild", "delete"] {
        assert_eq!(api.get(&format!("/data/services/prearchive/{service}")).status, 405);
    }
    assert_eq!(api.sessions("P1").column("status"), ["READY", "READY"]);
    assert_eq!(api.sessions("P2").column("status"), ["READY"]);
}

#[test]
fn deleting_a_session_leaves_nothing_to_be_found() {
    let service = service();
    let api = service.api();
    let place = import(&api, 1);
    let src = format!("/prearchive/projects/P1/{place}");
    ok(&post_form(&api, "/data/services/prearchive/delete", &[("src", &src)]));
    assert!(api.sessions("P1").rows.is_empty());
    for below in ["", "/scans", "/resources", "/logs", "?format=zip"] {
        assert_eq!(api.get(&format!("/data{src}{below}")).status, 404, "{below}");
    }
    let again = post_form(&api, "/data/services/prearchive/delete", &[("src", &src)]);
    assert_eq!(again.status, 404);
}
