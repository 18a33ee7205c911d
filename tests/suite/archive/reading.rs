//! Lists, files and bytes of the archive.

use std::collections::BTreeSet;
use std::io::{Cursor, Read};

use narthex_tests::{Modality, Study, md5, sentence};

use super::{archived, study};

#[test]
fn an_archived_session_has_left_the_prearchive() {
    let (_service, api) = archived();
    assert!(api.sessions("P1").rows.is_empty());
    assert!(api.table("/data/prearchive/projects").rows.is_empty());
}

#[test]
fn subjects_and_experiments_have_ids() {
    let (_service, api) = archived();
    let subjects = api.table("/data/projects/P1/subjects");
    let subject = subjects.only();
    assert_eq!(subject.columns(), ["ID", "project", "label", "insert_date", "insert_user", "URI"]);
    assert_eq!((subject.get("ID"), subject.get("label")), ("XNAT_S00001", "S41"));
    assert_eq!(subject.get("URI"), "/data/subjects/XNAT_S00001");

    for path in [
        "/data/projects/P1/experiments",
        "/data/archive/projects/P1/experiments",
        "/data/projects/P1/subjects/S41/experiments",
        "/data/projects/P1/subjects/XNAT_S00001/experiments",
        "/data/experiments",
    ] {
        let list = api.table(path);
        let row = list.only();
        assert_eq!((row.get("ID"), row.get("label")), ("XNAT_E00001", "S41_MR1"), "{path}");
        assert_eq!(row.get("xsiType"), "xnat:mrSessionData");
        assert_eq!(row.get("date"), "2024-05-01");
        assert_eq!(row.get("project"), "P1");
        assert_eq!(row.get("URI"), "/data/experiments/XNAT_E00001");
        assert_eq!(list.rest["totalRecords"], "1", "{path}");
    }
}

#[test]
fn ids_count_up() {
    let (_service, api) = archived();
    let same_subject = Study::new(Modality::Ct, 42).patient("S41_CT1", "S41");
    let other_subject = Study::new(Modality::Ct, 43).patient("S43_CT1", "S43");
    for study in [&same_subject, &other_subject] {
        api.archive(&api.import("P1", study));
    }
    let experiments = api.table("/data/projects/P1/experiments");
    let ids: BTreeSet<&str> = experiments.column("ID").into_iter().collect();
    assert_eq!(ids, BTreeSet::from(["XNAT_E00001", "XNAT_E00002", "XNAT_E00003"]));
    let subjects = api.table("/data/projects/P1/subjects");
    assert_eq!(subjects.row("label", "S41").get("ID"), "XNAT_S00001");
    assert_eq!(subjects.row("label", "S43").get("ID"), "XNAT_S00002");
    assert_eq!(subjects.rows.len(), 2, "a subject is found again by its label");
}

#[test]
fn every_address_of_a_session_leads_to_the_same_bytes() {
    let (_service, api) = archived();
    for session in [
        "/data/experiments/XNAT_E00001",
        "/data/archive/experiments/XNAT_E00001",
        "/data/projects/P1/experiments/S41_MR1",
        "/data/projects/P1/experiments/XNAT_E00001",
        "/data/archive/projects/P1/subjects/S41/experiments/S41_MR1",
        "/data/projects/P1/subjects/XNAT_S00001/experiments/XNAT_E00001",
        "/REST/experiments/XNAT_E00001",
    ] {
        api.assert_holds(session, &study());
    }
}

#[test]
fn scans_are_listed_with_type_and_quality() {
    let (_service, api) = archived();
    let scans = api.table("/data/experiments/XNAT_E00001/scans");
    let columns = ["xnat_imagescandata_id", "ID", "type", "quality", "xsiType", "note", "series_description", "URI"];
    assert_eq!(scans.rows[0].columns(), columns);
    let t1 = scans.row("ID", "2");
    assert_eq!((t1.get("type"), t1.get("quality"), t1.get("xsiType")), ("t1", "usable", "xnat:mrScanData"));
    assert_eq!(t1.get("URI"), "/data/experiments/XNAT_E00001/scans/2");
    let numbers: BTreeSet<&str> = scans.column("xnat_imagescandata_id").into_iter().collect();
    assert_eq!(numbers.len(), 3, "each scan has a number of its own");
}

#[test]
fn resources_and_files_are_listed_with_numbers_and_digests() {
    let (_service, api) = archived();
    let scans = "/data/experiments/XNAT_E00001/scans";
    let mut numbers = BTreeSet::new();
    for (scan, label, count) in [("1", "DICOM", "3"), ("2", "DICOM", "5"), ("9", "secondary", "1")] {
        let resources = api.table(&format!("{scans}/{scan}/resources"));
        let row = resources.only();
        assert_eq!((row.get("label"), row.get("file_count")), (label, count));
        assert_eq!((row.get("element_name"), row.get("category")), ("xnat:resourceCatalog", "scans"));
        assert_eq!((row.get("cat_id"), row.get("format")), (scan, "DICOM"));
        let number = row.get("xnat_abstractresource_id").to_owned();
        assert!(number.parse::<u64>().is_ok(), "{number:?}");

        let files = api.table(&format!("{scans}/{scan}/resources/{number}/files"));
        let columns =
            ["Name", "Size", "URI", "collection", "file_tags", "file_format", "file_content", "cat_ID", "digest"];
        assert_eq!(files.rows[0].columns(), columns);
        for file in &files.rows {
            let wanted = format!("{scans}/{scan}/resources/{number}/files/{}", file.get("Name"));
            assert_eq!(file.get("URI"), wanted, "URIs carry the number, not the label");
            assert_eq!((file.get("collection"), file.get("cat_ID")), (label, number.as_str()));
            let digest = file.get("digest");
            assert!(digest.len() == 32 && digest.bytes().all(|b| b.is_ascii_hexdigit()), "digest {digest:?}");
        }
        assert!(numbers.insert(number), "the number of a resource is unique on the server");
    }
    let all = api.table("/data/experiments/XNAT_E00001/resources?all=true");
    assert_eq!(all.rows.len(), 3);
    let files = api.table(&format!("{scans}/ALL/files"));
    assert_eq!(files.rows.len(), study().file_count());
}

#[test]
fn digests_are_those_of_the_bytes() {
    let (_service, api) = archived();
    let files = api.table("/data/experiments/XNAT_E00001/scans/1/resources/DICOM/files");
    let digests: BTreeSet<&str> = files.column("digest").into_iter().collect();
    assert_eq!(digests.len(), 3);
    for row in &files.rows {
        let bytes = api.bytes(row.get("URI"));
        assert_eq!(row.get("digest"), md5(&bytes), "{}", row.get("Name"));
    }
}

#[test]
fn the_whole_session_comes_as_a_zip() {
    let (_service, api) = archived();
    for path in [
        "/data/experiments/XNAT_E00001/scans/ALL/files?format=zip",
        "/data/projects/P1/experiments/S41_MR1/scans/ALL/files?format=zip",
    ] {
        let response = api.get(path);
        assert_eq!(response.status, 200, "{path}: {}", response.text());
        let disposition = response.header("content-disposition").unwrap_or_default();
        assert!(disposition.contains("S41_MR1.zip"), "{disposition:?}");
        let mut zip = zip::ZipArchive::new(Cursor::new(response.body)).unwrap();
        let mut found = Vec::new();
        for index in 0..zip.len() {
            let mut entry = zip.by_index(index).unwrap();
            let name = entry.name().unwrap().into_owned();
            assert!(name.starts_with("S41_MR1/scans/"), "{name}");
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            found.push(bytes);
        }
        let mut wanted: Vec<Vec<u8>> = study().files().map(|file| file.bytes).collect();
        found.sort();
        wanted.sort();
        assert!(found == wanted, "{path}: the zip holds other bytes");
    }
}

#[test]
fn what_is_not_there_is_404() {
    let (_service, api) = archived();
    for path in [
        "/data/experiments/XNAT_E00002",
        "/data/experiments/S41_MR1",
        "/data/experiments/XNAT_E00001/scans/77",
        "/data/experiments/XNAT_E00001/scans/1/resources/NONE",
        "/data/experiments/XNAT_E00001/scans/1/resources/DICOM/files/none.dcm",
        "/data/projects/P1/experiments/NONE?format=json",
        "/data/projects/NONE/experiments",
        "/data/projects/P1/subjects/NONE",
    ] {
        let response = api.get(path);
        assert_eq!(response.status, 404, "{path}");
        assert!(!sentence(&response).is_empty());
    }
}

#[test]
fn the_archive_survives_a_restart() {
    let (mut service, _) = archived();
    service.restart();
    service.api().assert_holds("/data/experiments/XNAT_E00001", &study());
}
