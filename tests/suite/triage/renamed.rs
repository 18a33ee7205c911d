//! Targets whose items have got other labels or projects since, or are gone.

use narthex_tests::{Api, Row};

use super::{TRIAGE, approved, put, service};

const EXPERIMENT: &str = "/data/experiments/XNAT_E00001";

fn row(api: &Api, folder: &str) -> Row {
    let row = api.table(TRIAGE).row("Resource", folder).clone();
    let own = api.table(&format!("{TRIAGE}/resources/{folder}"));
    assert_eq!(["TARGET", "FTARGET"].map(|name| own.only().get(name)), ["TARGET", "FTARGET"].map(|name| row.get(name)));
    row
}

/// Approves by the list and finds the file.
fn approved_by_list(api: &Api, folder: &str, lasting: &str) {
    let row = row(api, folder);
    approved(api, row.get("URI"), row.get("TARGET"));
    assert_eq!(api.bytes(&format!("{lasting}/files/{folder}")), folder.as_bytes());
}

#[test]
fn a_target_is_shown_as_it_is_called_now_and_can_be_approved_so() {
    let (_service, api) = service();
    let session = "/data/projects/P1/subjects/S61/experiments/S61_MR1";
    let made = api.put(&format!("{session}/assessors/QC1?xsiType=xnat:qcManualAssessorData"));
    assert_eq!(made.status, 201, "{}", made.text());
    let subject = api.table("/data/projects/P1/subjects").only().get("ID").to_owned();
    for (folder, target) in [
        ("SUBJECT", "/data/projects/P1/subjects/S61/resources/R".to_owned()),
        ("SCAN", format!("{session}/scans/1/resources/R")),
        ("ASSESSOR", format!("{session}/assessors/QC1/resources/R")),
        ("ID", format!("{EXPERIMENT}/resources/R")),
        ("PROJECT", "/data/projects/P1/resources/R".to_owned()),
    ] {
        put(&api, &format!("{folder}/files/{folder}"), &target, folder.as_bytes());
    }
    let before = row(&api, "ASSESSOR");
    assert_eq!(
        before.get("TARGET"),
        "/data/archive/projects/P1/subjects/S61/experiments/S61_MR1/assessors/QC1/resources/R/files"
    );
    assert!(before.get("FTARGET").contains("<b>Experiment</b>: S61_MR1<br><b>Assessor</b>: QC1<br>"));

    assert_eq!(api.put("/data/projects/P1/subjects/S61?label=NEW").status, 200);
    let shown = row(&api, "SUBJECT");
    assert_eq!(shown.get("TARGET"), "/data/archive/projects/P1/subjects/NEW/resources/R/files");
    assert_eq!(shown.get("FTARGET"), "<b>Project</b>: P1<br><b>Subject</b>: NEW<br><b>Resource</b>: R");
    // What was taken off a label can stand for another.
    assert_eq!(api.put("/data/projects/P1/subjects/S61").status, 201);
    assert_eq!(row(&api, "SUBJECT").get("TARGET"), shown.get("TARGET"));
    approved_by_list(&api, "SUBJECT", &format!("/data/subjects/{subject}/resources/R"));

    api.project("P2");
    let moved = api.put(&format!("{EXPERIMENT}/projects/P2?primary=true&label=CASE7"));
    assert_eq!(moved.status, 200, "{}", moved.text());
    let start = "/data/archive/projects/P2/subjects/NEW/experiments/CASE7";
    assert_eq!(row(&api, "SCAN").get("TARGET"), format!("{start}/scans/1/resources/R/files"));
    let ftarget =
        "<b>Project</b>: P2<br><b>Subject</b>: NEW<br><b>Experiment</b>: CASE7<br><b>Scan</b>: 1<br><b>Resource</b>: R";
    assert_eq!(row(&api, "SCAN").get("FTARGET"), ftarget);
    assert_eq!(row(&api, "ASSESSOR").get("TARGET"), format!("{start}/assessors/QC1/resources/R/files"));
    // An address that leads there still stays as it was given.
    assert_eq!(row(&api, "ID").get("TARGET"), format!("/data/archive/experiments/XNAT_E00001/resources/R/files"));
    assert!(row(&api, "ID").get("FTARGET").contains("<b>Experiment</b>: CASE7<br>"));
    approved_by_list(&api, "SCAN", &format!("{EXPERIMENT}/scans/1/resources/R"));
    approved_by_list(&api, "ASSESSOR", &format!("{EXPERIMENT}/assessors/QC1/resources/R"));
    approved_by_list(&api, "ID", &format!("{EXPERIMENT}/resources/R"));
    approved_by_list(&api, "PROJECT", "/data/projects/P1/resources/R");
}

#[test]
fn a_target_that_is_gone_or_hidden_stays_as_it_was_given() {
    let (_service, api) = service();
    let mary = crate::access::user(&api.client, "mary");
    assert_eq!(api.put("/data/projects/P1/users/member/mary").status, 200);
    let target = "/data/projects/P1/subjects/S61/experiments/S61_MR1/resources/R";
    let path = format!("{TRIAGE}/resources/X/files/X?target={target}");
    let sent = mary.request("PUT", &path).header("Content-Type", "text/plain").send_bytes(b"X").unwrap();
    assert_eq!(sent.status, 200);
    let given = row(&api, "X");
    api.project("P2");
    assert_eq!(api.put(&format!("{EXPERIMENT}/projects/P2?primary=true&label=SECRET")).status, 200);
    assert!(row(&api, "X").get("TARGET").contains("/projects/P2/"));
    // Who does not read that project learns nothing of it.
    let theirs = narthex_tests::Table::of(&mary.get(&format!("{TRIAGE}?format=json")).unwrap());
    for name in ["TARGET", "FTARGET"] {
        assert_eq!(theirs.only().get(name), given.get(name));
    }
    assert_eq!(api.client.delete(&format!("{EXPERIMENT}?removeFiles=true")).unwrap().status, 200);
    assert_eq!(row(&api, "X").get("TARGET"), given.get("TARGET"));
    approved(&api, given.get("URI"), "/data/projects/P1/resources/R");
}
