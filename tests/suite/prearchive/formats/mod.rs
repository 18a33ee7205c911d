//! Every table in every format: read by a real parser of the format, and compared with files that a person looked at.

mod golden;
pub(crate) mod parsers;

use narthex_tests::{Api, Modality, PASSWORD, Service, Study, encode, zip_study};

use self::parsers::Cells;

/// Text that means something in each of the formats.
const NASTY: &str = "\"a\", b & <c>; 'd' ]]> &lt; \u{e4}\u{1f600} =1+1";
const LINES: &str = "one\ntwo,\tthree";

const PLACE: &str = "/data/prearchive/projects/P1/20000101_050505";

/// A service with three sessions, of which the first has all that there is to show.
fn scene() -> Service {
    let service = Service::start();
    let api = service.api();
    let query =
        [("name", NASTY), ("description", "Two & <three>"), ("pi_lastname", "O'Neill, \"Jr\""), ("keywords", "")];
    let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    assert_eq!(api.put(&format!("/data/projects/P1?{}", query.join("&"))).status, 200);
    for (number, name, more) in [
        (1, "A.1", format!("&SOURCE={}&VISIT={}", encode(NASTY), encode(LINES))),
        (
            2,
            "B-2",
            format!("&PROTOCOL={}&TIMEZONE={}", encode("<script>alert(\"1\")</script>"), encode("Europe/Z\u{fc}rich")),
        ),
        (3, "C_3", "&prevent_anon=true".to_owned()),
    ] {
        let study = Study::new(Modality::Mr, number)
            .patient(&format!("Ses & <{number}>, \"x\""), "O'Brien^\"Sub\"")
            .description("T1 & <T2>, \"both\"")
            .matrix(8)
            .slices(1)
            .series_named(1, "t1 \"sag\" & <cor>, 'x'")
            .and_series(2, "", Modality::Sc, 2);
        api.import_zip(&format!("dest=/prearchive/projects/P1/20000101_050505/{name}{more}"), &zip_study(&study));
    }
    for name in ["a & b.txt", "<\u{e4}>,'\"'.txt", "c/d;e.txt"] {
        let path: Vec<String> = name.split('/').map(encode).collect();
        let path = format!("{PLACE}/A.1/resources/NOTES/files/{}", path.join("/"));
        let sent = api.client.request("PUT", &path).header("Content-Type", "text/plain").send_bytes(b"hello").unwrap();
        assert_eq!(sent.status, 200, "{path}: {}", sent.text());
    }
    for status in ["ERROR", "READY"] {
        let form = [("action", "set-status"), ("status", status)];
        assert_eq!(api.client.post_form(&format!("{PLACE}/A.1"), &form).unwrap().status, 200);
    }
    let user = serde_json::json!({
        "username": "ann", "password": PASSWORD, "firstName": "Ann \"A\"", "lastName": "O'Hara & <sons>, Ltd",
        "email": "ann@example.org",
    });
    let made = api.client.post("/xapi/users", "application/json", user.to_string().as_bytes()).unwrap();
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(api.put("/data/projects/P1/users/member/ann").status, 200);
    service
}

/// The tables, by the names of their golden files.
fn tables() -> [(&'static str, String); 9] {
    let session = format!("{PLACE}/A.1");
    [
        ("sessions", "/data/prearchive/projects/P1?sortBy=name&".to_owned()),
        ("scans", format!("{session}/scans?")),
        ("scan-resources", format!("{session}/scans/2/resources?")),
        ("scan-files", format!("{session}/scans/2/resources/secondary/files?")),
        ("resources", format!("{session}/resources?")),
        ("resource-files", format!("{session}/resources/NOTES/files?")),
        ("logs", format!("{session}/logs?")),
        ("projects", "/data/projects?".to_owned()),
        ("members", "/data/projects/P1/users?".to_owned()),
    ]
}

/// An answer as text, of the media type that belongs to it.
#[track_caller]
fn text(api: &Api, path: &str, media_type: &str) -> String {
    let response = api.get(path);
    assert_eq!(response.status, 200, "{path}: {}", response.text());
    let content_type = response.header("content-type").unwrap_or_default();
    let (found, charset) = content_type.split_once(';').unwrap_or((content_type, "charset=utf-8"));
    assert_eq!((found, charset.trim().to_ascii_lowercase().as_str()), (media_type, "charset=utf-8"), "{path}");
    String::from_utf8(response.body).expect("UTF-8")
}

#[test]
fn every_table_says_the_same_in_every_format() {
    let service = scene();
    let api = service.api();
    for (name, path) in tables() {
        let answer = api.get(&format!("{path}format=json"));
        let cells: Cells = parsers::json(&answer);
        golden::check(&format!("{name}.json"), &answer.text());

        let csv = text(&api, &format!("{path}format=csv"), "text/csv");
        assert_eq!(parsers::csv(csv.as_bytes()), cells, "{name} as csv");
        golden::check(&format!("{name}.csv"), &csv);

        let xml = text(&api, &format!("{path}format=xml"), "text/xml");
        assert_eq!(parsers::xml(&xml), cells.on_one_line(), "{name} as xml");
        golden::check(&format!("{name}.xml"), &xml);

        let html = text(&api, &format!("{path}format=html"), "text/html");
        assert_eq!(parsers::html(&html), cells.on_one_line(), "{name} as html");
        golden::check(&format!("{name}.html"), &html);
    }
}

#[test]
fn the_texts_that_clients_send_come_back_as_they_are() {
    let service = scene();
    let rows = service.api().sessions("P1");
    let row = rows.row("folderName", "A.1");
    assert_eq!((row.get("SOURCE"), row.get("VISIT")), (NASTY, LINES));
    let row = rows.row("folderName", "B-2");
    assert_eq!(row.get("PROTOCOL"), "<script>alert(\"1\")</script>");
    assert_eq!(row.get("TIMEZONE"), "Europe/Z\u{fc}rich");
    assert_eq!(service.api().table("/data/projects").only().get("name"), NASTY);
}

#[test]
fn one_session_has_a_row_a_page_and_a_document() {
    let service = scene();
    let api = service.api();
    let uri = format!("{PLACE}/A.1");
    let row = api.get(&format!("{uri}?format=json"));
    golden::check("session.json", &row.text());
    let html = text(&api, &format!("{uri}?format=html"), "text/html");
    assert_eq!(parsers::html(&html), parsers::json(&row).on_one_line());
    golden::check("session.html", &html);

    let document = text(&api, &uri, "text/xml");
    golden::check("session.xml", &document);
    let elements = parsers::elements(&document);
    let value = |end: &str| -> Vec<&str> {
        elements.iter().filter(|(path, _)| path.ends_with(end)).map(|(_, text)| text.as_str()).collect()
    };
    assert_eq!(value("xnat:MRSession/@project"), ["P1"]);
    assert_eq!(value("xnat:scan/xnat:series_description")[0], "t1 \"sag\" & <cor>, 'x'");
    assert_eq!(value("xnat:MRSession/xnat:dcmPatientName"), ["O'Brien^\"Sub\""]);
    // Attributes are on one line.
    assert_eq!(value("xnat:MRSession/@visit"), [LINES.replace(['\n', '\t'], " ")]);
}

#[test]
fn an_empty_table_is_one_in_every_format() {
    let service = Service::start();
    let api = service.api();
    let path = "/data/prearchive/projects?format=";
    golden::check("empty.json", &api.get(&format!("{path}json")).text());
    assert!(api.table("/data/prearchive/projects").rows.is_empty());
    let csv = parsers::csv(text(&api, &format!("{path}csv"), "text/csv").as_bytes());
    let xml = parsers::xml(&text(&api, &format!("{path}xml"), "text/xml"));
    let html = parsers::html(&text(&api, &format!("{path}html"), "text/html"));
    assert_eq!((csv.columns.len(), csv.rows.len()), (19, 0));
    assert_eq!((&xml, &html), (&csv, &csv));
}
