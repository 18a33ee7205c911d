//! The same as actions on the session's own address, and the actions beside them.

use narthex_tests::{Api, Response, sentence, zip_study};

use super::{import, import_at, media_type, post, post_form, service, study};

#[track_caller]
fn post_json(api: &Api, path: &str, json: &str) -> Response {
    api.client.post(path, "application/json", json.as_bytes()).unwrap()
}

/// An answer that names an address without a line end.
#[track_caller]
fn assert_names(response: &Response, status: u16, kind: &str, uri: &str) {
    assert_eq!((response.status, response.text().as_str()), (status, uri));
    assert_eq!(media_type(response), kind);
    assert_eq!(response.header("location"), None, "clients that followed it would miss the mark");
}

#[test]
fn move_answers_301_with_the_new_address_and_no_location() {
    let service = service();
    let api = service.api();
    let place = import(&api, 1);
    let uri = |project: &str| format!("/data/prearchive/projects/{project}/{place}");
    let query = post(&api, &format!("{}?action=move&newProject=P2", uri("P1")));
    assert_names(&query, 301, "text/uri-list", &uri("P2"));
    let form = post_form(&api, &uri("P2"), &[("action", "move"), ("newProject", "P1")]);
    assert_names(&form, 301, "text/uri-list", &uri("P1"));
    let json = post_json(&api, &uri("P1"), r#"{"action": "move", "newProject": "P2"}"#);
    assert_names(&json, 301, "text/uri-list", &uri("P2"));
    let mixed = post_json(&api, &format!("{}?action=move&newProject=P1", uri("P2")), "{}");
    assert_names(&mixed, 301, "text/uri-list", &uri("P1"));
    api.assert_holds(&uri("P1"), &study(1));
}

#[test]
fn build_answers_200_with_the_address() {
    let service = service();
    let api = service.api();
    let uri = format!("/data/prearchive/projects/P1/{}", import(&api, 1));
    for path in
        [format!("{uri}?action=build"), format!("{uri}?action=build&format=single"), format!("{uri}?action=rebuild")]
    {
        assert_names(&post(&api, &path), 200, "text/uri-list", &uri);
    }
    assert_names(&post_form(&api, &uri.replace("/data", "/REST"), &[("action", "build")]), 200, "text/uri-list", &uri);
    let fields = r#"{"action": "build", "VISIT": "v1", "PROTOCOL": "p1", "TIMEZONE": "t1", "SOURCE": "s1"}"#;
    assert_names(&post_json(&api, &uri, fields), 200, "text/uri-list", &uri);
    let row = api.table(&uri).only().clone();
    let said = ["VISIT", "PROTOCOL", "TIMEZONE", "SOURCE"].map(|column| row.get(column).to_owned());
    assert_eq!(said, ["v1", "p1", "t1", "s1"]);
    api.assert_holds(&uri, &study(1));
}

#[test]
fn commit_answers_200_for_what_stays_and_301_without_a_location_for_what_is_archived() {
    let service = service();
    let api = service.api();
    let uri = format!("/data/prearchive/projects/P1/{}", import(&api, 1));
    // Nothing is archived by itself in a project of code 0.
    assert_names(&post_json(&api, &format!("{uri}?action=commit"), "{}"), 200, "text/uri-list", &uri);
    assert_names(&post(&api, &format!("{uri}?action=commit&AA=false")), 200, "text/uri-list", &uri);
    let archived = post(&api, &format!("{uri}?action=commit&AA=true"));
    let experiment = "/data/archive/projects/P1/subjects/SUBJ1/experiments/S1";
    assert_names(&archived, 301, "text/plain", experiment);
    assert!(api.sessions("P1").rows.is_empty());
    api.assert_holds(experiment, &study(1));

    // In a project that archives by itself nothing can be kept back.
    let uri = format!("/data/prearchive/projects/P1/{}", import(&api, 2));
    api.code("P1", 4);
    let archived = post_form(&api, &uri, &[("action", "commit"), ("AA", "false")]);
    assert_names(&archived, 301, "text/plain", "/data/archive/projects/P1/subjects/SUBJ2/experiments/S2");
}

#[test]
fn a_commit_may_set_fields_of_the_session() {
    let service = service();
    let api = service.api();
    let uri = format!("/data/prearchive/projects/P1/{}", import(&api, 1));
    let json = r#"{"xnat:mrSessionData/note": "seen", "auto-archive": "false"}"#;
    assert_names(&post_json(&api, &format!("{uri}?action=commit"), json), 200, "text/uri-list", &uri);
    let document = String::from_utf8(api.bytes(&uri)).unwrap();
    assert!(document.contains("<xnat:note>seen</xnat:note>"), "{document}");
}

#[test]
fn a_status_can_be_reset_and_set() {
    let service = service();
    let api = service.api();
    let uri = format!("/data/prearchive/projects/P1/{}", import(&api, 1));
    let set = post(&api, &format!("{uri}?action=set-status&status=ERROR"));
    assert_eq!((set.status, set.text().as_str()), (200, ""));
    assert_eq!(api.table(&uri).only().get("status"), "ERROR");
    let tag = study(1).study_uid();
    assert_names(&post(&api, &format!("{uri}?action=reset-status&tag={tag}")), 200, "text/uri-list", &uri);
    assert_eq!(api.table(&uri).only().get("status"), "READY");
}

#[test]
fn a_session_is_deleted_by_its_address() {
    let service = service();
    let api = service.api();
    for (seed, by_action) in [(1, false), (2, true)] {
        let uri = format!("/data/prearchive/projects/P1/{}", import(&api, seed));
        let deleted =
            if by_action { post(&api, &format!("{uri}?action=delete")) } else { api.client.delete(&uri).unwrap() };
        assert_eq!((deleted.status, deleted.text().as_str()), (200, ""), "{by_action}");
        assert!(api.sessions("P1").rows.is_empty());
        assert!([200, 404].contains(&api.client.delete(&uri).unwrap().status));
    }
}

#[test]
fn what_cannot_be_done_is_refused_with_a_sentence() {
    let service = service();
    let api = service.api();
    let place = import(&api, 1);
    let uri = format!("/data/prearchive/projects/P1/{place}");
    import_at(&api, "P1", 2, "20000101_050505/TWICE");
    import_at(&api, "P2", 3, "20000101_050505/TWICE");
    let twice = "/data/prearchive/projects/P1/20000101_050505/TWICE";
    for (path, status, says) in [
        (uri.clone(), 400, "No action parameter was specified for the request by user admin"),
        (format!("{uri}?action="), 400, ""),
        (
            format!("{uri}?action=explode"),
            400,
            "User admin requested an unsupported action on prearchive session: explode",
        ),
        (format!("{uri}?action=BUILD"), 400, "unsupported action"),
        (format!("{uri}?action=move"), 400, "newProject"),
        (format!("{uri}?action=move&newProject=NONE"), 404, "NONE"),
        (format!("{twice}?action=move&newProject=P2"), 409, ""),
        (format!("{uri}?action=set-status&status=SLEEPING"), 400, "status"),
        (format!("{uri}?action=set-status"), 400, "status"),
        (format!("{uri}X?action=build"), 404, ""),
        (format!("/data/prearchive/projects/NONE/{place}?action=build"), 404, ""),
    ] {
        let response = post(&api, &path);
        assert_eq!(response.status, status, "{path}: {}", response.text());
        assert!(sentence(&response).contains(says), "{path}: {}", sentence(&response));
    }
    assert_eq!(post_json(&api, &uri, "{").status, 400);
    assert_eq!(post_json(&api, &uri, "[1]").status, 400);
    assert_eq!(api.table(&uri).only().get("status"), "READY");
}

#[test]
fn only_the_word_true_archives() {
    let service = service();
    let api = service.api();
    let place = import(&api, 70);
    let uri = format!("/data/prearchive/projects/P1/{place}");
    for word in ["", "1", "0", "yes", "maybe", "false", "trueish"] {
        for name in ["AA", "auto-archive"] {
            let committed = post(&api, &format!("{uri}?action=commit&{name}={word}"));
            assert_eq!(committed.status, 200, "{name}={word}: {}", committed.text());
        }
        let path = format!("/data/services/import?import-handler=DICOM-zip&project=P1&action=commit&AA={word}");
        let sent = api.client.post(&path, "application/zip", &zip_study(&study(71))).unwrap();
        assert!(sent.text().starts_with("/data/prearchive/projects/P1/"), "AA={word}: {}", sent.text());
    }
    assert_eq!(post(&api, &format!("{uri}?action=commit&auto-archive=TRUE")).status, 301);
}
