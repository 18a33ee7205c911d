//! "Get a list of all sessions in the prearchive"

use super::super::formats::parsers;
use super::{COLUMNS, import, media_type, ok, service};

#[test]
fn all_sessions_and_those_of_a_project_in_each_format() {
    let service = service();
    let api = service.api();
    import(&api, 1);
    for path in [
        "/data/prearchive/projects",
        "/data/prearchive/projects/P1",
        "/REST/prearchive/projects",
        "/REST/prearchive/projects/P1",
        "/data/prearchive",
        "/data/prearchive/projects/",
    ] {
        for (query, expected) in [
            ("", "application/json"),
            ("?format=json", "application/json"),
            ("?format=JSON", "application/json"),
            ("?format=application/json", "application/json"),
            ("?format=html", "text/html"),
            ("?format=xml", "text/xml"),
            ("?format=csv", "text/csv"),
            // A word that is no format: the page.
            ("?format=single", "text/html"),
        ] {
            let response = api.get(&format!("{path}{query}"));
            ok(&response);
            assert_eq!(media_type(&response), expected, "{path}{query}");
            let text = response.text();
            let cells = match expected {
                "application/json" => parsers::json(&response),
                "text/csv" => parsers::csv(text.as_bytes()),
                "text/xml" => parsers::xml(&text),
                _ => parsers::html(&text),
            };
            assert_eq!(cells.columns, COLUMNS, "{path}{query}");
            assert_eq!(cells.rows.len(), 1, "{path}{query}");
            let status = COLUMNS.iter().position(|column| *column == "status").unwrap();
            assert_eq!(cells.rows[0][status], "READY", "{path}{query}");
        }
    }
    assert!(api.sessions("P2").rows.is_empty());
}

#[test]
fn accept_chooses_the_format_where_the_query_does_not() {
    let service = service();
    let api = service.api();
    import(&api, 1);
    for (accept, query, expected) in [
        ("application/xml", "", "text/xml"),
        ("text/xml", "", "text/xml"),
        ("text/html", "", "text/html"),
        ("text/html, application/json;q=0.5", "", "text/html"),
        ("text/html", "?format=json", "application/json"),
    ] {
        let path = format!("/data/prearchive/projects/P1{query}");
        let response = api.client.request("GET", &path).header("Accept", accept).send().unwrap();
        ok(&response);
        assert_eq!(media_type(&response), expected, "{accept} {query}");
    }
}

#[test]
fn sessions_of_no_project_are_listed_as_unassigned() {
    let service = service();
    let api = service.api();
    api.import_zip("dest=/prearchive", &narthex_tests::zip_study(&super::study(1)));
    for path in
        ["/data/prearchive/projects", "/data/prearchive/projects/Unassigned", "/data/prearchive/projects/unassigned"]
    {
        let list = api.table(path);
        let row = list.only();
        assert_eq!(row.get("project"), "Unassigned", "{path}");
        let url = format!("/prearchive/projects/Unassigned/{}/{}", row.get("timestamp"), row.get("folderName"));
        assert_eq!(row.get("url"), url, "{path}");
    }
}
