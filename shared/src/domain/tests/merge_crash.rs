//! Merges whose workers die at every step.

use futures::executor::block_on;

use super::crash::{doomed, left, recover, settle};
use super::files::{add, into, resource_files};
use super::merge::{DELETE, archived, import_files, part, with};
use super::*;
use crate::domain::archive::Experiment;

type Read = (Vec<(String, String, Vec<u8>)>, Vec<(String, String, Vec<u8>)>);

async fn read(core: &Core, experiment: &Experiment) -> Read {
    (contents(core, &experiment.manifest).await, resource_files(core, &experiment.resources).await)
}

/// An archived session with a note, and a staged one that adds to it and replaces some of it.
async fn prepared() -> (Site, Experiment, PrearchiveSession) {
    let site = Site::new().with_project().await;
    let core = site.core();
    let first = import_files(&core, part(&study(1), &[(1, 1), (1, 2)])).await;
    add(&core, &first.id, &into("NOTES"), "a.txt", b"old").await.unwrap();
    add(&core, &first.id, &into("NOTES"), "b.txt", b"kept").await.unwrap();
    let experiment = core.archive(&first, &archive_request()).await.unwrap();
    core.empty_trash_of(&first.id).await.unwrap();
    let second = import_files(&core, part(&study(1).description("changed"), &[(1, 2), (1, 3), (5, 1)])).await;
    add(&core, &second.id, &into("NOTES"), "a.txt", b"new").await.unwrap();
    add(&core, &second.id, &into("OTHER"), "c.txt", b"added").await.unwrap();
    let second = core.session(&second.id).await.unwrap().unwrap();
    (site, experiment, second)
}

/// How many records there are of each kind that a merge makes or removes.
pub(super) fn counts(site: &Site) -> Vec<(&'static str, usize)> {
    const KINDS: [&str; 15] = [
        "manifest",
        "manifest-files",
        "manifest-scans",
        "catalog",
        "catalog-page",
        "shelf-scan",
        "content",
        "pack",
        "pack-released",
        "pack-digests",
        "session",
        "segment",
        "segment-page",
        "trash",
        "experiment-trash",
    ];
    let mut counts: Vec<_> = KINDS.iter().map(|kind| (*kind, left(site, kind))).collect();
    counts.push(("chunks", site.blobs.keys().len()));
    counts
}

/// Archives as a client does that tries again while something is busy.
pub(super) async fn merge_in_the_end(site: &Site, core: &Core, session: &PrearchiveSession) {
    for _ in 0..4 {
        match core.archive(session, &with(DELETE)).await {
            Ok(_) => return,
            Err(DomainError::Busy { .. }) => site.clock.advance(2_000),
            Err(error) => panic!("{error}"),
        }
    }
    panic!("the session stays busy");
}

#[test]
fn a_merge_that_dies_at_any_step_is_done_or_not() {
    block_on(async {
        let (site, experiment, session) = prepared().await;
        let core = site.core();
        let before = read(&core, &experiment).await;
        let merged = core.archive(&session, &with(DELETE)).await.unwrap();
        let after = read(&core, &merged).await;
        assert_ne!(before, after);
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
                let present = core.experiment_by_id(&experiment.id).await.unwrap().unwrap();
                let is_merged = present.manifest != experiment.manifest;
                let found = read(core, &present).await;
                assert!(found == if is_merged { after.clone() } else { before.clone() }, "step {steps}: half merged");
                let is_staged = core.find_session_at(&session.place).await.unwrap().is_some();
                assert_eq!(is_staged, !is_merged, "step {steps}: not exactly in one place");
                assert_eq!(staged(core, "DEMO").await.len(), usize::from(is_staged), "step {steps}: the list");
                is_merged
            };
            let seen = whole(&site.core()).await;
            assert!(outcome.is_err() || seen, "step {steps}: acknowledged, but not merged");
            let core = recover(&site).await;
            if !whole(&core).await {
                if steps % 2 == 0 {
                    // Some time may pass until somebody tries again.
                    settle(&site, &core).await;
                }
                merge_in_the_end(&site, &core, &session).await;
            }
            assert!(whole(&core).await, "step {steps}");
            settle(&site, &core).await;
            assert!(whole(&core).await, "step {steps}: after the sweep");
            assert_eq!(counts(&site), usual, "step {steps}");
            if outcome.is_ok() && !mortal.is_dead() {
                break;
            }
            steps += 1;
        }
        assert!(steps > 40, "a merge has more steps than {steps}");
    });
}

#[test]
fn what_a_dead_merge_left_goes_with_the_session_and_the_experiment() {
    block_on(async {
        for steps in (0..90).step_by(3) {
            let (site, experiment, session) = prepared().await;
            let (doomed, _) = doomed(&site, steps);
            let _ = doomed.archive(&session, &with(DELETE)).await;
            let core = recover(&site).await;
            if let Some(session) = core.session(&session.id).await.unwrap() {
                let held = core.hold_session_patiently(&session.id).await.unwrap();
                core.delete_session(held).await.unwrap();
            }
            core.delete_experiment(&experiment.id).await.unwrap();
            settle(&site, &core).await;
            let left: Vec<_> =
                counts(&site).into_iter().filter(|(kind, count)| *count > 0 && *kind != "content").collect();
            assert!(left.is_empty(), "step {steps}: {left:?}");
        }
    });
}

#[test]
fn a_deletion_after_a_merge_that_dies_at_any_step_is_finished_by_the_sweep() {
    block_on(async {
        let mut steps = 0;
        loop {
            let (site, experiment, session) = prepared().await;
            site.core().archive(&session, &with(DELETE)).await.unwrap();
            let (doomed, mortal) = doomed(&site, steps);
            let outcome = doomed.delete_experiment(&experiment.id).await;
            let core = recover(&site).await;
            if let Some(present) = core.experiment_by_id(&experiment.id).await.unwrap() {
                assert!(outcome.is_err(), "step {steps}");
                assert_eq!(contents(&core, &present.manifest).await.len(), 4, "step {steps}");
                core.delete_experiment(&experiment.id).await.unwrap();
            }
            settle(&site, &core).await;
            let left: Vec<_> = counts(&site).into_iter().filter(|(_, count)| *count > 0).collect();
            assert!(left.is_empty(), "step {steps}: {left:?}");
            if outcome.is_ok() && !mortal.is_dead() {
                break;
            }
            steps += 1;
        }
    });
}

#[test]
fn a_repeated_merge_of_the_same_label_goes_on_from_the_last() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        archived(&site, part(&study(1), &[(1, 1)])).await;
        for round in 0..5 {
            let session =
                import_files(&core, part(&study(1).description(&format!("round {round}")), &[(1, 1), (1, 2)])).await;
            core.archive(&session, &with(DELETE)).await.unwrap();
        }
        settle(&site, &core).await;
        assert_eq!(site.blobs.keys().len(), 1, "only the last upload is left");
        assert_eq!(left(&site, "manifest"), 1);
    });
}
