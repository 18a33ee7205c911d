//! Making, changing and deleting subjects, experiments and scans.

use narthex_tests::{Api, Response, sentence};
use serde_json::Value;

use super::archived;
use super::shelves::{put_file, send};

#[track_caller]
fn put_xml(api: &Api, method: &str, path: &str, xml: &str) -> Response {
    api.client.request(method, path).header("Content-Type", "text/xml").send_bytes(xml.as_bytes()).unwrap()
}

fn item(api: &Api, path: &str) -> Value {
    let found: Value = serde_json::from_slice(&api.bytes(&format!("{path}?format=json"))).unwrap();
    found["items"][0].clone()
}

const NS: &str = "xmlns:xnat=\"http://nrg.wustl.edu/xnat\"";

#[test]
fn subjects_are_made_changed_renamed_and_deleted() {
    let (_service, api) = archived();
    let made = api.put("/data/projects/P1/subjects/NEW?gender=F&group=controls&req_format=qs&event_reason=test");
    assert_eq!((made.status, made.text().as_str()), (201, "XNAT_S00002"));
    let changed = api.put("/data/archive/projects/P1/subjects/NEW?yob=1970&xsiType=xnat:subjectData");
    assert_eq!((changed.status, changed.text().as_str()), (200, "XNAT_S00002"));
    let found = item(&api, "/data/subjects/XNAT_S00002");
    assert_eq!(found["data_fields"]["group"], "controls");
    assert_eq!(found["children"][0]["items"][0]["data_fields"]["gender"], "female");
    let list = api.table("/data/projects/P1/subjects?columns=ID,label,gender,yob");
    assert_eq!((list.row("label", "NEW").get("gender"), list.row("label", "NEW").get("yob")), ("female", "1970"));
    assert_eq!(api.put("/data/subjects/XNAT_S00002?label=NEWER").status, 200);
    assert_eq!(api.get("/data/projects/P1/subjects/NEW").status, 404);
    assert_eq!(api.get("/data/projects/P1/subjects/NEWER?format=json").status, 200);
    assert_eq!(api.put("/data/subjects/XNAT_S00002?label=s41").status, 409);
    // A subject that is renamed takes its experiments along.
    assert_eq!(api.put("/data/projects/P1/subjects/S41?label=S42").status, 200);
    let row = api.table("/data/projects/P1/experiments?columns=ID,subject_label");
    assert_eq!(row.only().get("subject_label"), "S42");
    assert_eq!(api.get("/data/projects/P1/subjects/S42/experiments/S41_MR1/scans").status, 200);

    let posted = put_xml(
        &api,
        "POST",
        "/data/projects/P1/subjects",
        &format!("<xnat:Subject {NS} label=\"X1\" project=\"P1\"/>"),
    );
    assert_eq!(posted.status, 200, "{}", posted.text());
    assert!(posted.text().ends_with("/data/subjects/XNAT_S00003"), "{}", posted.text());
    for (method, path, xml, status) in [
        ("POST", "/data/projects/P1/subjects", format!("<xnat:Subject {NS} label=\"X1\"/>"), 409),
        ("POST", "/data/projects/P1/subjects", format!("<xnat:Subject {NS}/>"), 400),
        ("PUT", "/data/projects/P1/subjects/X2", format!("<xnat:MRSession {NS}/>"), 422),
        ("PUT", "/data/projects/P1/subjects/X2", format!("<xnat:Subject {NS} project=\"P2\"/>"), 409),
        ("PUT", "/data/projects/P1/subjects/X2", format!("<xnat:Subject {NS} label=\"X3\"/>"), 409),
        ("PUT", "/data/projects/P1/subjects/X2", format!("<xnat:Subject {NS} nothing=\"1\"/>"), 400),
        ("PUT", "/data/projects/P1/subjects/X2", "<xnat:Subject".to_owned(), 422),
        ("POST", "/data/projects/P1/subjects", String::new(), 417),
        ("PUT", "/data/projects/P1/subjects/a%20b", String::new(), 400),
        ("PUT", "/data/projects/NONE/subjects/X2", String::new(), 404),
        ("PUT", "/data/projects/P1/subjects/X2?gender=x", String::new(), 400),
    ] {
        let response = put_xml(&api, method, path, &xml);
        assert_eq!(response.status, status, "{method} {path} {xml}: {}", response.text());
    }
    assert_eq!(api.table("/data/projects/P1/subjects").rows.len(), 3);
    assert_eq!(api.client.delete("/data/projects/P1/subjects/X1").unwrap().status, 200);
    assert_eq!(api.client.delete("/data/projects/P1/subjects/S42").unwrap().status, 409);
    assert_eq!(api.client.delete("/data/projects/P1/subjects/S42?removeFiles=true").unwrap().status, 200);
    assert!(api.table("/data/projects/P1/experiments").rows.is_empty());
    assert_eq!(api.table("/data/projects/P1/subjects").rows.len(), 1);
}

#[test]
fn experiments_and_scans_are_made_changed_and_deleted() {
    let (service, api) = archived();
    let made = api
        .put("/data/projects/P1/subjects/S43/experiments/E1?xsiType=xnat:mrSessionData&note=by+hand&date=05/01/2024");
    assert_eq!((made.status, made.text().as_str()), (201, "XNAT_E00002"), "{}", made.text());
    assert_eq!(api.put("/data/experiments/XNAT_E00002?operator=me").text(), "XNAT_E00002");
    let found = item(&api, "/data/experiments/XNAT_E00002");
    assert_eq!((&found["data_fields"]["note"], &found["data_fields"]["operator"]), (&"by hand".into(), &"me".into()));
    assert_eq!(found["meta"]["xsi:type"], "xnat:mrSessionData");
    let list = api.table("/data/projects/P1/experiments?columns=ID,label,date,subject_label");
    let row = list.row("ID", "XNAT_E00002");
    assert_eq!((row.get("label"), row.get("date"), row.get("subject_label")), ("E1", "2024-05-01", "S43"));
    for (path, status) in [
        ("/data/projects/P1/subjects/S43/experiments/E2", 417),
        ("/data/projects/P1/subjects/S43/experiments/a%20b?xsiType=xnat:mrSessionData", 417),
        ("/data/projects/P1/subjects/S43/experiments/E2?xsiType=xnat:subjectData", 400),
        ("/data/projects/P1/subjects/S41/experiments/E1?xsiType=xnat:mrSessionData", 409),
        ("/data/projects/P1/experiments/E2?xsiType=xnat:mrSessionData", 422),
        ("/data/experiments/XNAT_E00009?note=x", 404),
        ("/data/experiments/XNAT_E00002?label=OTHER", 400),
        ("/data/experiments/XNAT_E00002?xsiType=xnat:ctSessionData", 409),
        ("/data/experiments/XNAT_E00002?pullDataFromHeaders=true", 400),
        ("/data/experiments/XNAT_E00002?scans/scan=1", 400),
    ] {
        let response = api.put(path);
        assert_eq!(response.status, status, "{path}: {}", response.text());
    }
    let xml = format!("<xnat:MRSession {NS} label=\"E1\"><xnat:note>from a document</xnat:note></xnat:MRSession>");
    assert_eq!(put_xml(&api, "PUT", "/data/projects/P1/experiments/E1", &xml).status, 200);
    assert_eq!(item(&api, "/data/experiments/XNAT_E00002")["data_fields"]["note"], "from a document");

    let scans = "/data/experiments/XNAT_E00002/scans";
    let scan =
        api.put(&format!("{scans}/7?xsiType=xnat:mrScanData&type=T1&quality=usable&series_description=a+b&note=n"));
    assert_eq!((scan.status, scan.text().as_str()), (200, ""), "{}", scan.text());
    assert_eq!(api.put(&format!("{scans}/7?quality=unusable")).status, 200);
    let list = api.table(scans);
    let row = list.only();
    assert_eq!((row.get("ID"), row.get("type"), row.get("quality")), ("7", "T1", "unusable"));
    assert_eq!((row.get("note"), row.get("series_description")), ("n", "a b"));
    let posted = api.client.post_form(scans, &[("xsiType", "xnat:mrScanData")]).unwrap();
    assert!(posted.status == 200 && posted.text().ends_with("/scans/1"), "{}", posted.text());
    let other = api.put(&format!("{scans}/7?xsiType=xnat:ctScanData"));
    assert_eq!((other.status, sentence(&other).as_str()), (409, "Specified xsiType differs from existing xsiType"));
    assert_eq!(api.put(&format!("{scans}/8")).status, 400);
    assert_eq!(api.put(&format!("{scans}/8?xsiType=xnat:mrSessionData")).status, 400);
    let again = api.client.post_form(scans, &[("xsiType", "xnat:mrScanData"), ("ID", "7")]).unwrap();
    assert_eq!(again.status, 409);
    put_file(&api, &format!("{scans}/7/resources/NIFTI/files/a.nii"), b"voxels");
    assert_eq!(api.client.delete(&format!("{scans}/7")).unwrap().status, 200);
    assert_eq!(api.client.delete(&format!("{scans}/7")).unwrap().status, 404);
    assert_eq!(api.table(scans).only().get("ID"), "1");

    // Locked is locked, whoever asks.
    let experiment = "/data/experiments/XNAT_E00002";
    assert_eq!(api.put(&format!("{experiment}?quarantine=true")).status, 200);
    assert_eq!(api.get(&format!("{experiment}/status")).text(), "quarantine");
    assert_eq!(api.put(&format!("{experiment}?activate=true")).status, 200);
    assert_eq!(api.put(&format!("{experiment}?lock=true")).status, 200);
    for (method, path) in [
        ("PUT", "?note=x"),
        ("PUT", "/scans/1?quality=usable"),
        ("PUT", "/resources/R"),
        ("PUT", "/scans/1/resources/R/files/a"),
        ("DELETE", "/scans/1"),
        ("DELETE", ""),
    ] {
        let body: &[u8] = if path.ends_with("/a") { b"x" } else { b"" };
        let refused = send(&api, method, &format!("{experiment}{path}"), body);
        assert_eq!(refused.status, 403, "{method} {path}: {}", refused.text());
    }
    assert_eq!(api.put(&format!("{experiment}?unlock=true")).status, 200);
    assert_eq!(api.client.delete(&format!("{experiment}?removeFiles=true")).unwrap().status, 200);
    assert_eq!(api.get(&format!("{experiment}?format=json")).status, 404);
    // Of images as well nothing is left when their experiment goes.
    assert_eq!(api.client.delete("/data/projects/P1/experiments/S41_MR1/scans/2").unwrap().status, 200);
    assert_eq!(api.table("/data/experiments/XNAT_E00001/scans").column("ID"), ["1", "9"]);
    assert_eq!(api.client.delete("/data/experiments/XNAT_E00001?removeFiles=true").unwrap().status, 200);
    assert_eq!(service.stores().chunks(), 0);
}

#[test]
fn a_custom_variable_has_one_value_by_either_of_its_paths() {
    let (_service, api) = archived();
    let session = "/data/experiments/XNAT_E00001";
    let xml = format!(
        "<xnat:MRSession {NS}><xnat:fields><xnat:field name=\"a\">v1</xnat:field></xnat:fields></xnat:MRSession>"
    );
    assert_eq!(put_xml(&api, "PUT", session, &xml).status, 200);
    for (path, value) in [("fields/field%5Bname%3Da%5D/field", "v2"), ("fields/field%5Bname%3Da%5D", "v3")] {
        let changed = api.put(&format!("{session}?xnat:mrSessionData/{path}={value}"));
        assert_eq!(changed.status, 200, "{}", changed.text());
        let document = String::from_utf8(api.bytes(&format!("{session}?format=xml"))).unwrap();
        assert!(document.contains(&format!("<xnat:field name=\"a\">{value}</xnat:field>")), "{document}");
        assert_eq!(document.matches("<xnat:field ").count(), 1, "{document}");
        let children = item(&api, session)["children"].clone();
        let custom = children.as_array().unwrap().iter().find(|child| child["field"] == "fields/field").unwrap();
        assert_eq!(custom["items"].as_array().unwrap().len(), 1);
        assert_eq!(custom["items"][0]["data_fields"], serde_json::json!({ "name": "a", "field": value }));
        assert_eq!(put_xml(&api, "PUT", session, &document).status, 200, "its own document is taken");
    }
    let set = "parameters/addParam%5Bname%3Db%5D";
    assert_eq!(api.put(&format!("{session}/scans/1?{set}=1")).status, 200);
    assert_eq!(api.put(&format!("{session}/scans/1?{set}/addField=2")).status, 200);
    let document = String::from_utf8(api.bytes(&format!("{session}?format=xml"))).unwrap();
    assert_eq!(document.matches("<xnat:addParam name=\"b\">2</xnat:addParam>").count(), 1, "{document}");
    assert_eq!(api.put(&format!("{session}?fields/field%5Bname%3Da%5D/other=1")).status, 400);
}
