//! Approving in all forms, and what stands against it.

use narthex_tests::{MULTIPART, multipart, sentence};

use super::{TRIAGE, approve, approved, put, send, service};

const PROJECT: &str = "/data/archive/projects/P1/resources/R";
const SESSION: &str = "/data/experiments/XNAT_E00001";

#[test]
fn files_are_approved_into_every_kind_of_item() {
    let (_service, api) = service();
    let session = "/data/projects/P1/subjects/S61/experiments/S61_MR1";
    assert_eq!(api.put(&format!("{session}/assessors/QC1?xsiType=xnat:qcManualAssessorData")).status, 201);
    for (number, item) in [
        "/data/projects/P1",
        "/data/archive/projects/P1/subjects/S61",
        "/archive/projects/P1/subjects/S61/experiments/S61_MR1",
        "/data/experiments/XNAT_E00001/scans/1",
        "/data/experiments/XNAT_E00001/assessors/QC1",
    ]
    .into_iter()
    .enumerate()
    {
        let dest = format!("{item}/resources/R");
        put(&api, &format!("F{number}/files/sub/a.txt"), &dest, item.as_bytes());
        approved(&api, &format!("/services/triage/projects/P1/resources/F{number}"), &dest);
        let address = if item.starts_with("/archive") { format!("/data{dest}") } else { dest.clone() };
        assert_eq!(api.bytes(&format!("{address}/files/sub/a.txt")), item.as_bytes(), "{item}");
        let files = api.table(&format!("{address}/files"));
        assert_eq!(files.only().get("collection"), "R");
    }
    // An assessor is an experiment as well, and locked with its session.
    assert_eq!(
        api.bytes("/data/projects/P1/experiments/QC1/resources/R/files/sub/a.txt"),
        b"/data/experiments/XNAT_E00001/assessors/QC1"
    );
    // Where the images are.
    let images = "/data/experiments/XNAT_E00001/scans/1/resources/DICOM";
    let before = api.table(&format!("{images}/files")).rows.len();
    put(&api, "X/files/beside.txt", images, b"x");
    approved(&api, &format!("{TRIAGE}/resources/X"), images);
    assert_eq!(api.table(&format!("{images}/files")).rows.len(), before + 1);
}

#[test]
fn what_is_said_is_kept_with_the_files() {
    let (_service, api) = service();
    let file = format!("{TRIAGE}/resources/X/files");
    send(&api, "POST", &format!("{file}/a?target={PROJECT}&format=TXT&content=OLD"), "text/plain", b"a");
    let said = [("src", file.as_str()), ("dest", PROJECT), ("content", "NEW"), ("tags", "t1,t2"), ("description", "d")];
    assert_eq!(approve(&api, &said).status, 201);
    let list = api.table(&format!("{PROJECT}/files"));
    let row = list.only();
    assert_eq!(["file_format", "file_content", "file_tags"].map(|name| row.get(name)), ["TXT", "NEW", "t1,t2"]);
    assert!(api.get(PROJECT).text().contains("createdBy=\"admin\""));
}

#[test]
fn a_request_may_come_as_a_query_json_a_form_or_pairs() {
    let (_service, api) = service();
    for name in ["a", "b", "c", "d", "e", "f"] {
        put(&api, &format!("X/files/{name}"), PROJECT, name.as_bytes());
    }
    put(&api, "Y/files/g", PROJECT, b"g");
    let src = |name: &str| format!("{TRIAGE}/resources/X/files/{name}");
    let service = "/data/services/triage/approve";
    let put = api.put(&format!("{service}?src={}&dest={PROJECT}", src("a")));
    assert_eq!(put.status, 201, "{}", put.text());
    let json = serde_json::json!({ "src": src("b"), "dest": PROJECT }).to_string();
    assert_eq!(send(&api, "POST", service, "application/json", json.as_bytes()).status, 201);
    let form = multipart(&[("src", None, src("c").as_bytes()), ("dest", None, PROJECT.as_bytes())]);
    let posted = send(&api, "POST", service, MULTIPART, &form);
    assert_eq!(posted.status, 201, "{}", posted.text());
    let other = "/data/projects/P1/subjects/S61/resources/S";
    let pairs = [
        (src("d"), PROJECT.to_owned()),
        (src("e"), other.to_owned()),
        (format!("{TRIAGE}/resources/Y"), PROJECT.to_owned()),
    ];
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(src, dest)| (src.as_str(), dest.as_str())).collect();
    assert_eq!(approve(&api, &pairs).status, 201);
    assert_eq!(api.table(&format!("{PROJECT}/files")).column("Name"), ["a", "b", "c", "d", "g"]);
    assert_eq!(api.table(&format!("{other}/files")).column("Name"), ["e"]);
    assert_eq!(api.table(TRIAGE).column("FSOURCE"), ["f<br>"]);
}

#[test]
fn a_conflict_names_the_files_and_moves_nothing() {
    let (_service, api) = service();
    let folder = format!("{TRIAGE}/resources/X");
    for number in 0..15 {
        put(&api, &format!("X/files/{number:02}"), PROJECT, b"new");
    }
    let body: Vec<_> = (0..14).map(|number| format!("{number:02}")).collect();
    let parts: Vec<(&str, Option<&str>, &[u8])> =
        body.iter().map(|name| ("f", Some(name.as_str()), &b"old"[..])).collect();
    assert_eq!(send(&api, "PUT", &format!("{PROJECT}/files"), MULTIPART, &multipart(&parts)).status, 200);
    for src in [folder.clone(), format!("{folder}/files/03")] {
        let refused = approve(&api, &[("src", &src), ("dest", PROJECT)]);
        assert_eq!(refused.status, 409, "{}", refused.text());
        let text = sentence(&refused);
        assert!(text.starts_with("Duplicate File(s) found:") && text.contains("03"), "{text}");
        assert_eq!(text.contains("4 more"), src == folder, "{text}");
    }
    // One of several parts is refused: nothing of any is done.
    put(&api, "Y/files/z", PROJECT, b"z");
    let both = [(format!("{TRIAGE}/resources/Y"), PROJECT), (folder.clone(), PROJECT)];
    let both: Vec<(&str, &str)> = both.iter().map(|(src, dest)| (src.as_str(), *dest)).collect();
    assert_eq!(approve(&api, &both).status, 409);
    assert_eq!(api.table(&format!("{PROJECT}/files")).rows.len(), 14);
    assert_eq!(api.bytes(&format!("{PROJECT}/files/03")), b"old");
    assert_eq!(api.table(&folder).rows.len(), 15);
    let replaced = approve(&api, &[("src", &folder), ("dest", PROJECT), ("overwrite", "true")]);
    assert_eq!(replaced.status, 201);
    assert_eq!(api.bytes(&format!("{PROJECT}/files/03")), b"new");
    assert_eq!(api.table(&format!("{PROJECT}/files")).rows.len(), 15);
}

#[test]
fn what_cannot_be_approved_is_refused_with_a_sentence() {
    let (_service, api) = service();
    put(&api, "X/files/a", PROJECT, b"a");
    let folder = format!("{TRIAGE}/resources/X");
    let gone = format!("{TRIAGE}/resources/GONE");
    let (pairs, elsewhere) = (folder.clone(), "/data/projects/P1/resources/S");
    for (fields, status, text) in [
        (vec![], 400, "Missing src and dest path"),
        (vec![("src", folder.as_str())], 400, "Missing dest path"),
        (vec![("dest", PROJECT)], 400, "Missing src and dest path"),
        (vec![("src", "/data/projects/P1"), ("dest", PROJECT)], 400, "Invalid Source:"),
        (vec![("src", "X"), ("dest", PROJECT)], 400, "Invalid Source:"),
        (vec![("src", folder.as_str()), ("dest", "/data/projects/P1")], 400, "Invalid Destination:"),
        (
            vec![("src", folder.as_str()), ("dest", "/data/projects/P1/resources/R/files/b")],
            400,
            "Invalid Destination:",
        ),
        (vec![("src", folder.as_str()), ("dest", "/data/projects/NOPE/resources/R")], 400, "Invalid Destination:"),
        (vec![("src", folder.as_str()), ("dest", "/data/experiments/XNAT_E00001/scans/9/resources/R")], 400, "Invalid"),
        (vec![("src", gone.as_str()), ("dest", PROJECT)], 404, "Quarantine directory not found"),
        (vec![("src", folder.as_str()), ("dest", PROJECT), ("_onSuccessReturnJS", "alert(1)")], 400, "not supported"),
        (vec![(pairs.as_str(), PROJECT), (pairs.as_str(), elsewhere)], 400, "two destinations"),
    ] {
        let refused = approve(&api, &fields);
        assert_eq!(refused.status, status, "{fields:?}: {}", refused.text());
        assert!(sentence(&refused).contains(text), "{fields:?}: {}", sentence(&refused));
    }
    assert_eq!(api.get("/data/services/triage/approve").status, 405);
    assert_eq!(api.put(&format!("{SESSION}/assessors/QC1?xsiType=xnat:qcManualAssessorData")).status, 201);
    let lock = api.put(&format!("{SESSION}?lock=true"));
    assert_eq!(lock.status, 200, "{}", lock.text());
    for dest in [SESSION.to_owned(), format!("{SESSION}/assessors/QC1"), format!("{SESSION}/scans/1")] {
        let locked = approve(&api, &[("src", &folder), ("dest", &format!("{dest}/resources/R"))]);
        let text = "Destination is locked. Please unlock to continue.";
        assert_eq!((locked.status, sentence(&locked).as_str()), (403, text), "{dest}");
    }
    assert_eq!(api.table(&folder).rows.len(), 1);
}
