//! What clients ask for when they connect.

use narthex_tests::{Service, sentence};
use serde_json::Value;

#[test]
fn schemas_are_listed_and_each_can_be_read() {
    let service = Service::start();
    let api = service.api();
    let names: Vec<String> = serde_json::from_slice(&api.bytes("/xapi/schemas?format=json")).unwrap();
    assert!(names.contains(&"xnat".to_owned()) && names.contains(&"xdat".to_owned()), "{names:?}");
    for name in &names {
        let response = api.get(&format!("/xapi/schemas/{name}"));
        assert!(response.header("content-type").unwrap_or_default().starts_with("application/xml"), "{name}");
        let text = response.text();
        assert!(text.starts_with("<?xml") && text.contains("<xs:schema "), "{name}");
        assert_eq!(api.get(&format!("/xapi/schemas/{name}/{name}.xsd")).text(), text);
    }
    for path in ["/xapi/schemas/none", "/xapi/schemas/xnat/none", "/xapi/schemas/a/b/c"] {
        let response = api.get(path);
        assert_eq!(response.status, 404, "{path}");
        assert!(!sentence(&response).is_empty());
    }
}

#[test]
fn a_client_learns_the_version_where_this_one_tells_it() {
    let service = Service::start();
    let api = service.api();
    assert_eq!(api.get("/data/version").status, 404, "clients would take an answer for the version");
    let info: Value = serde_json::from_slice(&api.bytes("/xapi/siteConfig/buildInfo?format=json")).unwrap();
    assert!(info["version"].as_str().is_some_and(|version| version.starts_with("1.8.")));
}

#[test]
fn elements_have_fields() {
    let service = Service::start();
    let api = service.api();
    for element in api.table("/data/search/elements").column("ELEMENT_NAME") {
        let fields = api.table(&format!("/data/search/elements/{element}"));
        assert!(fields.column("FIELD_ID").contains(&"INSERT_DATE"), "{element}");
    }
    assert_eq!(api.get("/data/search/elements/xnat:none").status, 404);
    let search = api.client.post("/data/search", "text/xml", b"<x/>").unwrap();
    assert_eq!(search.status, 501);
}

#[test]
fn everybody_is_told_of_their_own_roles() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let access: Value = serde_json::from_slice(&api.bytes("/xapi/access/projects")).unwrap();
    assert_eq!((&access[0]["ID"], &access[0]["role"]), (&"P1".into(), &"Owners".into()));
    assert_eq!(access.as_array().map(Vec::len), Some(1));
}
