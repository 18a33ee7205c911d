//! Sessions that are merged into scans whose resources were changed or made in the archive.

use futures::executor::block_on;

use super::crash::{doomed, left, recover, settle};
use super::files::{into, received};
use super::merge::{DELETE, Sent, archived, import_files, part, with};
use super::merge_crash::{counts, merge_in_the_end};
use super::shelf::{images, on_shelf, put, to};
use super::*;
use crate::domain::archive::{Experiment, Rules};
use crate::domain::catalog::FileNotes;
use crate::domain::resource::ItemResource;
use crate::domain::shelf::placed::PlacedFile;
use crate::domain::shelf::{AddItemFiles, ShelfOf};

type Images = Vec<(String, String, Vec<u8>)>;

fn scan_of(experiment: &Experiment, scan: &str) -> ShelfOf {
    ShelfOf::Scan { experiment: experiment.id.clone(), scan: scan.to_owned() }
}

/// Files as an experiment's scans have them.
fn as_images(files: &[Sent]) -> Images {
    let series = |name: &str| name.split('-').nth(1).unwrap_or_default().to_owned();
    let mut all: Images = files.iter().map(|(name, bytes)| (series(name), name.clone(), bytes.clone())).collect();
    all.sort();
    all
}

fn joined(parts: &[&[Sent]], more: &[(&str, &str, &[u8])]) -> Images {
    let mut all: Images = parts.iter().flat_map(|part| as_images(part)).collect();
    all.extend(more.iter().map(|(scan, name, bytes)| ((*scan).to_owned(), (*name).to_owned(), bytes.to_vec())));
    all.sort();
    all
}

/// Archives a session into the one that is there, and lets it leave the prearchive with all it had.
async fn merge(core: &Core, session: &PrearchiveSession, rules: Rules) {
    core.archive(session, &with(rules)).await.unwrap();
    core.empty_trash_of(&session.id).await.unwrap();
}

async fn words(core: &Core, session: &PrearchiveSession, rules: Rules) -> Vec<&'static str> {
    let findings = core.validate_archiving(session, &with(rules)).await.unwrap();
    findings.iter().map(|finding| finding.reason.word()).collect()
}

async fn resource(core: &Core, of: &ShelfOf, label: &str) -> ItemResource {
    let found = core.shelf_resources(of).await.unwrap();
    found.into_iter().map(|counted| counted.resource).find(|found| found.label == label).unwrap()
}

#[test]
fn images_come_beside_what_was_put_among_the_old_ones() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let old = part(&study(1), &[(1, 1), (1, 2), (5, 1)]);
        let experiment = archived(&site, old.clone()).await;
        let of = scan_of(&experiment, "1");
        let notes = FileNotes { description: "seen".to_owned(), ..FileNotes::default() };
        let add = AddItemFiles { by: "someone".to_owned(), notes: notes.clone(), ..to("DICOM") };
        core.add_item_files(&of, &add, vec![received(&core, "extra.txt", b"extra").await.unwrap()]).await.unwrap();
        let before = resource(&core, &of, "DICOM").await;

        let new = part(&study(1), &[(1, 3), (5, 2)]);
        let session = import_files(&core, new.clone()).await;
        assert!(words(&core, &session, Rules::APPEND).await.is_empty());
        merge(&core, &session, Rules::APPEND).await;
        let expected = joined(&[&old, &new], &[("1", "extra.txt", b"extra")]);
        assert_eq!(images(&core, &experiment.id).await, expected);

        let after = resource(&core, &of, "DICOM").await;
        assert_eq!(after.number, before.number, "it is the same resource");
        let files = core.files_of_catalog(&after.catalog).await.unwrap();
        let told = |name: &str| {
            let found = files.iter().find(|found| found.file.name == name).unwrap();
            (found.by.as_str(), found.notes.description.as_str(), found.notes.content.as_str())
        };
        assert_eq!(told("extra.txt"), ("someone", "seen", ""));
        assert_eq!(told("mr-1-0001.dcm"), ("admin", "", "RAW"));
        assert_eq!(told("mr-1-0003.dcm"), ("admin", "", "RAW"));
        let scans = core.scans(&core.manifest(&experiment_now(&core).await.manifest).await.unwrap()).await.unwrap();
        assert_eq!((scans[0].scan.frames, scans[1].scan.frames), (3, 2));
        assert!(scans[0].resources.is_empty(), "its images stand on the shelf");

        settle(&site, &core).await;
        assert_eq!(images(&core, &experiment.id).await, expected);
        core.remove_item_file(&of, "DICOM", "mr-1-0003.dcm").await.unwrap();
        assert_eq!(images(&core, &experiment.id).await.len(), expected.len() - 1);
        core.delete_experiment(&experiment.id).await.unwrap();
        settle(&site, &core).await;
        let left: Vec<_> = counts(&site).into_iter().filter(|(_, count)| *count > 0).collect();
        assert!(left.is_empty(), "{left:?}");
    });
}

async fn experiment_now(core: &Core) -> Experiment {
    core.experiment_by_label("DEMO", "S01_MR1").await.unwrap().unwrap()
}

#[test]
fn images_that_were_changed_are_replaced_only_if_that_is_wanted() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let old = part(&study(1), &[(1, 1), (1, 2)]);
        let experiment = archived(&site, old.clone()).await;
        let of = scan_of(&experiment, "1");
        put(&core, &of, "DICOM", "extra.txt", b"extra").await.unwrap();
        core.remove_item_file(&of, "DICOM", "mr-1-0001.dcm").await.unwrap();
        let new = part(&study(1).description("changed"), &[(1, 1), (1, 2)]);
        let session = import_files(&core, new.clone()).await;
        assert_eq!(words(&core, &session, Rules::APPEND).await, ["same-files"]);
        let before = images(&core, &experiment.id).await;
        assert!(core.archive(&session, &with(Rules::APPEND)).await.is_err());
        assert_eq!(images(&core, &experiment.id).await, before);
        merge(&core, &session, DELETE).await;
        let expected = joined(&[&new], &[("1", "extra.txt", b"extra")]);
        assert_eq!(images(&core, &experiment.id).await, expected);
        settle(&site, &core).await;
        assert_eq!(images(&core, &experiment.id).await, expected);
        assert_eq!(left(&site, "pack"), 2, "the old images are gone");
    });
}

#[test]
fn a_resource_that_was_removed_or_made_empty_is_filled_anew() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let old = part(&study(1), &[(1, 1), (5, 1)]);
        let experiment = archived(&site, old.clone()).await;
        core.remove_item_resource(&scan_of(&experiment, "1"), "DICOM").await.unwrap();
        core.remove_item_file(&scan_of(&experiment, "5"), "DICOM", "mr-5-0001.dcm").await.unwrap();
        assert!(images(&core, &experiment.id).await.is_empty());
        let new = part(&study(1), &[(1, 1), (1, 2), (5, 2)]);
        let session = import_files(&core, new.clone()).await;
        assert!(words(&core, &session, Rules::APPEND).await.is_empty());
        merge(&core, &session, Rules::APPEND).await;
        assert_eq!(images(&core, &experiment.id).await, as_images(&new));
        settle(&site, &core).await;
        assert_eq!(images(&core, &experiment.id).await, as_images(&new));
    });
}

#[test]
fn what_waits_beside_a_resource_goes_on_waiting() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let old = part(&study(1), &[(1, 1)]);
        let experiment = archived(&site, old.clone()).await;
        let of = scan_of(&experiment, "1");
        put(&core, &of, "DICOM", "extra.txt", b"extra").await.unwrap();
        let received = received(&core, "put.txt", b"put").await.unwrap();
        let placed = PlacedFile { received, sop_instance_uid: String::new(), instance_number: None };
        core.place_files(&of, "DICOM", "admin", vec![placed]).await.unwrap();
        let new = part(&study(1), &[(1, 2)]);
        let session = import_files(&core, new.clone()).await;
        merge(&core, &session, Rules::APPEND).await;
        settle(&site, &core).await;
        assert_eq!(images(&core, &experiment.id).await, joined(&[&old, &new], &[("1", "extra.txt", b"extra")]));
        core.take_placed(&of, "DICOM", None, "admin").await.unwrap().unwrap();
        let more: [(&str, &str, &[u8]); 2] = [("1", "extra.txt", b"extra"), ("1", "put.txt", b"put")];
        assert_eq!(images(&core, &experiment.id).await, joined(&[&old, &new], &more));
    });
}

#[test]
fn a_file_that_would_be_a_folder_is_refused() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let experiment = archived(&site, part(&study(1), &[(1, 1)])).await;
        put(&core, &scan_of(&experiment, "1"), "DICOM", "mr-1-0002.dcm/notes.txt", b"x").await.unwrap();
        let session = import_files(&core, part(&study(1), &[(1, 2)])).await;
        assert_eq!(words(&core, &session, DELETE).await, ["file-and-folder"]);
        assert!(core.archive(&session, &with(DELETE)).await.is_err());
    });
}

/// An archived session whose scan 1 was changed in the archive, and a staged one that replaces and adds.
async fn prepared() -> (Site, Experiment, PrearchiveSession) {
    let site = Site::new().with_project().await;
    let core = site.core();
    let experiment = archived(&site, part(&study(1), &[(1, 1), (1, 2), (5, 1)])).await;
    put(&core, &scan_of(&experiment, "1"), "DICOM", "extra.txt", b"extra").await.unwrap();
    put(&core, &scan_of(&experiment, "1"), "NOTES", "a.txt", b"a").await.unwrap();
    core.remove_item_resource(&scan_of(&experiment, "5"), "DICOM").await.unwrap();
    let session = import_files(&core, part(&study(1).description("changed"), &[(1, 2), (1, 3), (5, 1)])).await;
    super::files::add(&core, &session.id, &into("NOTES"), "b.txt", b"b").await.unwrap();
    let session = core.session(&session.id).await.unwrap().unwrap();
    (site, experiment_now(&core).await, session)
}

#[test]
fn a_merge_that_dies_at_any_step_leaves_shelves_as_they_were_or_are_to_be() {
    block_on(async {
        let (site, experiment, session) = prepared().await;
        let core = site.core();
        let before = images(&core, &experiment.id).await;
        merge(&core, &session, DELETE).await;
        let after = images(&core, &experiment.id).await;
        assert_eq!(after.len(), 6, "{after:?}");
        settle(&site, &core).await;
        let usual = counts(&site);
        let mut steps = 0;
        loop {
            let (site, experiment, session) = prepared().await;
            let (doomed, mortal) = doomed(&site, steps);
            let outcome = match doomed.archive(&session, &with(DELETE)).await {
                Ok(_) => doomed.empty_trash_of(&session.id).await,
                Err(error) => Err(error),
            };
            let whole = async |core: &Core| -> bool {
                let is_merged = experiment_now(core).await.manifest != experiment.manifest;
                let found = images(core, &experiment.id).await;
                assert!(found == if is_merged { after.clone() } else { before.clone() }, "step {steps}: half merged");
                is_merged
            };
            let seen = whole(&site.core()).await;
            assert!(outcome.is_err() || seen, "step {steps}: acknowledged, but not merged");
            let core = recover(&site).await;
            if !whole(&core).await {
                if steps % 2 == 0 {
                    settle(&site, &core).await;
                }
                // Others go on with the shelf meanwhile.
                let of = scan_of(&experiment, "1");
                for _ in 0..4 {
                    match put(&core, &of, "DICOM", "meanwhile.txt", b"x").await {
                        Err(DomainError::Busy { .. }) => site.clock.advance(2_000),
                        done => {
                            done.unwrap();
                            break;
                        }
                    }
                }
                core.remove_item_file(&of, "DICOM", "meanwhile.txt").await.unwrap();
                merge_in_the_end(&site, &core, &session).await;
            }
            assert!(whole(&core).await, "step {steps}");
            settle(&site, &core).await;
            assert!(whole(&core).await, "step {steps}: after the sweep");
            assert_eq!(counts(&site), usual, "step {steps}");
            assert_eq!(on_shelf(&core, &scan_of(&experiment, "1")).await.len(), 5, "step {steps}");
            if outcome.is_ok() && !mortal.is_dead() {
                break;
            }
            steps += 1;
        }
        assert!(steps > 40, "a merge has more steps than {steps}");
    });
}
