//! Several items that one address names, and folders and patterns of files.

use std::io::Cursor;

use narthex_tests::{Api, Modality, Service, Study, sentence};

use super::shelves::{put_file, send};
use super::study;

const A: &str = "/data/experiments/XNAT_E00001";
const BOTH: &str = "/data/experiments/XNAT_E00001,XNAT_E00002";

/// A second session of another subject, with a scan of a type that the first one has.
fn second() -> Study {
    Study::new(Modality::Mr, 42).patient("S42_MR1", "S42").series_named(1, "t1").slices(2)
}

/// A service with two sessions in P1, and one of the label of the first in P2.
fn two_sessions() -> (Service, Api) {
    let service = Service::start();
    let api = service.api();
    for (project, study) in [("P1", study()), ("P1", second()), ("P2", study())] {
        api.project(project);
        let src = api.import(project, &study);
        api.archive(&src);
    }
    (service, api)
}

#[track_caller]
fn names(api: &Api, path: &str) -> Vec<String> {
    let response = api.get(path);
    assert_eq!(response.status, 200, "{path}: {}", response.text());
    let zip = zip::ZipArchive::new(Cursor::new(response.body)).unwrap();
    let mut names: Vec<String> = zip.file_names().map(|name| name.unwrap().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn files_and_resources_of_several_experiments_are_given_together() {
    let (_service, api) = two_sessions();
    for parent in [
        BOTH,
        "/data/projects/P1/experiments/S41_MR1,S42_MR1",
        "/data/archive/projects/P1/experiments/XNAT_E00002,S41_MR1",
    ] {
        for (path, count) in [
            ("files", 11),
            ("scans/ALL/files", 11),
            // A type of scans that both have, and one that the second has not.
            ("scans/t1/files", 7),
            ("scans/t1,localizer/resources/DICOM/files", 10),
            ("scans/9/files", 1),
            ("scans/*/resources/DICOM,secondary/files/*", 11),
        ] {
            let path = format!("{parent}/{path}");
            assert_eq!(api.table(&path).rows.len(), count, "{path}");
            assert_eq!(names(&api, &format!("{path}?format=zip")).len(), count, "{path}");
        }
    }
    let list = api.table(&format!("{BOTH}/scans/1/files"));
    for (index, row) in list.rows.iter().enumerate() {
        let byte_for_byte = api.bytes(row.get("URI"));
        assert_eq!(api.bytes(&format!("{BOTH}/scans/1/files?index={index}")), byte_for_byte);
    }
    let zip = names(&api, &format!("{BOTH}/scans/t1/files?format=zip"));
    assert!(zip.iter().any(|name| name.starts_with("S41_MR1/scans/2-t1/resources/DICOM/files/")), "{zip:?}");
    assert!(zip.iter().any(|name| name.starts_with("S42_MR1/scans/1-t1/resources/DICOM/files/")), "{zip:?}");
    let named = api.get(&format!("{BOTH}/files?format=zip"));
    assert!(named.header("content-disposition").unwrap().contains("experiments.zip"));

    put_file(&api, &format!("{A}/resources/NOTES/files/n.txt"), b"n");
    assert_eq!(api.table(&format!("{BOTH}/resources")).column("label"), ["NOTES"]);
    assert_eq!(api.table(&format!("{BOTH}/resources?all=true")).rows.len(), 5);
    assert_eq!(api.table(&format!("{BOTH}/scans/1/resources")).rows.len(), 2);
    assert_eq!(api.table(&format!("{BOTH}/resources/NOTES/files")).only().get("Name"), "n.txt");
    assert_eq!(api.bytes(&format!("{BOTH}/resources/NOTES/files/n.txt")), b"n");

    // Sessions of the same label are told apart by their projects.
    let same = names(&api, "/data/experiments/XNAT_E00001,XNAT_E00003/scans/9/files?format=zip");
    assert!(same[0].starts_with("P1/S41_MR1/scans/9-") && same[1].starts_with("P2/S41_MR1/scans/9-"), "{same:?}");
    // A session that is named twice comes once.
    assert_eq!(api.table(&format!("{A},XNAT_E00001/files")).rows.len(), 10);

    for (path, status) in [
        (format!("{A},XNAT_E99999/files"), 404),
        (format!("{BOTH}/scans/77/files"), 404),
        (format!("{BOTH}/resources/NOTHING/files"), 404),
        (format!("{BOTH}/resources/NOTHING/files?accept-not-found=true"), 204),
        ("/data/projects/P2/experiments/S41_MR1,XNAT_E00002/files".to_owned(), 404),
        (BOTH.to_owned(), 400),
        (format!("{BOTH}/scans"), 400),
        (format!("{BOTH}/resources/NOTES"), 400),
        (format!("{BOTH}/files?format=zip&structure=improved"), 400),
    ] {
        let response = api.get(&path);
        assert_eq!(response.status, status, "{path}: {}", response.text());
    }
    for method in ["PUT", "DELETE"] {
        assert_eq!(send(&api, method, &format!("{BOTH}/resources/NOTES"), b"").status, 404, "{method}");
    }
    let many: String = (0..101).map(|number| format!("E{number},")).collect();
    assert_eq!(api.get(&format!("/data/experiments/{many}/files")).status, 400);
}

#[test]
fn several_assessors_are_read_together() {
    let (_service, api) = two_sessions();
    for (session, label) in [("XNAT_E00001", "QC1"), ("XNAT_E00001", "QC2"), ("XNAT_E00002", "QC3")] {
        let made = api.put(&format!("/data/experiments/{session}/assessors/{label}?xsiType=xnat:qcManualAssessorData"));
        assert_eq!(made.status, 201, "{}", made.text());
        let resource = format!("/data/experiments/{session}/assessors/{label}/resources");
        put_file(&api, &format!("{resource}/DATA/files/a.txt"), label.as_bytes());
    }
    put_file(&api, &format!("{A}/assessors/QC2/resources/MORE/files/b.txt"), b"b");
    for (path, count) in [
        (format!("{A}/assessors/ALL/resources"), 3),
        (format!("{A}/assessors/QC1,QC2/resources"), 3),
        (format!("{A}/assessors/*/files"), 3),
        (format!("{A}/assessors/XNAT_E00004,QC2/out/files"), 3),
        (format!("{A}/assessors/ALL/resources/MORE/files"), 1),
        (format!("{A}/assessors/ALL/resources/DATA,MORE/files/*"), 3),
        (format!("{BOTH}/assessors/ALL/files"), 4),
        (format!("{BOTH}/assessors/QC3/resources"), 1),
    ] {
        assert_eq!(api.table(&path).rows.len(), count, "{path}");
    }
    assert_eq!(
        names(&api, &format!("{BOTH}/assessors/ALL/resources/DATA/files?format=zip")),
        [
            "S41_MR1/assessors/QC1/resources/DATA/files/a.txt",
            "S41_MR1/assessors/QC2/resources/DATA/files/a.txt",
            "S42_MR1/assessors/QC3/resources/DATA/files/a.txt",
        ]
    );
    assert_eq!(api.bytes(&format!("{A}/assessors/ALL/resources/MORE/files/b.txt")), b"b");
    let ambiguous = api.get(&format!("{A}/assessors/ALL/resources/DATA/files/a.txt"));
    assert_eq!(ambiguous.status, 400, "{}", sentence(&ambiguous));
    assert_eq!(names(&api, &format!("{A}/assessors/ALL/resources/DATA/files/a.txt?format=zip")).len(), 2);
    for path in ["assessors/QC3,QC4/resources", "assessors/ALL/resources/NOTHING/files", "assessors/ALL/files/x"] {
        assert_eq!(api.get(&format!("{A}/{path}")).status, 404, "{path}");
    }
}

#[test]
fn folders_and_patterns_of_files_are_listed_packed_and_deleted() {
    let (service, api) = two_sessions();
    let before = service.stores().chunks();
    let files = format!("{A}/resources/BIDS/files");
    for path in ["top.json", "anat/t1.nii.gz", "anat/t1.json", "anat/more/t2.json", "func/rest.nii.gz", "a%20b/x.txt"] {
        put_file(&api, &format!("{files}/{path}"), path.as_bytes());
    }
    for (path, count) in [
        ("", 6),
        ("/", 6),
        ("/?recursive=false", 1),
        ("/anat/", 3),
        ("/anat/?recursive=false", 2),
        ("/anat/*", 2),
        ("/anat/**", 3),
        ("/*", 1),
        ("/**/*.json", 3),
        ("/*/*.nii.gz", 2),
        ("/a%20b/", 1),
    ] {
        assert_eq!(api.table(&format!("{files}{path}")).rows.len(), count, "{path}");
        let query = if path.contains('?') { "&" } else { "?" };
        assert_eq!(names(&api, &format!("{files}{path}{query}format=zip")).len(), count, "{path}");
    }
    assert_eq!(
        names(&api, &format!("{files}/anat/more/?format=zip")),
        ["S41_MR1/resources/BIDS/files/anat/more/t2.json"]
    );
    assert_eq!(api.bytes(&format!("{files}/anat/*?index=1")), b"anat/t1.nii.gz");
    for path in ["anat", "nothing/", "*.txt", "anat/more"] {
        assert_eq!(api.get(&format!("{files}/{path}")).status, 404, "{path}");
    }
    assert_eq!(api.get(&format!("{files}/nothing/?accept-not-found=true")).status, 204);
    // The same of a scan's images, and of a project's resource.
    assert_eq!(api.table(&format!("{A}/scans/1/resources/DICOM/files/*.dcm")).rows.len(), 3);
    assert_eq!(api.get(&format!("{A}/scans/1/resources/DICOM/files/*.nii")).status, 404);
    put_file(&api, "/data/projects/P1/resources/R/files/d/x", b"x");
    assert_eq!(api.table("/data/projects/P1/resources/R/files/d/").only().get("Name"), "x");

    let delete = |path: &str| api.client.delete(path).unwrap();
    for path in ["nothing/", "*.txt"] {
        let none = delete(&format!("{files}/{path}"));
        assert_eq!((none.status, sentence(&none).as_str()), (404, "No matched files"));
        assert_eq!(delete(&format!("{files}/{path}?accept-not-found=true")).status, 204);
    }
    assert_eq!(delete(&format!("{files}/anat/?recursive=false")).status, 200);
    assert_eq!(api.table(&files).column("Name"), ["x.txt", "t2.json", "rest.nii.gz", "top.json"]);
    assert_eq!(delete(&format!("{files}/**/*.json")).status, 200);
    assert_eq!(api.table(&files).column("Name"), ["x.txt", "rest.nii.gz"]);
    assert_eq!(delete(&format!("{files}/**")).status, 200);
    assert_eq!(api.table(&files).rows.len(), 0);
    assert_eq!(delete("/data/projects/P1/resources/R/files/d/").status, 200);
    assert_eq!(service.stores().chunks(), before);
    assert_eq!(delete(&format!("{A}/scans/1/resources/DICOM/files/*")).status, 200);
    assert_eq!(api.table(&format!("{A}/scans/ALL/files")).rows.len(), 6);
}
