//! The document of a session, read, edited and sent back; and the flags of PUT.

use narthex_tests::{Api, Response};

use super::shelves::put_file;
use super::{archived, study};

const SESSION: &str = "/data/experiments/XNAT_E00001";

fn put_xml(api: &Api, path: &str, xml: &str) -> Response {
    api.client.request("PUT", path).header("Content-Type", "text/xml").send_bytes(xml.as_bytes()).unwrap()
}

fn document(api: &Api) -> String {
    String::from_utf8(api.bytes(&format!("{SESSION}?format=xml"))).unwrap()
}

/// A document without the first element of a list that this text is in.
fn without(document: &str, element: &str, text: &str) -> String {
    let (start, end) = (format!("<xnat:{element} "), format!("</xnat:{element}>"));
    let at = document.find(text).unwrap();
    let from = document[..at].rfind(&start).unwrap();
    let to = at + document[at..].find(&end).unwrap() + end.len();
    format!("{}{}", &document[..from], &document[to..])
}

#[test]
fn a_document_that_is_sent_back_changes_what_was_edited_and_nothing_else() {
    let (_service, api) = archived();
    put_file(&api, &format!("{SESSION}/resources/NOTES/files/a.txt"), b"x");
    put_file(&api, &format!("{SESSION}/scans/2/resources/NIFTI/files/a.nii"), b"x");
    assert_eq!(api.put(&format!("{SESSION}?xnat:mrSessionData/fields/field[name%3Dx]=1&note=old")).status, 200);
    assert_eq!(api.put(&format!("{SESSION}/assessors/QC?xsiType=xnat:qcManualAssessorData&pass=1")).status, 201);
    let before = document(&api);
    let content = api.content(SESSION);
    let same = put_xml(&api, SESSION, &before);
    assert_eq!((same.status, same.text().as_str()), (200, "XNAT_E00001"), "{}", same.text());
    assert_eq!(document(&api), before);
    let scan = "<xnat:scan ID=\"30\" type=\"T9\" xsi:type=\"xnat:mrScanData\"><xnat:quality>unusable</xnat:quality></xnat:scan>";
    let edited = before.replace("<xnat:note>old<", "<xnat:note>new<").replacen(
        "<xnat:quality>usable<",
        "<xnat:quality>questionable<",
        1,
    );
    let edited = edited.replace("</xnat:scans>", &format!("{scan}</xnat:scans>"));
    let changed = put_xml(&api, SESSION, &edited);
    assert_eq!(changed.status, 200, "{}", changed.text());
    let scans = api.table(&format!("{SESSION}/scans"));
    assert_eq!(scans.column("ID"), ["1", "2", "9", "30"]);
    assert_eq!(scans.column("quality"), ["questionable", "usable", "usable", "unusable"]);
    assert_eq!(scans.row("ID", "30").get("type"), "T9");
    assert_eq!(api.table("/data/projects/P1/experiments?columns=note").only().get("note"), "new");
    assert_eq!(api.content(SESSION), content);

    // What is left out stays, unless it is to go.
    let shorter = without(&without(&document(&api), "scan", "<xnat:quality>unusable<"), "assessor", "<xnat:pass>");
    assert_eq!(put_xml(&api, SESSION, &shorter).status, 200);
    assert_eq!(api.table(&format!("{SESSION}/scans")).rows.len(), 4);
    assert_eq!(put_xml(&api, &format!("{SESSION}?allowDataDeletion=true"), &shorter).status, 200);
    assert_eq!(api.table(&format!("{SESSION}/scans")).column("ID"), ["1", "2", "9"]);
    assert!(api.table(&format!("{SESSION}/assessors")).rows.is_empty());
    assert_eq!(api.content(SESSION), content);
    for (edit, by) in [
        ("label=\"NOTES\"", "label=\"OTHER\""),
        ("label=\"NIFTI\"", "label=\"OTHER\""),
        ("label=\"S41_MR1\"", "label=\"OTHER\""),
        ("ID=\"XNAT_E00001\"", "ID=\"XNAT_E00009\""),
    ] {
        let refused = put_xml(&api, SESSION, &document(&api).replace(edit, by));
        assert_eq!(refused.status, 400, "{edit}: {}", refused.text());
    }
    let other = put_xml(&api, SESSION, &document(&api).replace("xnat:mrScanData", "xnat:ctScanData"));
    assert_eq!(other.status, 409, "{}", other.text());

    // A session may be made with its scans.
    let new = "<xnat:MRSession xmlns:xnat=\"http://nrg.wustl.edu/xnat\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
               UID=\"1.2.3\"><xnat:note>n</xnat:note><xnat:scans><xnat:scan ID=\"4\" xsi:type=\"xnat:mrScanData\">\
               <xnat:series_description>T1</xnat:series_description></xnat:scan></xnat:scans></xnat:MRSession>";
    let made = put_xml(&api, "/data/projects/P1/subjects/S41/experiments/NEW?fixScanTypes=true", new);
    assert_eq!(made.status, 201, "{}", made.text());
    let id = made.text();
    let scans = api.table(&format!("/data/experiments/{id}/scans"));
    assert_eq!(
        (scans.only().get("ID"), scans.only().get("type")),
        ("4", "t1"),
        "as the other scan of that description"
    );
    let text = api.get(&format!("/data/experiments/{id}?format=xml")).text();
    assert!(text.contains("UID=\"1.2.3\""), "{text}");
}

#[test]
fn headers_are_pulled_and_changes_are_dated() {
    let (_service, api) = archived();
    let before = document(&api);
    let stamp = |list: &str| api.table(&format!("{list}?columns=last_modified")).only().get("last_modified").to_owned();
    let first = stamp("/data/projects/P1/experiments");
    assert_eq!(api.put(&format!("{SESSION}?date=1999-01-01")).status, 200);
    assert_eq!(
        api.put(&format!("{SESSION}/scans/2?series_description=wrong&frames=99&xnat:mrScanData/startTime=")).status,
        200
    );
    assert_ne!(document(&api), before);
    let pulled = api.put(&format!("{SESSION}?pullDataFromHeaders=true&triggerPipelines=true"));
    assert_eq!((pulled.status, pulled.text().as_str()), (200, "XNAT_E00001"), "{}", pulled.text());
    assert_eq!(document(&api), before);
    assert!(stamp("/data/projects/P1/experiments") > first);
    let first = stamp("/data/projects/P1/subjects");
    assert_eq!(api.put("/data/projects/P1/subjects/S41?group=a&gender=F").status, 200);
    assert!(stamp("/data/projects/P1/subjects") > first);
    api.assert_holds(SESSION, &study());
    let subject = "<xnat:Subject xmlns:xnat=\"http://nrg.wustl.edu/xnat\" label=\"S41\" group=\"b\"/>";
    let path = "/data/projects/P1/subjects/S41";
    assert_eq!(put_xml(&api, path, subject).status, 200);
    let row = || api.table("/data/projects/P1/subjects?columns=group,gender").only().clone();
    assert_eq!((row().get("group"), row().get("gender")), ("b", "female"));
    assert_eq!(put_xml(&api, &format!("{path}?allowDataDeletion=true"), subject).status, 200);
    assert_eq!((row().get("group"), row().get("gender")), ("b", ""));
}
