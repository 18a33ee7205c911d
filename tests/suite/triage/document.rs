//! The requests of the API document one by one, as curl sends them.

use std::io::{Cursor, Read};

use narthex_tests::{MULTIPART, multipart, sentence};
use serde_json::{Value, json};

use super::{TRIAGE, approve, put, send, service};

const SUBJECT: &str = "/data/archive/projects/P1/subjects/S61/resources/TestingFolder4";

#[test]
fn the_list_has_a_row_for_each_file_with_the_document_s_members() {
    let (_service, api) = service();
    put(&api, "1619096148184/files/test1.json", SUBJECT, b"{}");
    put(&api, "1619096148184/files/test2.json", &format!("{SUBJECT}/files"), b"{}");
    put(&api, "1619096148185/files/a.txt", "/experiments/XNAT_E00001/scans/1/resources/R", b"a");
    for address in [TRIAGE.to_owned(), format!("{TRIAGE}/resources"), TRIAGE.replace("/data", "/REST")] {
        // Without a word on the format, as the document has it.
        let list: Value = serde_json::from_slice(&api.bytes(&address)).unwrap();
        let set = &list["ResultSet"];
        assert_eq!(set["Columns"], json!([{"key": "URI", "serverRoot": ""}, {"key": "TARGET", "serverRoot": ""}]));
        assert_eq!(set["totalRecords"], "3");
        let rows = set["Result"].as_array().unwrap();
        for (row, name) in rows.iter().zip(["test1.json", "test2.json"]) {
            let mut row = row.clone();
            let date = row["DATE"].take();
            let digits = date.as_str().unwrap().replace(|c: char| c.is_ascii_digit(), "0");
            assert_eq!(digits, "0000-00-00 00:00:00");
            let expected = json!({
                "TARGET": "/data/archive/projects/P1/subjects/S61/resources/TestingFolder4/files",
                "DATE": null,
                "FTARGET": "<b>Project</b>: P1<br><b>Subject</b>: S61<br><b>Resource</b>: TestingFolder4",
                "OVERWRITE": "false",
                "FSOURCE": format!("{name}<br>"),
                "Resource": "1619096148184",
                "format": "",
                "USER": "admin",
                "URI": "/data/services/triage/projects/P1/resources/1619096148184",
                "content": "",
                "EVENT_REASON": "",
            });
            assert_eq!(row, expected);
        }
        assert_eq!(rows[2]["TARGET"], "/data/archive/experiments/XNAT_E00001/scans/1/resources/R/files");
        let ftarget = "<b>Project</b>: P1<br><b>Subject</b>: S61<br><b>Experiment</b>: S61_MR1<br><b>Scan</b>: 1<br>\
                       <b>Resource</b>: R";
        assert_eq!(rows[2]["FTARGET"], ftarget);
    }
    let sorted = api.table(&format!("{TRIAGE}?sortBy=FSOURCE&sortOrder=desc&limit=2"));
    assert_eq!(sorted.column("FSOURCE"), ["test2.json<br>", "test1.json<br>"]);
    for (format, beginning) in [("csv", "Resource,URI,TARGET,USER,"), ("xml", "<"), ("html", "<html")] {
        let text = api.get(&format!("{TRIAGE}?format={format}")).text();
        assert!(text.starts_with(beginning), "{format}: {text:.100}");
        assert_eq!(text.matches("test1.json").count(), 1, "{format}");
    }
}

#[test]
fn a_file_is_posted_with_every_parameter_and_downloaded_again() {
    let (_service, api) = service();
    let file = format!("{TRIAGE}/resources/X/files/run%201/a.txt");
    let query = format!("target={SUBJECT}&OVERWRITE=true&event_reason=why&format=TXT&content=NOTES");
    for (method, body) in [("POST", b"first"), ("PUT", b"again")] {
        assert_eq!(send(&api, method, &format!("{file}?{query}"), "text/plain", body).status, 200, "{method}");
        assert_eq!(api.bytes(&file), body);
    }
    let kept = send(&api, "POST", &format!("{file}?target={SUBJECT}"), "text/plain", b"third");
    assert_eq!((kept.status, kept.text().as_str()), (200, r#"{"duplicates":["run 1/a.txt"]}"#));
    assert_eq!(api.bytes(&file), b"again");
    send(&api, "POST", &format!("{TRIAGE}/resources/X/files/b?{query}"), "text/plain", b"b");
    let list = api.table(&format!("{TRIAGE}/resources/X"));
    assert_eq!(list.rows[0].columns()[..4], ["Name", "Size", "URI", "TARGET"]);
    let row = list.row("Name", "a.txt");
    let cells = ["Size", "URI", "USER", "OVERWRITE", "EVENT_REASON", "format", "content"].map(|name| row.get(name));
    assert_eq!(cells, ["5", file.as_str(), "admin", "true", "why", "TXT", "NOTES"]);
    assert_eq!(api.table(&format!("{TRIAGE}/resources/X/files")).rows.len(), 2);

    let head = api.client.request("HEAD", &file).send().unwrap();
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, Some("5"), 0));
    assert!(head.header("content-disposition").unwrap().starts_with("attachment; filename=\"a.txt\""));
    let part = api.client.request("GET", &file).header("Range", "bytes=1-2").send().unwrap();
    assert_eq!((part.status, part.body.as_slice()), (206, &b"ga"[..]));
    let etag = head.header("etag").unwrap();
    let same = api.client.request("GET", &file).header("If-None-Match", etag).send().unwrap();
    assert_eq!(same.status, 304);
    let missing = api.get(&format!("{TRIAGE}/resources/X/files/c"));
    assert_eq!((missing.status, sentence(&missing).as_str()), (404, "Quarantine file not found."));
}

#[test]
fn what_is_said_of_a_file_is_listed_with_it_as_given() {
    let (_service, api) = service();
    for (name, query) in [("a", "&event_reason=first"), ("b", "&event_reason=second&OVERWRITE=true"), ("c", "")] {
        let path = format!("{TRIAGE}/resources/X/files/{name}?target={SUBJECT}{query}");
        assert_eq!(send(&api, "POST", &path, "text/plain", b"x").status, 200);
    }
    let listed = |address: &str| {
        let list = api.table(address);
        let cells = list.rows.iter().map(|row| ["OVERWRITE", "EVENT_REASON"].map(|name| row.get(name).to_owned()));
        cells.collect::<Vec<_>>()
    };
    let expected = [["false", "first"], ["true", "second"], ["false", ""]].map(|row| row.map(str::to_owned));
    for address in [TRIAGE.to_owned(), format!("{TRIAGE}/resources/X")] {
        assert_eq!(listed(&address), expected, "{address}");
    }
    // A file that takes another's place says for itself.
    let again = format!("{TRIAGE}/resources/X/files/a?target={SUBJECT}&OVERWRITE=true");
    assert_eq!(send(&api, "POST", &again, "text/plain", b"y").status, 200);
    assert_eq!(listed(TRIAGE)[0], ["true", ""]);
    // It is the reviewer who says whether files of the destination are replaced.
    assert_eq!(send(&api, "PUT", &format!("{SUBJECT}/files/b"), "text/plain", b"old").status, 200);
    let src = format!("{TRIAGE}/resources/X/files/b");
    assert_eq!(approve(&api, &[("src", &src), ("dest", SUBJECT)]).status, 409);
    assert_eq!(api.bytes(&format!("{SUBJECT}/files/b")), b"old");
    assert_eq!(approve(&api, &[("src", &src), ("dest", SUBJECT), ("overwrite", "true")]).status, 201);
    assert_eq!(api.bytes(&format!("{SUBJECT}/files/b")), b"x");
}

#[test]
fn forms_carry_files_and_parameters() {
    let (_service, api) = service();
    let body = multipart(&[
        ("target", None, SUBJECT.as_bytes()),
        ("event_reason", None, b"by form"),
        ("one", Some("C:\\x\\a b.txt"), b"1"),
        ("two", Some("c"), b"2"),
    ]);
    assert_eq!(send(&api, "POST", &format!("{TRIAGE}/resources/X/files"), MULTIPART, &body).status, 200);
    let list = api.table(&format!("{TRIAGE}/resources/X"));
    assert_eq!(list.column("Name"), ["a b.txt", "c"]);
    assert_eq!(list.column("EVENT_REASON"), ["by form"; 2]);
    let none = multipart(&[("one", Some("a"), b"1")]);
    assert_eq!(send(&api, "POST", &format!("{TRIAGE}/resources/Y/files"), MULTIPART, &none).status, 400);
    assert_eq!(api.get(&format!("{TRIAGE}/resources/Y")).status, 404);
}

#[test]
fn all_files_come_as_a_zip_unless_another_format_is_named() {
    let (_service, api) = service();
    put(&api, "X/files/a.txt", SUBJECT, b"one");
    put(&api, "X/files/d/b.txt", SUBJECT, b"two");
    let files = format!("{TRIAGE}/resources/X/files");
    for address in [files.clone(), format!("{files}?format=zip"), format!("{TRIAGE}/resources/X?format=zip")] {
        let zip = api.get(&address);
        assert_eq!(zip.header("content-type"), Some("application/zip"), "{address}");
        assert!(zip.header("content-disposition").unwrap().contains("X.zip"));
        let found = unzip(&zip.body);
        assert_eq!(found, [("a.txt".to_owned(), b"one".to_vec()), ("d/b.txt".to_owned(), b"two".to_vec())]);
    }
    for (format, kind) in [("tar", "application/x-tar"), ("tar.gz", "application/x-gtar")] {
        let archive = api.get(&format!("{files}?format={format}"));
        assert_eq!((archive.status, archive.header("content-type")), (200, Some(kind)));
        let start: &[u8] = if format == "tar" { b"a.txt\0" } else { b"\x1f\x8b" };
        assert!(archive.body.starts_with(start));
    }
    let list = api.client.request("GET", &files).header("Accept", "application/json").send().unwrap();
    assert!(list.text().starts_with("{\"ResultSet\""), "{}", list.text());
}

fn unzip(zip: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut zip = zip::ZipArchive::new(Cursor::new(zip)).expect("a zip");
    let mut files = Vec::new();
    for index in 0..zip.len() {
        let mut file = zip.by_index(index).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        files.push((file.name().unwrap().to_string(), bytes));
    }
    files.sort();
    files
}

#[test]
fn a_file_or_a_folder_is_approved_or_removed() {
    let (_service, api) = service();
    let folder = format!("{TRIAGE}/resources/X");
    for name in ["a", "b", "c", "d"] {
        put(&api, &format!("X/files/{name}"), SUBJECT, name.as_bytes());
    }
    let one = approve(&api, &[("src", &format!("{folder}/files/a")), ("dest", SUBJECT), ("overwrite", "false")]);
    assert_eq!(one.status, 201, "{}", one.text());
    assert_eq!(api.bytes(&format!("{SUBJECT}/files/a")), b"a");
    assert_eq!(api.client.delete(&format!("{folder}/files/b")).unwrap().status, 200);
    assert_eq!(api.client.delete(&format!("{folder}/files/b")).unwrap().status, 404);
    assert_eq!(api.table(&folder).column("Name"), ["c", "d"]);
    let rest = approve(&api, &[("src", &folder), ("dest", &format!("{SUBJECT}/files"))]);
    assert_eq!(rest.status, 201, "{}", rest.text());
    let gone = api.get(&folder);
    let text = "Quarantine directory not found or is not a directory.";
    assert_eq!((gone.status, sentence(&gone).as_str()), (404, text));
    assert_eq!(api.table(&format!("{SUBJECT}/files")).column("Name"), ["a", "c", "d"]);

    put(&api, "Y/files/a", SUBJECT, b"y");
    let folder = format!("{TRIAGE}/resources/Y");
    assert_eq!(api.client.delete(&folder).unwrap().status, 200);
    assert_eq!(api.client.delete(&folder).unwrap().status, 404);
    assert!(api.table(TRIAGE).rows.is_empty());
    assert_eq!(api.put(&folder).status, 200);
    assert_eq!(api.put(&folder).status, 412);
    assert!(api.table(&folder).rows.is_empty());
}
