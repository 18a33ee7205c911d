//! Sessions that are merged into archived ones.

use futures::executor::block_on;
use narthex_generator::{Packing, zip_files};

use super::crash::left;
use super::files::{add, into, resource_files};
use super::*;
use crate::domain::archive::{Experiment, Overwrite, Rules};
use crate::domain::history::{Cause, ItemKind};
use crate::domain::prearchive::Status;
use crate::domain::prearchive::commit::SessionChange;
use crate::imaging::Field;

pub(super) const DELETE: Rules = Rules { overwrite: Overwrite::Delete, overwrite_files: false };

/// A file that is sent: its name, and its bytes.
pub(super) type Sent = (String, Vec<u8>);

/// Those files of a study that are in some series and slices.
pub(super) fn part(study: &Study, wanted: &[(u32, u32)]) -> Vec<Sent> {
    let is_wanted =
        |name: &str| wanted.iter().any(|(series, slice)| name.ends_with(&format!("-{series}-{slice:04}.dcm")));
    study.files().filter(|file| is_wanted(&file.name)).map(|file| (file.name, file.bytes)).collect()
}

/// The same files with other bytes in the place of some, as long.
pub(super) fn replaced(files: Vec<Sent>, old: &str, new: &str) -> Vec<Sent> {
    assert_eq!(old.len(), new.len());
    let replace = |bytes: Vec<u8>| {
        let mut bytes = bytes;
        let found: Vec<usize> = bytes
            .windows(old.len())
            .enumerate()
            .filter(|(_, window)| *window == old.as_bytes())
            .map(|(at, _)| at)
            .collect();
        for at in found {
            bytes[at..at + new.len()].copy_from_slice(new.as_bytes());
        }
        bytes
    };
    files.into_iter().map(|(name, bytes)| (name, replace(bytes))).collect()
}

/// A UID that differs in its last digit.
pub(super) fn other_uid(uid: &str) -> String {
    let (head, last) = uid.split_at(uid.len() - 1);
    format!("{head}{}", if last == "1" { "2" } else { "1" })
}

pub(super) async fn import_files(core: &Core, files: Vec<Sent>) -> PrearchiveSession {
    let upload = receive(core, &zip_files(files, Packing::Deflated)).await.unwrap();
    core.import(upload, &request()).await.unwrap().sessions.remove(0)
}

/// A project with the study in its archive, and nothing of that left in the prearchive.
pub(super) async fn archived(site: &Site, files: Vec<Sent>) -> Experiment {
    let core = site.core();
    let session = import_files(&core, files).await;
    let experiment = core.archive(&session, &archive_request()).await.unwrap();
    core.empty_trash_of(&session.id).await.unwrap();
    experiment
}

pub(super) fn with(rules: Rules) -> ArchiveRequest {
    ArchiveRequest { rules, ..archive_request() }
}

/// Scan, name and whether the bytes are those that were sent.
async fn names(core: &Core, experiment: &Experiment) -> Vec<String> {
    let all = contents(core, &experiment.manifest).await;
    all.into_iter().map(|(scan, name, _)| format!("{scan}/{name}")).collect()
}

/// The present state of an experiment.
async fn now(core: &Core, experiment: &Experiment) -> Experiment {
    core.experiment_by_id(&experiment.id).await.unwrap().unwrap()
}

#[test]
fn scans_files_and_resources_are_added() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let first = import_files(&core, part(&study(1), &[(1, 1), (1, 2)])).await;
        add(&core, &first.id, &into("NOTES"), "a.txt", b"first").await.unwrap();
        let change = SessionChange { fields: vec![Field::text("note", "kept")], ..SessionChange::default() };
        let experiment = core.archive(&first, &ArchiveRequest { change, ..archive_request() }).await.unwrap();
        core.empty_trash_of(&first.id).await.unwrap();
        let before = core.manifest(&experiment.manifest).await.unwrap();
        let numbers = core.scans(&before).await.unwrap();

        let second = import_files(&core, part(&study(1), &[(1, 3), (5, 1)])).await;
        add(&core, &second.id, &into("NOTES"), "b.txt", b"second").await.unwrap();
        add(&core, &second.id, &into("OTHER"), "c.txt", b"third").await.unwrap();
        let change = SessionChange {
            fields: vec![Field::text("note", "lost"), Field::text("investigator", "added")],
            ..SessionChange::default()
        };
        let cause = Cause { reason: "more came".to_owned(), comment: "late".to_owned(), ..Cause::default() };
        let request = ArchiveRequest { change, cause, ..with(Rules::APPEND) };
        let merged = core.archive(&second, &request).await.unwrap();
        assert_eq!((merged.id.as_str(), merged.label.as_str()), (experiment.id.as_str(), "S01_MR1"));
        assert!(core.find_session_at(&second.place).await.unwrap().is_none());
        assert!(staged(&core, "DEMO").await.is_empty());
        core.empty_trash_of(&second.id).await.unwrap();

        let found = now(&core, &experiment).await;
        assert_eq!(
            names(&core, &found).await,
            ["1/mr-1-0001.dcm", "1/mr-1-0002.dcm", "1/mr-1-0003.dcm", "5/mr-5-0001.dcm"]
        );
        assert_eq!(contents(&core, &found.manifest).await, {
            let mut all = sent(&study(1));
            all.retain(|(scan, name, _)| scan == "1" || name.ends_with("0001.dcm"));
            all
        });
        let text = |label: &str, path: &str, bytes: &[u8]| (label.to_owned(), path.to_owned(), bytes.to_vec());
        let expected =
            [text("NOTES", "a.txt", b"first"), text("NOTES", "b.txt", b"second"), text("OTHER", "c.txt", b"third")];
        assert_eq!(resource_files(&core, &found.resources).await, expected);
        assert!(found.resources.iter().all(|resource| resource.number > 0));
        let values: Vec<_> = found.fields.iter().map(|field| (field.path.as_str(), field.value.to_string())).collect();
        assert_eq!(values, [("note", "kept".to_owned()), ("investigator", "added".to_owned())]);
        let history = core.history(ItemKind::Experiment, &found.id, 0, 10).await.unwrap();
        let told: Vec<_> = history.iter().map(|event| (event.action.as_str(), event.cause.reason.as_str())).collect();
        assert_eq!(told, [("Merged", "more came"), ("Transfer", "")]);
        assert!(history[0].details.contains(&second.place.uri()), "{history:?}");
        let after = core.scans(&core.manifest(&found.manifest).await.unwrap()).await.unwrap();
        assert_eq!(
            (after[0].number, after[0].resources[0].number),
            (numbers[0].number, numbers[0].resources[0].number)
        );
        assert_eq!((after[0].scan.frames, after[0].resources[0].count), (3, 3));
        assert!(after[1].number > after[0].number && after[1].resources[0].number > 0);
        assert_eq!(after[1].scan_type.as_deref(), Some("second"));
    });
}

#[test]
fn what_readers_still_need_stays_for_a_while_and_then_goes() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let old = archived(&site, part(&study(1), &[(1, 1), (1, 2)])).await;
        let changed = part(&study(1).description("changed"), &[(1, 1), (1, 2)]);
        let session = import_files(&core, changed).await;
        core.archive(&session, &with(DELETE)).await.unwrap();
        core.empty_trash_of(&session.id).await.unwrap();
        core.sweep().await.unwrap();
        // Somebody who was reading the old revision goes on.
        assert_eq!(contents(&core, &old.manifest).await.len(), 2);
        assert_eq!((left(&site, "manifest"), left(&site, "pack")), (2, 2));
        site.clock.advance(3_600_000);
        core.sweep().await.unwrap();
        assert_eq!((left(&site, "manifest"), left(&site, "pack"), left(&site, "experiment-trash")), (1, 1, 0));
        assert_eq!(site.blobs.keys().len(), 1);
        assert_eq!(names(&core, &now(&core, &old).await).await, ["1/mr-1-0001.dcm", "1/mr-1-0002.dcm"]);
    });
}

#[test]
fn what_is_merged_goes_with_the_experiment() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let experiment = archived(&site, part(&study(1), &[(1, 1)])).await;
        for slice in 2..=3 {
            let session = import_files(&core, part(&study(1), &[(1, slice)])).await;
            add(&core, &session.id, &into("NOTES"), &format!("{slice}.txt"), b"note").await.unwrap();
            core.archive(&session, &with(Rules::APPEND)).await.unwrap();
            // The next one waits until this one has left the prearchive with all it had.
        }
        assert_eq!(names(&core, &experiment_now(&core).await).await.len(), 3);
        core.delete_experiment(&experiment.id).await.unwrap();
        for _ in 0..2 {
            site.clock.advance(4_000_000);
            core.sweep().await.unwrap();
        }
        assert!(site.blobs.keys().is_empty(), "{:?}", site.blobs.keys());
        for kind in [
            "manifest",
            "manifest-files",
            "manifest-scans",
            "catalog",
            "catalog-page",
            "content",
            "pack",
            "pack-released",
        ] {
            assert_eq!(left(&site, kind), 0, "{kind}");
        }
    });
}

async fn experiment_now(core: &Core) -> Experiment {
    core.experiment_by_label("DEMO", "S01_MR1").await.unwrap().unwrap()
}

#[test]
fn a_refused_session_stays_as_it_was_but_for_its_status() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let old = archived(&site, part(&study(1), &[(1, 1)])).await;
        let session = import_files(&core, part(&study(1), &[(1, 1), (1, 2)])).await;
        let change = SessionChange { fields: vec![Field::text("note", "x")], ..SessionChange::default() };
        let request = ArchiveRequest { change, ..with(Rules::APPEND) };
        let refused = core.archive(&session, &request).await;
        assert!(matches!(refused, Err(DomainError::Conflict { .. })), "{refused:?}");
        let after = core.session(&session.id).await.unwrap().unwrap();
        assert_eq!(after.status, Status::Conflict);
        assert!(after.fields.is_empty(), "{:?}", after.fields);
        assert_eq!(now(&core, &old).await.manifest, old.manifest);
        assert_eq!(left(&site, "experiment-trash"), 0);
        // It can be archived all the same, with another wish or under another label.
        let elsewhere = ArchiveRequest { label: Some("OTHER".to_owned()), ..archive_request() };
        assert_eq!(core.archive(&after, &elsewhere).await.unwrap().label, "OTHER");
    });
}

#[test]
fn scans_of_the_same_description_get_the_type_of_the_first() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let named = |seed: u64, name: &str| {
            Study::new(Modality::Mr, seed).patient(&format!("P{seed}"), "S").series_named(1, name)
        };
        let mut types = Vec::new();
        for (seed, name) in [(1, "T1 MPRAGE"), (2, "t1_mprage"), (3, "t2")] {
            let session = import(&core, &named(seed, name)).await.unwrap();
            let experiment = core.archive(&session, &archive_request()).await.unwrap();
            let scans = core.scans(&core.manifest(&experiment.manifest).await.unwrap()).await.unwrap();
            types.push(scans[0].scan_type.clone().unwrap());
        }
        assert_eq!(types, ["T1 MPRAGE", "T1 MPRAGE", "t2"]);
    });
}
