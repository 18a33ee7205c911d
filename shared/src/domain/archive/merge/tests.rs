//! Scans and files, without a store.

use super::*;
use crate::domain::manifest::{FileEntry, FullScan, Resource, StoredScan};
use crate::imaging::ScanType;
use crate::imaging::session::Scan;
use crate::intake::{Extent, Method};
use crate::storage::PackId;

const APPEND: Rules = Rules::APPEND;
const DELETE: Rules = Rules { overwrite: Overwrite::Delete, overwrite_files: false };
const NONE: Rules = Rules { overwrite: Overwrite::None, overwrite_files: false };
const APPEND_FILES: Rules = Rules { overwrite: Overwrite::Append, overwrite_files: true };

/// A file; its pack tells on which side it is.
fn file(name: &str, uid: &str, side: u64) -> FileEntry {
    FileEntry {
        name: name.to_owned(),
        pack: PackId::from_number(side),
        ordinal: 0,
        extent: Extent { offset: 0, stored_len: 1, len: 1, method: Method::Stored },
        crc32: 0,
        sop_instance_uid: uid.to_owned(),
        instance_number: None,
    }
}

fn scan(id: &str, uid: &str, kind: &str, resources: &[(&str, Vec<FileEntry>)]) -> FullScan {
    let resource = |(label, _): &(&str, Vec<FileEntry>)| Resource {
        label: (*label).to_owned(),
        content: "RAW".to_owned(),
        format: "DICOM".to_owned(),
        description: String::new(),
        number: 7,
        first: 0,
        count: 0,
        bytes: 0,
        page_starts: Vec::new(),
    };
    let frames = resources.iter().map(|(_, files)| files.len() as u64).sum();
    let head = Scan {
        id: id.to_owned(),
        uid: uid.to_owned(),
        xsi_type: ScanType::new(kind),
        series_description: None,
        modality: None,
        frames,
        start_time: None,
        start_date: None,
        scanner: Default::default(),
        dimensions: Some([16, 16, frames]),
        voxel_size: None,
        orientation: None,
        parameters: Vec::new(),
    };
    FullScan {
        stored: StoredScan {
            scan: head,
            scan_type: Some(format!("type of {id}")),
            quality: None,
            number: 3,
            resources: resources.iter().map(resource).collect(),
            shelf: Vec::new(),
        },
        files: resources.iter().map(|(_, files)| files.clone()).collect(),
    }
}

/// The reasons, and of each scan the names of its files with the sides they come from.
fn told(merged: &MergedScans) -> (Vec<&'static str>, Vec<String>) {
    let reasons = merged.findings.iter().map(|finding| finding.reason.word()).collect();
    let scans = merged.scans.iter().map(|scan| {
        let resources = scan.stored.resources.iter().zip(&scan.files).map(|(resource, files)| {
            let mut files: Vec<String> =
                files.iter().map(|file| format!("{}@{}", file.name, file.pack.number())).collect();
            files.sort();
            format!("{}={}", resource.label, files.join(","))
        });
        format!("{}: {}", scan.stored.scan.id, resources.collect::<Vec<_>>().join(" "))
    });
    (reasons, scans.collect())
}

fn old() -> Vec<FullScan> {
    vec![
        scan("1", "U1", "mr", &[("DICOM", vec![file("a", "1.1", 1), file("b", "1.2", 1)])]),
        scan("4", "U4", "mr", &[("DICOM", vec![file("a", "4.1", 1)])]),
    ]
}

fn check(new: Vec<FullScan>, rules: Rules, reasons: &[&str], scans: &[&str]) {
    let merged = merge_scans(old(), new, rules);
    let (found, made) = told(&merged);
    assert_eq!(found, reasons, "{:?}", merged.findings);
    assert_eq!(made, scans);
}

#[test]
fn new_scans_are_added_in_order() {
    let new = || vec![scan("3", "U3", "mr", &[("DICOM", vec![file("a", "3.1", 2)])])];
    let scans = ["1: DICOM=a@1,b@1", "3: DICOM=a@2", "4: DICOM=a@1"];
    for rules in [NONE, APPEND, DELETE] {
        check(new(), rules, &[], &scans);
    }
}

#[test]
fn new_files_are_added_to_the_scan_of_the_same_uid() {
    let new = || {
        vec![scan("1", "U1", "mr", &[("DICOM", vec![file("c", "1.3", 2)]), ("secondary", vec![file("d", "1.4", 2)])])]
    };
    let scans = ["1: DICOM=a@1,b@1,c@2 secondary=d@2", "4: DICOM=a@1"];
    check(new(), APPEND, &[], &scans);
    check(new(), DELETE, &[], &scans);
    check(new(), NONE, &["same-scan"], &scans);
    let merged = merge_scans(old(), new(), APPEND);
    let one = &merged.scans[0].stored;
    assert_eq!((one.scan.frames, one.scan.dimensions), (4, Some([16, 16, 4])));
    assert_eq!((one.number, one.resources[0].number, one.resources[1].number), (3, 7, 0));
    assert_eq!(one.scan_type.as_deref(), Some("type of 1"));
}

#[test]
fn the_same_file_is_refused_or_replaced_whatever_its_name() {
    let new = || vec![scan("1", "U1", "mr", &[("DICOM", vec![file("z", "1.2", 2), file("c", "1.3", 2)])])];
    let replaced = ["1: DICOM=a@1,c@2,z@2", "4: DICOM=a@1"];
    check(new(), APPEND, &["same-files"], &replaced);
    check(new(), NONE, &["same-scan", "same-files"], &replaced);
    check(new(), DELETE, &[], &replaced);
    check(new(), APPEND_FILES, &[], &replaced);
    assert_eq!(merge_scans(old(), new(), DELETE).scans[0].stored.scan.frames, 3);
}

#[test]
fn files_without_uid_are_the_same_by_name() {
    for (name, uid) in [("a", ""), ("a", "1.1")] {
        let new = || vec![scan("1", "U1", "mr", &[("DICOM", vec![file(name, uid, 2)])])];
        check(new(), APPEND, &["same-files"], &["1: DICOM=a@2,b@1", "4: DICOM=a@1"]);
        check(new(), DELETE, &[], &["1: DICOM=a@2,b@1", "4: DICOM=a@1"]);
    }
}

#[test]
fn a_name_of_another_instance_stands_against_it_unless_that_is_replaced() {
    let new = || vec![scan("1", "U1", "mr", &[("DICOM", vec![file("a", "1.9", 2)])])];
    for rules in [APPEND, DELETE, APPEND_FILES] {
        let merged = merge_scans(old(), new(), rules);
        assert_eq!(told(&merged).0, ["name-taken"]);
        assert!(first_refusal_is(&merged, Reason::NameTaken));
    }
    // The instance that has the name is replaced by one of another name.
    let swapped = || vec![scan("1", "U1", "mr", &[("DICOM", vec![file("a", "1.2", 2), file("x", "1.1", 2)])])];
    check(swapped(), DELETE, &[], &["1: DICOM=a@2,x@2", "4: DICOM=a@1"]);
}

fn first_refusal_is(merged: &MergedScans, reason: Reason) -> bool {
    super::finding::first_refusal(&merged.findings).is_some_and(|first| first.reason == reason)
}

#[test]
fn a_number_that_is_taken_is_followed_by_the_modality_and_a_count() {
    let new = || {
        vec![
            scan("4", "V4", "pet", &[("DICOM", vec![file("a", "5.1", 2)])]),
            scan("4-PT1", "W4", "mr", &[("DICOM", vec![file("a", "6.1", 2)])]),
        ]
    };
    let scans = ["1: DICOM=a@1,b@1", "4: DICOM=a@1", "4-PT1: DICOM=a@2", "4-PT2: DICOM=a@2"];
    check(new(), APPEND, &["renamed"], &scans);
    check(new(), DELETE, &["renamed"], &scans);
    assert_eq!(told(&merge_scans(old(), new(), NONE)).0, ["number-taken"]);
}

#[test]
fn a_renamed_scan_is_found_again_by_its_uid() {
    let renamed = vec![scan("4", "V4", "mr", &[("DICOM", vec![file("a", "5.1", 2)])])];
    let once = merge_scans(old(), renamed, APPEND);
    let more = vec![scan("4", "V4", "mr", &[("DICOM", vec![file("b", "5.2", 3)])])];
    let twice = merge_scans(once.scans, more, APPEND);
    let (reasons, scans) = told(&twice);
    assert!(reasons.is_empty(), "{reasons:?}");
    assert_eq!(scans, ["1: DICOM=a@1,b@1", "4: DICOM=a@1", "4-MR1: DICOM=a@2,b@3"]);
}

#[test]
fn a_scan_of_another_number_is_merged_only_by_force() {
    let new = || vec![scan("9", "U4", "mr", &[("DICOM", vec![file("b", "4.2", 2)])])];
    let scans = ["1: DICOM=a@1,b@1", "4: DICOM=a@1,b@2"];
    check(new(), NONE, &["other-number"], &scans);
    check(new(), APPEND, &["other-number"], &scans);
    check(new(), DELETE, &[], &scans);
}

#[test]
fn instances_that_came_twice_are_told_and_kept() {
    let twice = vec![file("a", "3.1", 2), file("a_1", "3.1", 2)];
    let new = vec![scan("3", "U3", "mr", &[("DICOM", twice)])];
    check(new, APPEND, &["repeated-instances"], &["1: DICOM=a@1,b@1", "3: DICOM=a@2,a_1@2", "4: DICOM=a@1"]);
}

#[test]
fn what_is_there_stays_and_gaps_are_filled() {
    use crate::imaging::{Field, ImageSession, SessionType};
    let session = |date: Option<&str>, fields: Vec<Field>| ImageSession {
        xsi_type: SessionType::new("mr"),
        uid: String::new(),
        modality: None,
        date: date.map(str::to_owned),
        time: None,
        scanner: Default::default(),
        fields,
        scans: Vec::new(),
    };
    let mut own = session(Some("2026-01-01"), vec![Field::text("operator", "A")]);
    let mut new = session(Some("2026-02-02"), vec![Field::text("operator", "B"), Field::text("study_id", "7")]);
    new.time = Some("10:00:00".to_owned());
    new.scanner.name = "S".to_owned();
    session::fill_session(&mut own, &new);
    assert_eq!((own.date.as_deref(), own.time.as_deref()), (Some("2026-01-01"), Some("10:00:00")));
    assert_eq!(own.scanner.name, "S");
    assert_eq!(own.fields, [Field::text("study_id", "7"), Field::text("operator", "A")]);
}
