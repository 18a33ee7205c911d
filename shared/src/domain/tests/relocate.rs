//! Moving between projects.

use futures::executor::block_on;

use super::crash::{doomed, recover};
use super::*;
use crate::domain::prearchive::place::ForcedPlace;

async fn moved(core: &Core, id: &str, project: &str) -> Result<PrearchiveSession, DomainError> {
    let held = core.hold_session(id).await?;
    core.move_session(held, project).await
}

#[test]
fn a_session_moves_with_its_files_and_receives_its_study_there() {
    block_on(async {
        let site = Site::new().with_project().await.with("OTHER").await;
        let core = site.core();
        let session = import(&core, &study(1)).await.unwrap();
        let there = moved(&core, &session.id, "OTHER").await.unwrap();
        assert_eq!(there.place.uri(), session.place.uri().replace("/DEMO/", "/OTHER/"));
        assert!(staged(&core, "DEMO").await.is_empty());
        assert!(core.find_session_at(&session.place).await.unwrap().is_none());
        let list = staged(&core, "OTHER").await;
        assert_eq!((list.len(), list[0].status.as_str()), (1, "READY"));
        assert_eq!(contents(&core, list[0].manifest.as_ref().unwrap()).await, sent(&study(1)));
        // The study again: into the project where it is now, or anew into the old one.
        let upload = receive(&core, &zip_study(&study(1))).await.unwrap();
        let again = core.import(upload, &ImportRequest { project: Some("OTHER".into()), ..request() }).await.unwrap();
        assert_eq!(again.sessions[0].id, session.id);
        let anew = import(&core, &study(1)).await.unwrap();
        assert_ne!(anew.id, session.id);
    });
}

#[test]
fn who_found_a_session_before_it_moved_away_does_not_get_it() {
    block_on(async {
        let site = Site::new().with_project().await.with("OTHER").await;
        let core = site.core();
        let found = import(&core, &study(1)).await.unwrap();
        moved(&core, &found.id, "OTHER").await.unwrap();
        for held in [core.hold_found(&found).await, core.hold_found_patiently(&found).await] {
            assert!(matches!(held, Err(DomainError::NotFound { .. })));
        }
        let there = core.session(&found.id).await.unwrap().unwrap();
        let held = core.hold_found(&there).await.expect("nobody holds it any more");
        core.delete_session(held).await.unwrap();
    });
}

#[test]
fn a_taken_place_an_unknown_project_and_the_own_project_are_refused_and_change_nothing() {
    block_on(async {
        let site = Site::new().with_project().await.with("OTHER").await;
        let core = site.core();
        let place = ForcedPlace::new(Some("20000101_050505".to_owned()), Some("name".to_owned())).unwrap();
        let mut sessions = Vec::new();
        for (project, seed) in [("DEMO", 1), ("OTHER", 2)] {
            let upload = receive(&core, &zip_study(&study(seed))).await.unwrap();
            let request = ImportRequest { project: Some(project.to_owned()), place: place.clone(), ..request() };
            sessions.push(core.import(upload, &request).await.unwrap().sessions.remove(0));
        }
        for (project, wanted) in [("OTHER", "exists"), ("NONE", "not exist"), ("DEMO", "exists")] {
            let error = moved(&core, &sessions[0].id, project).await.unwrap_err();
            assert!(error.to_string().contains(wanted), "{error}");
        }
        assert_eq!((staged(&core, "DEMO").await.len(), staged(&core, "OTHER").await.len()), (1, 1));
        // Once the other has gone, its place can be had.
        let held = core.hold_session(&sessions[1].id).await.unwrap();
        core.delete_session(held).await.unwrap();
        moved(&core, &sessions[0].id, "OTHER").await.unwrap();
        core.empty_trash_of(&sessions[1].id).await.unwrap();
        let list = staged(&core, "OTHER").await;
        assert_eq!(list.len(), 1, "whoever clears up behind the dead leaves the living alone");
        assert_eq!(list[0].id, sessions[0].id);
    });
}

#[test]
fn a_mover_who_dies_at_any_step_leaves_the_session_in_one_project() {
    block_on(async {
        let mut steps = 0;
        loop {
            let site = Site::new().with_project().await.with("OTHER").await;
            let session = import(&site.core(), &study(1)).await.unwrap();
            let (doomed, mortal) = doomed(&site, steps);
            let outcome = moved(&doomed, &session.id, "OTHER").await;
            let before = site.core();
            let seen = staged(&before, "DEMO").await.len() + staged(&before, "OTHER").await.len();
            assert_eq!(seen, 1, "step {steps}: at every moment it stands in one project");
            if staged(&before, "OTHER").await.len() == 1 {
                // It receives its study where it stands, though nobody has cleared up behind the dead yet.
                let identity = session.identity_in("OTHER");
                assert!(before.find_receiver(&identity).await.unwrap().is_some(), "step {steps}");
            }
            let core = recover(&site).await;
            let (here, there) = (staged(&core, "DEMO").await, staged(&core, "OTHER").await);
            assert_eq!(here.len() + there.len(), 1, "step {steps}");
            assert!(outcome.is_err() || there.len() == 1, "step {steps}: acknowledged, but not moved");
            // Who died while it took a lease is in the way until the lease would have ended.
            while staged(&core, "OTHER").await.is_empty() {
                match moved(&core, &session.id, "OTHER").await {
                    Ok(_) => {}
                    Err(DomainError::Busy { .. }) => site.clock.advance(3_000),
                    Err(error) => panic!("step {steps}: {error}"),
                }
            }
            let list = staged(&core, "OTHER").await;
            assert_eq!(contents(&core, list[0].manifest.as_ref().unwrap()).await, sent(&study(1)), "step {steps}");
            // Finishing what the dead mover left may meet one more lease that was only half taken.
            let mut held = core.hold_session_patiently(&session.id).await;
            if matches!(held, Err(DomainError::Busy { .. })) {
                held = core.hold_session_patiently(&session.id).await;
            }
            let held = held.unwrap();
            assert!(held.session.left.is_none());
            core.let_go(held).await.unwrap();
            let old = site.records.keys().into_iter().filter(|key| key.starts_with("session-place:DEMO")).count();
            assert_eq!(old, 0, "step {steps}: the old place is given back");
            if outcome.is_ok() && !mortal.is_dead() {
                break;
            }
            steps += 1;
        }
        assert!(steps > 15, "moving has more steps than {steps}");
    });
}
