//! Where files of a XAR belong.

use super::*;
use crate::xml::items::ResourceDocument;

fn declared(scan: Option<&str>, label: &str, uri: &str) -> Declared {
    let resource = ResourceDocument { label: label.to_owned(), uri: uri.to_owned(), ..ResourceDocument::default() };
    let owner = scan.map_or(Owner::Session, |id| Owner::Scan(id.to_owned()));
    Declared { owner, resource }
}

fn placed(declared: &[Declared], paths: &[&str]) -> Result<Vec<(String, String, String)>, String> {
    let items = Items {
        scans: ["4", "4-MR1", "5"].into(),
        assessors: [("QC", "QC"), ("XNAT_E00002", "QC")].into(),
        own: Owner::Session,
    };
    let layout = Layout::new(items, declared, &paths.iter().copied().collect());
    let layout = layout.map_err(|error| error.to_string())?;
    let place = |path: &&str| {
        let Place { owner, label, path } = layout.place(path).map_err(|error| error.to_string())?;
        let owner = match owner {
            Owner::Session => String::new(),
            Owner::Scan(id) => id,
            Owner::Assessor(label) => format!("assessor {label}"),
        };
        Ok((owner, label, path))
    };
    paths.iter().map(place).collect()
}

fn three(scan: &str, label: &str, path: &str) -> (String, String, String) {
    (scan.to_owned(), label.to_owned(), path.to_owned())
}

#[test]
fn folders_as_on_disk_and_in_downloads_are_known() {
    let notes = [declared(None, "NOTES", "/archive/P/arc001/L/RESOURCES/NOTES/NOTES_catalog.xml")];
    for (path, wanted) in [
        ("SCANS/4/DICOM/sub/a.dcm", three("4", "DICOM", "sub/a.dcm")),
        ("P/arc001/L/SCANS/4-MR1/NIFTI/a.nii", three("4-MR1", "NIFTI", "a.nii")),
        ("RESOURCES/NOTES/a.txt", three("", "NOTES", "a.txt")),
        ("L/scans/4-T1/resources/DICOM/files/a", three("4", "DICOM", "a")),
        ("L/scans/4-MR1-T1/DICOM/a", three("4-MR1", "DICOM", "a")),
        ("scans/5/resources/DICOM/files/x/y", three("5", "DICOM", "x/y")),
        ("L/resources/NOTES/files/a.txt", three("", "NOTES", "a.txt")),
        ("NOTES/a.txt", three("", "NOTES", "a.txt")),
        ("P/arc001/L/ASSESSORS/QC/OUT/sub/a", three("assessor QC", "OUT", "sub/a")),
        ("ASSESSORS/XNAT_E00002/OUT/a", three("assessor QC", "OUT", "a")),
        ("L/assessors/QC/resources/OUT/files/a/b", three("assessor QC", "OUT", "a/b")),
        ("assessors/QC/out/resources/OUT/files/a", three("assessor QC", "OUT", "a")),
        ("L/assessors/QC/OUT/a", three("assessor QC", "OUT", "a")),
    ] {
        assert_eq!(placed(&notes, &[path]).unwrap(), [wanted], "{path}");
    }
}

#[test]
fn what_the_document_says_comes_first() {
    let all = [
        declared(Some("4"), "DICOM", "data/four/scan_4_catalog.xml"),
        declared(Some("5"), "NIFTI", "data/five.nii"),
        declared(None, "NOTES", "data/notes/"),
    ];
    let paths = ["data/four/a.dcm", "data/five.nii", "data/notes/scans/b.txt", "data/four/SCANS/c"];
    let wanted = [
        three("4", "DICOM", "a.dcm"),
        three("5", "NIFTI", "five.nii"),
        three("", "NOTES", "scans/b.txt"),
        three("4", "DICOM", "SCANS/c"),
    ];
    assert_eq!(placed(&all, &paths).unwrap(), wanted);
}

#[test]
fn a_file_in_the_folder_of_a_scan_belongs_to_its_only_resource() {
    let one = [declared(Some("4"), "", "SCANS/4/DICOM/scan_4_catalog.xml")];
    assert_eq!(placed(&one, &["SCANS/4/a.dcm"]).unwrap(), [three("4", "DICOM", "a.dcm")]);
    assert!(placed(&[], &["SCANS/4/a.dcm"]).is_err());
}

#[test]
fn what_belongs_nowhere_is_refused() {
    for path in
        ["a.txt", "SCANS/7/DICOM/a", "scans/6-T1/DICOM/a", "RESOURCES/a", "other/a/b", "SCANS/4", "ASSESSORS/Q/OUT/a"]
    {
        assert!(placed(&[], &[path]).is_err(), "{path}");
    }
    let error = placed(&[], &["A/SCANS/4/DICOM/a", "B/SCANS/4/DICOM/b"]).unwrap_err();
    assert!(error.contains("one imaging session"), "{error}");
}
