//! Making, changing and deleting subjects, experiments and scans.

use futures::executor::block_on;

use super::crash::{doomed, left, recover};
use super::shelf::{archived, images, on_shelf, put};
use super::unpack::{put_unpacked, zip};
use super::*;
use crate::domain::archive::Reviewer;
use crate::domain::archive::{ExperimentChange, NewExperiment, ScanChange, StatusChange, SubjectChange};
use crate::domain::shelf::ShelfOf;
use crate::imaging::types::{ScanType, SessionType};

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
            uid: String::new(),
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
        assert!(matches!(
            core.delete_subject_with(&renamed, true, &Reviewer::default()).await,
            Err(DomainError::Refused { .. })
        ));
        core.change_experiment(&experiment.id, &lock(StatusChange::Unlock)).await.unwrap();
        core.put_scan(&experiment.id, "1", &mr).await.unwrap();

        assert!(matches!(
            core.delete_subject_with(&renamed, false, &Reviewer::default()).await,
            Err(DomainError::Conflict { .. })
        ));
        // Nor when the experiment came after that look.
        assert!(matches!(core.delete_subject(&renamed).await, Err(DomainError::Busy { .. })));
        core.delete_subject_with(&renamed, true, &Reviewer::default()).await.unwrap();
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
fn whoever_dies_while_a_subject_is_renamed_leaves_the_new_label_to_the_sweep() {
    block_on(async {
        let mut steps = 0;
        loop {
            let site = Site::new().with_project().await;
            let core = site.core();
            let experiment = archived(&core).await;
            let subject = core.subject_by_id(&experiment.subject_id).await.unwrap().unwrap();
            let change = SubjectChange { label: Some("NEW".to_owned()), ..SubjectChange::default() };
            let (doomed, mortal) = doomed(&site, steps);
            let outcome = doomed.change_subject(&subject, &change).await;
            let core = recover(&site).await;
            core.sweep().await.unwrap();
            let found = core.subject_by_id(&subject.id).await.unwrap().unwrap();
            let named = core.experiment_by_id(&experiment.id).await.unwrap().unwrap().subject_label;
            assert_eq!((found.is_renamed, found.renamed_place, &named), (false, 0, &found.label), "step {steps}");
            assert!(outcome.is_err() || found.label == "NEW", "step {steps}");
            if !mortal.is_dead() {
                break;
            }
            steps += 1;
        }
        assert!(steps > 12, "{steps}");
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
