//! Resources of the archive's items.

use futures::executor::block_on;

use super::crash::{doomed, left, recover};
use super::files::{received, resource_files};
use super::*;
use crate::domain::archive::Experiment;
use crate::domain::catalog::FileNotes;
use crate::domain::file_filter::PathFilter;
use crate::domain::shelf::{AddItemFiles, ShelfOf};

pub(super) fn to(resource: &str) -> AddItemFiles {
    AddItemFiles {
        resource: resource.to_owned(),
        by: "admin".to_owned(),
        notes: FileNotes::default(),
        overwrite: false,
    }
}

pub(super) async fn put(
    core: &Core,
    of: &ShelfOf,
    resource: &str,
    path: &str,
    bytes: &[u8],
) -> Result<Vec<String>, DomainError> {
    let file = received(core, path, bytes).await.map_err(|error| DomainError::Invalid { what: error.to_string() })?;
    core.add_item_files(of, &to(resource), vec![file]).await
}

pub(super) async fn on_shelf(core: &Core, of: &ShelfOf) -> Vec<(String, String, Vec<u8>)> {
    let counted = core.shelf_resources(of).await.unwrap();
    let resources: Vec<_> = counted.into_iter().map(|counted| counted.resource).collect();
    resource_files(core, &resources).await
}

pub(super) async fn archived(core: &Core) -> Experiment {
    let session = import(core, &study(1)).await.unwrap();
    let experiment = core.archive(&session, &archive_request()).await.unwrap();
    core.empty_trash_of(&session.id).await.unwrap();
    experiment
}

/// All images of an experiment with their bytes, wherever they are listed.
pub(super) async fn images(core: &Core, id: &str) -> Vec<(String, String, Vec<u8>)> {
    let experiment = core.experiment_by_id(id).await.unwrap().unwrap();
    let manifest = core.manifest(&experiment.manifest).await.unwrap();
    let mut all = Vec::new();
    for stored in core.scans_of(&experiment, &manifest).await.unwrap() {
        for resource in &stored.resources {
            for file in core.files(&manifest, resource).await.unwrap() {
                let bytes = bytes_of(core, &file).await;
                all.push((stored.scan.id.clone(), file.name, bytes));
            }
        }
        let shelved: Vec<_> = stored.shelf.iter().map(|counted| counted.resource.clone()).collect();
        let files = resource_files(core, &shelved).await;
        all.extend(files.into_iter().map(|(_, name, bytes)| (stored.scan.id.clone(), name, bytes)));
    }
    all.sort();
    all
}

#[test]
fn every_item_has_resources_that_may_be_empty() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let experiment = archived(&core).await;
        let scan = ShelfOf::Scan { experiment: experiment.id.clone(), scan: "5".to_owned() };
        let (blobs, packs) = (site.blobs.keys().len(), left(&site, "pack"));
        for of in [
            ShelfOf::Project("DEMO".to_owned()),
            ShelfOf::Subject(experiment.subject_id.clone()),
            ShelfOf::Experiment(experiment.id.clone()),
            scan.clone(),
        ] {
            core.make_item_resource(&of, "NOTES", &FileNotes::default()).await.unwrap();
            let again = core.make_item_resource(&of, "NOTES", &FileNotes::default()).await;
            assert!(matches!(again, Err(DomainError::Conflict { .. })), "{of:?}: {again:?}");
            assert_eq!(core.shelf_resources(&of).await.unwrap()[0].catalog.files, 0);
            assert!(put(&core, &of, "NOTES", "a/b", b"one").await.unwrap().is_empty());
            assert_eq!(put(&core, &of, "NOTES", "a/b", b"two").await.unwrap(), ["a/b"]);
            let number = core.shelf_resources(&of).await.unwrap()[0].resource.number.to_string();
            assert!(put(&core, &of, &number, "c", b"two").await.unwrap().is_empty());
            assert_eq!(on_shelf(&core, &of).await.len(), 2);
            // A resource that was made by a file stays when the file goes.
            assert!(put(&core, &of, "OTHER", "c", b"three").await.unwrap().is_empty());
            core.remove_item_file(&of, "OTHER", "c").await.unwrap();
            assert!(matches!(core.remove_item_file(&of, "OTHER", "c").await, Err(DomainError::NotFound { .. })));
            assert_eq!(core.shelf_resources(&of).await.unwrap().len(), 2);
            for label in ["NOTES", "OTHER"] {
                core.remove_item_resource(&of, label).await.unwrap();
            }
            assert!(core.shelf_resources(&of).await.unwrap().is_empty());
            core.tidy_shelf(&of).await.unwrap();
            assert_eq!((site.blobs.keys().len(), left(&site, "pack")), (blobs, packs), "{of:?}");
            assert_eq!(left(&site, "catalog") + left(&site, "catalog-page"), 0);
        }
        let taken = core.make_item_resource(&scan, "DICOM", &FileNotes::default()).await;
        assert!(matches!(taken, Err(DomainError::Conflict { .. })), "{taken:?}");
        let nowhere = ShelfOf::Scan { experiment: experiment.id, scan: "77".to_owned() };
        assert!(matches!(put(&core, &nowhere, "R", "a", b"x").await, Err(DomainError::NotFound { .. })));
    });
}

#[test]
fn folders_of_files_are_removed_at_once_and_give_their_bytes_back() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let experiment = archived(&core).await;
        let before = images(&core, &experiment.id).await;
        let of = ShelfOf::Scan { experiment: experiment.id.clone(), scan: "5".to_owned() };
        let (blobs, packs) = (site.blobs.keys().len(), left(&site, "pack"));
        for path in ["a/1", "a/b/2", "a*", "c/3"] {
            put(&core, &of, "NOTES", path, path.as_bytes()).await.unwrap();
        }
        let wanted = |path: &str| PathFilter::parse(path, false, true);
        let remove =
            async |resource: &str, path: &str| core.remove_item_files(&of, resource, path, &wanted(path)).await;
        assert!(matches!(remove("NOTES", "d/*").await, Err(DomainError::NotFound { .. })));
        assert_eq!(remove("NOTES", "a*").await.unwrap(), 1, "the file that is called so");
        assert_eq!(remove("NOTES", "a/**").await.unwrap(), 2);
        let left_over: Vec<String> = on_shelf(&core, &of).await.into_iter().map(|(_, path, _)| path).collect();
        assert_eq!(left_over, ["c/3"]);
        assert_eq!(remove("NOTES", "**").await.unwrap(), 1);
        assert_eq!((site.blobs.keys().len(), left(&site, "pack")), (blobs, packs));
        assert!(!core.shelf_resources(&of).await.unwrap().is_empty(), "the resource stays");
        // Images are not listed in a catalog for a pattern that fits none of them.
        assert!(matches!(remove("DICOM", "*.txt").await, Err(DomainError::NotFound { .. })));
        assert_eq!(core.shelf_resources(&of).await.unwrap().len(), 1);
        let count = before.iter().filter(|(scan, ..)| scan == "5").count() as u64;
        assert_eq!(remove("DICOM", "*").await.unwrap(), count);
        assert_eq!(images(&core, &experiment.id).await.len() as u64, before.len() as u64 - count);
        core.delete_experiment(&experiment.id).await.unwrap();
        assert!(site.blobs.keys().is_empty());
    });
}

#[test]
fn images_that_are_changed_stay_where_they_are() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let id = archived(&core).await.id;
        let before = images(&core, &id).await;
        let of = ShelfOf::Scan { experiment: id.clone(), scan: "5".to_owned() };
        let blobs = site.blobs.keys().len();
        put(&core, &of, "DICOM", "extra.txt", b"beside them").await.unwrap();
        let mut expected = before.clone();
        expected.push(("5".to_owned(), "extra.txt".to_owned(), b"beside them".to_vec()));
        expected.sort();
        assert_eq!(images(&core, &id).await, expected);
        assert_eq!(site.blobs.keys().len(), blobs + 1);
        let (_, name, _) = before.iter().find(|(scan, ..)| scan == "5").unwrap().clone();
        core.remove_item_file(&of, "DICOM", &name).await.unwrap();
        core.remove_item_file(&of, "DICOM", "extra.txt").await.unwrap();
        expected = before.into_iter().filter(|(scan, path, _)| !(scan == "5" && *path == name)).collect();
        assert_eq!(images(&core, &id).await, expected);
        assert_eq!(site.blobs.keys().len(), blobs, "the pack holds the other images");
        core.remove_item_resource(&of, "DICOM").await.unwrap();
        core.tidy_shelf(&of).await.unwrap();
        expected.retain(|(scan, ..)| scan != "5");
        assert_eq!(images(&core, &id).await, expected);
        assert!(!expected.is_empty());
        core.delete_experiment(&id).await.unwrap();
        assert!(site.blobs.keys().is_empty());
        for kind in ["manifest", "manifest-scans", "manifest-files", "catalog", "catalog-page", "shelf-scan", "pack"] {
            assert_eq!(left(&site, kind), 0, "{kind}");
        }
    });
}

#[test]
fn whoever_dies_while_images_are_changed_leaves_them_as_they_were_or_are_to_be() {
    block_on(async {
        for remove_all in [false, true] {
            let mut steps = 0;
            loop {
                let site = Site::new().with_project().await;
                let id = archived(&site.core()).await.id;
                let of = ShelfOf::Scan { experiment: id.clone(), scan: "5".to_owned() };
                let before = images(&site.core(), &id).await;
                let (_, name, _) = before.iter().find(|(scan, ..)| scan == "5").unwrap().clone();
                let gone = |(scan, path, _): &&(String, String, Vec<u8>)| scan == "5" && (remove_all || *path == name);
                let after: Vec<_> = before.iter().filter(|file| !gone(file)).cloned().collect();
                let (doomed, mortal) = doomed(&site, steps);
                let outcome = match remove_all {
                    true => match doomed.remove_item_resource(&of, "DICOM").await {
                        Ok(()) => doomed.tidy_shelf(&of).await,
                        error => error,
                    },
                    false => doomed.remove_item_file(&of, "DICOM", &name).await,
                };
                let core = recover(&site).await;
                site.clock.advance(4_000_000);
                core.sweep().await.unwrap();
                let found = images(&core, &id).await;
                assert!(found == after || (outcome.is_err() && found == before), "step {steps}");
                put(&core, &of, "R", "a", b"x").await.unwrap();
                core.delete_experiment(&id).await.unwrap();
                for kind in ["manifest", "catalog", "catalog-page", "shelf-scan", "pack"] {
                    assert_eq!(left(&site, kind), 0, "step {steps}: {kind}");
                }
                assert!(site.blobs.keys().is_empty(), "step {steps}");
                if !mortal.is_dead() {
                    break;
                }
                steps += 1;
            }
            assert!(steps > 8, "{steps}");
        }
    });
}
