//! One project: made, read, changed.

use narthex_tests::{Service, sentence};

use super::{document, send, user};

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
fn what_is_set_is_there_after_a_restart() {
    let mut service = Service::start();
    service.api().project("P1");
    service.api().code("P1", 5);
    service.restart();
    assert_eq!(service.api().bytes("/data/projects/P1/prearchive_code"), b"5");
}

#[test]
fn a_document_makes_a_project_and_can_be_read_back() {
    let service = Service::start();
    let api = service.api();
    let inner = "<xnat:name>A &lt;b&gt;</xnat:name><xnat:description>About</xnat:description><xnat:aliases>\
                 <xnat:alias>one</xnat:alias><xnat:alias>two words</xnat:alias></xnat:aliases><xnat:PI>\
                 <xnat:firstname>Marie</xnat:firstname><xnat:lastname>Curie</xnat:lastname></xnat:PI>";
    let made = send(&api.client, "PUT", "/data/projects/P1", "text/xml", &document("ID=\"P1\"", inner));
    assert_eq!((made.status, made.text().as_str()), (200, ""));
    let read = api.get("/data/projects/P1?format=xml");
    assert_eq!(read.status, 200);
    for expected in [
        "ID=\"P1\"",
        "<xnat:name>A &lt;b&gt;</xnat:name>",
        "<xnat:alias>two words</xnat:alias>",
        "<xnat:lastname>Curie</xnat:lastname>",
    ] {
        assert!(read.text().contains(expected), "{expected}: {}", read.text());
    }
    // What was read can be sent again, here as a client does that calls every body a form.
    let form = "application/x-www-form-urlencoded";
    assert_eq!(send(&api.client, "PUT", "/data/projects/P1", form, &read.text()).status, 200);
    assert_eq!(api.get("/data/projects/P1?format=xml").text(), read.text());
    // By an alias it is the same project.
    let by_alias = api.get("/data/projects/two%20words?format=xml");
    assert_eq!((by_alias.status, by_alias.text()), (200, read.text()));
    assert_eq!(api.bytes("/data/projects/one/prearchive_code"), b"0");
    let item: serde_json::Value = serde_json::from_slice(&api.bytes("/data/projects/P1?format=json")).unwrap();
    let aliases = &item["items"][0]["children"][0];
    assert_eq!(aliases["field"], "aliases/alias");
    assert_eq!(aliases["items"][1]["data_fields"]["alias"], "two words");
}

#[test]
fn fields_come_in_the_query_or_in_a_form() {
    let service = Service::start();
    let api = service.api();
    let query =
        "xsiType=xnat:projectData&req_format=qs&event_reason=test&xnat:projectData/PI/lastname=Curie&keywords=k";
    assert_eq!(api.put(&format!("/data/projects/P1?{query}")).status, 200);
    let form = "application/x-www-form-urlencoded";
    let changed =
        send(&api.client, "PUT", "/data/projects/P1?name=From%20query", form, "name=From+form&note=n&alias=x");
    assert_eq!((changed.status, changed.text().as_str()), (200, ""));
    let list = api.table("/data/projects?columns=ID,name,note,keywords,pi_lastname,alias");
    let row = list.only();
    assert_eq!((row.get("name"), row.get("note"), row.get("alias")), ("From query", "n", "x"));
    assert_eq!((row.get("keywords"), row.get("pi_lastname")), ("k", "Curie"));
    assert_eq!(api.put("/data/projects/P1?name=&alias=").status, 200);
    let list = api.table("/data/projects?columns=name,alias");
    assert_eq!((list.only().get("name"), list.only().get("alias")), ("P1", ""));
}

#[test]
fn what_cannot_be_is_refused_with_xnats_codes() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let bodies = [
        (417, document("ID=\"P2\"", "")),
        (422, "<xnat:Project".to_owned()),
        (422, "not XML".to_owned()),
        (422, "<xnat:Subject xmlns:xnat=\"http://nrg.wustl.edu/xnat\"/>".to_owned()),
        (422, "<!DOCTYPE x [<!ENTITY a \"b\">]><x>&a;</x>".to_owned()),
        (400, document("ID=\"P1\"", "<xnat:unknown/>")),
        (413, document("ID=\"P1\"", &"<xnat:name/>".repeat(400_000))),
    ];
    for (status, body) in bodies {
        let answer = send(&api.client, "PUT", "/data/projects/P1", "text/xml", &body);
        let start: String = body.chars().take(60).collect();
        assert_eq!(answer.status, status, "{start}: {}", answer.text());
        assert!(!sentence(&answer).is_empty());
    }
    for (status, query) in [
        (400, "nmae=x"),
        (400, "xnat:projectData/x=1"),
        (400, "accessibility=open"),
        (400, "xsiType=xnat:subjectData"),
        (417, "ID=P2"),
        (400, "alias=a%2Fb"),
    ] {
        let answer = api.put(&format!("/data/projects/P1?{query}"));
        assert_eq!(answer.status, status, "{query}: {}", answer.text());
    }
    assert!(sentence(&api.put("/data/projects/P1?nmae=x")).contains("nmae"));
    for query in ["secondary_ID=P1", "alias=P1"] {
        let answer = api.put(&format!("/data/projects/P2?{query}"));
        assert_eq!(answer.status, 409, "{query}");
        assert!(sentence(&answer).starts_with("Requested new project conflicts with existing projects"));
    }
    assert_eq!(api.table("/data/projects").rows.len(), 1);
    assert_eq!(api.client.anonymous().put("/data/projects/P9").unwrap().status, 401);
}

#[test]
fn post_makes_a_new_project_and_says_where_it_is() {
    let service = Service::start();
    let api = service.api();
    let made = send(&api.client, "POST", "/data/projects", "text/xml", &document("ID=\"P1\"", ""));
    let address = format!("http://{}/data/projects/P1", api.client.address());
    assert_eq!((made.status, made.text()), (200, address.clone()));
    assert_eq!(made.header("location"), Some(address.as_str()));
    assert_eq!(api.table("/data/projects").only().get("ID"), "P1");
    for (status, body) in [(409, document("ID=\"P1\"", "")), (400, document("", "")), (417, String::new())] {
        let answer = send(&api.client, "POST", "/data/projects", "text/xml", &body);
        assert_eq!(answer.status, status, "{body}: {}", answer.text());
    }
}

#[test]
fn accessibility_is_read_and_set_as_a_word() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    assert_eq!(api.bytes("/data/projects/P1/accessibility"), b"private");
    for level in ["protected", "public", "private"] {
        assert_eq!(api.put(&format!("/data/projects/P1/accessibility/{level}")).status, 200);
        assert_eq!(api.bytes("/data/projects/P1/accessibility"), level.as_bytes());
    }
    assert_eq!(api.put("/data/projects/P1?accessibility=public").status, 200);
    assert_eq!(api.bytes("/REST/projects/P1/accessibility"), b"public");
    for (status, path) in [
        (400, "P1/accessibility"),
        (400, "P1/accessibility/open"),
        (400, "P1/accessibility/public/x"),
        (404, "P2/accessibility/public"),
    ] {
        assert_eq!(api.put(&format!("/data/projects/{path}")).status, status, "{path}");
    }
}

#[test]
fn projects_are_made_and_changed_by_those_who_may() {
    let service = Service::start();
    let api = service.api();
    let (ann, bob) = (user(&api, "ann"), user(&api, "bob"));
    assert_eq!(ann.put("/data/projects/P1").unwrap().status, 200);
    assert_eq!(ann.put("/data/projects/P1?description=x").unwrap().status, 200);
    for path in ["/data/projects/P1", "/data/projects/P1/accessibility/public", "/data/projects/P1/prearchive_code/4"] {
        let refused = bob.put(path).unwrap().status;
        assert!([403, 404].contains(&refused), "{path}: {refused}");
    }
    assert_eq!(bob.get("/data/projects/P1").unwrap().status, 404, "a private project is not there for others");
    assert_eq!(ann.put("/data/projects/P1/accessibility/protected").unwrap().status, 200);
    assert_eq!(bob.get("/data/projects/P1").unwrap().status, 403);
    assert_eq!(bob.get("/data/projects/P1/accessibility").unwrap().text(), "protected");
    assert_eq!(ann.put("/data/projects/P1/accessibility/public").unwrap().status, 200);
    assert_eq!(bob.get("/data/projects/P1?format=json").unwrap().status, 200);
    assert_eq!(bob.put("/data/projects/P1/prearchive_code/4").unwrap().status, 403);
}

#[test]
fn a_site_can_leave_the_making_of_projects_to_administrators() {
    let service = Service::with(&[("users_may_create_projects", "false")]);
    let api = service.api();
    let ann = user(&api, "ann");
    for refused in [
        ann.put("/data/projects/P1").unwrap(),
        send(&ann, "POST", "/data/projects", "text/xml", &document("ID=\"P1\"", "")),
    ] {
        assert_eq!(refused.status, 403);
        assert_eq!(sentence(&refused), "User ann doesn't have permission to create projects on this system");
    }
    api.project("P1");
}
