//! Assessors of sessions.

use futures::executor::block_on;

use super::crash::{doomed, left, recover};
use super::shelf::{archived, on_shelf, put};
use super::*;
use crate::domain::archive::Reviewer;
use crate::domain::archive::{Experiment, ExperimentChange, NewAssessor, ScanChange, StatusChange};
use crate::domain::refresh::{RefreshOptions, RefreshTarget};
use crate::domain::shelf::ShelfOf;
use crate::imaging::{AssessorType, Field, ScanType};

fn new(session: &str, label: &str) -> NewAssessor {
    NewAssessor {
        session: session.to_owned(),
        label: label.to_owned(),
        xsi_type: AssessorType::parse("xnat:qcManualAssessorData").unwrap(),
        by: "ann".to_owned(),
        change: ExperimentChange { fields: vec![Field::text("pass", "1")], ..ExperimentChange::default() },
    }
}

fn status(status: StatusChange) -> ExperimentChange {
    ExperimentChange { status: Some(status), ..ExperimentChange::default() }
}

/// A session with an assessor that has a file, as somebody else sees them.
async fn assessed(core: &Core) -> (Experiment, Experiment) {
    let session = archived(core).await;
    let assessor = core.create_assessor(&new(&session.id, "QC1")).await.unwrap();
    put(core, &ShelfOf::Experiment(assessor.id.clone()), "OUT", "a.txt", b"x").await.unwrap();
    (core.experiment_by_id(&session.id).await.unwrap().unwrap(), assessor)
}

const KINDS: [&str; 7] =
    ["manifest", "manifest-scans", "catalog", "catalog-page", "experiment", "content", "experiment-label"];

#[test]
fn assessors_belong_to_their_session_and_go_with_it() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let (session, assessor) = assessed(&core).await;
        assert_eq!((assessor.subject_id.as_str(), assessor.status.as_str()), (session.subject_id.as_str(), "active"));
        for label in ["QC1", session.label.as_str()] {
            let again = core.create_assessor(&new(&session.id, label)).await;
            assert!(matches!(again, Err(DomainError::Exists { .. })), "{label}");
        }
        assert!(matches!(core.create_assessor(&new(&assessor.id, "QC2")).await, Err(DomainError::Invalid { .. })));
        assert!(matches!(core.create_assessor(&new("XNAT_E9", "QC2")).await, Err(DomainError::NotFound { .. })));
        let mr = ScanChange { xsi_type: Some(ScanType::new("mr")), ..ScanChange::default() };
        assert!(matches!(core.put_scan(&assessor.id, "1", &mr).await, Err(DomainError::Invalid { .. })));
        for name in ["QC1", assessor.id.as_str()] {
            assert_eq!(core.assessor(&session, name).await.unwrap().unwrap().id, assessor.id);
        }
        assert!(core.assessor(&session, &session.id).await.unwrap().is_none());

        // What is locked stays as it is.
        let shelf = ShelfOf::Experiment(assessor.id.clone());
        core.change_experiment(&session.id, &status(StatusChange::Lock)).await.unwrap();
        assert!(matches!(put(&core, &shelf, "OUT", "b", b"x").await, Err(DomainError::Refused { .. })));
        assert!(matches!(
            core.delete_unlocked_experiment(&assessor.id, &Reviewer::default()).await,
            Err(DomainError::Refused { .. })
        ));
        assert!(matches!(core.create_assessor(&new(&session.id, "QC2")).await, Err(DomainError::Refused { .. })));
        let note = ExperimentChange { fields: vec![Field::text("note", "n")], ..ExperimentChange::default() };
        assert!(matches!(core.change_experiment(&assessor.id, &note).await, Err(DomainError::Refused { .. })));
        core.change_experiment(&session.id, &status(StatusChange::Unlock)).await.unwrap();
        core.change_experiment(&assessor.id, &status(StatusChange::Lock)).await.unwrap();
        assert!(matches!(
            core.delete_unlocked_experiment(&session.id, &Reviewer::default()).await,
            Err(DomainError::Refused { .. })
        ));
        core.change_experiment(&assessor.id, &status(StatusChange::Unlock)).await.unwrap();

        let target = RefreshTarget { of: ShelfOf::Experiment(session.id.clone()), resource: None };
        let options = RefreshOptions { checksum: true, ..RefreshOptions::default() };
        let refreshed = core.refresh(&target, options, "admin").await.unwrap();
        let of_assessor: Vec<_> = refreshed.iter().filter(|one| one.assessor.is_some()).collect();
        assert_eq!((of_assessor.len(), of_assessor[0].label.as_str(), of_assessor[0].files), (1, "OUT", 1));

        let second = core.create_assessor(&new(&session.id, "QC2")).await.unwrap();
        core.delete_unlocked_experiment(&second.id, &Reviewer::default()).await.unwrap();
        let session = core.experiment_by_id(&session.id).await.unwrap().unwrap();
        assert_eq!(session.assessors, [assessor.id.as_str()]);
        core.delete_unlocked_experiment(&session.id, &Reviewer::default()).await.unwrap();
        for kind in KINDS {
            assert_eq!(left(&site, kind), 0, "{kind}");
        }
        assert!(site.blobs.keys().is_empty());
    });
}

#[test]
fn a_merge_keeps_assessors_and_no_session_is_merged_into_one() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let (session, assessor) = assessed(&core).await;
        let more = study(1).and_series(7, "third", Modality::Mr, 1);
        let staged = import(&core, &more).await.unwrap();
        let rules = crate::domain::archive::Rules {
            overwrite: crate::domain::archive::Overwrite::parse(Some("append")).unwrap(),
            overwrite_files: true,
        };
        core.archive(&staged, &ArchiveRequest { rules, ..archive_request() }).await.unwrap();
        let merged = core.experiment_by_id(&session.id).await.unwrap().unwrap();
        assert_ne!(merged.manifest, session.manifest);
        assert_eq!(core.assessors_of(&merged).await.unwrap().len(), 1);
        let other = import(&core, &Study::new(Modality::Mr, 2).patient("X", "S01").slices(1).matrix(8)).await.unwrap();
        let at_assessor = ArchiveRequest { label: Some("QC1".to_owned()), rules, ..archive_request() };
        assert!(matches!(core.archive(&other, &at_assessor).await, Err(DomainError::Conflict { .. })));
        assert_eq!(on_shelf(&core, &ShelfOf::Experiment(assessor.id)).await.len(), 1);
    });
}

#[test]
fn whoever_dies_while_an_assessor_is_made_leaves_it_whole_or_none() {
    block_on(async {
        let mut steps = 0;
        loop {
            let site = Site::new().with_project().await;
            let session = archived(&site.core()).await;
            let (doomed, mortal) = doomed(&site, steps);
            let outcome = doomed.create_assessor(&new(&session.id, "QC1")).await;
            let core = recover(&site).await;
            let session = core.experiment_by_id(&session.id).await.unwrap().unwrap();
            let found = core.assessors_of(&session).await.unwrap();
            assert!(outcome.is_err() || found.len() == 1, "step {steps}");
            if found.is_empty() {
                // Whoever died while he took the label's lease is noticed by the first who wants it.
                while core.create_assessor(&new(&session.id, "QC1")).await.is_err() {
                    site.clock.advance(10_000);
                }
            }
            let session = core.experiment_by_id(&session.id).await.unwrap().unwrap();
            assert_eq!(core.assessors_of(&session).await.unwrap().len(), 1, "step {steps}");
            assert_eq!(core.list_experiments("DEMO").await.unwrap().len(), 2, "step {steps}");
            if !mortal.is_dead() {
                break;
            }
            steps += 1;
        }
        assert!(steps > 8, "{steps}");
    });
}

#[test]
fn whoever_dies_while_a_session_is_deleted_leaves_nothing_of_its_assessors_behind() {
    block_on(async {
        let mut steps = 0;
        loop {
            let site = Site::new().with_project().await;
            let (session, assessor) = assessed(&site.core()).await;
            let (doomed, mortal) = doomed(&site, steps);
            let outcome = doomed.delete_experiment(&session.id).await;
            let core = recover(&site).await;
            core.sweep().await.unwrap();
            match core.experiment_by_id(&session.id).await.unwrap() {
                Some(session) => {
                    assert!(outcome.is_err(), "step {steps}");
                    assert_eq!(core.assessors_of(&session).await.unwrap().len(), 1, "step {steps}");
                    assert_eq!(on_shelf(&core, &ShelfOf::Experiment(assessor.id)).await.len(), 1, "step {steps}");
                    core.delete_experiment(&session.id).await.unwrap();
                }
                None => assert!(core.experiment_by_id(&assessor.id).await.unwrap().is_none(), "step {steps}"),
            }
            for kind in KINDS {
                assert_eq!(left(&site, kind), 0, "step {steps}: {kind}");
            }
            assert!(site.blobs.keys().is_empty(), "step {steps}");
            if !mortal.is_dead() {
                break;
            }
            steps += 1;
        }
        assert!(steps > 12, "{steps}");
    });
}
