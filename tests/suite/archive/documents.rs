//! The session as an item: JSON and XML.

use serde_json::Value;

use super::xml::elements;
use super::{archived, study};

#[test]
fn in_json_it_is_an_item_with_its_scans() {
    let (_service, api) = archived();
    let item: Value = serde_json::from_slice(&api.bytes("/data/experiments/XNAT_E00001?format=json")).unwrap();
    let session = &item["items"][0];
    assert_eq!(session["meta"]["xsi:type"], "xnat:mrSessionData");
    assert_eq!(session["meta"]["isHistory"], false);
    let fields = &session["data_fields"];
    assert_eq!(fields["ID"], "XNAT_E00001");
    assert_eq!(fields["project"], "P1");
    assert_eq!(fields["label"], "S41_MR1");
    assert_eq!(fields["subject_ID"], "XNAT_S00001");
    assert_eq!(fields["date"], "2024-05-01");
    assert_eq!(fields["modality"], "MR");
    assert_eq!(fields["UID"], study().study_uid());
    let children = session["children"].as_array().unwrap();
    let scans = children.iter().find(|child| child["field"] == "scans/scan").unwrap();
    assert_eq!(scans["items"].as_array().unwrap().len(), 3);
    let scan = scans["items"].as_array().unwrap().iter().find(|scan| scan["data_fields"]["ID"] == "2").unwrap();
    assert_eq!(scan["meta"]["xsi:type"], "xnat:mrScanData");
    assert_eq!(scan["data_fields"]["frames"], 5);
    let files = scan["children"].as_array().unwrap().iter().find(|child| child["field"] == "file").unwrap();
    assert_eq!(files["items"][0]["data_fields"]["file_count"], 5);
}

#[test]
fn the_session_document_is_well_formed_and_says_what_the_headers_say() {
    let (_service, api) = archived();
    for path in ["/data/experiments/XNAT_E00001?format=xml", "/data/projects/P1/experiments/S41_MR1?format=xml"] {
        let response = api.get(path);
        assert_eq!(response.status, 200, "{path}");
        assert!(response.header("content-type").unwrap_or_default().starts_with("text/xml"), "{path}");
        let text = response.text();
        assert!(text.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"), "{text}");
        let elements = elements(&text);
        let root = &elements[0];
        assert_eq!(root.name, "xnat:MRSession");
        assert_eq!(root.attribute("xmlns:xnat"), "http://nrg.wustl.edu/xnat");
        assert_eq!(root.attribute("ID"), "XNAT_E00001");
        assert_eq!((root.attribute("project"), root.attribute("label")), ("P1", "S41_MR1"));
        assert_eq!((root.attribute("UID"), root.attribute("modality")), (study().study_uid().as_str(), "MR"));
        let value = |name: &str| {
            elements.iter().find(|element| element.name == name).map_or("(missing)", |element| element.text.as_str())
        };
        assert_eq!(value("xnat:date"), "2024-05-01");
        assert_eq!(value("xnat:time"), "10:15:00");
        assert_eq!(value("xnat:subject_ID"), "XNAT_S00001");
        assert_eq!(value("xnat:dcmPatientId"), "S41_MR1");
        assert_eq!(value("xnat:dcmPatientName"), "S41");
        assert_eq!(value("xnat:fieldStrength"), "3.0");
        let scans: Vec<_> = elements.iter().filter(|element| element.name == "xnat:scan").collect();
        assert_eq!(scans.iter().map(|scan| scan.attribute("ID")).collect::<Vec<_>>(), ["1", "2", "9"]);
        assert_eq!(scans[1].attribute("UID"), study().series_uid(2));
        assert_eq!(scans[1].attribute("xsi:type"), "xnat:mrScanData");
    }
}

#[test]
fn the_prearchive_has_a_document_too() {
    let service = narthex_tests::Service::start();
    let api = service.api();
    api.project("P1");
    let uri = api.import("P1", &study());
    let response = api.get(&uri);
    assert_eq!(response.status, 200, "{}", response.text());
    let elements = elements(&response.text());
    assert_eq!((elements[0].name.as_str(), elements[0].attribute("ID")), ("xnat:MRSession", ""));
    let subject = elements.iter().find(|element| element.name == "xnat:subject_ID").unwrap();
    assert_eq!(subject.text, "S41", "the label, not an ID");
}

#[test]
fn a_resource_is_its_catalog() {
    let (_service, api) = archived();
    for path in [
        "/data/experiments/XNAT_E00001/scans/2/resources/DICOM",
        "/data/experiments/XNAT_E00001/scans/2/resources/DICOM?format=json",
    ] {
        let text = api.get(path).text();
        assert!(text.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<cat:DCMCatalog"), "{text}");
        let elements = elements(&text);
        assert_eq!(elements[0].attribute("UID"), study().series_uid(2));
        assert_eq!(elements.iter().filter(|element| element.name == "cat:entry").count(), 5);
    }
}
