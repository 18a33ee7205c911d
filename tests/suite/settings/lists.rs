//! The list of projects in its forms.

use narthex_tests::{Api, Service, Table};

use super::user;

fn ids(table: &Table) -> Vec<&str> {
    table.column("ID")
}

fn filled(api: &Api) {
    for (id, query) in [
        ("BRAIN_1", "name=Brain%20one&keywords=mr&pi_lastname=Curie&pi_firstname=Marie&secondary_ID=c"),
        ("BRAIN_2", "name=Brain%20two&keywords=pet&secondary_ID=b"),
        ("HEART", "name=Heart&keywords=mr&secondary_ID=a&accessibility=public&alias=h1,h2"),
    ] {
        assert_eq!(api.put(&format!("/data/projects/{id}?{query}")).status, 200);
    }
}

#[test]
fn columns_are_chosen_by_short_names_and_xpaths() {
    let service = Service::start();
    let api = service.api();
    filled(&api);
    let list = api.table("/data/projects?columns=ID,xnat:projectData/name,nonsense&ID=BRAIN_1");
    assert_eq!(list.only().columns(), ["ID", "xnat:projectData/name", "URI"]);
    assert_eq!(list.only().get("xnat:projectData/name"), "Brain one");
    let list = api.table("/data/projects?columns=insert_user,insert_date,last_modified,alias&ID=HEART");
    assert_eq!((list.only().get("insert_user"), list.only().get("alias")), ("admin", "h1,h2"));
    assert_eq!(list.only().get("insert_date").len(), "2024-05-01 10:32:33.123".len());
    let fields = api.table("/data/projects?fields=");
    assert_eq!(fields.row("key", "name").get("xpath"), "xnat:projectData/name");
    assert_eq!(fields.rows.len(), 12);
}

#[test]
fn rows_are_filtered_sorted_and_cut() {
    let service = Service::start();
    let api = service.api();
    filled(&api);
    for (query, expected) in [
        ("ID=brain_1", vec!["BRAIN_1"]),
        ("ID=BRAIN*", vec!["BRAIN_1", "BRAIN_2"]),
        ("name=%25one,heart", vec!["BRAIN_1", "HEART"]),
        ("keywords=mr&ID=BRAIN*", vec!["BRAIN_1"]),
        ("xnat:projectData/PI/lastname=curie", vec!["BRAIN_1"]),
        ("insert_date=2000-01-01-2100-01-01", vec!["BRAIN_1", "BRAIN_2", "HEART"]),
        ("insert_date=01/01/2000", vec![]),
        ("sortBy=secondary_ID", vec!["HEART", "BRAIN_2", "BRAIN_1"]),
        ("sortBy=xnat:projectData/name&sortOrder=DESC", vec!["HEART", "BRAIN_2", "BRAIN_1"]),
        ("sortBy=keywords,secondary_ID&columns=name", vec!["HEART", "BRAIN_1", "BRAIN_2"]),
        ("limit=1&offset=1&sortBy=ID", vec!["BRAIN_2"]),
        ("limit=2", vec!["BRAIN_1", "BRAIN_2"]),
        ("limit=*&offset=2", vec!["HEART"]),
    ] {
        let list = api.table(&format!("/data/projects?{query}"));
        let found: Vec<&str> = list.column("URI").into_iter().map(|uri| uri.rsplit('/').next().unwrap()).collect();
        assert_eq!(found, expected, "{query}");
        let is_cut = query.contains("limit");
        assert_eq!(list.rest.contains_key("totalRecords"), !is_cut, "{query}");
    }
    assert_eq!(api.get("/data/projects?insert_date=soon").status, 400);
    assert_eq!(api.get("/data/projects?limit=x").status, 400);
}

#[test]
fn every_format_says_the_same() {
    let service = Service::start();
    let api = service.api();
    filled(&api);
    let csv = api.get("/data/projects?format=csv&columns=ID");
    assert!(csv.header("content-type").unwrap().starts_with("text/csv"));
    assert_eq!(
        csv.text(),
        "ID,URI\nBRAIN_1,/data/projects/BRAIN_1\nBRAIN_2,/data/projects/BRAIN_2\nHEART,/data/projects/HEART\n"
    );
    let xml = api.get("/data/projects?format=xml");
    assert!(xml.text().starts_with("<ResultSet totalRecords=\"3\" title=\"Projects\">"), "{}", xml.text());
    assert!(api.get("/data/projects?format=html").text().contains("BRAIN_1"));
}

#[test]
fn lists_show_what_may_be_read() {
    let service = Service::start();
    let api = service.api();
    filled(&api);
    let ann = Api { client: user(&api, "ann") };
    assert_eq!(ids(&ann.table("/data/projects")), ["HEART"]);
    assert_eq!(api.put("/data/projects/BRAIN_1/users/collaborator/ann").status, 200);
    assert_eq!(api.put("/data/projects/BRAIN_2/accessibility/protected").status, 200);
    assert_eq!(ids(&ann.table("/data/projects")), ["BRAIN_1", "HEART"]);
    for (query, expected) in [
        ("accessible=true", vec!["BRAIN_1", "HEART"]),
        ("accessible=false", vec!["BRAIN_2"]),
        ("owner=true", vec![]),
        ("collaborator=true", vec!["BRAIN_1"]),
        ("owner=true&collaborator=true", vec!["BRAIN_1"]),
        ("data=readable", vec!["BRAIN_1", "HEART"]),
        ("data=writable", vec![]),
        ("admin=true", vec![]),
        ("activeSince=2000-01-01", vec!["BRAIN_1", "HEART"]),
        ("activeSince=01/01/2100", vec![]),
        ("users=true&name=heart", vec!["HEART"]),
    ] {
        assert_eq!(ann.table(&format!("/data/projects?{query}")).column("id"), expected, "{query}");
    }
    assert_eq!(api.table("/data/projects?admin=true").rows.len(), 3);
    for (status, query) in [(501, "favorite=true"), (501, "recent=true"), (400, "data=all"), (400, "activeSince=soon")]
    {
        assert_eq!(ann.get(&format!("/data/projects?{query}")).status, status, "{query}");
    }
}

#[test]
fn the_second_form_has_lower_case_columns_and_the_users_own_role() {
    let service = Service::start();
    let api = service.api();
    filled(&api);
    api.code("BRAIN_1", 5);
    let list = api.table("/data/projects?prearc_code=true&id=BRAIN_1");
    let row = list.only();
    let columns = row.columns();
    assert_eq!(
        columns[..10],
        [
            "id",
            "name",
            "description",
            "secondary_id",
            "pi",
            "project_invs",
            "project_access",
            "project_access_img",
            "insert_date",
            "insert_user"
        ]
    );
    let number = columns[10].strip_prefix("user_role_").unwrap();
    assert_eq!(columns[11], format!("last_accessed_{number}"));
    assert_eq!(columns[12..], ["proj_quarantine", "proj_prearchive_code"]);
    assert_eq!((row.get("pi"), row.get(columns[10]), row.get("proj_prearchive_code")), ("Curie, Marie", "Owners", "5"));
}

#[test]
fn choosers_get_the_projects_in_which_something_may_be_done() {
    let service = Service::start();
    let api = service.api();
    filled(&api);
    let ann = Api { client: user(&api, "ann") };
    assert_eq!(api.put("/data/projects/BRAIN_1/users/member/ann").status, 200);
    assert_eq!(api.put("/data/projects/BRAIN_2/users/owner/ann").status, 200);
    for (permission, expected) in [
        ("read", vec!["HEART", "BRAIN_2", "BRAIN_1"]),
        ("edit", vec!["BRAIN_2", "BRAIN_1"]),
        ("create", vec!["BRAIN_2", "BRAIN_1"]),
        ("delete", vec!["BRAIN_2"]),
        ("activate", vec!["BRAIN_2"]),
    ] {
        let list = ann.table(&format!("/data/projects?permissions={permission}&dataType=xnat:subjectData"));
        assert_eq!(list.column("id"), expected, "{permission}");
        assert_eq!(list.rows[0].columns(), ["id", "secondary_id"]);
    }
    for query in ["permissions=own&dataType=xnat:subjectData", "permissions=edit", "permissions=edit&dataType=x"] {
        assert_eq!(ann.get(&format!("/data/projects?{query}")).status, 400, "{query}");
    }
}
