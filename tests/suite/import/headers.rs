//! What the headers say: project, subject, session, scans.

use narthex_tests::{Modality, Service, Study, zip_study};

#[test]
fn comments_name_project_subject_and_session() {
    let service = Service::start();
    let api = service.api();
    api.project("DEMO");
    let study = Study::new(Modality::Mr, 1).comments("Project:DEMO Subject: S01; Session:S01_MR1");
    let uris = api.import_zip("", &zip_study(&study));
    assert!(uris[0].starts_with("/data/prearchive/projects/DEMO/"), "{uris:?}");
    let row = api.sessions("DEMO").only().clone();
    assert_eq!((row.get("subject"), row.get("name")), ("S01", "S01_MR1"));
}

#[test]
fn the_study_description_or_the_accession_number_may_name_the_project() {
    let service = Service::start();
    let api = service.api();
    api.project("BYDESC");
    api.project("BYACC");
    let by_description = Study::new(Modality::Ct, 1).description("BYDESC").accession("BYACC");
    let by_accession = Study::new(Modality::Ct, 2).description("no project").accession("BYACC");
    api.import_zip("", &zip_study(&by_description));
    api.import_zip("", &zip_study(&by_accession));
    assert_eq!(api.sessions("BYDESC").only().get("tag"), by_description.study_uid());
    assert_eq!(api.sessions("BYACC").only().get("tag"), by_accession.study_uid());
}

#[test]
fn a_named_project_that_does_not_exist_is_skipped() {
    let service = Service::start();
    let api = service.api();
    api.project("REAL");
    let study = Study::new(Modality::Ct, 1).comments("Project:GHOST").description("REAL");
    api.import_zip("", &zip_study(&study));
    assert_eq!(api.sessions("REAL").rows.len(), 1);
}

#[test]
fn names_from_headers_are_cleaned() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let study = Study::new(Modality::Ct, 1).patient("P 1/2:x", "DOE^JANE^^DR");
    let uri = api.import("P1", &study);
    let row = api.sessions("P1").only().clone();
    assert_eq!(row.get("name"), "P_1_2_x");
    // Trailing empty parts of a name may be dropped before or after cleaning.
    assert!(row.get("subject").starts_with("DOE_JANE"), "{}", row.get("subject"));
    assert!(row.get("subject").chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c)));
    api.assert_holds(&uri, &study);
}

#[test]
fn scans_take_their_ids_and_types_from_the_series() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let study = Study::new(Modality::Pt, 1)
        .series_named(3, "PET AC")
        .and_series(5, "CT low dose", Modality::Ct, 4)
        .and_series(900, "screenshot", Modality::Sc, 1);
    let uri = api.import("P1", &study);
    let scans = api.table(&format!("{uri}/scans"));
    assert_eq!(scans.rows.len(), 3);
    assert_eq!(scans.row("ID", "3").get("xsiType"), "xnat:petScanData");
    assert_eq!(scans.row("ID", "5").get("xsiType"), "xnat:ctScanData");
    assert_eq!(scans.row("ID", "900").get("xsiType"), "xnat:scScanData");
    assert_eq!(scans.row("ID", "5").get("series_description"), "CT low dose");
    // Derived pictures stand apart from the images.
    assert_eq!(api.table(&format!("{uri}/scans/900/resources")).only().get("label"), "secondary");
    assert_eq!(api.table(&format!("{uri}/scans/5/resources")).only().get("label"), "DICOM");
    api.assert_holds(&uri, &study);
}

#[test]
fn two_series_with_one_number_get_ids_of_their_own() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let one = Study::new(Modality::Mr, 1).series_named(4, "first");
    // The same study, whose second series claims the number of the first one.
    let mut files: Vec<(String, Vec<u8>)> = one.files().map(|file| (format!("a/{}", file.name), file.bytes)).collect();
    let other = Study::new(Modality::Mr, 1).series_named(5, "other").slices(3);
    for file in other.files() {
        files.push((
            format!("b/{}", file.name),
            replace(&file.bytes, b"\x20\x00\x11\x00IS\x02\x005 ", b"\x20\x00\x11\x00IS\x02\x004 "),
        ));
    }
    let zip = narthex_tests::zip_files(files, narthex_tests::Packing::Deflated);
    let uris = api.import_zip("dest=/prearchive/projects/P1", &zip);
    let scans = api.table(&format!("{}/scans", uris[0]));
    let mut ids = scans.column("ID");
    ids.sort_unstable();
    assert_eq!(ids, ["4-MR1", "4-MR2"]);
    assert_eq!(api.content(&uris[0]).len(), 5);
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let place = bytes.windows(from.len()).position(|window| window == from).expect("the element is there");
    [&bytes[..place], to, &bytes[place + from.len()..]].concat()
}
