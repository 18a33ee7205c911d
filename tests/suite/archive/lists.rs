//! Lists asked for like queries: columns, conditions, order, part.

use narthex_tests::{Api, Modality, Service, Study, sentence};

/// A service with three sessions of two subjects in P1 and one in P2.
fn archived() -> (Service, Api) {
    let service = Service::start();
    let api = service.api();
    for (project, study) in [
        ("P1", Study::new(Modality::Mr, 51).patient("S1_MR1", "S1")),
        ("P1", Study::new(Modality::Ct, 52).patient("S1_CT1", "S1")),
        ("P1", Study::new(Modality::Mr, 53).patient("S2_MR1", "S2")),
        ("P2", Study::new(Modality::Pt, 54).patient("S3_PET1", "S3")),
    ] {
        api.project(project);
        api.archive(&api.import(project, &study));
    }
    (service, api)
}

#[track_caller]
fn column(api: &Api, path: &str, name: &str) -> String {
    let mut cells: Vec<String> = api.table(path).column(name).into_iter().map(str::to_owned).collect();
    if !path.contains("sortBy") {
        cells.sort();
    }
    cells.join(" ")
}

#[test]
fn experiments_are_chosen_by_any_field() {
    let (_service, api) = archived();
    for (query, expected) in [
        ("", "S1_CT1 S1_MR1 S2_MR1"),
        ("xsiType=xnat:mrSessionData", "S1_MR1 S2_MR1"),
        ("xsiType=xnat:imageSessionData", "S1_CT1 S1_MR1 S2_MR1"),
        ("label=s1*", "S1_CT1 S1_MR1"),
        ("label=S1_CT1,S2%25", "S1_CT1 S2_MR1"),
        ("subject_label=S2", "S2_MR1"),
        ("xnat:subjectData/label=S2", "S2_MR1"),
        ("date=2024-04-01-2024-05-31", "S1_CT1 S1_MR1 S2_MR1"),
        ("date=05/02/2024", ""),
        ("modality=CT", "S1_CT1"),
        ("xnat:mrSessionData/fieldStrength=3*", "S1_MR1 S2_MR1"),
        ("xnat:mrSessionData/dcmPatientName=S1", "S1_MR1"),
        ("project=P1&insert_user=admin", "S1_CT1 S1_MR1 S2_MR1"),
        ("insert_user=nobody", ""),
        ("nothing=else", "S1_CT1 S1_MR1 S2_MR1"),
    ] {
        assert_eq!(column(&api, &format!("/data/projects/P1/experiments?{query}"), "label"), expected, "{query}");
    }
    assert_eq!(column(&api, "/data/experiments?project=P2", "label"), "S3_PET1");
    assert_eq!(column(&api, "/data/projects/P1/subjects/S1/experiments?modality=MR", "label"), "S1_MR1");
    assert_eq!(api.table("/data/projects/P1/experiments?label=S1*").rest["totalRecords"], "2");
}

#[test]
fn columns_are_those_that_were_asked_for_by_the_names_they_were_asked_by() {
    let (_service, api) = archived();
    let path = "/data/projects/P1/experiments?label=S1_MR1&columns=label,xnat:mrSessionData/fieldStrength,nothing,\
                modality,xnat:ctSessionData/fieldStrength,scanner";
    let list = api.table(path);
    let row = list.only();
    let columns =
        ["label", "xnat:mrSessionData/fieldStrength", "modality", "xnat:ctSessionData/fieldStrength", "scanner", "URI"];
    assert_eq!(row.columns(), columns);
    assert_eq!((row.get("xnat:mrSessionData/fieldStrength"), row.get("modality")), ("3.0", "MR"));
    assert_eq!(row.get("xnat:ctSessionData/fieldStrength"), "");

    let subjects = api.table("/data/projects/P1/subjects?columns=label,gender,insert_user&label=S2");
    assert_eq!(subjects.only().columns(), ["label", "gender", "insert_user", "URI"]);
    let scans =
        api.table("/data/experiments/XNAT_E00001/scans?columns=ID,frames,xnat:mrScanData/parameters/voxelRes/x");
    assert_eq!(scans.rows[0].get("xnat:mrScanData/parameters/voxelRes/x"), "0.7");
    let fields = api.table("/data/projects/P1/experiments?fields=all");
    assert_eq!(fields.row("key", "modality").get("xpath"), "xnat:imageSessionData/modality");
}

#[test]
fn scans_are_chosen_by_their_fields_too() {
    let (_service, api) = super::archived();
    let scans = "/data/experiments/XNAT_E00001/scans";
    for (query, expected) in [
        ("xsiType=xnat:mrScanData", "1 2"),
        ("xsiType=xnat:imageScanData", "1 2 9"),
        ("type=t1", "2"),
        ("frames=2-4", "1"),
        ("xnat:mrScanData/parameters/voxelRes/x=0.5-0.9", "1 2"),
        ("quality=usable&series_description=loc*", "1"),
        ("sortBy=frames&sortOrder=DESC", "2 1 9"),
        ("sortBy=ID&limit=1&offset=1", "2"),
    ] {
        assert_eq!(column(&api, &format!("{scans}?{query}"), "ID"), expected, "{query}");
    }
    assert!(!api.table(&format!("{scans}?limit=2")).rest.contains_key("totalRecords"));
}

#[test]
fn lists_come_in_every_format_with_order_and_part() {
    let (_service, api) = archived();
    let path = "/data/experiments?columns=label,project&sortBy=project,label&sortOrder=desc&limit=2";
    assert_eq!(column(&api, path, "label"), "S3_PET1 S2_MR1");
    let text = |format: &str| api.get(&format!("{path}&format={format}")).text();
    assert_eq!(
        text("csv"),
        "label,project,URI\nS3_PET1,P2,/data/experiments/XNAT_E00004\nS2_MR1,P1,/data/experiments/XNAT_E00003\n"
    );
    assert!(text("xml").contains("<cell>S3_PET1</cell><cell>P2</cell>"), "{}", text("xml"));
    assert!(text("html").starts_with("<html "));
    let response = api.get("/data/projects/P1/experiments?date=yesterday");
    assert_eq!(response.status, 400);
    assert!(sentence(&response).contains("date"));
    assert_eq!(api.get("/data/subjects?recent=7").status, 501);
    for recent in ["7", "true"] {
        let found = api.table(&format!("/data/experiments?recent={recent}"));
        assert_eq!(found.rows.len(), api.table("/data/experiments").rows.len(), "{recent}");
    }
    for recent in ["0", "soon"] {
        assert_eq!(api.get(&format!("/data/experiments?recent={recent}")).status, 400, "{recent}");
    }
}

#[test]
fn a_subject_is_an_item_in_every_format() {
    let (_service, api) = archived();
    for path in ["/data/projects/P1/subjects/S2", "/data/subjects/XNAT_S00002"] {
        let xml = api.get(&format!("{path}?format=xml"));
        assert!(xml.header("content-type").unwrap_or_default().starts_with("text/xml"));
        let elements = super::xml::elements(&xml.text());
        assert_eq!(elements[0].name, "xnat:Subject");
        assert_eq!((elements[0].attribute("ID"), elements[0].attribute("label")), ("XNAT_S00002", "S2"));
        let json: serde_json::Value = serde_json::from_slice(&api.bytes(&format!("{path}?format=json"))).unwrap();
        assert_eq!(json["items"][0]["data_fields"]["label"], "S2");
        assert!(json["items"][0]["meta"]["start_date"].as_str().is_some_and(|date| date.contains(" UTC 20")));
        assert!(api.get(path).text().contains("XNAT_S00002"));
        assert_eq!(api.get(&format!("{path}?format=zip")).status, 400);
        assert_eq!(api.get(&format!("{path}/status")).text(), "active");
        let shared = api.table(&format!("{path}/projects"));
        assert_eq!((shared.only().get("ID"), shared.only().get("label")), ("P1", "S2"));
    }
    let shared = api.table("/data/experiments/XNAT_E00004/projects");
    assert_eq!((shared.only().get("ID"), shared.only().get("label")), ("P2", "S3_PET1"));
    assert_eq!(api.get("/data/subjects/XNAT_S99999/status").status, 404);
}
