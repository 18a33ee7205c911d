//! Resources of the archive's items, and the scans of experiments.

use std::io::Write;

use futures::executor::block_on;
use narthex_generator::{Packing, zip_files};

use super::crash::{doomed, left, recover};
use super::files::{received, resource_files};
use super::*;
use crate::domain::archive::{Experiment, ExperimentChange, NewExperiment, ScanChange, StatusChange, SubjectChange};
use crate::domain::catalog::FileNotes;
use crate::domain::shelf::{AddItemFiles, ShelfOf};
use crate::imaging::types::{ScanType, SessionType};

fn to(resource: &str) -> AddItemFiles {
    AddItemFiles {
        resource: resource.to_owned(),
        by: "admin".to_owned(),
        notes: FileNotes::default(),
        overwrite: false,
    }
}

async fn put<S: Store>(
    core: &Core<S>,
    of: &ShelfOf,
    resource: &str,
    path: &str,
    bytes: &[u8],
) -> Result<Vec<String>, DomainError> {
    let file = received(core, path, bytes).await.map_err(|error| DomainError::Invalid { what: error.to_string() })?;
    core.add_item_files(of, &to(resource), vec![file]).await
}

async fn put_unpacked<S: Store>(
    core: &Core<S>,
    of: &ShelfOf,
    resource: &str,
    path: &str,
    bytes: &[u8],
    overwrite: bool,
) -> Result<Vec<String>, DomainError> {
    let invalid = |error: String| DomainError::Invalid { what: error };
    let file = received(core, path, bytes).await.map_err(|error| invalid(error.to_string()))?;
    let files = core.unpack_files(vec![file]).await.map_err(|error| invalid(error.to_string()))?;
    core.add_item_files(of, &AddItemFiles { overwrite, ..to(resource) }, files).await
}

fn zip(names: &[&str]) -> Vec<u8> {
    zip_files(names.iter().map(|name| ((*name).to_owned(), name.as_bytes().repeat(3))), Packing::Deflated)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn tar(names: &[&str]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for name in names {
        let data = name.as_bytes().repeat(3);
        let mut header = tar::Header::new_ustar();
        header.set_size(data.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append_data(&mut header.clone(), name, data.as_slice()).unwrap();
    }
    builder.into_inner().unwrap()
}

async fn on_shelf<S: Store>(core: &Core<S>, of: &ShelfOf) -> Vec<(String, String, Vec<u8>)> {
    let counted = core.shelf_resources(of).await.unwrap();
    let resources: Vec<_> = counted.into_iter().map(|counted| counted.resource).collect();
    resource_files(core, &resources).await
}

async fn archived(core: &Core<MemoryStore>) -> Experiment {
    let session = import(core, &study(1)).await.unwrap();
    let experiment = core.archive(&session, &archive_request()).await.unwrap();
    core.empty_trash_of(&session.id).await.unwrap();
    experiment
}

/// All images of an experiment with their bytes, wherever they are listed.
async fn images<S: Store>(core: &Core<S>, id: &str) -> Vec<(String, String, Vec<u8>)> {
    let experiment = core.experiment_by_id(id).await.unwrap().unwrap();
    let manifest = core.manifest(&experiment.manifest).await.unwrap();
    let mut all = Vec::new();
    for stored in core.scans_of(&experiment, &manifest).await.unwrap() {
        for resource in &stored.resources {
            for file in core.files(&manifest, resource).await.unwrap() {
                let pack = Rc::new(core.pack_reader(file.pack).await.unwrap());
                let mut reader = ExtentReader::whole(pack, file.extent, file.crc32).unwrap();
                let mut bytes = Vec::new();
                while let Some(piece) = reader.next().await.unwrap() {
                    bytes.extend_from_slice(&piece);
                }
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
fn archives_are_unpacked_without_a_copy_and_given_back_with_their_last_file() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let of = ShelfOf::Project("DEMO".to_owned());
        let names = ["a.txt", "d/b.txt", "d/e/c.txt"];
        for body in [zip(&names), tar(&names), gzip(&tar(&names))] {
            assert!(put_unpacked(&core, &of, "R", "x/upload", &body, false).await.unwrap().is_empty());
            let found = on_shelf(&core, &of).await;
            let expected: Vec<_> =
                names.iter().map(|name| ("R".to_owned(), format!("x/{name}"), name.as_bytes().repeat(3))).collect();
            assert_eq!(found, expected);
            assert_eq!((left(&site, "pack"), site.blobs.keys().len()), (1, 1), "one pack for all");
            for name in names {
                core.remove_item_file(&of, "R", &format!("x/{name}")).await.unwrap();
            }
            assert_eq!((left(&site, "pack"), site.blobs.keys().len()), (0, 0), "the last file takes the pack along");
        }
        // One file that is compressed is that file.
        put_unpacked(&core, &of, "R", "brain.nii.gz", &gzip(b"voxels"), false).await.unwrap();
        put_unpacked(&core, &of, "R", "plain.txt", b"no archive", false).await.unwrap();
        let names: Vec<_> = on_shelf(&core, &of).await.into_iter().map(|(_, name, _)| name).collect();
        assert_eq!(names, ["brain.nii", "plain.txt"]);
        // What is there stays, or gives way, as is said.
        let there = put_unpacked(&core, &of, "R", "z", &zip(&["plain.txt", "new.txt"]), false).await.unwrap();
        assert_eq!(there, ["plain.txt"]);
        assert_eq!(left(&site, "pack"), 3);
        assert!(put_unpacked(&core, &of, "R", "z", &zip(&["plain.txt", "new.txt"]), true).await.unwrap().is_empty());
        assert_eq!(on_shelf(&core, &of).await.len(), 3);
        assert_eq!(left(&site, "pack"), 2, "what was replaced is given back");
        core.remove_item_resource(&of, "R").await.unwrap();
        core.tidy_shelf(&of).await.unwrap();
        assert_eq!((left(&site, "pack"), site.blobs.keys().len()), (0, 0));
    });
}

#[test]
fn an_archive_that_is_refused_leaves_nothing() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let of = ShelfOf::Project("DEMO".to_owned());
        put(&core, &of, "R", "d/b.txt", b"kept").await.unwrap();
        let (records, blobs) = (site.records.keys(), site.blobs.keys());
        let mut broken = zip(&["a.txt"]);
        broken.truncate(broken.len() - 5);
        let mut cut_off = gzip(&tar(&["a.txt"]));
        cut_off.truncate(cut_off.len() - 3);
        // The last have a file where there is a folder, and the other way.
        for body in [broken, cut_off, gzip(b""), zip(&["d"]), zip(&["d/b.txt/c", "x"])] {
            let refused = put_unpacked(&core, &of, "R", "u", &body, true).await;
            assert!(matches!(refused, Err(DomainError::Invalid { .. })), "{refused:?}");
        }
        assert_eq!(site.blobs.keys(), blobs);
        let fresh: Vec<_> = site.records.keys().into_iter().filter(|key| !records.contains(key)).collect();
        assert!(fresh.iter().all(|key| key.starts_with("lease")), "{fresh:?}");
        assert_eq!(on_shelf(&core, &of).await.len(), 1);
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
fn scans_are_made_changed_and_removed_with_their_files() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let id = archived(&core).await.id;
        let before = images(&core, &id).await;
        let mr = ScanChange { xsi_type: Some(ScanType::new("mr")), ..ScanChange::default() };
        core.put_scan(&id, "20", &mr).await.unwrap();
        assert_eq!(core.create_scan(&id, None, &mr).await.unwrap(), "2");
        let change = ScanChange { quality: Some("unusable".to_owned()), ..ScanChange::default() };
        core.put_scan(&id, "5", &change).await.unwrap();
        let ct = ScanChange { xsi_type: Some(ScanType::new("ct")), ..ScanChange::default() };
        assert!(matches!(core.put_scan(&id, "5", &ct).await, Err(DomainError::Conflict { .. })));
        assert!(matches!(core.put_scan(&id, "6", &change).await, Err(DomainError::Invalid { .. })));
        assert!(matches!(core.put_scan(&id, "../x", &mr).await, Err(DomainError::Invalid { .. })));
        let experiment = core.experiment_by_id(&id).await.unwrap().unwrap();
        let manifest = core.manifest(&experiment.manifest).await.unwrap();
        let scans = core.scans(&manifest).await.unwrap();
        let ids: Vec<&str> = scans.iter().map(|stored| stored.scan.id.as_str()).collect();
        assert_eq!(ids, ["1", "5", "20", "2"]);
        assert_eq!(scans[1].quality.as_deref(), Some("unusable"));
        assert_eq!(images(&core, &id).await, before);
        assert_eq!((left(&site, "manifest"), experiment.superseded.len()), (1, 0));
        let shelf = ShelfOf::Scan { experiment: id.clone(), scan: "20".to_owned() };
        put_unpacked(&core, &shelf, "NIFTI", "u", &zip(&["a", "b"]), false).await.unwrap();
        for scan in ["20", "5"] {
            core.delete_archived_scan(&id, scan).await.unwrap();
            assert!(matches!(core.delete_archived_scan(&id, scan).await, Err(DomainError::NotFound { .. })));
        }
        // A scan of the same ID has nothing of the old.
        core.put_scan(&id, "20", &mr).await.unwrap();
        assert!(core.shelf_resources(&shelf).await.unwrap().is_empty());
        let rest: Vec<_> = before.into_iter().filter(|(scan, ..)| scan == "1").collect();
        assert_eq!(images(&core, &id).await, rest);
        assert_eq!(left(&site, "pack"), 1, "the images of the other scan lie in the same pack");
        core.delete_archived_scan(&id, "1").await.unwrap();
        assert_eq!((left(&site, "pack"), site.blobs.keys().len()), (0, 0));
    });
}

#[test]
fn whoever_dies_while_a_scan_is_removed_leaves_it_whole_or_gone() {
    block_on(async {
        let mut steps = 0;
        loop {
            let site = Site::new().with_project().await;
            let core = site.core();
            let id = archived(&core).await.id;
            let shelf = ShelfOf::Scan { experiment: id.clone(), scan: "5".to_owned() };
            put(&core, &shelf, "DICOM", "extra", b"x").await.unwrap();
            let before = images(&core, &id).await;
            let after: Vec<_> = before.iter().filter(|(scan, ..)| scan != "5").cloned().collect();
            let (doomed, mortal) = doomed(&site, steps);
            let outcome = doomed.delete_archived_scan(&id, "5").await;
            let core = recover(&site).await;
            let found = images(&core, &id).await;
            match outcome {
                Ok(()) => assert_eq!(found, after),
                Err(_) => assert!(found == before || found == after, "step {steps}"),
            }
            // Whoever changes the scans next goes on.
            let mr = ScanChange { xsi_type: Some(ScanType::new("mr")), ..ScanChange::default() };
            core.put_scan(&id, "9", &mr).await.unwrap();
            assert_eq!((left(&site, "manifest"), left(&site, "shelf-scan")), (1, usize::from(found == before)));
            core.delete_experiment(&id).await.unwrap();
            for kind in ["manifest", "manifest-scans", "catalog", "catalog-page", "shelf-scan", "pack", "content"] {
                assert_eq!(left(&site, kind), 0, "step {steps}: {kind}");
            }
            assert!(site.blobs.keys().is_empty(), "step {steps}");
            if !mortal.is_dead() {
                break;
            }
            steps += 1;
        }
        assert!(steps > 8, "{steps}");
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

#[test]
fn whoever_dies_while_an_archive_is_taken_over_leaves_all_of_it_or_nothing() {
    block_on(async {
        let names: Vec<String> = (0..600).map(|number| format!("{number:04}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let body = zip(&names);
        let mut steps = 0;
        loop {
            let site = Site::new().with_project().await;
            let of = ShelfOf::Project("DEMO".to_owned());
            put(&site.core(), &of, "R", "0005", b"old").await.unwrap();
            put(&site.core(), &of, "R", "x", b"other").await.unwrap();
            let (doomed, mortal) = doomed(&site, steps);
            let outcome = put_unpacked(&doomed, &of, "R", "u", &body, true).await;
            let core = recover(&site).await;
            site.clock.advance(4_000_000);
            core.sweep().await.unwrap();
            let files = on_shelf(&core, &of).await;
            assert!(files.len() == 601 || (outcome.is_err() && files.len() == 2), "step {steps}: {}", files.len());
            if files.len() == 2 {
                assert_eq!(left(&site, "pack"), 2, "step {steps}");
                assert_eq!(site.blobs.keys().len(), 2, "step {steps}");
            }
            core.remove_item_resource(&of, "R").await.unwrap();
            core.tidy_shelf(&of).await.unwrap();
            for kind in ["catalog", "catalog-page", "pack"] {
                assert_eq!(left(&site, kind), 0, "step {steps}: {kind}");
            }
            assert!(site.blobs.keys().is_empty(), "step {steps}");
            if !mortal.is_dead() {
                break;
            }
            steps += 1;
        }
        assert!(steps > 8, "{steps}");
    });
}

#[test]
fn subjects_and_experiments_are_made_changed_and_deleted() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let none = SubjectChange::default();
        let subject = core.create_subject("DEMO", "S1", &none, "admin").await.unwrap();
        assert!(matches!(core.create_subject("DEMO", "s1", &none, "admin").await, Err(DomainError::Exists { .. })));
        assert!(matches!(core.create_subject("DEMO", "a b", &none, "admin").await, Err(DomainError::Invalid { .. })));
        let new = NewExperiment {
            project: "DEMO".to_owned(),
            subject: "S1".to_owned(),
            label: "E1".to_owned(),
            xsi_type: SessionType::new("mr"),
            by: "admin".to_owned(),
            change: ExperimentChange::default(),
        };
        let experiment = core.create_experiment(&new).await.unwrap();
        assert_eq!(experiment.subject_id, subject.id);
        assert!(matches!(core.create_experiment(&new).await, Err(DomainError::Exists { .. })));
        let shelf = ShelfOf::Subject(subject.id.clone());
        put(&core, &shelf, "NOTES", "a", b"x").await.unwrap();

        let mut change = SubjectChange { label: Some("S2".to_owned()), ..SubjectChange::default() };
        change.fields.insert("gender".to_owned(), "female".to_owned());
        let renamed = core.change_subject(&subject, &change).await.unwrap();
        assert_eq!((renamed.label.as_str(), renamed.is_renamed), ("S2", false));
        assert_eq!(core.find_subject("DEMO", "s2").await.unwrap().unwrap().fields["gender"], "female");
        assert!(core.find_subject("DEMO", "S1").await.unwrap().is_none());
        assert_eq!(core.experiment_by_id(&experiment.id).await.unwrap().unwrap().subject_label, "S2");
        let other = core.create_subject("DEMO", "S1", &none, "admin").await.unwrap();
        assert!(matches!(core.change_subject(&other, &change).await, Err(DomainError::Conflict { .. })));

        let lock = |status| ExperimentChange { status: Some(status), ..ExperimentChange::default() };
        core.change_experiment(&experiment.id, &lock(StatusChange::Lock)).await.unwrap();
        let mr = ScanChange { xsi_type: Some(ScanType::new("mr")), ..ScanChange::default() };
        let own = ShelfOf::Experiment(experiment.id.clone());
        assert!(matches!(core.put_scan(&experiment.id, "1", &mr).await, Err(DomainError::Refused { .. })));
        assert!(matches!(put(&core, &own, "R", "a", b"x").await, Err(DomainError::Refused { .. })));
        assert!(matches!(core.delete_subject_with(&renamed, true).await, Err(DomainError::Refused { .. })));
        core.change_experiment(&experiment.id, &lock(StatusChange::Unlock)).await.unwrap();
        core.put_scan(&experiment.id, "1", &mr).await.unwrap();

        assert!(matches!(core.delete_subject_with(&renamed, false).await, Err(DomainError::Conflict { .. })));
        core.delete_subject_with(&renamed, true).await.unwrap();
        assert!(core.list_experiments("DEMO").await.unwrap().is_empty());
        assert_eq!(core.list_subjects("DEMO").await.unwrap().len(), 1);
        for kind in ["manifest", "manifest-scans", "catalog", "shelf-subject", "pack", "content", "experiment-label"] {
            assert_eq!(left(&site, kind), 0, "{kind}");
        }
        assert!(site.blobs.keys().is_empty());
    });
}

#[test]
fn whoever_dies_while_a_subject_is_deleted_leaves_it_whole_or_gone() {
    block_on(async {
        let mut steps = 0;
        loop {
            let site = Site::new().with_project().await;
            let core = site.core();
            let subject = core.create_subject("DEMO", "S1", &SubjectChange::default(), "admin").await.unwrap();
            let shelf = ShelfOf::Subject(subject.id.clone());
            put(&core, &shelf, "NOTES", "a", b"x").await.unwrap();
            let (doomed, mortal) = doomed(&site, steps);
            let outcome = doomed.delete_subject(&subject).await;
            let core = recover(&site).await;
            match core.subject_by_id(&subject.id).await.unwrap() {
                Some(subject) => {
                    assert!(outcome.is_err(), "step {steps}");
                    assert_eq!(on_shelf(&core, &shelf).await.len(), 1);
                    core.delete_subject(&subject).await.unwrap();
                }
                None => assert_eq!(left(&site, "shelf-subject"), 0, "step {steps}"),
            }
            for kind in ["catalog", "catalog-page", "shelf-subject", "pack"] {
                assert_eq!(left(&site, kind), 0, "step {steps}: {kind}");
            }
            assert!(site.blobs.keys().is_empty(), "step {steps}");
            if !mortal.is_dead() {
                break;
            }
            steps += 1;
        }
        assert!(steps > 8, "{steps}");
    });
}

#[test]
fn a_deleted_project_takes_its_resources_along() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        put(&core, &ShelfOf::Project("DEMO".to_owned()), "NOTES", "a", b"x").await.unwrap();
        assert!(matches!(core.delete_project("DEMO", false, "admin").await, Err(DomainError::Conflict { .. })));
        core.delete_project("DEMO", true, "admin").await.unwrap();
        core.finish_deleted_projects().await.unwrap();
        assert!(site.blobs.keys().is_empty());
        assert_eq!(left(&site, "shelf-project") + left(&site, "catalog") + left(&site, "pack"), 0);
    });
}
