//! Work in the background.

use futures::executor::block_on;

use super::crash::{doomed, recover};
use super::*;
use crate::domain::ids::random_id;
use crate::domain::jobs::{Job, JobItem, JobKind, NewJob, SessionWork};

/// Imports three studies and makes a job of them.
async fn job(core: &Core, work: SessionWork, key: Option<&str>) -> Result<Job, DomainError> {
    let sessions = staged(core, "DEMO").await;
    let id = random_id()?;
    let queued = core.queue_sessions(&sessions, &id, &work).await?;
    let items = queued.iter().map(|one| JobItem { session: one.id.clone(), uri: one.place.uri() }).collect();
    core.make_job(NewJob {
        id,
        login: "ann".to_owned(),
        key: key.map(str::to_owned),
        kind: Some(JobKind::Sessions(work)),
        items,
    })
    .await
}

fn numbered(seed: u64) -> Study {
    Study::new(Modality::Mr, seed).patient(&format!("S{seed}"), "S01").slices(1).matrix(16)
}

async fn three() -> Site {
    let site = Site::new().with_project().await.with("OTHER").await;
    for seed in 1..=3 {
        import(&site.core(), &numbered(seed)).await.unwrap();
    }
    site
}

fn statuses(sessions: &[PrearchiveSession]) -> Vec<&'static str> {
    sessions.iter().map(|session| session.status.as_str()).collect()
}

#[test]
fn sessions_wait_are_worked_on_and_the_job_tells() {
    block_on(async {
        let site = three().await;
        let core = site.core();
        let made = job(&core, SessionWork::Move { project: "OTHER".into() }, Some("my key")).await.unwrap();
        assert_eq!(statuses(&staged(&core, "DEMO").await), ["QUEUED_MOVING"; 3]);
        assert_eq!(core.job_of("ann", "my key").await.unwrap().unwrap().succeeded(), None);
        assert!(core.job_of("bob", "my key").await.unwrap().is_none(), "jobs are their owner's");
        let busy = core.demand_free_key("ann", "my key").await;
        assert!(matches!(busy, Err(DomainError::Busy { .. })), "{busy:?}");
        assert!(core.run_job(&made.id).await.unwrap());
        assert_eq!(statuses(&staged(&core, "OTHER").await), ["READY"; 3]);
        let done = core.job_of("ann", "my key").await.unwrap().unwrap();
        assert_eq!((done.succeeded(), done.next, done.failed), (Some(true), 3, 0));
        assert_eq!(done.messages.last().unwrap().text, "3 sessions done.");
        assert!(!core.run_job(&made.id).await.unwrap(), "it is done once");
        assert!(core.forget_job("ann", "my key").await.unwrap());
        assert!(core.job_of("ann", "my key").await.unwrap().is_none());
        assert!(site.records.keys().iter().all(|key| !key.starts_with("job")), "nothing is left of it");
    });
}

#[test]
fn one_that_cannot_wait_keeps_all_from_waiting() {
    block_on(async {
        let site = three().await;
        let core = site.core();
        let last = staged(&core, "DEMO").await.pop().unwrap();
        let held = core.hold_session(&last.id).await.unwrap();
        let refused = job(&core, SessionWork::Delete, None).await;
        assert!(matches!(refused, Err(DomainError::Busy { .. })), "{refused:?}");
        core.let_go(held).await.unwrap();
        assert_eq!(statuses(&staged(&core, "DEMO").await), ["READY"; 3]);
    });
}

#[test]
fn what_waits_can_be_taken_back_or_deleted_and_the_job_goes_on_with_the_rest() {
    block_on(async {
        let site = three().await;
        let core = site.core();
        let made = job(&core, SessionWork::Move { project: "OTHER".into() }, None).await.unwrap();
        let waiting = staged(&core, "DEMO").await;
        let mut held = core.hold_session(&waiting[0].id).await.unwrap();
        core.reset_status(&mut held).await.unwrap();
        core.let_go(held).await.unwrap();
        let held = core.hold_session(&waiting[1].id).await.unwrap();
        core.delete_session(held).await.unwrap();
        core.run_job(&made.id).await.unwrap();
        assert_eq!(statuses(&staged(&core, "DEMO").await), ["READY"]);
        assert_eq!(staged(&core, "OTHER").await.len(), 1);
        let done = core.job_of("ann", &made.key).await.unwrap().unwrap();
        assert_eq!((done.succeeded(), done.failed), (Some(false), 2));
    });
}

#[test]
fn what_waits_for_a_job_is_neither_moved_nor_built_by_others() {
    block_on(async {
        let site = three().await;
        let core = site.core();
        let into_other = SessionWork::Move { project: "OTHER".into() };
        for work in [into_other, SessionWork::Rebuild] {
            let made = job(&core, work, None).await.unwrap();
            let waiting = staged(&core, "DEMO").await.remove(0);
            let mut held = core.hold_session(&waiting.id).await.unwrap();
            let built = core.build(&mut held).await;
            let moved = core.move_session(held, "OTHER").await;
            for refused in [built, moved.map(drop)] {
                assert!(matches!(refused, Err(DomainError::WrongState { .. })), "{refused:?}");
            }
            core.run_job(&made.id).await.unwrap();
            let done = core.job_of("ann", &made.key).await.unwrap().unwrap();
            assert_eq!((done.succeeded(), done.failed), (Some(true), 0));
            for session in staged(&core, "OTHER").await {
                let held = core.hold_session(&session.id).await.unwrap();
                core.move_session(held, "DEMO").await.unwrap();
            }
        }
    });
}

#[test]
fn who_waits_for_a_job_that_was_never_made_waits_no_more() {
    block_on(async {
        let site = three().await;
        let core = site.core();
        core.queue_sessions(&staged(&core, "DEMO").await, "no job", &SessionWork::Delete).await.unwrap();
        assert_eq!(statuses(&staged(&core, "DEMO").await), ["READY"; 3]);
        assert_eq!(core.list_sessions("DEMO").await.unwrap()[0].status.as_str(), "READY");
    });
}

#[test]
fn a_worker_who_dies_at_any_step_is_followed_by_another() {
    block_on(async {
        let archive = SessionWork::Archive { request: Box::new(archive_request()) };
        for (work, here, there) in [
            (SessionWork::Move { project: "OTHER".into() }, 0, 3),
            (SessionWork::Delete, 0, 0),
            (SessionWork::Rebuild, 3, 0),
            (archive.clone(), 0, 0),
        ] {
            let mut steps = 0;
            loop {
                let site = three().await;
                let made = job(&site.core(), work.clone(), None).await.unwrap();
                let (doomed, mortal) = doomed(&site, steps);
                let outcome = doomed.run_job(&made.id).await;
                // The sweep goes on with it.
                let core = recover(&site).await;
                assert_eq!(statuses(&staged(&core, "DEMO").await), vec!["READY"; here], "{work:?} {steps}");
                assert_eq!(statuses(&staged(&core, "OTHER").await), vec!["READY"; there], "{work:?} {steps}");
                let done = core.job_of("ann", &made.key).await.unwrap().unwrap();
                assert_eq!(done.succeeded(), Some(true), "{work:?} {steps}: {:?}", done.messages);
                let archived = core.list_experiments("DEMO").await.unwrap().len();
                assert_eq!(archived, if work == archive { 3 } else { 0 }, "{work:?} {steps}");
                if outcome.is_ok() && !mortal.is_dead() {
                    break;
                }
                steps += 1;
            }
            assert!(steps > 15, "{work:?} has more steps than {steps}");
        }
    });
}

#[test]
fn jobs_that_ended_long_ago_are_forgotten() {
    block_on(async {
        let site = three().await;
        let core = site.core();
        let made = job(&core, SessionWork::Rebuild, None).await.unwrap();
        core.run_job(&made.id).await.unwrap();
        site.clock.advance(29 * 24 * 3600 * 1000);
        core.run_due_jobs().await.unwrap();
        assert!(core.job_of("ann", &made.key).await.unwrap().is_some());
        site.clock.advance(2 * 24 * 3600 * 1000);
        core.run_due_jobs().await.unwrap();
        assert!(core.job_of("ann", &made.key).await.unwrap().is_none());
    });
}
