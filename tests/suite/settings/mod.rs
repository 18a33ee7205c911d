//! Projects and their settings.

use narthex_tests::{Service, sentence};

#[test]
fn a_project_is_made_and_read_back() {
    let service = Service::start();
    let api = service.api();
    let made = api.put("/data/projects/P1?name=Project%20one&description=What%20it%20is&pi_lastname=Curie");
    assert_eq!((made.status, made.text().as_str()), (200, ""));

    let list = api.table("/data/projects");
    let row = list.only();
    let columns = ["ID", "secondary_ID", "name", "description", "pi_firstname", "pi_lastname", "URI"];
    assert_eq!(row.columns(), columns);
    assert_eq!((row.get("ID"), row.get("name"), row.get("URI")), ("P1", "Project one", "/data/projects/P1"));
    assert_eq!((row.get("description"), row.get("pi_lastname")), ("What it is", "Curie"));
    assert_eq!(list.rest["title"], "Projects");
    assert_eq!(list.rest["totalRecords"], "1");

    let item = api.get("/data/projects/P1?format=json");
    assert_eq!(item.status, 200);
    let item: serde_json::Value = serde_json::from_slice(&item.body).unwrap();
    let fields = &item["items"][0];
    assert_eq!(fields["meta"]["xsi:type"], "xnat:projectData");
    assert_eq!(fields["meta"]["isHistory"], false);
    assert_eq!(fields["data_fields"]["ID"], "P1");
    assert_eq!(fields["data_fields"]["name"], "Project one");
}

#[test]
fn names_default_to_the_id_and_making_again_changes() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    assert_eq!(api.table("/data/projects").only().get("name"), "P1");
    assert_eq!(api.put("/data/projects/P1?name=Other").status, 200);
    let list = api.table("/data/projects");
    assert_eq!((list.only().get("name"), list.only().get("secondary_ID")), ("Other", "P1"));
}

#[test]
fn projects_are_listed_whatever_their_number() {
    let service = Service::start();
    let api = service.api();
    assert!(api.table("/data/projects").rows.is_empty());
    for number in 0..12 {
        api.project(&format!("P_{number}"));
    }
    assert_eq!(api.table("/data/projects").rows.len(), 12);
    assert_eq!(api.table("/data/archive/projects").rows.len(), 12);
}

#[test]
fn ids_and_names_that_cannot_be_are_refused() {
    let service = Service::start();
    let api = service.api();
    for id in ["a%20b", "a%2Fb", "%C3%A4", "a.b", "a%25b", "..", "a:b"] {
        let status = api.put(&format!("/data/projects/{id}")).status;
        assert!([400, 404, 417].contains(&status), "{id}: {status}");
    }
    assert!(api.table("/data/projects").rows.is_empty());
    api.project("P1");
    assert_eq!(api.put("/data/projects/P2?name=P1").status, 409, "the name of another project");
}

#[test]
fn an_unknown_project_is_404() {
    let service = Service::start();
    for path in ["/data/projects/NONE", "/data/projects/NONE?format=json", "/data/projects/NONE/prearchive_code"] {
        assert_eq!(service.api().get(path).status, 404, "{path}");
    }
    let code = service.api().put("/data/projects/NONE/prearchive_code/4").status;
    assert!([400, 404].contains(&code), "{code}");
}

#[test]
fn the_prearchive_code_is_the_bare_number() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    assert_eq!(api.bytes("/data/projects/P1/prearchive_code"), b"0", "nothing is archived by surprise");
    for code in ["0", "1", "4", "5"] {
        let answer = api.put(&format!("/data/projects/P1/prearchive_code/{code}"));
        assert_eq!((answer.status, answer.text().as_str()), (200, ""));
        assert_eq!(api.bytes("/data/projects/P1/prearchive_code"), code.as_bytes());
        assert_eq!(api.bytes("/REST/projects/P1/prearchive_code"), code.as_bytes());
    }
}

#[test]
fn other_codes_are_400_and_change_nothing() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    api.code("P1", 4);
    for code in ["2", "3", "6", "-1", "x", "4.0", "99999999999999999999"] {
        let answer = api.put(&format!("/data/projects/P1/prearchive_code/{code}"));
        assert_eq!(answer.status, 400, "{code}: {}", answer.text());
        assert!(!sentence(&answer).is_empty());
    }
    assert_eq!(api.bytes("/data/projects/P1/prearchive_code"), b"4");
}

#[test]
fn what_is_set_is_there_after_a_restart() {
    let mut service = Service::start();
    service.api().project("P1");
    service.api().code("P1", 5);
    service.restart();
    assert_eq!(service.api().bytes("/data/projects/P1/prearchive_code"), b"5");
}
