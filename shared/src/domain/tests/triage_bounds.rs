//! The bounds of the quarantine, and what goes with what is deleted or refused.

use futures::executor::block_on;

use super::crash::left;
use super::shelf::archived;
use super::triage::{FILES, approve, approve_all, arrived, cause, into, some, target, unpacked, upload, waiting};
use super::*;
use crate::domain::history::ItemKind;
use crate::domain::shelf::ShelfOf;
use crate::domain::triage::{Quarantine, Shown};

#[test]
fn what_is_refused_is_gone_with_its_bytes() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let target = target(&ShelfOf::Project("DEMO".to_owned()), "R");
        upload(&core, &into("X", &target), &FILES).await.unwrap();
        let zip = unpacked(&core, &FILES).await;
        core.quarantine_files(&into("Z", &target), zip).await.unwrap();
        core.remove_triage_file("DEMO", "X", "a.txt", "olga", &cause("no")).await.unwrap();
        let again = core.remove_triage_file("DEMO", "X", "a.txt", "olga", &cause("no")).await;
        assert!(matches!(again, Err(DomainError::NotFound { .. })), "{again:?}");
        assert_eq!(site.blobs.keys().len(), 3);
        for path in ["b/c.txt", "b/d.txt"] {
            core.remove_triage_file("DEMO", "X", path, "olga", &cause("no")).await.unwrap();
        }
        assert_eq!(waiting(&core).await, [("Z".to_owned(), some(&FILES))], "a folder goes with its last file");
        let gone = core.remove_triage_folder("DEMO", "Z", "olga", &cause("no")).await.unwrap();
        assert!(waiting(&core).await.is_empty());
        core.empty_triage_of(&gone).await.unwrap();
        assert!(site.blobs.keys().is_empty());
        for kind in ["triage", "triage-trash", "triage-heir", "catalog", "catalog-page", "pack"] {
            assert_eq!(left(&site, kind), 0, "{kind}");
        }
        let history = core.history(ItemKind::Project, "DEMO", 0, 100).await.unwrap();
        let told: Vec<_> = history.iter().map(|event| (event.action.as_str(), event.by.as_str())).collect();
        assert_eq!(
            told[..5],
            [("Rejected", "olga"); 5][..4].iter().chain(&[("Quarantined", "carl")]).copied().collect::<Vec<_>>()[..]
        );
        assert_eq!(history[4].cause.reason, "because");
    });
}

#[test]
fn folders_are_of_one_user_for_one_resource() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let of = ShelfOf::Project("DEMO".to_owned());
        let wanted = into("X", &target(&of, "R"));
        assert!(upload(&core, &wanted, &FILES[..1]).await.unwrap().is_empty());
        assert_eq!(upload(&core, &wanted, &[("a.txt", b"new"), ("e", b"e")]).await.unwrap(), ["a.txt"]);
        let overwriting = Quarantine { overwrite: true, ..wanted.clone() };
        assert!(upload(&core, &overwriting, &[("a.txt", b"new")]).await.unwrap().is_empty());
        assert_eq!(waiting(&core).await, [("X".to_owned(), some(&[("a.txt", b"new"), ("e", b"e")]))]);
        assert_eq!(site.blobs.keys().len(), 2);
        for other in [
            Quarantine { by: "mary".to_owned(), ..wanted.clone() },
            Quarantine { target: target(&of, "S"), ..wanted.clone() },
        ] {
            let refused = upload(&core, &other, &FILES).await;
            assert!(matches!(refused, Err(DomainError::Conflict { .. })), "{refused:?}");
        }
        let refused = upload(&core, &into("a/b", &target(&of, "R")), &FILES).await;
        assert!(matches!(refused, Err(DomainError::Invalid { .. })), "{refused:?}");
        assert_eq!(site.blobs.keys().len(), 2);
        // An empty folder is there until it is removed, and is whoever's made it.
        core.make_triage_folder("DEMO", "E", "carl", None).await.unwrap();
        assert!(matches!(core.make_triage_folder("DEMO", "E", "carl", None).await, Err(DomainError::Exists { .. })));
        assert!(matches!(core.make_triage_folder("DEMO", "X", "carl", None).await, Err(DomainError::Exists { .. })));
        assert_eq!(waiting(&core).await[1], ("E".to_owned(), Vec::new()));
        let empty = core.approve(&approve("E", None, &target(&of, "R"))).await;
        assert!(matches!(empty, Err(DomainError::Invalid { .. })), "{empty:?}");
        upload(&core, &into("E", &target(&of, "R")), &[("z", b"z")]).await.unwrap();
        assert_eq!(approve_all(&core, &approve("E", None, &target(&of, "R"))).await.unwrap(), 1);
        assert_eq!(waiting(&core).await.len(), 1);
        assert_eq!(core.list_triage("DEMO", Some("mary")).await.unwrap().len(), 0);
    });
}

#[test]
fn the_quarantine_has_bounds() {
    block_on(async {
        let site = Site::new().with_project().await;
        let settings =
            || Settings { lease_seconds: 2, max_triage_folders: 2, max_triage_files: 3, ..Settings::default() };
        let core = Core::new(site.records.clone(), site.blobs.clone(), site.clock.clone(), settings());
        let target = target(&ShelfOf::Project("DEMO".to_owned()), "R");
        upload(&core, &into("X", &target), &FILES).await.unwrap();
        let full = upload(&core, &into("X", &target), &[("e", b"e")]).await;
        assert!(matches!(full, Err(DomainError::Full { .. })), "{full:?}");
        let zip = unpacked(&core, &[("1", b"1"), ("2", b"2"), ("3", b"3"), ("4", b"4")]).await;
        let full = core.quarantine_files(&into("Y", &target), zip).await;
        assert!(matches!(full, Err(DomainError::Full { .. })), "{full:?}");
        assert_eq!(site.blobs.keys().len(), 3);
        // What was refused takes no place.
        for label in ["Y", "Z"] {
            let outcome = upload(&core, &into(label, &target), &FILES[..1]).await;
            assert_eq!(outcome.is_ok(), label == "Y", "{outcome:?}");
        }
        assert!(matches!(core.make_triage_folder("DEMO", "Z", "carl", None).await, Err(DomainError::Full { .. })));
    });
}

#[test]
fn a_locked_destination_takes_nothing_and_a_deleted_one_has_nothing() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let experiment = archived(&core).await;
        let of = ShelfOf::Experiment(experiment.id.clone());
        let target = target(&of, "R");
        upload(&core, &into("X", &target), &FILES).await.unwrap();
        let mut locked = experiment.clone();
        locked.status = "locked".to_owned();
        core.records.set(&crate::storage::keys::experiment(&experiment.id), &locked).await.unwrap();
        for outcome in [
            core.approve(&approve("X", None, &target)).await.map(drop),
            core.check_approvals(&[approve("X", None, &target)]).await,
        ] {
            assert!(matches!(outcome, Err(DomainError::Refused { .. })), "{outcome:?}");
        }
        assert_eq!(waiting(&core).await, [("X".to_owned(), some(&FILES))]);
        core.records.set(&crate::storage::keys::experiment(&experiment.id), &experiment).await.unwrap();
        core.delete_experiment(&experiment.id).await.unwrap();
        let gone = core.approve(&approve("X", None, &target)).await;
        assert!(matches!(gone, Err(DomainError::NotFound { .. })), "{gone:?}");
        site.clock.advance(100_000_000);
        core.sweep().await.unwrap();
        assert_eq!(waiting(&core).await, [("X".to_owned(), some(&FILES))], "it can go elsewhere");
        let elsewhere = self::target(&ShelfOf::Project("DEMO".to_owned()), "R");
        assert_eq!(approve_all(&core, &approve("X", None, &elsewhere)).await.unwrap(), 3);
    });
}

#[test]
fn a_deleted_experiment_and_a_deleted_project_take_approved_files_and_what_waits_along() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let experiment = archived(&core).await;
        let of = ShelfOf::Experiment(experiment.id.clone());
        let target = target(&of, "R");
        upload(&core, &into("X", &target), &FILES).await.unwrap();
        approve_all(&core, &approve("X", None, &target)).await.unwrap();
        let zip = unpacked(&core, &FILES).await;
        core.quarantine_files(&into("Z", &self::target(&of, "S")), zip).await.unwrap();
        approve_all(&core, &approve("Z", None, &self::target(&of, "S"))).await.unwrap();
        assert_eq!((arrived(&core, &of, "R").await, arrived(&core, &of, "S").await), (some(&FILES), some(&FILES)));
        core.delete_experiment(&experiment.id).await.unwrap();
        assert!(site.blobs.keys().is_empty(), "{:?}", site.blobs.keys());
        let project = self::target(&ShelfOf::Project("DEMO".to_owned()), "R");
        upload(&core, &into("X", &project), &FILES).await.unwrap();
        approve_all(&core, &approve("X", Some(&["a.txt"]), &project)).await.unwrap();
        assert!(matches!(core.delete_project("DEMO", false, "admin").await, Err(DomainError::Conflict { .. })));
        core.delete_project("DEMO", true, "admin").await.unwrap();
        core.finish_deleted_projects().await.unwrap();
        let late = upload(&core, &into("Y", &project), &FILES).await;
        assert!(matches!(late, Err(DomainError::NotFound { .. })), "{late:?}");
        site.clock.advance(100_000_000);
        core.finish_deleted_projects().await.unwrap();
        assert!(site.blobs.keys().is_empty(), "{:?}", site.blobs.keys());
        for kind in ["triage", "triage-trash", "triage-heir", "triage-n", "catalog", "pack"] {
            assert_eq!(left(&site, kind), 0, "{kind}");
        }
    });
}

#[test]
fn what_is_shown_says_which_files_are_there() {
    let but = Shown::AllBut(vec!["a".to_owned()]);
    assert!(Shown::All.has("a") && !Shown::Nothing.has("a") && !but.has("a") && but.has("b"));
}
