//! Names that are meant to break something.

use narthex_tests::encode;
use serde_json::Value;

use super::{TRIAGE, approved, put, send, service};

const DEST: &str = "/data/projects/P1/resources/R";

const NASTY: [&str; 6] =
    ["<img src=x onerror=alert(1)>", "a\"b'c&d", "blank and\u{a0}more", "ü😀", "%2F%2e%2e", "=1+1,x;y"];

#[test]
fn names_neither_escape_nor_break_a_list() {
    let (_service, api) = service();
    for nasty in NASTY {
        let name = encode(nasty);
        put(&api, &format!("{name}/files/{name}/{name}.html"), DEST, nasty.as_bytes());
        let address = format!("{TRIAGE}/resources/{name}/files/{name}/{name}.html");
        let found = api.get(&address);
        assert_eq!(found.body, nasty.as_bytes(), "{nasty}");
        assert_eq!(found.header("content-type"), Some("application/octet-stream"), "{nasty}");
        assert!(found.header("content-disposition").unwrap().starts_with("attachment"));
        let list = api.table(&format!("{TRIAGE}/resources/{name}"));
        assert_eq!(list.only().get("Name"), format!("{nasty}.html"));
        assert_eq!(api.bytes(list.only().get("URI")), nasty.as_bytes());
    }
    let list = api.table(TRIAGE);
    assert_eq!(list.column("Resource"), NASTY);
    // Cells that are HTML by contract hold no markup but their own.
    for row in &list.rows {
        assert!(!row.get("FSOURCE").trim_end_matches("<br>").contains('<'), "{}", row.get("FSOURCE"));
    }
    for format in ["html", "xml"] {
        let text = api.get(&format!("{TRIAGE}?format={format}")).text();
        assert!(!text.contains("<img"), "{format}");
        let whole = format!("{TRIAGE}/resources/{}?format={format}", encode(NASTY[0]));
        assert!(!api.get(&whole).text().contains("<img"), "{format}");
    }
    let csv = api.get(&format!("{TRIAGE}?format=csv")).text();
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let labels: Vec<String> = reader.records().map(|record| record.unwrap()[0].to_owned()).collect();
    assert_eq!(labels, NASTY);
    let json: Value = serde_json::from_slice(&api.bytes(TRIAGE)).unwrap();
    assert_eq!(json["ResultSet"]["totalRecords"], NASTY.len().to_string());
    for (row, nasty) in list.rows.iter().zip(NASTY) {
        approved(&api, row.get("URI"), row.get("TARGET"));
        let name = encode(nasty);
        assert_eq!(api.bytes(&format!("{DEST}/files/{name}/{name}.html")), nasty.as_bytes());
    }
}

#[test]
fn labels_in_ftarget_are_harmless_to_begin_with() {
    let (_service, api) = service();
    // No item or resource can have a label that would be more than text, so none comes into FTARGET.
    for nasty in ["<i>S", "a&b", "a\"b", "a'b", "a b", "\u{e4}"] {
        let name = encode(nasty);
        for path in [
            format!("/data/projects/P1/subjects/{name}"),
            format!("/data/projects/P1/subjects/S61?label={name}"),
            format!("/data/projects/P1/subjects/S61/experiments/{name}?xsiType=xnat:mrSessionData"),
            format!("/data/experiments/XNAT_E00001/assessors/{name}?xsiType=xnat:qcManualAssessorData"),
        ] {
            let refused = api.put(&path);
            assert!([400, 417].contains(&refused.status), "{path}: {} {}", refused.status, refused.text());
        }
    }
    for nasty in ["<i>R", "a&b", "\u{e4}", " R"] {
        let target = encode(&format!("/data/projects/P1/resources/{nasty}"));
        let path = format!("{TRIAGE}/resources/X/files/a?target={target}");
        assert_eq!(send(&api, "PUT", &path, "text/plain", b"a").status, 400, "{nasty}");
    }
    assert!(api.table(TRIAGE).rows.is_empty());
    // The strangest that can be.
    assert_eq!(api.put("/data/projects/P1/subjects/-_-").status, 201);
    let target = "/data/projects/P1/subjects/-_-/resources/_my.%20notes.v2-";
    put(&api, "X/files/a", &encode(target).replace("%2520", "%20"), b"a");
    let row = api.table(TRIAGE).only().clone();
    assert_eq!(row.get("FTARGET"), "<b>Project</b>: P1<br><b>Subject</b>: -_-<br><b>Resource</b>: _my. notes.v2-");
    approved(&api, row.get("URI"), row.get("TARGET"));
    assert_eq!(api.bytes(&format!("{target}/files/a")), b"a");
}
