//! The list of sessions.

use narthex_tests::{Api, Modality, Row, Service, Study, zip_study};

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

#[test]
fn one_trailing_slash_changes_nothing() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let uri = api.import("P1", &study());
    for path in [
        "/data/prearchive/",
        "/REST/prearchive/",
        "/data/prearchive/projects/",
        "/data/prearchive/projects/P1/",
        &format!("{uri}/"),
    ] {
        assert_eq!(api.table(path).only().get("name"), "S21_MR1", "{path}");
    }
    assert_eq!(api.get("/data/prearchive//").status, 400);
}

/// Sessions A to D of P1, C of which is not built, and E of P2.
fn several() -> (Service, Api) {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    api.project("P2");
    for (seed, name) in [(1, "A"), (2, "B"), (3, "C"), (4, "D"), (5, "E")] {
        let study = Study::new(Modality::Ct, seed).patient(name, &format!("SUBJECT{}", seed % 2)).slices(1).matrix(8);
        let query = match name {
            "C" => "import-handler=DICOM-zip&project=P1&SOURCE=scanner&VISIT=V1",
            "E" => "import-handler=SI&dest=/prearchive/projects/P2",
            _ => "import-handler=SI&dest=/prearchive/projects/P1",
        };
        let path = format!("/data/services/import?{query}");
        let sent = api.client.post(&path, "application/zip", &zip_study(&study)).unwrap();
        assert_eq!(sent.status, 200, "{}", sent.text());
    }
    (service, api)
}

fn names(api: &Api, query: &str) -> String {
    api.table(&format!("/data/prearchive/projects{query}")).column("name").concat()
}

#[test]
fn a_part_of_the_list_is_asked_for_with_limit_and_offset() {
    let (_service, api) = several();
    for (query, expected) in [
        ("", "ABCDE"),
        ("?limit=2", "AB"),
        ("?limit=2&offset=2", "CD"),
        ("?limit=2&offset=3", "DE"),
        ("?offset=3", "DE"),
        ("?offset=5", ""),
        ("?limit=0", ""),
        ("?limit=*&offset=1", "BCDE"),
        ("/P1?limit=3&offset=1", "BCD"),
        ("/P2,P1?limit=2", "EA"),
        ("?limit=2&sortBy=name&sortOrder=DESC", "ED"),
        ("?limit=2&offset=1&status=READY", "BD"),
        ("?limit=1&SOURCE=scanner", "C"),
    ] {
        assert_eq!(names(&api, query), expected, "{query}");
    }
    for query in ["?limit=x", "?limit=-1", "?offset=1.5"] {
        assert_eq!(api.get(&format!("/data/prearchive/projects{query}")).status, 400, "{query}");
    }
}

#[test]
fn rows_are_filtered_by_what_the_columns_say() {
    let (_service, api) = several();
    let list = api.sessions("P1");
    let today = &list.rows[0].get("uploaded")[..10];
    assert_eq!(list.rows[0].get("scan_date").get(..10), Some("2024-05-01"));
    for (query, expected) in [
        ("status=READY".to_owned(), "ABDE"),
        ("status=receiving".to_owned(), "C"),
        ("status=CONFLICT,RECEIVING".to_owned(), "C"),
        ("status=CONFLICT".to_owned(), ""),
        ("subject=SUBJECT1".to_owned(), "ACE"),
        ("subject=*ject0".to_owned(), "BD"),
        ("name=A,D".to_owned(), "AD"),
        ("folderName=B".to_owned(), "B"),
        ("SOURCE=scanner".to_owned(), "C"),
        ("VISIT=V1".to_owned(), "C"),
        ("prevent_auto_commit=false".to_owned(), "C"),
        ("subject=SUBJECT1&status=READY".to_owned(), "AE"),
        ("scan_date=2024-05-01".to_owned(), "ABCDE"),
        ("scan_date=05/01/2024".to_owned(), "ABCDE"),
        ("scan_date=2024-04-01-2024-05-02".to_owned(), "ABCDE"),
        ("scan_date=2024-05-02-2024-06-01".to_owned(), ""),
        (format!("uploaded={today}-2999-01-01"), "ABCDE"),
        (format!("lastmod=2020-01-01-{today}&name=B"), "B"),
        ("uploaded=2020-01-01-2020-12-31".to_owned(), ""),
        // What is no filter, or no column, changes nothing.
        ("PROJECT=P2&url=x&no_such=1&sortBy=no_such".to_owned(), "ABCDE"),
    ] {
        // Around midnight the last ones are of the next day.
        let found = names(&api, &format!("?{query}"));
        assert!(found == expected || query.contains(&format!("-{today}")), "{query}: {found}");
    }
    for query in ["scan_date=yesterday", "uploaded=2024", "lastmod=x-y"] {
        assert_eq!(api.get(&format!("/data/prearchive/projects?{query}")).status, 400, "{query}");
    }
}

#[test]
fn a_study_is_found_in_all_projects_by_those_who_read_all_data() {
    let (_service, api) = several();
    let found = Study::new(Modality::Ct, 5).study_uid();
    let tag = format!("?tag={found}");
    assert_eq!(names(&api, &tag), "E");
    assert_eq!(names(&api, &format!("/P2{tag}")), "E");
    assert_eq!(names(&api, &format!("/P1{tag}")), "");
    assert_eq!(names(&api, "?tag=1.2.3"), "");
    let owner = crate::access::user(&api.client, "olga");
    assert_eq!(api.put("/data/projects/P2/users/owner/olga").status, 200);
    let owner = Api { client: owner };
    assert_eq!(names(&owner, ""), "E");
    for path in [format!("/data/prearchive{tag}"), format!("/data/prearchive/projects{tag}")] {
        assert_eq!(owner.get(&path).status, 403, "{path}");
    }
    assert_eq!(names(&owner, &format!("/P2{tag}")), "E", "in one's own project");
    assert_eq!(api.put("/xapi/users/olga/groups/ALL_DATA_ACCESS").status, 200);
    assert_eq!(names(&owner, &tag), "E");
}

#[test]
fn rows_stand_by_project_and_there_as_they_came() {
    let (_service, api) = several();
    let moved = format!("/data{}", api.sessions("P1").row("name", "A").get("url"));
    let answer = api.client.post(&format!("{moved}?action=move&newProject=P2"), "", b"").unwrap();
    assert_eq!(answer.status, 301, "{}", answer.text());
    assert_eq!(names(&api, ""), "BCDEA");
    api.import_zip("dest=/prearchive", &zip_study(&Study::new(Modality::Ct, 6).patient("F", "X").slices(1).matrix(8)));
    assert_eq!(names(&api, ""), "FBCDEA");
}
