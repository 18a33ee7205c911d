//! PET/MR studies as two sessions.

use futures::executor::block_on;

use super::crash::{doomed, recover};
use super::*;
use crate::domain::prearchive::commit::{CommitRequest, Committed};
use crate::domain::project::{PetMrHandling, PrearchiveCode};

fn both() -> Study {
    Study::new(Modality::Pt, 7).patient("S01_PETMR1", "S01").slices(2).matrix(16).and_series(5, "t1", Modality::Mr, 3)
}

async fn site_that_wants(handling: PetMrHandling) -> Site {
    let site = Site::new().with_project().await;
    site.core().set_pet_mr("DEMO", handling).await.unwrap();
    site
}

async fn kinds(core: &Core) -> Vec<(String, String, usize)> {
    let mut kinds = Vec::new();
    for session in staged(core, "DEMO").await {
        let manifest = session.manifest.unwrap();
        let xsi_type = core.manifest(&manifest).await.unwrap().session.xsi_type.to_string();
        kinds.push((session.name, xsi_type, contents(core, &manifest).await.len()));
    }
    kinds.sort();
    kinds
}

fn kind(name: &str, xsi_type: &str, files: usize) -> (String, String, usize) {
    (name.to_owned(), xsi_type.to_owned(), files)
}

#[test]
fn a_project_says_what_they_become() {
    block_on(async {
        for (handling, wanted) in [
            (PetMrHandling::PetMr, vec![kind("S01_PETMR1", "xnat:petmrSessionData", 5)]),
            (PetMrHandling::Pet, vec![kind("S01_PETMR1", "xnat:petSessionData", 5)]),
            (
                PetMrHandling::Separate,
                vec![kind("S01_MR1", "xnat:mrSessionData", 3), kind("S01_PET1", "xnat:petSessionData", 2)],
            ),
        ] {
            let site = site_that_wants(handling).await;
            let core = site.core();
            let session = import(&core, &both()).await.unwrap();
            let parts = core.separate(&session).await.unwrap();
            assert_eq!(parts.is_some(), handling == PetMrHandling::Separate);
            assert_eq!(kinds(&core).await, wanted, "{handling:?}");
        }
    });
}

#[test]
fn both_are_archived_where_that_is_wanted_and_share_their_bytes_to_the_end() {
    block_on(async {
        let site = site_that_wants(PetMrHandling::Separate).await;
        let core = site.core();
        core.set_prearchive_code("DEMO", PrearchiveCode::AutoArchive).await.unwrap();
        let session = import(&core, &both()).await.unwrap();
        let held = core.hold_session(&session.id).await.unwrap();
        let request = CommitRequest { by: "admin".into(), ..Default::default() };
        assert!(matches!(core.commit_held(held, &request).await.unwrap(), Committed::Archived(_)));
        core.empty_trash_of(&session.id).await.unwrap();
        let experiments = core.list_experiments("DEMO").await.unwrap();
        let mut all = Vec::new();
        for experiment in &experiments {
            all.extend(contents(&core, &experiment.manifest).await);
        }
        all.sort();
        assert_eq!((experiments.len(), all), (2, sent(&both())));
    });
}

#[test]
fn both_go_into_quarantine_where_the_upload_asked_for_it() {
    block_on(async {
        let site = site_that_wants(PetMrHandling::Separate).await;
        let core = site.core();
        core.set_prearchive_code("DEMO", PrearchiveCode::AutoArchive).await.unwrap();
        let upload = receive(&core, &zip_study(&both())).await.unwrap();
        let asked = ImportRequest { quarantine: true, is_gradual: true, ..request() };
        let session = core.import(upload, &asked).await.unwrap().sessions.remove(0);
        let held = core.hold_session(&session.id).await.unwrap();
        core.commit_held(held, &CommitRequest { by: "admin".into(), ..Default::default() }).await.unwrap();
        let experiments = core.list_experiments("DEMO").await.unwrap();
        let status: Vec<&str> = experiments.iter().map(|experiment| experiment.status.as_str()).collect();
        assert_eq!(status, ["quarantine", "quarantine"]);
    });
}

#[test]
fn deleting_one_leaves_the_other_and_deleting_both_leaves_nothing() {
    block_on(async {
        let site = site_that_wants(PetMrHandling::Separate).await;
        let core = site.core();
        let session = import(&core, &both()).await.unwrap();
        let (pet, mr) = core.separate(&session).await.unwrap().unwrap();
        let held = core.hold_session(&pet.id).await.unwrap();
        core.delete_session(held).await.unwrap();
        core.empty_trash_of(&pet.id).await.unwrap();
        assert_eq!(kinds(&core).await, [kind("S01_MR1", "xnat:mrSessionData", 3)]);
        let mut held = core.hold_session(&mr.id).await.unwrap();
        core.build(&mut held).await.unwrap();
        core.delete_session(held).await.unwrap();
        core.empty_trash_of(&mr.id).await.unwrap();
        assert!(site.blobs.keys().is_empty(), "{:?}", site.blobs.keys());
        let kinds = ["pack", "segment", "manifest", "session"];
        let left: Vec<String> =
            site.records.keys().into_iter().filter(|key| kinds.iter().any(|kind| key.starts_with(kind))).collect();
        assert!(left.is_empty(), "{left:?}");
    });
}

#[test]
fn who_dies_while_dividing_leaves_one_session_or_two_with_every_file_once() {
    block_on(async {
        let mut steps = 0;
        loop {
            let site = site_that_wants(PetMrHandling::Separate).await;
            let session = import(&site.core(), &both()).await.unwrap();
            let (doomed, mortal) = doomed(&site, steps);
            let outcome = doomed.separate(&session).await;
            let seen: usize = kinds(&site.core()).await.iter().map(|(_, _, files)| files).sum();
            assert_eq!(seen, 5, "step {steps}: every file is seen once at every moment");
            let core = recover(&site).await;
            let mut tries = 0;
            while kinds(&core).await.len() == 1 {
                tries += 1;
                assert!(tries < 5, "step {steps}: it is never divided");
                let one = staged(&core, "DEMO").await.remove(0);
                match core.separate(&one).await {
                    Ok(_) => {}
                    Err(DomainError::Busy { .. }) => site.clock.advance(3_000),
                    Err(error) => panic!("step {steps}: {error}"),
                }
            }
            let wanted = [kind("S01_MR1", "xnat:mrSessionData", 3), kind("S01_PET1", "xnat:petSessionData", 2)];
            assert_eq!(kinds(&core).await, wanted, "step {steps}");
            let core = recover(&site).await;
            for session in staged(&core, "DEMO").await {
                let mut held = core.hold_session_patiently(&session.id).await;
                if matches!(held, Err(DomainError::Busy { .. })) {
                    held = core.hold_session_patiently(&session.id).await;
                }
                core.delete_session(held.unwrap()).await.unwrap();
                core.empty_trash_of(&session.id).await.unwrap();
            }
            for _ in 0..3 {
                site.clock.advance(4_000_000);
                core.sweep().await.unwrap();
            }
            assert!(site.blobs.keys().is_empty(), "step {steps}: {:?}", site.blobs.keys());
            let left: Vec<String> = site.records.keys().into_iter().filter(|key| key.starts_with("segment")).collect();
            assert!(left.is_empty(), "step {steps}: {left:?}");
            if outcome.is_ok() && !mortal.is_dead() {
                break;
            }
            steps += 1;
        }
        assert!(steps > 25, "dividing has more steps than {steps}");
    });
}
