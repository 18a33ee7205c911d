//! DICOM files whose preamble makes them something else as well (PS3.10, section 7.1; CVE-2019-11687).

use narthex_tests::{Api, Modality, Packing, Service, Study, zip_files};

/// Kinds of files that a preamble has room for, by their first bytes.
const STARTS: [(&str, &[u8]); 5] = [
    ("a program of Windows", b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xFF\xFF\0\0"),
    ("a page", b"<html><body><script>alert(document.cookie)</script></body></html>"),
    ("an image with a script", b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>"),
    ("a script", b"#!/bin/sh\nreboot\n"),
    ("a program of Linux", b"\x7FELF\x02\x01\x01\0"),
];

/// What a browser would run or show as a page.
const RUN_BY_BROWSERS: [&str; 6] = ["text/", "image/", "application/xhtml", "application/xml", "script", "wasm"];

fn file(seed: u64, start: &[u8]) -> Vec<u8> {
    let study = Study::new(Modality::Ct, seed).patient(&format!("P{seed}"), "PREAMBLE").slices(1);
    let mut bytes = study.files().next().unwrap().bytes;
    bytes[..start.len()].copy_from_slice(start);
    bytes
}

/// Sends a file by a handler, has its session built, and gives the session's URI.
#[track_caller]
fn import(api: &Api, handler: &str, name: &str, bytes: &[u8]) -> String {
    let body = match handler {
        "DICOM-zip" => zip_files([(name.to_owned(), bytes.to_vec())], Packing::Deflated),
        _ => bytes.to_vec(),
    };
    let path = format!("/data/services/import/{name}?import-handler={handler}&dest=/prearchive/projects/P1");
    let response = api.client.post(&path, "application/octet-stream", &body).unwrap();
    assert_eq!(response.status, 200, "{handler}: {}", response.text());
    let uri = response.text().trim().to_owned();
    if handler == "gradual-DICOM" {
        let built = api.client.post(&format!("{uri}?action=build"), "", b"").unwrap();
        assert_eq!(built.status, 200, "{}", built.text());
    }
    uri
}

#[test]
fn are_kept_byte_for_byte_noted_and_never_served_as_what_a_browser_runs() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let mut seed = 0;
    for handler in ["SI", "DICOM-zip", "gradual-DICOM"] {
        for (kind, start) in STARTS {
            for name in ["image.dcm", "image.html", "image.svg"] {
                seed += 1;
                let bytes = file(seed, start);
                let what = format!("{kind} by {handler} as {name}");
                let uri = import(&api, handler, name, &bytes);
                let scan = api.table(&format!("{uri}/scans")).only().get("ID").to_owned();
                let files = api.table(&format!("{uri}/scans/{scan}/resources/DICOM/files"));
                let response = api.get(files.only().get("URI"));
                assert_eq!(response.status, 200, "{what}");
                assert!(response.body == bytes, "{what} came back altered");
                let content_type = response.header("content-type").unwrap_or_default();
                assert!(!content_type.is_empty(), "{what}: no content type");
                for run in RUN_BY_BROWSERS {
                    assert!(!content_type.contains(run), "{what} is served as {content_type}");
                }
                assert_eq!(response.header("x-content-type-options"), Some("nosniff"), "{what}");
                assert!(noted(&api, &uri), "{what}: the log does not tell");
            }
        }
    }
}

/// Whether the log of a session tells of a preamble.
fn noted(api: &Api, uri: &str) -> bool {
    let logs = api.table(&format!("{uri}/logs"));
    let texts: Vec<String> = logs
        .rows
        .iter()
        .flat_map(|row| row.0.iter().map(|(_, value)| value.clone()).collect::<Vec<_>>())
        .chain(logs.rows.iter().filter_map(|row| {
            let (_, id) = row.0.iter().find(|(name, _)| name.eq_ignore_ascii_case("id"))?;
            Some(api.get(&format!("{uri}/logs/{id}")).text())
        }))
        .collect();
    texts.iter().any(|text| text.contains("preamble"))
}

#[test]
fn that_are_empty_or_tiff_are_not_worth_a_note() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    for (number, start) in [&b""[..], b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08"].into_iter().enumerate() {
        let bytes = file(500 + number as u64, start);
        let uri = import(&api, "SI", "image.dcm", &bytes);
        assert!(!noted(&api, &uri), "{start:?}");
        assert!(api.content(&uri).values().any(|stored| *stored == bytes));
    }
}
