//! Files as archives, chosen and named as the request says.

use std::io::Cursor;

use narthex_tests::{Api, sentence};

use super::shelves::{put_file, send};
use super::{archived, study};

const SESSION: &str = "/data/experiments/XNAT_E00001";

/// The names in a zip, and how many files it has.
#[track_caller]
fn names(api: &Api, path: &str) -> Vec<String> {
    let response = api.get(path);
    assert_eq!(response.status, 200, "{path}: {}", response.text());
    let zip = zip::ZipArchive::new(Cursor::new(response.body)).unwrap();
    zip.file_names().map(|name| name.unwrap().into_owned()).collect()
}

/// The folders of the files in a zip, each once.
#[track_caller]
fn folders(api: &Api, path: &str) -> Vec<String> {
    let mut folders: Vec<String> =
        names(api, path).iter().filter_map(|name| Some(name.rsplit_once('/')?.0.to_owned())).collect();
    folders.sort();
    folders.dedup();
    folders
}

#[test]
fn folders_are_named_as_the_request_says() {
    let (_service, api) = archived();
    for (query, expected) in [
        ("", "S41_MR1/scans/2-t1/resources/DICOM/files"),
        ("&structure=simplified", "S41_MR1/scans/2-t1/DICOM"),
        ("&structure=improved", "scans/2-t1/resources/DICOM/files"),
        ("&structure=legacy", "P1/arc001/S41_MR1/SCANS/2/DICOM"),
        ("&projectIncludedInPath=true&subjectIncludedInPath=true", "P1/S41/S41_MR1/scans/2-t1/resources/DICOM/files"),
    ] {
        let found = folders(&api, &format!("{SESSION}/scans/2/files?format=zip{query}"));
        assert_eq!(found, [expected], "{query}");
    }
    assert_eq!(api.get(&format!("{SESSION}/scans/2/files?format=zip&structure=flat")).status, 400);
    let whole = folders(&api, &format!("{SESSION}?format=zip&structure=simplified"));
    assert_eq!(whole.len(), 3, "{whole:?}");
}

#[test]
fn several_scans_and_resources_can_be_named() {
    let (_service, api) = archived();
    for (path, count) in [
        ("scans/ALL/files", 9),
        ("scans/*/files", 9),
        ("scans/1,9/files", 4),
        ("scans/t1,localizer/files", 8),
        ("scans/ALL/resources/DICOM/files", 8),
        ("scans/ALL/resources/DICOM,secondary/files", 9),
        ("files", 9),
    ] {
        assert_eq!(api.table(&format!("{SESSION}/{path}")).rows.len(), count, "{path}");
        assert_eq!(names(&api, &format!("{SESSION}/{path}?format=zip")).len(), count, "{path}");
    }
    let tar = api.bytes(&format!("{SESSION}/scans/1/files?format=tar"));
    assert_eq!(tar::Archive::new(Cursor::new(tar)).entries().unwrap().count(), 3);
    let packed = api.bytes(&format!("{SESSION}/scans/1/files?format=tar.gz"));
    let unpacked = flate2::read::GzDecoder::new(Cursor::new(packed));
    assert_eq!(tar::Archive::new(unpacked).entries().unwrap().count(), 3);
}

#[test]
fn files_are_chosen_by_what_was_said_of_them() {
    let (_service, api) = archived();
    let files = format!("{SESSION}/files");
    for (query, count) in [
        ("file_format=DICOM", 9),
        ("file_format=NIFTI,DICOM", 9),
        ("file_format=NULL", 0),
        ("file_content=RAW", 8),
        ("file_content=RAW&file_content=secondary", 9),
        ("file_format=DICOM&file_content=secondary", 1),
    ] {
        assert_eq!(api.table(&format!("{files}?{query}")).rows.len(), count, "{query}");
        let zip = format!("{files}?format=zip&{query}");
        match count {
            0 => assert_eq!(api.get(&zip).status, 404, "{query}"),
            count => assert_eq!(names(&api, &zip).len(), count, "{query}"),
        }
    }
    assert_eq!(api.get(&format!("{files}?format=zip&file_format=NULL&accept-not-found=true")).status, 204);
}

#[test]
fn a_file_can_be_asked_for_by_its_place() {
    let (_service, api) = archived();
    let list = api.table(&format!("{SESSION}/files"));
    for (index, row) in list.rows.iter().enumerate() {
        assert_eq!(api.bytes(&format!("{SESSION}/files?index={index}")), api.bytes(row.get("URI")), "{index}");
    }
    assert_eq!(list.rows.len(), study().file_count());
    assert_eq!(api.get(&format!("{SESSION}/files?index=9")).status, 404);
    assert_eq!(api.get(&format!("{SESSION}/files?index=last")).status, 400);
}

#[test]
fn what_stands_on_shelves_is_chosen_named_and_counted_like_images() {
    let (_service, api) = archived();
    for (path, format) in [
        ("scans/2/resources/NIFTI/files/a.nii", "NIFTI"),
        ("scans/2/resources/NIFTI/files/a.json", "JSON"),
        ("resources/NOTES/files/n.txt", "TXT"),
    ] {
        put_file(&api, &format!("{SESSION}/{path}?format={format}"), path.as_bytes());
    }
    // The images of this scan are listed in a catalog from now on.
    let image = api.table(&format!("{SESSION}/scans/1/files")).rows[0].get("URI").to_owned();
    assert_eq!(send(&api, "DELETE", &image, b"").status, 200);
    for (query, expected) in [
        ("file_format=NIFTI", "S41_MR1/scans/2-t1/resources/NIFTI/files/a.nii"),
        ("file_format=JSON&structure=legacy", "P1/arc001/S41_MR1/SCANS/2/NIFTI/a.json"),
        ("file_format=TXT&structure=simplified", "S41_MR1/NOTES/n.txt"),
    ] {
        assert_eq!(names(&api, &format!("{SESSION}/files?format=zip&{query}")), [expected], "{query}");
        assert_eq!(api.table(&format!("{SESSION}/files?{query}")).rows.len(), 1, "{query}");
        assert!(
            api.bytes(&format!("{SESSION}/files?index=0&{query}"))
                .ends_with(&expected.as_bytes()[expected.len() - 4..])
        );
    }
    assert_eq!(names(&api, &format!("{SESSION}/scans/1,2/resources/DICOM,NIFTI/files?format=zip")).len(), 9);
    let list = api.table(&format!("{SESSION}/files"));
    assert_eq!(list.rows.len(), study().file_count() + 2);
    for (index, row) in list.rows.iter().enumerate() {
        assert_eq!(api.bytes(&format!("{SESSION}/files?index={index}")), api.bytes(row.get("URI")), "{index}");
    }
}

#[test]
fn files_of_projects_and_subjects_are_archived_under_their_names() {
    let (_service, api) = archived();
    for (item, default, legacy) in [
        ("/data/projects/P1", "P1/resources/R/files/x.txt", "P1/resources/R/x.txt"),
        ("/data/projects/P1/subjects/S41", "S41/resources/R/files/x.txt", "P1/subjects/S41/R/x.txt"),
    ] {
        put_file(&api, &format!("{item}/resources/R/files/x.txt"), b"x");
        assert_eq!(names(&api, &format!("{item}/files?format=zip")), [default]);
        assert_eq!(names(&api, &format!("{item}/resources/R/files?format=zip&structure=legacy")), [legacy]);
        assert_eq!(api.bytes(&format!("{item}/files?index=0")), b"x");
        assert_eq!(api.get(&format!("{item}/resources/NONE/files?accept-not-found=true")).status, 204);
    }
}

#[test]
fn what_is_not_there_may_be_no_failure() {
    let (_service, api) = archived();
    for path in ["scans/2/resources/DICOM/files/none.dcm", "resources/NONE/files", "scans/2/resources/NONE/files"] {
        assert_eq!(api.get(&format!("{SESSION}/{path}")).status, 404, "{path}");
        let response = api.get(&format!("{SESSION}/{path}?accept-not-found=true"));
        assert_eq!((response.status, response.body.len()), (204, 0), "{path}");
    }
    let response = api.get(&format!("{SESSION}/files?locator=absolutePath"));
    assert_eq!(response.status, 501);
    assert!(sentence(&response).contains("locator"));
}
