//! Refreshing catalogs.

use narthex_tests::{Api, Response};

use super::archived;
use super::shelves::put_file;

const REFRESH: &str = "/data/services/refresh/catalog";

#[track_caller]
fn refresh(api: &Api, query: &str) -> Response {
    api.client.post(&format!("{REFRESH}?{query}"), "text/plain", b"").unwrap()
}

#[test]
fn every_form_of_request_is_answered_with_nothing() {
    let (_service, api) = archived();
    put_file(&api, "/data/experiments/XNAT_E00001/resources/NOTES/files/a", b"x");
    put_file(&api, "/data/projects/P1/resources/NOTES/files/a", b"x");
    for uri in [
        "/projects/P1",
        "/data/projects/P1/resources/NOTES",
        "/archive/projects/P1/subjects/S41",
        "/data/archive/subjects/XNAT_S00001",
        "/data/projects/P1/subjects/S41/experiments/S41_MR1",
        "/archive/projects/P1/experiments/S41_MR1/scans/2",
        "/archive/experiments/XNAT_E00001",
        "/data/experiments/XNAT_E00001/scans/2/resources/DICOM",
        "/data/experiments/XNAT_E00001/resources/NOTES",
    ] {
        for options in
            ["", "&options=checksum&options=append", "&options=populateStats,append,delete,checksum", "&delete=true"]
        {
            let done = refresh(&api, &format!("resource={uri}{options}"));
            assert_eq!((done.status, done.text().as_str()), (200, ""), "{uri}{options}: {}", done.text());
        }
    }
    let form =
        [("resource", "/archive/experiments/XNAT_E00001"), ("resource", "/projects/P1"), ("options", "checksum")];
    assert_eq!(api.client.post_form(REFRESH, &form).unwrap().status, 200);
    let table = narthex_tests::Table::of(&api.client.post_form(&format!("{REFRESH}?format=json"), &form).unwrap());
    let labels = table.column("label");
    assert_eq!(labels, ["DICOM", "DICOM", "secondary", "NOTES", "NOTES"]);
    for row in &table.rows {
        assert_eq!((row.get("damaged"), row.get("missing"), row.get("removed")), ("0", "0", "0"));
    }
}

#[test]
fn what_is_no_item_of_the_archive_is_refused() {
    let (_service, api) = archived();
    for (query, status, word) in [
        ("", 400, "resource"),
        ("resource=experiments/XNAT_E00001", 400, "Malformed URI: experiments/XNAT_E00001"),
        ("resource=/prearchive/projects/P1/T/S", 400, "Invalid URI: /prearchive/projects/P1/T/S"),
        ("resource=/experiments/XNAT_E00001/resources/R/files/a", 400, "Invalid URI"),
        ("resource=/experiments/XNAT_E00009", 400, "Cannot locate archivable item securing /experiments/XNAT_E00009"),
        ("resource=/experiments/XNAT_E00001/scans/77", 400, "Cannot locate"),
        ("resource=/experiments/XNAT_E00001/resources/NONE", 400, "Cannot locate"),
        ("resource=/projects/P1&options=everything", 400, "everything"),
    ] {
        let refused = refresh(&api, query);
        assert_eq!(refused.status, status, "{query}: {}", refused.text());
        assert!(refused.text().contains(word), "{query}: {}", refused.text());
    }
    assert_eq!(api.get(REFRESH).status, 405);
}
