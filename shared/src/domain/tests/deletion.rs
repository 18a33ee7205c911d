use futures::executor::block_on;

use super::files::{add, into};
use super::*;
use crate::domain::access::ProjectRole;
use crate::domain::project::LastOwner;
use crate::storage::mortal::MortalStore;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// A project with a session in the prearchive, one in the archive, and an alias.
async fn filled() -> Site {
    let site = Site::new().with_project().await;
    let core = site.core();
    let change = ProjectChange { aliases: Some(vec!["demo".to_owned()]), ..Default::default() };
    core.change_project("DEMO", &change).await.unwrap();
    let session = import(&core, &study(1)).await.unwrap();
    add(&core, &session.id, &into("NOTES"), "a/b.txt", b"archived").await.unwrap();
    let experiment = core.archive(&session, &archive_request()).await.unwrap();
    core.take_digests(&core.manifest(&experiment.manifest).await.unwrap()).await.unwrap();
    core.empty_trash_of(&session.id).await.unwrap();
    let session = import(&core, &study(2)).await.unwrap();
    add(&core, &session.id, &into("NOTES"), "c.txt", b"staged").await.unwrap();
    // What is folded late is folded now, so that no test depends on it.
    site.clock.advance(20_000);
    core.sweep().await.unwrap();
    site
}

/// What is left in the stores besides counters, leases, lists and the tombstone.
fn remains(site: &Site) -> Vec<String> {
    let kept = [
        "seq",
        "lease",
        "lease-ticket",
        "lease-seen",
        "roster",
        "roster-n",
        "roster-slot",
        "roster-page",
        "pack-sweep",
    ];
    let is_kept = |key: &String| {
        let kind = key.split(':').next().unwrap_or_default();
        kept.contains(&kind) || kind == "project-tombstone"
    };
    site.records.keys().into_iter().chain(site.blobs.keys()).filter(|key| !is_kept(key)).collect()
}

/// Sweeps until everything is done that time brings.
async fn finish(site: &Site, core: &Core) {
    for _ in 0..3 {
        site.clock.advance(DAY_MS);
        core.sweep().await.unwrap();
    }
}

#[test]
fn nobody_finds_a_deleted_project_and_nothing_is_left_of_it() {
    block_on(async {
        let site = filled().await;
        let core = site.core();
        assert!(!remains(&site).is_empty());
        core.delete_project("DEMO", true, "admin").await.unwrap();
        for name in ["DEMO", "demo"] {
            assert!(core.find_project(name).await.unwrap().is_none());
        }
        core.finish_deleted_projects().await.unwrap();
        assert!(core.list_sessions("DEMO").await.unwrap().is_empty());
        assert!(core.list_experiments("DEMO").await.unwrap().is_empty());
        assert!(core.list_subjects("DEMO").await.unwrap().is_empty());
        assert!(site.blobs.keys().is_empty(), "{:?}", site.blobs.keys());
        finish(&site, &core).await;
        assert_eq!(remains(&site), Vec::<String>::new());
        assert_eq!(core.finish_deleted_projects().await.unwrap(), 0);
    });
}

#[test]
fn a_project_that_holds_something_goes_only_with_it() {
    block_on(async {
        let site = filled().await;
        let core = site.core();
        let refused = core.delete_project("DEMO", false, "admin").await;
        assert!(matches!(refused, Err(DomainError::Conflict { .. })), "{refused:?}");
        assert_eq!(core.project("demo").await.unwrap().id.as_str(), "DEMO");
        assert_eq!(core.list_sessions("DEMO").await.unwrap().len(), 1);
    });
}

#[test]
fn a_deletion_that_dies_at_any_step_leaves_the_project_whole_or_gone() {
    block_on(async {
        for steps in 0.. {
            let site = filled().await;
            let before = remains(&site).len();
            let mortal = MortalStore::new(site.records.clone(), steps);
            let doomed = site.core_on(mortal.clone(), MortalStore::new(site.blobs.clone(), u64::MAX));
            let outcome = async {
                doomed.delete_project("DEMO", true, "admin").await?;
                doomed.finish_deleted_projects().await
            }
            .await;
            let core = site.core();
            // At once, before any sweep: there or not there, by every name and in the list.
            let is_there = core.find_project("DEMO").await.unwrap().is_some();
            assert_eq!(core.find_project("demo").await.unwrap().is_some(), is_there, "step {steps}");
            assert_eq!(core.list_projects().await.unwrap().len(), usize::from(is_there), "step {steps}");
            finish(&site, &core).await;
            if is_there {
                assert!(outcome.is_err(), "step {steps}");
                assert_eq!(remains(&site).len(), before, "step {steps}");
                assert_eq!(core.list_sessions("DEMO").await.unwrap().len(), 1, "step {steps}");
                let experiment = core.list_experiments("DEMO").await.unwrap().remove(0);
                assert_eq!(contents(&core, &experiment.manifest).await, sent(&study(1)), "step {steps}");
                // It can be changed and deleted as if nothing had been.
                let logins = [crate::accounts::Login::parse("ann").unwrap()];
                core.add_members("DEMO", ProjectRole::Member, &logins, LastOwner::Stays).await.unwrap();
                core.delete_project("DEMO", true, "admin").await.unwrap();
                finish(&site, &core).await;
            }
            assert!(core.find_project("DEMO").await.unwrap().is_none(), "step {steps}");
            let left: Vec<String> =
                remains(&site).into_iter().filter(|key| !key.starts_with("subject-label:")).collect();
            assert_eq!(left, Vec::<String>::new(), "step {steps}");
            if outcome.is_ok() && !mortal.is_dead() {
                assert!(steps > 40, "a deletion has more steps than {steps}");
                return;
            }
        }
    });
}

#[test]
fn a_busy_session_goes_when_its_worker_has_ended() {
    block_on(async {
        let site = filled().await;
        let core = site.core();
        let (roster, rows) = core.prearchive_roster("DEMO");
        let session = roster.list(&rows).await.unwrap().remove(0).member;
        let held = core.hold_session(&session).await.unwrap();
        core.delete_project("DEMO", true, "admin").await.unwrap();
        core.let_go(held).await.unwrap();
        core.finish_deleted_projects().await.unwrap();
        assert!(core.list_sessions("DEMO").await.unwrap().is_empty());
    });
}

#[test]
fn an_upload_that_ends_after_the_deletion_is_removed_too() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        // It began before: its target was looked for while the project was there.
        let upload = receive(&core, &zip_study(&study(3))).await.unwrap();
        let project = core.project("DEMO").await.unwrap();
        core.delete_project("DEMO", false, "admin").await.unwrap();
        core.finish_deleted_projects().await.unwrap();
        // The record comes back for the moment of the import alone, as if the import had read it before.
        core.records.set(&crate::storage::keys::project("DEMO"), &project).await.unwrap();
        core.import(upload, &request()).await.unwrap();
        core.records.delete(&crate::storage::keys::project("DEMO")).await.unwrap();
        finish(&site, &core).await;
        assert_eq!(remains(&site), Vec::<String>::new());
    });
}

#[test]
fn a_deleted_experiment_frees_its_label_and_its_files() {
    block_on(async {
        let site = filled().await;
        let core = site.core();
        let first = core.list_experiments("DEMO").await.unwrap().remove(0);
        core.delete_experiment(&first.id).await.unwrap();
        assert!(core.experiment(Some("DEMO"), &first.label).await.is_err());
        let again = core.delete_experiment(&first.id).await;
        assert!(matches!(again, Err(DomainError::NotFound { .. })), "{again:?}");
        let session = import(&core, &study(1)).await.unwrap();
        let second = core.archive(&session, &archive_request()).await.unwrap();
        assert_eq!(second.label, first.label);
        assert_ne!(second.id, first.id);
        assert_eq!(contents(&core, &second.manifest).await, sent(&study(1)));
    });
}

#[test]
fn a_quarantined_project_archives_into_quarantine() {
    block_on(async {
        use crate::domain::project::QuarantineCode;
        let site = Site::new().with_project().await;
        let core = site.core();
        core.set_quarantine_code("DEMO", QuarantineCode::On).await.unwrap();
        let session = import(&core, &study(1)).await.unwrap();
        assert_eq!(core.archive(&session, &archive_request()).await.unwrap().status, "quarantine");
    });
}
