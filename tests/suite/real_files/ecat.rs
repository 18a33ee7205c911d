//! What the session of nibabel's ECAT file is.

use narthex_tests::{Service, ecat_file};

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
    // An UID that was only made to tell studies apart is not shown.
    assert!(!xml.contains(" UID="), "{xml}");
    let row = api.sessions("PET").only().clone();
    assert_eq!((row.get("name"), row.get("status")), ("ECAT1", "READY"));
}
