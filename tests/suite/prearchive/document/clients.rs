//! The requests of real clients, as they write them.

use narthex_tests::encode;

use super::{import, ok, post, service, study};

#[test]
fn xnatpy_writes_everything_into_the_query_and_sends_an_empty_body() {
    let service = service();
    let api = service.api();
    let place = import(&api, 1);
    let list = api.table("/data/prearchive/projects");
    let row = list.only();
    assert_eq!(row.get("url"), format!("/prearchive/projects/P1/{place}"), "it puts /data before it");
    let uri = |project: &str| format!("/data/prearchive/projects/{project}/{place}");
    assert_eq!(api.table(&uri("P1")).only(), row);
    assert_eq!(api.table(&format!("{}/scans?columns=ID,URI,series_description", uri("P1"))).rows.len(), 2);
    let service = |name: &str, src: &str| format!("/data/services/prearchive/{name}?src={}", encode(src));
    ok(&post(&api, &format!("{}&newProject=P2&async=false", service("move", &uri("P1")))));
    ok(&post(&api, &format!("{}&async=false", service("rebuild", &uri("P2")))));
    api.assert_holds(&uri("P2"), &study(1));
    ok(&post(&api, &format!("{}&async=false", service("delete", &uri("P2")))));
    assert!(api.table("/data/prearchive/projects").rows.is_empty());
}

#[test]
fn pyxnat_writes_the_format_into_the_query_and_the_rest_into_the_body() {
    let service = service();
    let api = service.api();
    let place = import(&api, 1);
    let uri = format!("/data/prearchive/projects/P1/{place}");
    let session = api.get("/data/JSESSION");
    assert_eq!(session.status, 200);
    let csv = |path: &str| {
        let response = api.get(path);
        ok(&response);
        assert!(!response.text().starts_with("<html>") && !response.text().starts_with("<!DOCTYPE"), "an error to it");
        super::super::formats::parsers::csv(&response.body)
    };
    assert_eq!(csv("/data/prearchive/projects?format=csv").rows.len(), 1);
    assert_eq!(csv(&format!("{uri}/scans?format=csv")).rows.len(), 2);
    assert_eq!(csv(&format!("{uri}/scans/2/resources?format=csv")).rows[0][0], "DICOM");
    assert_eq!(csv(&format!("{uri}/scans/2/resources/DICOM/files?format=csv")).rows.len(), 3);
    let reset = api.client.post_form(&format!("{uri}?format=single"), &[("action", "build")]).unwrap();
    assert_eq!((reset.status, reset.text()), (200, uri.clone()));
    let code: u8 = api.get("/data/projects/P1/prearchive_code").text().parse().expect("a bare number");
    assert_eq!(code, 0);
    ok(&api.put("/data/projects/P1/prearchive_code/4"));
    // Unencoded, as its form has it.
    let body = format!("src={uri}&newProject=P2&async=false");
    let send = |service: &str, body: &str| {
        let path = format!("/data/services/prearchive/{service}?format=csv");
        api.client.post(&path, super::FORM, body.as_bytes()).unwrap()
    };
    ok(&send("move", &body));
    let deleted = send("delete", &format!("src=/data/prearchive/projects/P2/{place}&async=false"));
    ok(&deleted);
    assert_eq!(super::super::formats::parsers::csv(&deleted.body).rows.len(), 1);
    assert!(api.table("/data/prearchive/projects").rows.is_empty());
}

#[test]
fn xnatctl_acts_on_the_address_of_the_session() {
    let service = service();
    let api = service.api();
    let place = import(&api, 1);
    let login = post(&api, "/data/JSESSION");
    ok(&login);
    let client = api.client.session(&login.text());
    assert_eq!(client.get("/xapi/users/username").unwrap().text(), "admin");
    assert!([200, 404].contains(&client.get("/xapi/users/admin").unwrap().status));
    ok(&client.get("/data/prearchive?format=json").unwrap());
    ok(&client.get("/data/prearchive/projects/P1?format=json").unwrap());
    let uri = |project: &str| format!("/data/prearchive/projects/{project}/{place}");
    let act = |path: String| client.request("POST", &path).send_bytes(b"").unwrap();
    ok(&act(format!("{}?action=rebuild", uri("P1"))));
    let moved = act(format!("{}?action=move&newProject=P2", uri("P1")));
    assert_eq!((moved.status, moved.text()), (301, uri("P2")));
    assert_eq!(client.delete(&uri("P2")).unwrap().status, 200);
    assert!(api.table("/data/prearchive/projects").rows.is_empty());
}

#[test]
fn the_desktop_client_commits_with_json_and_tells_by_the_status_what_became_of_it() {
    let service = service();
    let api = service.api();
    let uri = format!("/data/prearchive/projects/P1/{}", import(&api, 1));
    let agent = |path: &str, body: &str| {
        let request = api.client.request("POST", path).header("Content-Type", "application/json");
        request.header("User-Agent", "Mozilla/5.0 XNATDesktopClient/4.2 Electron").send_bytes(body.as_bytes()).unwrap()
    };
    let stays = agent(&format!("{uri}?action=commit&SOURCE=uploader&XNAT_CSRF=false"), "{}");
    assert_eq!((stays.status, stays.text()), (200, uri.clone()));
    api.code("P1", 4);
    let archived = agent(&format!("{uri}?action=commit&SOURCE=uploader&XNAT_CSRF=false"), "{}");
    assert_eq!((archived.status, archived.header("location")), (301, None));
    api.assert_holds(&archived.text(), &study(1));
}
