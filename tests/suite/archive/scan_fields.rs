//! Fields of scans that are set by XPaths on archiving, commit and import.

use narthex_tests::{Api, MULTIPART, Service, form, multipart, zip_study};

use super::study;

const TYPE: &str = "xnat:mrSessionData/scans/scan[0][@xsi:type=xnat:mrScanData]/type";
const QUALITY: &str = "xnat:mrSessionData/scans/scan[ID=2]/quality";
const NOTE: &str = "xnat:mrSessionData/scans/scan[@ID=2]/note";

fn service() -> (Service, Api, String) {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let staged = api.import("P1", &study());
    (service, api, staged)
}

/// What an archived session says of its scans.
#[track_caller]
fn check_archived(api: &Api, session: &str) {
    let scans = api.table(&format!("{session}/scans?columns=ID,type,quality,note&format=json"));
    assert_eq!(scans.row("ID", "1").get("type"), "localizer-by-hand");
    let second = scans.row("ID", "2");
    assert_eq!((second.get("quality"), second.get("note")), ("questionable", "moved"));
    assert_eq!(scans.row("ID", "9").get("quality"), "usable");
    let document = api.get(&format!("{session}?format=xml")).text();
    assert!(document.contains("type=\"localizer-by-hand\"") && document.contains("questionable"), "{document}");
}

const WISHES: [(&str, &str); 3] = [(TYPE, "localizer-by-hand"), (QUALITY, "questionable"), (NOTE, "moved")];

#[test]
fn archiving_sets_fields_of_scans_and_refuses_those_that_there_are_not() {
    let (_service, api, staged) = service();
    let archive = |fields: &[(&str, &str)]| {
        let fields: Vec<_> = [("src", staged.as_str())].iter().chain(fields).copied().collect();
        api.client.post_form("/data/services/archive", &fields).unwrap()
    };
    for (name, value, word) in [
        ("xnat:mrSessionData/scans/scan[3]/type", "x", "scan[3]"),
        ("xnat:mrSessionData/scans/scan[ID=77]/type", "x", "77"),
        ("xnat:mrSessionData/scans/scan[0][@xsi:type=xnat:ctScanData]/type", "x", "xnat:mrScanData"),
        ("xnat:mrSessionData/scans/scan[0]/nothing", "x", "nothing"),
        ("xnat:mrSessionData/scans/scan[0]/ID", "x", "scan[0]/ID"),
        ("xnat:mrSessionData/scans/scan/type", "x", "scans/scan/type"),
    ] {
        let refused = archive(&[(name, value)]);
        assert_eq!(refused.status, 400, "{name}: {}", refused.text());
        assert!(refused.text().contains(word), "{name}: {}", refused.text());
    }
    let done = archive(&WISHES);
    assert_eq!(done.status, 200, "{}", done.text());
    let session = done.text().trim().to_owned();
    check_archived(&api, &session);
    api.assert_holds(&session, &study());
}

#[test]
fn a_commit_sets_fields_of_scans_that_the_document_shows_and_archiving_keeps() {
    let (_service, api, staged) = service();
    let session = format!("/data{}", staged.strip_prefix("/data").unwrap_or(&staged));
    let commit = |fields: &[(&str, &str)]| {
        let fields: Vec<_> = [("action", "commit"), ("AA", "false")].iter().chain(fields).copied().collect();
        api.client.post_form(&session, &fields).unwrap()
    };
    assert_eq!(commit(&[("xnat:mrSessionData/scans/scan[ID=77]/type", "x")]).status, 400);
    assert_eq!(commit(&WISHES).status, 200);
    let document = api.get(&format!("{session}?format=xml")).text();
    assert!(document.contains("type=\"localizer-by-hand\"") && document.contains("questionable"), "{document}");
    check_archived(&api, &api.archive(&staged));
}

#[test]
fn an_import_into_the_archive_sets_fields_of_scans() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let zip = zip_study(&study());
    let query = form(&WISHES);
    let gradual = format!("import-handler=DICOM-zip&project=P1&{query}");
    let refused = api.send(&gradual, "application/zip", &zip);
    assert_eq!(refused.status, 400, "{}", refused.text());
    let into = format!("import-handler=SI&dest=/archive/projects/P1/subjects/S41/experiments/S41_MR1&{query}");
    let uris = api.import_zip(&into, &zip);
    check_archived(&api, &uris[0]);
    // The same as fields of the form that brings the file.
    let again = into.split('&').next().unwrap();
    let mut body = Vec::new();
    for (name, value) in WISHES.iter().chain(&[("dest", "/archive/projects/P1/subjects/S41/experiments/OTHER_MR1")]) {
        body.push((*name, None, value.as_bytes().to_vec()));
    }
    body.push(("file", Some("study.zip"), zip));
    let parts: Vec<(&str, Option<&str>, &[u8])> =
        body.iter().map(|(name, file, bytes)| (*name, *file, bytes.as_slice())).collect();
    let done = api.send(again, MULTIPART, &multipart(&parts));
    assert_eq!(done.status, 200, "{}", done.text());
    check_archived(&api, done.text().trim());
}
