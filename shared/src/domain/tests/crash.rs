use futures::executor::block_on;

use super::*;
use crate::domain::archive::Experiment;
use crate::domain::prearchive::place::ForcedPlace;
use crate::storage::mortal::MortalStore;

/// Lets all time pass that anything may wait for.
pub(super) async fn settle(site: &Site, core: &Core) {
    for _ in 0..3 {
        site.clock.advance(4_000_000);
        core.sweep().await.unwrap();
    }
}

/// After a worker has died and its leases have ended, what others see must be whole.
pub(super) async fn recover(site: &Site) -> Core {
    let core = site.core();
    // A worker who died while it took a lease is noticed at the first sweep, and given up at the second.
    for _ in 0..2 {
        site.clock.advance(10_000);
        core.sweep().await.unwrap();
    }
    core
}

/// A core whose worker dies after so many changes of records, and the store that tells whether it has.
pub(super) fn doomed(site: &Site, steps: u64) -> (Core, MortalStore) {
    let mortal = MortalStore::new(site.records.clone(), steps);
    (site.core_on(mortal.clone(), MortalStore::new(site.blobs.clone(), u64::MAX)), mortal)
}

/// The keys of one kind that are left.
pub(super) fn left(site: &Site, kind: &str) -> usize {
    site.records.keys().iter().filter(|key| key.starts_with(&format!("{kind}:"))).count()
}

/// Archives as a client does that tries again while the session is busy.
async fn archive_in_the_end(site: &Site, core: &Core, session: &PrearchiveSession) -> Experiment {
    for _ in 0..4 {
        match core.archive(session, &archive_request()).await {
            Ok(experiment) => return experiment,
            Err(DomainError::Busy { .. }) => site.clock.advance(2_000),
            Err(error) => panic!("{error}"),
        }
    }
    panic!("the session stays busy");
}

#[test]
fn an_importer_who_dies_at_any_step_leaves_a_whole_session_or_none() {
    block_on(async {
        let mut steps = 0;
        loop {
            let site = Site::new().with_project().await;
            let (doomed, mortal) = doomed(&site, steps);
            let outcome = import(&doomed, &study(1)).await;
            let core = recover(&site).await;
            let sessions = staged(&core, "DEMO").await;
            match (&outcome, sessions.as_slice()) {
                (Ok(acknowledged), [session]) => assert_eq!(acknowledged.id, session.id),
                (Ok(_), other) => panic!("step {steps}: acknowledged, but there are {} sessions", other.len()),
                (Err(_), []) => {
                    site.clock.advance(4_000_000);
                    core.sweep().await.unwrap();
                    assert!(site.blobs.keys().is_empty(), "step {steps}: {:?}", site.blobs.keys());
                    assert_eq!(
                        left(&site, "segment") + left(&site, "segment-page") + left(&site, "pack"),
                        0,
                        "{steps}"
                    );
                }
                (Err(_), [_]) => {}
                (Err(_), other) => panic!("step {steps}: {} sessions", other.len()),
            }
            // Whoever repeats the upload gets one whole session.
            let session = import(&core, &study(1)).await.unwrap();
            assert_eq!(contents(&core, session.manifest.as_ref().unwrap()).await, sent(&study(1)), "step {steps}");
            assert_eq!(staged(&core, "DEMO").await.len(), 1, "step {steps}");
            if outcome.is_ok() && !mortal.is_dead() {
                break;
            }
            steps += 1;
        }
        assert!(steps > 10, "an import has more steps than {steps}");
    });
}

#[test]
fn a_place_whose_claimant_died_can_be_had() {
    block_on(async {
        let chosen = || ForcedPlace::new(Some("20000101_050505".to_owned()), Some("name".to_owned())).unwrap();
        let place_wanted = ImportRequest { place: chosen(), ..request() };
        for steps in 0..40 {
            let site = Site::new().with_project().await;
            let (doomed, _) = doomed(&site, steps);
            if let Ok(upload) = receive(&doomed, &zip_study(&study(1))).await {
                // It may or may not come to its end; what follows must do either way.
                let _ = doomed.import(upload, &place_wanted).await;
            }
            let core = recover(&site).await;
            let upload = receive(&core, &zip_study(&study(1))).await.unwrap();
            let session = core.import(upload, &place_wanted).await.unwrap().sessions.remove(0);
            assert_eq!(session.place.uri(), "/prearchive/projects/DEMO/20000101_050505/name", "step {steps}");
            assert_eq!(contents(&core, session.manifest.as_ref().unwrap()).await, sent(&study(1)), "step {steps}");
            assert_eq!(staged(&core, "DEMO").await.len(), 1, "step {steps}");
        }
    });
}

#[test]
fn an_importer_who_dies_while_adding_leaves_what_was_there() {
    block_on(async {
        let more = || study(1).and_series(6, "third", Modality::Mr, 2);
        let mut steps = 0;
        loop {
            let site = Site::new().with_project().await;
            import(&site.core(), &study(1)).await.unwrap();
            let (doomed, mortal) = doomed(&site, steps);
            let outcome = import(&doomed, &more()).await;
            let core = recover(&site).await;
            for _ in 0..2 {
                site.clock.advance(4_000_000);
                core.sweep().await.unwrap();
            }
            let session = staged(&core, "DEMO").await.remove(0);
            let found = contents(&core, session.manifest.as_ref().unwrap()).await;
            assert!(found == sent(&more()) || (outcome.is_err() && found == sent(&study(1))), "step {steps}");
            // Only packs that a segment names are left.
            assert!(left(&site, "pack") <= left(&site, "segment"), "step {steps}");
            let session = import(&core, &more()).await.unwrap();
            assert_eq!(contents(&core, session.manifest.as_ref().unwrap()).await, sent(&more()), "step {steps}");
            if outcome.is_ok() && !mortal.is_dead() {
                break;
            }
            steps += 1;
        }
        assert!(steps > 10, "adding has more steps than {steps}");
    });
}

#[test]
fn an_archiver_who_dies_at_any_step_leaves_the_session_or_the_experiment() {
    block_on(async {
        let mut steps = 0;
        loop {
            let site = Site::new().with_project().await;
            let session = import(&site.core(), &study(1)).await.unwrap();
            let (doomed, mortal) = doomed(&site, steps);
            let outcome = doomed.archive(&session, &archive_request()).await;

            let whole = async |core: &Core| -> Option<Experiment> {
                let sessions = staged(core, "DEMO").await;
                let experiments = core.list_experiments("DEMO").await.unwrap();
                assert_eq!(sessions.len() + experiments.len(), 1, "step {steps}: not exactly one of the two");
                let found = core.find_session_at(&session.place).await.unwrap();
                assert_eq!(found.is_some(), !sessions.is_empty(), "step {steps}: list and place differ");
                let manifest = match (sessions.first(), experiments.first()) {
                    (Some(session), _) => session.manifest.clone().unwrap(),
                    (_, Some(experiment)) => experiment.manifest.clone(),
                    _ => unreachable!(),
                };
                assert_eq!(contents(core, &manifest).await, sent(&study(1)), "step {steps}");
                experiments.first().cloned()
            };
            let seen = whole(&site.core()).await;
            assert!(outcome.is_err() || seen.is_some(), "step {steps}: acknowledged, but not archived");
            let core = recover(&site).await;
            let experiment = match whole(&core).await {
                Some(experiment) => experiment,
                None => archive_in_the_end(&site, &core, &session).await,
            };
            assert_eq!(contents(&core, &experiment.manifest).await, sent(&study(1)), "step {steps}");
            core.sweep().await.unwrap();
            assert_eq!(left(&site, "session"), 0, "step {steps}: the session's record");
            assert_eq!(left(&site, "segment"), 0, "step {steps}: segments");
            // The packs live on with the experiment, whatever the sweep thinks of them.
            site.clock.advance(4_000_000);
            core.sweep().await.unwrap();
            site.clock.advance(4_000_000);
            core.sweep().await.unwrap();
            assert_eq!(contents(&core, &experiment.manifest).await, sent(&study(1)), "step {steps}");
            if outcome.is_ok() && !mortal.is_dead() {
                break;
            }
            steps += 1;
        }
        assert!(steps > 15, "archiving has more steps than {steps}");
    });
}

#[test]
fn a_deletion_that_dies_at_any_step_is_finished_by_the_sweep() {
    block_on(async {
        let mut steps = 0;
        loop {
            let site = Site::new().with_project().await;
            let session = import(&site.core(), &study(1)).await.unwrap();
            let (doomed, mortal) = doomed(&site, steps);
            let outcome = async {
                let held = doomed.hold_session(&session.id).await?;
                doomed.delete_session(held).await?;
                doomed.empty_trash_of(&session.id).await
            }
            .await;
            let core = recover(&site).await;
            match staged(&core, "DEMO").await.as_slice() {
                [] => assert!(site.blobs.keys().is_empty(), "step {steps}: {:?}", site.blobs.keys()),
                [untouched] => {
                    assert!(outcome.is_err(), "step {steps}");
                    let manifest = untouched.manifest.clone().unwrap();
                    assert_eq!(contents(&core, &manifest).await, sent(&study(1)), "step {steps}");
                }
                more => panic!("step {steps}: {} sessions", more.len()),
            }
            if outcome.is_ok() && !mortal.is_dead() {
                break;
            }
            steps += 1;
        }
        assert!(steps > 8, "a deletion has more steps than {steps}");
    });
}
