//! The resource quarantine.

use futures::executor::block_on;

use super::crash::left;
use super::files::received;
use super::shelf::{archived, on_shelf, put};
use super::*;
use crate::domain::catalog::{CatalogCursor, FileNotes};
use crate::domain::history::Cause;
use crate::domain::prearchive::upload_files::ReceivedFile;
use crate::domain::shelf::ShelfOf;
use crate::domain::triage::{Approve, Quarantine, Source, Target, TriageFolder};

pub(super) type Files = Vec<(String, Vec<u8>)>;

pub(super) fn target(of: &ShelfOf, resource: &str) -> Target {
    Target {
        uri: format!("/data/archive/projects/DEMO/resources/{resource}/files"),
        project: "DEMO".to_owned(),
        of: of.clone(),
        resource: resource.to_owned(),
        subject: String::new(),
        experiment: String::new(),
        scan: String::new(),
        assessor: String::new(),
    }
}

pub(super) fn cause(reason: &str) -> Cause {
    Cause { reason: reason.to_owned(), ..Cause::default() }
}

pub(super) fn into(label: &str, target: &Target) -> Quarantine {
    Quarantine {
        project: "DEMO".to_owned(),
        label: label.to_owned(),
        by: "carl".to_owned(),
        target: target.clone(),
        overwrite: false,
        is_automatic: false,
        notes: FileNotes { format: "TXT".to_owned(), ..FileNotes::default() },
        cause: cause("because"),
    }
}

pub(super) fn source(label: &str, paths: Option<&[&str]>) -> Source {
    Source {
        project: "DEMO".to_owned(),
        label: label.to_owned(),
        paths: paths.map(|paths| paths.iter().map(|path| (*path).to_owned()).collect()),
    }
}

pub(super) fn approve(label: &str, paths: Option<&[&str]>, dest: &Target) -> Approve {
    Approve {
        sources: vec![source(label, paths)],
        dest: dest.clone(),
        overwrite: false,
        notes: FileNotes::default(),
        by: "olga".to_owned(),
        cause: cause("looked at"),
    }
}

/// Uploads files, of which each comes in a pack of its own.
pub(super) async fn upload(
    core: &Core,
    wanted: &Quarantine,
    files: &[(&str, &[u8])],
) -> Result<Vec<String>, DomainError> {
    let mut all = Vec::new();
    for (path, bytes) in files {
        all.push(received(core, path, bytes).await.map_err(|error| DomainError::Invalid { what: error.to_string() })?);
    }
    Ok(core.quarantine_files(wanted, all).await?.duplicates)
}

/// The files of a zip, which share its pack.
pub(super) async fn unpacked(core: &Core, files: &[(&str, &[u8])]) -> Vec<ReceivedFile> {
    let entries = files.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec()));
    let zip = narthex_generator::zip_files(entries, narthex_generator::Packing::Stored);
    let file = received(core, "all.zip", &zip).await.unwrap();
    core.unpack_files(vec![file]).await.unwrap()
}

/// The folders that are seen, and their files with their bytes.
pub(super) async fn waiting(core: &Core) -> Vec<(String, Files)> {
    let mut all = Vec::new();
    for folder in core.list_triage("DEMO", None).await.unwrap() {
        if core.triage_folder("DEMO", &folder.label).await.unwrap().is_some() {
            all.push((folder.label.clone(), files_of(core, &folder).await));
        }
    }
    all
}

pub(super) async fn files_of(core: &Core, folder: &TriageFolder) -> Files {
    let shown = core.shown_of(folder).await.unwrap();
    let mut files = Files::new();
    let mut cursor = CatalogCursor::new(folder.catalog.clone());
    while let Some(some) = core.next_files(&mut cursor).await.unwrap() {
        for file in some.iter().filter(|file| shown.has(&file.file.name)) {
            files.push((file.file.name.clone(), bytes_of(core, &file.file).await));
        }
    }
    files
}

/// The files of a resource with their bytes.
pub(super) async fn arrived(core: &Core, of: &ShelfOf, resource: &str) -> Files {
    let all = on_shelf(core, of).await;
    all.into_iter().filter(|(label, ..)| label == resource).map(|(_, path, bytes)| (path, bytes)).collect()
}

pub(super) fn some(files: &[(&str, &[u8])]) -> Files {
    files.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec())).collect()
}

/// Approves, and empties what has gone.
pub(super) async fn approve_all(core: &Core, wanted: &Approve) -> Result<u64, DomainError> {
    let approved = core.approve(wanted).await?;
    for folder in &approved.gone {
        core.empty_triage_of(folder).await?;
    }
    Ok(approved.files)
}

pub(super) const FILES: [(&str, &[u8]); 3] = [("a.txt", b"one"), ("b/c.txt", b"two"), ("b/d.txt", b"three")];

#[test]
fn files_wait_and_are_approved_into_every_kind_of_item() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let experiment = archived(&core).await;
        for of in [
            ShelfOf::Project("DEMO".to_owned()),
            ShelfOf::Subject(experiment.subject_id.clone()),
            ShelfOf::Experiment(experiment.id.clone()),
            ShelfOf::Scan { experiment: experiment.id.clone(), scan: "5".to_owned() },
        ] {
            let blobs = site.blobs.keys().len();
            let target = target(&of, "R");
            assert!(upload(&core, &into("X", &target), &FILES).await.unwrap().is_empty());
            assert_eq!(waiting(&core).await, [("X".to_owned(), some(&FILES))]);
            assert!(arrived(&core, &of, "R").await.is_empty());
            assert_eq!(site.blobs.keys().len(), blobs + 3);
            assert_eq!(approve_all(&core, &approve("X", None, &target)).await.unwrap(), 3);
            assert!(waiting(&core).await.is_empty());
            assert_eq!(arrived(&core, &of, "R").await, some(&FILES), "{of:?}");
            assert_eq!(site.blobs.keys().len(), blobs + 3, "no bytes are copied");
            // The sweep leaves them alone, and they go as other files do.
            site.clock.advance(100_000_000);
            core.sweep().await.unwrap();
            assert_eq!(arrived(&core, &of, "R").await, some(&FILES), "{of:?}");
            core.remove_item_file(&of, "R", "a.txt").await.unwrap();
            assert_eq!(site.blobs.keys().len(), blobs + 2, "{of:?}");
            core.remove_item_resource(&of, "R").await.unwrap();
            core.tidy_shelf(&of).await.unwrap();
            assert_eq!(site.blobs.keys().len(), blobs, "{of:?}");
            assert_eq!(left(&site, "triage") + left(&site, "triage-trash") + left(&site, "catalog"), 0);
        }
    });
}

#[test]
fn files_of_one_archive_go_different_ways() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let experiment = archived(&core).await;
        let (project, subject) = (ShelfOf::Project("DEMO".to_owned()), ShelfOf::Subject(experiment.subject_id.clone()));
        let (first, second) = (target(&project, "R"), target(&subject, "S"));
        let (blobs, packs) = (site.blobs.keys().len(), left(&site, "pack"));
        let files = unpacked(&core, &FILES).await;
        core.quarantine_files(&into("X", &first), files).await.unwrap();
        assert_eq!(left(&site, "pack"), packs + 1);
        assert_eq!(approve_all(&core, &approve("X", Some(&["a.txt"]), &first)).await.unwrap(), 1);
        assert_eq!(waiting(&core).await, [("X".to_owned(), some(&FILES[1..]))]);
        // What was taken over goes and comes again without harm to what waits.
        core.remove_item_file(&project, "R", "a.txt").await.unwrap();
        assert_eq!(waiting(&core).await, [("X".to_owned(), some(&FILES[1..]))]);
        assert_eq!(approve_all(&core, &approve("X", Some(&["b/c.txt"]), &first)).await.unwrap(), 1);
        assert_eq!(approve_all(&core, &approve("X", None, &second)).await.unwrap(), 1);
        assert!(waiting(&core).await.is_empty());
        site.clock.advance(100_000_000);
        core.sweep().await.unwrap();
        assert_eq!(arrived(&core, &subject, "S").await, some(&FILES[2..]));
        // Whoever has given the pack back once and got it again keeps it when the others go.
        core.remove_item_resource(&subject, "S").await.unwrap();
        core.tidy_shelf(&subject).await.unwrap();
        assert_eq!(arrived(&core, &project, "R").await, some(&FILES[1..2]));
        core.remove_item_resource(&project, "R").await.unwrap();
        core.tidy_shelf(&project).await.unwrap();
        assert_eq!((site.blobs.keys().len(), left(&site, "pack")), (blobs, packs));
    });
}

#[test]
fn what_was_approved_by_itself_outlives_the_rest_of_its_folder() {
    block_on(async {
        for is_refused in [false, true] {
            let site = Site::new().with_project().await;
            let core = site.core();
            let of = ShelfOf::Project("DEMO".to_owned());
            let target = target(&of, "R");
            upload(&core, &into("X", &target), &FILES).await.unwrap();
            upload(&core, &Quarantine { overwrite: true, ..into("X", &target) }, &[("b/c.txt", b"new")]).await.unwrap();
            approve_all(&core, &approve("X", Some(&["a.txt"]), &target)).await.unwrap();
            let rest: [(&str, &[u8]); 3] = [("a.txt", b"one"), ("b/c.txt", b"new"), ("b/d.txt", b"three")];
            let expected = match is_refused {
                true => {
                    let gone = core.remove_triage_folder("DEMO", "X", "olga", &cause("no")).await.unwrap();
                    core.empty_triage_of(&gone).await.unwrap();
                    some(&rest[..1])
                }
                false => {
                    approve_all(&core, &approve("X", None, &target)).await.unwrap();
                    some(&rest)
                }
            };
            site.clock.advance(100_000_000);
            core.sweep().await.unwrap();
            assert_eq!(arrived(&core, &of, "R").await, expected);
            assert_eq!(site.blobs.keys().len(), expected.len());
            core.remove_item_resource(&of, "R").await.unwrap();
            core.tidy_shelf(&of).await.unwrap();
            assert!(site.blobs.keys().is_empty() && left(&site, "pack") == 0);
        }
    });
}

#[test]
fn what_the_destination_has_is_not_replaced_unasked_and_then_nothing_moves() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let of = ShelfOf::Project("DEMO".to_owned());
        let target = target(&of, "R");
        put(&core, &of, "R", "a.txt", b"old").await.unwrap();
        upload(&core, &into("X", &target), &FILES).await.unwrap();
        for wanted in [approve("X", None, &target), approve("X", Some(&["a.txt", "b/c.txt"]), &target)] {
            let refused = core.approve(&wanted).await.unwrap_err();
            assert!(matches!(&refused, DomainError::Conflict { reason } if reason.contains("a.txt")), "{refused}");
            assert!(core.check_approvals(&[wanted]).await.is_err());
            assert_eq!(waiting(&core).await, [("X".to_owned(), some(&FILES))]);
            assert_eq!(arrived(&core, &of, "R").await, some(&[("a.txt", b"old")]));
        }
        // A file cannot be a folder: refused in the middle, and taken back.
        put(&core, &of, "S", "b", b"a file").await.unwrap();
        let blocked = self::target(&of, "S");
        for paths in [None, Some(&["b/c.txt"][..])] {
            let refused = core.approve(&approve("X", paths, &blocked)).await.unwrap_err();
            assert!(matches!(refused, DomainError::Invalid { .. }), "{refused}");
        }
        assert_eq!(left(&site, "triage-trash") + left(&site, "triage-heir"), 0);
        assert_eq!(waiting(&core).await, [("X".to_owned(), some(&FILES))]);
        let overwriting = Approve { overwrite: true, ..approve("X", None, &target) };
        assert_eq!(approve_all(&core, &overwriting).await.unwrap(), 3);
        assert_eq!(arrived(&core, &of, "R").await, some(&FILES));
        assert_eq!(site.blobs.keys().len(), 4);
        let again = core.approve(&approve("X", None, &target)).await;
        assert!(matches!(again, Err(DomainError::NotFound { .. })), "{again:?}");
    });
}
