//! Items that are in several projects.

use futures::executor::block_on;

use super::crash::{left, recover};
use super::shelf::{archived, images, put};
use super::*;
use crate::domain::archive::Reviewer;
use crate::domain::archive::{Experiment, ExperimentChange, Sharing, StatusChange, Subject, SubjectChange};
use crate::domain::shelf::ShelfOf;

pub(super) fn with(project: &str) -> Sharing {
    Sharing { project: project.to_owned(), label: None }
}

pub(super) fn called(project: &str, label: &str) -> Sharing {
    Sharing { project: project.to_owned(), label: Some(label.to_owned()) }
}

/// A project with an archived session, and another project.
pub(super) async fn two_projects() -> (Site, Experiment) {
    let site = Site::new().with_project().await.with("OTHER").await;
    let experiment = archived(&site.core()).await;
    (site, experiment)
}

/// The labels of what a project lists: its own experiments, those shared with it, its own subjects, those shared with it.
pub(super) async fn listed(core: &Core, project: &str) -> [Vec<String>; 4] {
    let label = |label: Option<&str>| label.expect("what is listed is in the project").to_owned();
    let experiments = |list: Vec<Experiment>| list.iter().map(|one| label(one.label_in(project))).collect();
    let subjects = |list: Vec<Subject>| list.iter().map(|one| label(one.label_in(project))).collect();
    [
        experiments(core.list_experiments(project).await.unwrap()),
        experiments(core.list_shared_experiments(project).await.unwrap()),
        subjects(core.list_subjects(project).await.unwrap()),
        subjects(core.list_shared_subjects(project).await.unwrap()),
    ]
}

fn lists(lists: [&[&str]; 4]) -> [Vec<String>; 4] {
    lists.map(|list| list.iter().map(|label| (*label).to_owned()).collect())
}

#[test]
fn what_is_shared_is_in_both_projects_until_it_is_taken_back() {
    block_on(async {
        let (site, experiment) = two_projects().await;
        let core = site.core();
        let id = experiment.id.as_str();
        let before = images(&core, id).await;
        core.share_experiment(id, &called("OTHER", "ANON")).await.unwrap();
        assert_eq!(listed(&core, "OTHER").await, lists([&[], &["ANON"], &[], &["S01"]]));
        assert_eq!(listed(&core, "DEMO").await, lists([&["S01_MR1"], &[], &["S01"], &[]]));
        for name in ["ANON", id] {
            assert_eq!(core.experiment(Some("OTHER"), name).await.unwrap().id, id);
        }
        assert!(core.experiment(Some("OTHER"), "S01_MR1").await.is_err());
        assert_eq!(core.find_subject("OTHER", "s01").await.unwrap().unwrap().id, experiment.subject_id);
        for sharing in [with("OTHER"), called("OTHER", "ANON"), with("DEMO"), called("DEMO", "B")] {
            let again = core.share_experiment(id, &sharing).await;
            assert!(matches!(again, Err(DomainError::Conflict { .. })), "{sharing:?}: {again:?}");
        }
        assert!(matches!(core.share_experiment(id, &with("NONE")).await, Err(DomainError::NotFound { .. })));
        // The subject stays as long as the experiment is there.
        let subject = experiment.subject_id.as_str();
        assert!(matches!(core.unshare_subject(subject, "OTHER").await, Err(DomainError::Conflict { .. })));
        core.unshare_experiment(id, "OTHER").await.unwrap();
        assert!(matches!(core.unshare_experiment(id, "OTHER").await, Err(DomainError::NotFound { .. })));
        core.unshare_subject(subject, "OTHER").await.unwrap();
        assert_eq!(listed(&core, "OTHER").await, lists([&[], &[], &[], &[]]));
        assert_eq!((left(&site, "experiment-label"), left(&site, "subject-label")), (1, 1));
        assert_eq!(images(&core, id).await, before);
    });
}

#[test]
fn what_is_shared_gets_another_label_where_it_is_shared() {
    block_on(async {
        let (site, experiment) = two_projects().await;
        let core = site.core();
        let (id, subject) = (experiment.id.as_str(), experiment.subject_id.as_str());
        core.share_experiment(id, &called("OTHER", "ANON")).await.unwrap();
        core.share_experiment(id, &called("OTHER", "CASE7")).await.unwrap();
        core.share_subject(subject, &called("OTHER", "P7")).await.unwrap();
        assert_eq!(listed(&core, "OTHER").await, lists([&[], &["CASE7"], &[], &["P7"]]));
        assert_eq!(listed(&core, "DEMO").await, lists([&["S01_MR1"], &[], &["S01"], &[]]));
        assert!(core.experiment(Some("OTHER"), "ANON").await.is_err());
        assert_eq!(core.experiment(Some("OTHER"), "CASE7").await.unwrap().id, id);
        assert!(core.find_subject("OTHER", "S01").await.unwrap().is_none());
        // The former labels are free, and the new ones are not.
        let other = core.create_subject("OTHER", "S01", &SubjectChange::default(), "admin").await.unwrap();
        assert!(matches!(
            core.share_subject(subject, &called("OTHER", "s01")).await,
            Err(DomainError::Conflict { .. })
        ));
        let taken = SubjectChange { label: Some("p7".to_owned()), ..SubjectChange::default() };
        assert!(matches!(core.change_subject(&other, &taken).await, Err(DomainError::Conflict { .. })));
        assert!(matches!(
            core.share_experiment(id, &called("OTHER", "a b")).await,
            Err(DomainError::Invalid { .. } | DomainError::NotFound { .. })
        ));
        // A label that differs in its letters' case alone is the same one for subjects.
        core.share_subject(subject, &called("OTHER", "p7")).await.unwrap();
        assert_eq!(core.find_subject("OTHER", "P7").await.unwrap().unwrap().label_in("OTHER"), Some("p7"));
        // What belongs to the other project names the subject as it is called there.
        core.move_experiment(id, &with("OTHER")).await.unwrap();
        core.share_subject(subject, &called("OTHER", "P8")).await.unwrap();
        assert_eq!(core.experiment_by_id(id).await.unwrap().unwrap().subject_label, "P8");
        assert!(!core.subject_by_id(subject).await.unwrap().unwrap().is_renamed);
    });
}

#[test]
fn a_label_of_a_project_stands_for_one_item_whoever_brings_it() {
    block_on(async {
        let (site, experiment) = two_projects().await;
        let core = site.core();
        let id = experiment.id.as_str();
        let subject = core.create_subject("OTHER", "S01", &SubjectChange::default(), "admin").await.unwrap();
        // The subject's label is another's there, so that nothing is shared.
        assert!(matches!(core.share_experiment(id, &with("OTHER")).await, Err(DomainError::Conflict { .. })));
        assert_eq!(listed(&core, "OTHER").await, lists([&[], &[], &["S01"], &[]]));
        core.share_subject(&experiment.subject_id, &called("OTHER", "S02")).await.unwrap();
        core.share_experiment(id, &with("OTHER")).await.unwrap();
        let renamed = SubjectChange { label: Some("s02".to_owned()), ..SubjectChange::default() };
        assert!(matches!(core.change_subject(&subject, &renamed).await, Err(DomainError::Conflict { .. })));
        assert!(core.create_subject("OTHER", "S02", &SubjectChange::default(), "admin").await.is_err());
        // An upload of that label is refused, and stays in the prearchive.
        let upload = receive(&core, &zip_study(&study(2))).await.unwrap();
        let request = ImportRequest { project: Some("OTHER".to_owned()), ..request() };
        let session = core.import(upload, &request).await.unwrap().sessions.remove(0);
        let refused = core.archive(&session, &archive_request()).await;
        assert!(matches!(refused, Err(DomainError::Conflict { .. })), "{refused:?}");
        let findings = core.validate_archiving(&session, &archive_request()).await.unwrap();
        assert!(findings.iter().any(|finding| finding.reason.word() == "label-shared"), "{findings:?}");
        core.unshare_experiment(id, "OTHER").await.unwrap();
        let archived = core.archive(&session, &archive_request()).await.unwrap();
        assert_eq!((archived.project.as_str(), archived.label.as_str()), ("OTHER", "S01_MR1"));
        assert!(matches!(core.share_experiment(id, &with("OTHER")).await, Err(DomainError::Conflict { .. })));
        assert!(matches!(core.move_experiment(id, &with("OTHER")).await, Err(DomainError::Conflict { .. })));
    });
}

#[test]
fn an_experiment_that_moves_keeps_everything_but_its_project() {
    block_on(async {
        let (site, experiment) = two_projects().await;
        let core = site.core();
        let id = experiment.id.as_str();
        put(&core, &ShelfOf::Experiment(id.to_owned()), "NOTES", "a", b"x").await.unwrap();
        let (before, packs) = (images(&core, id).await, left(&site, "pack"));
        let lock = |status| ExperimentChange { status: Some(status), ..ExperimentChange::default() };
        core.change_experiment(id, &lock(StatusChange::Lock)).await.unwrap();
        assert!(matches!(core.move_experiment(id, &with("OTHER")).await, Err(DomainError::Refused { .. })));
        core.change_experiment(id, &lock(StatusChange::Unlock)).await.unwrap();
        core.share_experiment(id, &called("OTHER", "ANON")).await.unwrap();
        let moved = core.move_experiment(id, &called("OTHER", "MINE")).await.unwrap();
        assert_eq!((moved.id.as_str(), moved.project.as_str(), moved.label.as_str()), (id, "OTHER", "MINE"));
        assert!(moved.shares.is_empty());
        assert_eq!(listed(&core, "OTHER").await, lists([&["MINE"], &[], &[], &["S01"]]));
        assert_eq!(listed(&core, "DEMO").await, lists([&[], &[], &["S01"], &[]]));
        assert!(core.experiment(Some("DEMO"), id).await.is_err());
        assert_eq!((images(&core, id).await, left(&site, "pack")), (before, packs));
        assert_eq!(left(&site, "experiment-label"), 1);
        assert!(matches!(core.move_experiment(id, &with("OTHER")).await, Err(DomainError::Conflict { .. })));
        // It can be changed and merged into where it is now.
        put(&core, &ShelfOf::Experiment(id.to_owned()), "NOTES", "b", b"y").await.unwrap();
        let subject = core.subject_by_id(&experiment.subject_id).await.unwrap().unwrap();
        assert!(matches!(
            core.delete_subject_with(&subject, true, &Reviewer::default()).await,
            Err(DomainError::Conflict { .. })
        ));
        // A subject that follows is not in the first project any more.
        let subject = core.move_subject(&subject.id, &called("OTHER", "S9")).await.unwrap();
        assert_eq!(listed(&core, "DEMO").await, lists([&[], &[], &[], &[]]));
        assert_eq!(listed(&core, "OTHER").await, lists([&["MINE"], &[], &["S9"], &[]]));
        assert_eq!(core.experiment_by_id(id).await.unwrap().unwrap().subject_label, "S9");
        assert_eq!(left(&site, "subject-label"), 1);
        core.delete_subject_with(&subject, true, &Reviewer::default()).await.unwrap();
        for kind in ["experiment", "subject", "experiment-label", "subject-label", "manifest", "pack", "content"] {
            assert_eq!(left(&site, kind), 0, "{kind}");
        }
        assert!(site.blobs.keys().is_empty());
    });
}

#[test]
fn a_subject_that_moves_away_from_its_experiments_stays_shared_with_their_project() {
    block_on(async {
        let (site, experiment) = two_projects().await;
        let core = site.core();
        let moved = core.move_subject(&experiment.subject_id, &called("OTHER", "S9")).await.unwrap();
        assert_eq!((moved.project.as_str(), moved.label_in("DEMO")), ("OTHER", Some("S01")));
        assert_eq!(listed(&core, "DEMO").await, lists([&["S01_MR1"], &[], &[], &["S01"]]));
        assert_eq!(listed(&core, "OTHER").await, lists([&[], &[], &["S9"], &[]]));
        assert_eq!(core.experiment_by_id(&experiment.id).await.unwrap().unwrap().subject_label, "S01");
        assert_eq!(core.find_subject("DEMO", "S01").await.unwrap().unwrap().id, moved.id);
        // A rename concerns its own project only.
        let renamed = SubjectChange { label: Some("S10".to_owned()), ..SubjectChange::default() };
        let renamed = core.change_subject(&moved, &renamed).await.unwrap();
        assert_eq!((renamed.label.as_str(), renamed.label_in("DEMO")), ("S10", Some("S01")));
        assert_eq!(core.experiment_by_id(&experiment.id).await.unwrap().unwrap().subject_label, "S01");
    });
}

#[test]
fn what_is_deleted_is_gone_from_every_project() {
    block_on(async {
        let (site, experiment) = two_projects().await;
        let core = site.core();
        core.share_experiment(&experiment.id, &called("OTHER", "ANON")).await.unwrap();
        core.delete_experiment(&experiment.id).await.unwrap();
        assert_eq!(listed(&core, "OTHER").await, lists([&[], &[], &[], &["S01"]]));
        assert_eq!(left(&site, "experiment-label"), 0);
        let subject = core.subject_by_id(&experiment.subject_id).await.unwrap().unwrap();
        core.delete_subject_with(&subject, false, &Reviewer::default()).await.unwrap();
        assert_eq!(listed(&core, "OTHER").await, lists([&[], &[], &[], &[]]));
        assert_eq!(left(&site, "subject-label"), 0);
    });
}

#[test]
fn a_project_that_is_deleted_loses_what_was_shared_with_it_and_nothing_else() {
    block_on(async {
        let (site, experiment) = two_projects().await;
        let core = site.core();
        let before = images(&core, &experiment.id).await;
        core.share_experiment(&experiment.id, &with("OTHER")).await.unwrap();
        // What belongs to others does not keep it.
        core.delete_project("OTHER", false, "admin").await.unwrap();
        core.finish_deleted_projects().await.unwrap();
        site.clock.advance(4_000_000);
        let core = recover(&site).await;
        let now = core.experiment_by_id(&experiment.id).await.unwrap().unwrap();
        assert!(now.shares.is_empty());
        assert!(core.subject_by_id(&experiment.subject_id).await.unwrap().unwrap().shares.is_empty());
        assert_eq!(images(&core, &experiment.id).await, before);
        assert_eq!((left(&site, "experiment-label"), left(&site, "subject-label")), (1, 1));
    });
}

#[test]
fn a_subject_outlives_its_project_where_another_has_experiments_of_it() {
    block_on(async {
        let (site, experiment) = two_projects().await;
        let core = site.core();
        core.move_experiment(&experiment.id, &with("OTHER")).await.unwrap();
        core.delete_project("DEMO", true, "admin").await.unwrap();
        core.finish_deleted_projects().await.unwrap();
        assert_eq!(listed(&core, "OTHER").await, lists([&["S01_MR1"], &[], &["S01"], &[]]));
        assert_eq!(core.subject_by_id(&experiment.subject_id).await.unwrap().unwrap().project, "OTHER");
        assert_eq!(listed(&core, "DEMO").await, lists([&[], &[], &[], &[]]));
    });
}
