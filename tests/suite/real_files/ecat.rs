//! What the session of nibabel's ECAT file is.

use narthex_tests::{Packing, Service, ecat_file, zip_files};

#[test]
fn a_pet_session_with_a_resource_of_its_own() {
    let service = Service::start();
    let api = service.api();
    api.project("PET");
    let file = ecat_file();
    let response = api.send("dest=/prearchive/projects/PET&session=ECAT1", "application/octet-stream", &file.bytes);
    assert_eq!(response.status, 200, "{}", response.text());
    let uri = response.text().trim().to_owned();
    let content = api.content(&uri);
    assert_eq!(content.values().collect::<Vec<_>>(), [&file.bytes]);
    let ((_, resource, _), _) = content.first_key_value().unwrap();
    assert_eq!(resource, "ECAT");
    let xml = api.get(&format!("{uri}?format=xml")).text();
    println!("{xml}");
    for part in ["<xnat:PETSession ", " label=\"ECAT1\"", " modality=\"PT\"", "xsi:type=\"xnat:petScanData\""] {
        assert!(xml.contains(part), "no {part} in {xml}");
    }
    let file_line = xml.lines().find(|line| line.contains("<xnat:file ")).unwrap();
    for part in [" label=\"ECAT\"", " format=\"ECAT\""] {
        assert!(file_line.contains(part), "no {part} in {file_line}");
    }
    // What nibabel and Python's `struct` read of the same file: lengths there are in centimetres, and the start in
    // seconds since 1970 (1290124615).
    for part in [
        " session_type=\"fdg em - Iter(Brain Mode) 4 ite\"",
        "<xnat:date>2010-11-18</xnat:date>",
        "<xnat:time>23:56:55</xnat:time>",
        "<xnat:scanner model=\"ECAT 961\">ECAT 961</xnat:scanner>",
        "<xnat:frames>1</xnat:frames>",
        "<xnat:transaxialFOV>514.0</xnat:transaxialFOV>",
        "<xnat:facility>ECAT</xnat:facility>",
        "<xnat:numPlanes>3</xnat:numPlanes>",
        "<xnat:numGates>1</xnat:numGates>",
        "<xnat:planeSeparation>3.125</xnat:planeSeparation>",
        "<xnat:dimensions x=\"10\" y=\"10\" z=\"3\"/>",
        "<xnat:pixelSize x=\"2.2024198\" y=\"2.2024198\" z=\"3.125\"/>",
        "<xnat:studyType>B10_297___4</xnat:studyType>",
        "<xnat:name>FDG</xnat:name>",
        "<xnat:isotope half-life=\"6586.2\">F-18</xnat:isotope>",
    ] {
        assert!(xml.contains(part), "no {part} in {xml}");
    }
    // An UID that was only made to tell studies apart is not shown.
    assert!(!xml.contains(" UID="), "{xml}");
    let row = api.sessions("PET").only().clone();
    assert_eq!((row.get("name"), row.get("status")), ("ECAT1", "READY"));
}

#[test]
fn a_file_that_is_cut_off_is_kept_and_marked() {
    let service = Service::start();
    let api = service.api();
    api.project("PET");
    let bytes = ecat_file().bytes;
    for (length, reason) in [(bytes.len(), None), (bytes.len() - 1, Some("truncated")), (1_536, Some("truncated"))] {
        let query = format!("dest=/prearchive/projects/PET&session=E{length}&format=json&verdicts=true");
        let answer = api.send(&query, "application/octet-stream", &bytes[..length]);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let told: serde_json::Value = serde_json::from_str(&answer.text()).unwrap();
        assert_eq!(told["files"][0]["verdict"], "stored", "{told}");
        assert_eq!(told["files"][0]["reason"].as_str(), reason, "{told}");
    }
}

#[test]
fn files_of_one_patient_and_day_are_one_session() {
    let service = Service::start();
    let api = service.api();
    api.project("PET");
    let rest = ecat_file().bytes;
    let mut stress = rest.clone();
    // Start of the scan a minute earlier, and what it is described as (seconds since 1970, 32 characters).
    let start = u32::from_be_bytes(rest[62..66].try_into().unwrap()) - 60;
    stress[62..66].copy_from_slice(&start.to_be_bytes());
    stress[296..302].copy_from_slice(b"Stress");
    let zip = zip_files(
        [("rest.v", rest), ("stress.v", stress)].map(|(name, bytes)| (name.to_owned(), bytes)),
        Packing::Stored,
    );
    let answer = api.send("dest=/prearchive/projects/PET&session=E", "application/zip", &zip);
    assert_eq!((answer.status, answer.text().lines().count()), (200, 1), "{}", answer.text());
    assert_eq!(api.content(answer.text().trim()).len(), 2);
}
