//! Assessors of sessions.

use std::io::Cursor;

use narthex_tests::sentence;
use serde_json::Value;

use super::archived;
use super::shelves::{put_file, send};
use super::xml::elements;

const SESSION: &str = "/data/experiments/XNAT_E00001";
const QC: &str = "/data/experiments/XNAT_E00001/assessors/QC1";
const NS: &str = "xmlns:xnat=\"http://nrg.wustl.edu/xnat\"";

#[test]
fn assessors_are_made_read_changed_and_deleted() {
    let (service, api) = archived();
    let in_project = "/data/projects/P1/subjects/S41/experiments/S41_MR1/assessors/QC1";
    let made = api.put(&format!("{in_project}?xsiType=xnat:qcManualAssessorData&label=QC1&req_format=qs&pass=1"));
    assert_eq!((made.status, made.text().as_str()), (201, "XNAT_E00002"));
    let changed = api.put(&format!("{QC}?xnat:qcManualAssessorData/rater=ann&date=05/01/2024"));
    assert_eq!((changed.status, changed.text().as_str()), (200, "XNAT_E00002"));
    let list = api.table(&format!("{SESSION}/assessors?columns=DEFAULT,xnat:qcManualAssessorData/rater"));
    let row = list.only();
    assert_eq!((row.get("ID"), row.get("label"), row.get("date")), ("XNAT_E00002", "QC1", "2024-05-01"));
    assert_eq!((row.get("session_ID"), row.get("session_label")), ("XNAT_E00001", "S41_MR1"));
    assert_eq!((row.get("xsiType"), row.get("URI")), ("xnat:qcManualAssessorData", "/data/experiments/XNAT_E00002"));
    assert_eq!(row.get("xnat:qcManualAssessorData/rater"), "ann");
    for path in [QC, "/data/experiments/XNAT_E00002", "/data/projects/P1/experiments/QC1", in_project] {
        let item: Value = serde_json::from_slice(&api.bytes(&format!("{path}?format=json"))).unwrap();
        let item = &item["items"][0];
        assert_eq!(item["meta"]["xsi:type"], "xnat:qcManualAssessorData", "{path}");
        assert_eq!(item["data_fields"]["imageSession_ID"], "XNAT_E00001");
        assert_eq!((&item["data_fields"]["pass"], &item["data_fields"]["rater"]), (&"1".into(), &"ann".into()));
        assert_eq!(api.get(&format!("{path}/status")).text(), "active");
    }
    let text = api.get(&format!("{QC}?format=xml")).text();
    assert_eq!(elements(&text)[0].name, "xnat:QCManualAssessment");
    let document = format!("<xnat:QCAssessment {NS} label=\"QC2\"><xnat:note>by hand</xnat:note></xnat:QCAssessment>");
    let posted = send(&api, "POST", &format!("{SESSION}/assessors"), document.as_bytes());
    assert_eq!(posted.status, 200, "{}", posted.text());
    assert!(posted.text().ends_with("/data/experiments/XNAT_E00001/assessors/XNAT_E00003"), "{}", posted.text());
    // What is read can be sent back.
    let same = send(
        &api,
        "PUT",
        &format!("{SESSION}/assessors/QC2"),
        &api.bytes(&format!("{SESSION}/assessors/QC2?format=xml")),
    );
    assert_eq!(same.status, 200, "{}", same.text());

    // Sessions are listed without them, unless they are asked for.
    let experiments = |query: &str| -> Vec<String> {
        let table = api.table(&format!("/data/projects/P1/experiments{query}"));
        table.column("label").into_iter().map(str::to_owned).collect()
    };
    assert_eq!(experiments(""), ["S41_MR1"]);
    assert_eq!(experiments("?xsiType=xnat:qcManualAssessorData"), ["QC1"]);
    assert_eq!(experiments("?xsiType=xnat:imageAssessorData&label=*2"), ["QC2"]);
    assert_eq!(experiments("?xsiType=xnat:experimentData").len(), 3);
    assert_eq!(api.table("/data/experiments?xsiType=xnat:qcAssessmentData").only().get("session_label"), "S41_MR1");
    assert_eq!(api.table("/data/experiments").rows.len(), 1);

    for (method, path, status) in [
        ("PUT", format!("{SESSION}/assessors/QC9"), 417),
        ("PUT", format!("{SESSION}/assessors/a%20b?xsiType=xnat:qcManualAssessorData"), 400),
        ("PUT", format!("{SESSION}/assessors/S41_MR1?xsiType=xnat:qcManualAssessorData"), 409),
        ("PUT", format!("{SESSION}/assessors/QC9?xsiType=xnat:mrScanData"), 400),
        ("PUT", format!("{SESSION}/assessors/QC9?xsiType=xnat:qcManualAssessorData&nothing=1"), 400),
        ("PUT", format!("{QC}?xsiType=xnat:qcAssessmentData"), 409),
        ("PUT", format!("{QC}?label=OTHER"), 400),
        ("PUT", format!("{QC}/scans/1?xsiType=xnat:mrScanData"), 404),
        ("PUT", format!("{QC}/in/resources/R"), 501),
        ("GET", format!("{SESSION}/assessors/QC9"), 404),
        ("GET", format!("{QC}/scans"), 501),
        ("DELETE", format!("{SESSION}/assessors/QC9"), 404),
        ("DELETE", format!("{SESSION}/assessors"), 405),
    ] {
        let response = send(&api, method, &path, b"");
        assert_eq!(response.status, status, "{method} {path}: {}", response.text());
    }
    let locked = api.put(&format!("{SESSION}?lock=true"));
    assert_eq!(locked.status, 200);
    assert_eq!(api.put(&format!("{QC}?pass=0")).status, 403);
    assert_eq!(api.put(&format!("{SESSION}?unlock=true")).status, 200);
    assert_eq!(api.client.delete(QC).unwrap().status, 200);
    assert_eq!(api.get(QC).status, 404);
    assert_eq!(api.table(&format!("{SESSION}/assessors")).only().get("label"), "QC2");
    let history = api.get("/data/projects/P1/history").text();
    assert!(history.contains("QC1") && history.contains("Removed"), "{history}");
    assert_eq!(api.client.delete(&format!("{SESSION}?removeFiles=true")).unwrap().status, 200);
    assert_eq!(api.get("/data/experiments/XNAT_E00003").status, 404);
    assert_eq!(service.stores().chunks(), 0);
}

#[test]
fn their_resources_are_read_alone_and_with_their_session() {
    let (_service, api) = archived();
    // A type of a plug-in, whose fields are whatever it says.
    let made = api.put(&format!("{QC}?xsiType=proc:genProcData&proc:genProcData/procstatus=NEED_QA"));
    assert_eq!(made.status, 201, "{}", made.text());
    put_file(&api, &format!("{QC}/out/resources/DATA/files/a/b.txt"), b"hello");
    assert_eq!(api.put(&format!("{QC}/resources/EMPTY")).status, 200);
    for parent in [QC.to_owned(), format!("{QC}/out"), "/data/experiments/XNAT_E00002".to_owned()] {
        let list = api.table(&format!("{parent}/resources"));
        assert_eq!(list.column("label"), ["DATA", "EMPTY"], "{parent}");
        assert_eq!((list.rows[0].get("category"), list.rows[0].get("cat_id")), ("assessors", "XNAT_E00002"));
        let files = api.table(&format!("{parent}/resources/DATA/files"));
        let uri = files.only().get("URI").to_owned();
        assert!(uri.starts_with(&format!("{SESSION}/assessors/XNAT_E00002/resources/")), "{uri}");
        assert_eq!(api.bytes(&uri), b"hello");
        assert_eq!(api.bytes(&format!("{parent}/files?index=0")), b"hello");
    }
    let all = api.table(&format!("{SESSION}/resources?all=true"));
    assert_eq!(all.rows.iter().filter(|row| row.get("category") == "assessors").count(), 2);
    assert!(api.table(&format!("{SESSION}/files")).column("Name").contains(&"b.txt"));
    for (path, name) in [
        (format!("{SESSION}?format=zip"), "S41_MR1/assessors/QC1/resources/DATA/files/a/b.txt"),
        (format!("{SESSION}/files?format=zip&structure=legacy"), "P1/arc001/S41_MR1/ASSESSORS/QC1/DATA/a/b.txt"),
        (format!("{QC}?format=zip"), "QC1/resources/DATA/files/a/b.txt"),
        (format!("{QC}/files?format=zip&structure=simplified"), "QC1/DATA/a/b.txt"),
    ] {
        let zip = zip::ZipArchive::new(Cursor::new(api.bytes(&path))).unwrap();
        assert!(zip.file_names().any(|found| found.unwrap() == name), "{path}");
    }
    let item: Value = serde_json::from_slice(&api.bytes(&format!("{SESSION}?format=json"))).unwrap();
    let children = item["items"][0]["children"].as_array().unwrap().clone();
    let assessors = children.iter().find(|child| child["field"] == "assessors/assessor").unwrap();
    assert_eq!(assessors["items"][0]["meta"]["xsi:type"], "proc:genProcData");
    assert_eq!(assessors["items"][0]["data_fields"]["procstatus"], "NEED_QA");
    let text = api.get(&format!("{SESSION}?format=xml")).text();
    let found = elements(&text);
    let assessor = found.iter().find(|element| element.name == "xnat:assessor").unwrap();
    assert_eq!((assessor.attribute("ID"), assessor.attribute("xsi:type")), ("XNAT_E00002", "proc:genProcData"));
    for resource in ["/archive/experiments/XNAT_E00001", "/archive/projects/P1/experiments/S41_MR1/assessors/QC1"] {
        let form = [("resource", resource), ("options", "checksum"), ("format", "json")];
        let answer = api.client.post_form("/data/services/refresh/catalog", &form).unwrap();
        assert!(answer.status == 200 && answer.text().contains("DATA"), "{}", answer.text());
    }
    assert_eq!(api.table(&format!("{SESSION}/assessors/ALL/files")).only().get("Name"), "b.txt");
    let input = api.get(&format!("{QC}/in/resources"));
    assert_eq!((input.status, sentence(&input).contains("all its output")), (501, true));
    assert_eq!(send(&api, "DELETE", &format!("{QC}/out/resources/DATA"), b"").status, 200);
    assert_eq!(api.table(&format!("{QC}/resources")).only().get("label"), "EMPTY");
}
