//! Sharing and moving by workers that die at every step.

use futures::executor::block_on;

use super::crash::{doomed, left, recover};
use super::sharing::{called, listed, two_projects, with};
use super::shelf::images;
use super::*;
use crate::domain::archive::{ExperimentChange, NewAssessor, NewExperiment, StatusChange};
use crate::imaging::AssessorType;
use crate::imaging::types::SessionType;

/// Tries again as a client does while something is busy.
async fn in_the_end(site: &Site, mut attempt: impl AsyncFnMut() -> Result<(), DomainError>) {
    for _ in 0..6 {
        match attempt().await {
            Ok(()) | Err(DomainError::Conflict { .. } | DomainError::NotFound { .. }) => return,
            Err(DomainError::Busy { .. }) => site.clock.advance(2_000),
            Err(error) => panic!("{error}"),
        }
    }
    panic!("it stays busy");
}

#[test]
fn whoever_dies_while_sharing_leaves_it_shared_or_not() {
    block_on(async {
        let mut steps = 0;
        loop {
            let (site, experiment) = two_projects().await;
            let id = experiment.id.as_str();
            let (doomed, mortal) = doomed(&site, steps);
            let outcome = doomed.share_experiment(id, &called("OTHER", "ANON")).await;
            let core = recover(&site).await;
            let now = core.experiment_by_id(id).await.unwrap().unwrap();
            let is_shared = now.label_in("OTHER").is_some();
            assert!(outcome.is_err() || is_shared, "step {steps}");
            let [_, shared, _, subjects] = listed(&core, "OTHER").await;
            assert_eq!(shared.len(), usize::from(is_shared), "step {steps}");
            assert_eq!(core.experiment(Some("OTHER"), "ANON").await.is_ok(), is_shared, "step {steps}");
            assert!(!is_shared || subjects.len() == 1, "step {steps}: the subject is there first");
            // Whoever tries again gets it done once, and what was left behind is in nobody's way.
            in_the_end(&site, async || core.share_experiment(id, &called("OTHER", "ANON")).await.map(|_| ())).await;
            let [_, shared, _, subjects] = listed(&core, "OTHER").await;
            assert_eq!((shared, subjects), (vec!["ANON".to_owned()], vec!["S01".to_owned()]), "step {steps}");
            if outcome.is_ok() && !mortal.is_dead() {
                break;
            }
            steps += 1;
        }
        assert!(steps > 10, "{steps}");
    });
}

#[test]
fn whoever_dies_while_relabelling_leaves_one_label_or_the_other() {
    block_on(async {
        let mut steps = 0;
        loop {
            let (site, experiment) = two_projects().await;
            let (id, subject) = (experiment.id.as_str(), experiment.subject_id.as_str());
            site.core().share_experiment(id, &called("OTHER", "ANON")).await.unwrap();
            let (doomed, mortal) = doomed(&site, steps);
            let outcome = match doomed.share_experiment(id, &called("OTHER", "CASE7")).await {
                Ok(_) => doomed.share_subject(subject, &called("OTHER", "P7")).await.map(|_| ()),
                Err(error) => Err(error),
            };
            let core = recover(&site).await;
            for (label, other) in [("ANON", "CASE7"), ("CASE7", "ANON")] {
                let found = core.experiment(Some("OTHER"), label).await.is_ok();
                assert_eq!(found, core.experiment(Some("OTHER"), other).await.is_err(), "step {steps}");
            }
            for (label, other) in [("S01", "P7"), ("P7", "S01")] {
                let found = core.find_subject("OTHER", label).await.unwrap().is_some();
                assert_eq!(found, core.find_subject("OTHER", other).await.unwrap().is_none(), "step {steps}");
            }
            in_the_end(&site, async || core.share_experiment(id, &called("OTHER", "CASE7")).await.map(|_| ())).await;
            in_the_end(&site, async || core.share_subject(subject, &called("OTHER", "P7")).await.map(|_| ())).await;
            let [_, shared, _, subjects] = listed(&core, "OTHER").await;
            assert_eq!((shared, subjects), (vec!["CASE7".to_owned()], vec!["P7".to_owned()]), "step {steps}");
            if outcome.is_ok() && !mortal.is_dead() {
                break;
            }
            steps += 1;
        }
        assert!(steps > 10, "{steps}");
    });
}

#[test]
fn whoever_dies_while_taking_back_leaves_it_shared_or_not() {
    block_on(async {
        let mut steps = 0;
        loop {
            let (site, experiment) = two_projects().await;
            let id = experiment.id.as_str();
            site.core().share_experiment(id, &called("OTHER", "ANON")).await.unwrap();
            let (doomed, mortal) = doomed(&site, steps);
            let outcome = doomed.unshare_experiment(id, "OTHER").await;
            let core = recover(&site).await;
            let is_shared = core.experiment_by_id(id).await.unwrap().unwrap().label_in("OTHER").is_some();
            assert!(outcome.is_err() || !is_shared, "step {steps}");
            assert_eq!(listed(&core, "OTHER").await[1].len(), usize::from(is_shared), "step {steps}");
            in_the_end(&site, async || core.unshare_experiment(id, "OTHER").await.map(|_| ())).await;
            assert!(listed(&core, "OTHER").await[1].is_empty(), "step {steps}");
            // A label that stayed behind can be had.
            in_the_end(&site, async || core.share_experiment(id, &called("OTHER", "ANON")).await.map(|_| ())).await;
            assert_eq!(listed(&core, "OTHER").await[1], ["ANON"], "step {steps}");
            if outcome.is_ok() && !mortal.is_dead() {
                break;
            }
            steps += 1;
        }
        assert!(steps > 5, "{steps}");
    });
}

#[test]
fn whoever_dies_while_moving_leaves_it_in_one_project_or_the_other() {
    block_on(async {
        let mut steps = 0;
        loop {
            let (site, experiment) = two_projects().await;
            let id = experiment.id.as_str();
            let before = images(&site.core(), id).await;
            site.core().share_experiment(id, &called("OTHER", "ANON")).await.unwrap();
            let (doomed, mortal) = doomed(&site, steps);
            let outcome = doomed.move_experiment(id, &called("OTHER", "MINE")).await;
            let core = recover(&site).await;
            let whole = async |when: &str| {
                let now = core.experiment_by_id(id).await.unwrap().unwrap();
                let is_moved = now.project == "OTHER";
                let places = [listed(&core, "DEMO").await, listed(&core, "OTHER").await];
                let own = places.each_ref().map(|lists| lists[0].len());
                assert_eq!(own, if is_moved { [0, 1] } else { [1, 0] }, "step {steps}, {when}");
                assert_eq!(places[1][1].len(), usize::from(!is_moved), "step {steps}, {when}: shared");
                for (project, label, there) in
                    [("DEMO", "S01_MR1", !is_moved), ("OTHER", "ANON", !is_moved), ("OTHER", "MINE", is_moved)]
                {
                    assert_eq!(core.experiment(Some(project), label).await.is_ok(), there, "step {steps}: {label}");
                }
                assert_eq!(images(&core, id).await, before, "step {steps}, {when}");
                is_moved
            };
            assert!(whole("after the crash").await || outcome.is_err(), "step {steps}");
            in_the_end(&site, async || core.move_experiment(id, &called("OTHER", "MINE")).await.map(|_| ())).await;
            assert!(whole("after another try").await, "step {steps}");
            core.delete_experiment(id).await.unwrap();
            for kind in ["manifest", "pack", "content", "experiment"] {
                assert_eq!(left(&site, kind), 0, "step {steps}: {kind}");
            }
            if outcome.is_ok() && !mortal.is_dead() {
                break;
            }
            steps += 1;
        }
        assert!(steps > 8, "{steps}");
    });
}

fn assessor(session: &str, label: &str) -> NewAssessor {
    NewAssessor {
        session: session.to_owned(),
        label: label.to_owned(),
        xsi_type: AssessorType::parse("xnat:qcManualAssessorData").unwrap(),
        by: "ann".to_owned(),
        change: ExperimentChange::default(),
    }
}

#[test]
fn assessors_follow_their_session_even_if_whoever_moves_it_dies() {
    block_on(async {
        let mut steps = 0;
        loop {
            let (site, session) = two_projects().await;
            let id = session.id.as_str();
            for label in ["QC1", "QC2"] {
                site.core().create_assessor(&assessor(id, label)).await.unwrap();
            }
            let (doomed, mortal) = doomed(&site, steps);
            let outcome = doomed.move_experiment(id, &with("OTHER")).await;
            let core = recover(&site).await;
            let now = core.experiment_by_id(id).await.unwrap().unwrap();
            assert_eq!(core.assessors_of(&now).await.unwrap().len(), 2, "step {steps}: none is ever lost");
            in_the_end(&site, async || core.move_experiment(id, &with("OTHER")).await.map(|_| ())).await;
            let now = core.experiment_by_id(id).await.unwrap().unwrap();
            for label in ["QC1", "QC2"] {
                let found = core.assessor(&now, label).await.unwrap().unwrap();
                assert_eq!((found.project.as_str(), found.label.as_str()), ("OTHER", label), "step {steps}");
            }
            let mut lists = [listed(&core, "DEMO").await, listed(&core, "OTHER").await].map(|lists| lists[0].clone());
            lists[1].sort();
            assert_eq!(lists, [vec![], vec!["QC1".to_owned(), "QC2".to_owned(), "S01_MR1".to_owned()]], "step {steps}");
            core.delete_experiment(id).await.unwrap();
            for kind in ["manifest", "experiment"] {
                assert_eq!(left(&site, kind), 0, "step {steps}: {kind}");
            }
            if outcome.is_ok() && !mortal.is_dead() {
                break;
            }
            steps += 1;
        }
        assert!(steps > 20, "{steps}");
    });
}

#[test]
fn a_session_whose_assessors_cannot_follow_stays() {
    block_on(async {
        let (site, session) = two_projects().await;
        let core = site.core();
        let id = session.id.as_str();
        let qc = core.create_assessor(&assessor(id, "QC1")).await.unwrap();
        let alone = core.move_experiment(&qc.id, &with("OTHER")).await;
        assert!(matches!(alone, Err(DomainError::Invalid { .. })), "{alone:?}");
        let lock = ExperimentChange { status: Some(StatusChange::Lock), ..ExperimentChange::default() };
        core.change_experiment(&qc.id, &lock).await.unwrap();
        assert!(matches!(core.move_experiment(id, &with("OTHER")).await, Err(DomainError::Refused { .. })));
        let unlock = ExperimentChange { status: Some(StatusChange::Unlock), ..ExperimentChange::default() };
        core.change_experiment(&qc.id, &unlock).await.unwrap();
        // A label that is used there.
        let other = NewExperiment {
            project: "OTHER".to_owned(),
            subject: "S9".to_owned(),
            label: "QC1".to_owned(),
            xsi_type: SessionType::new("mr"),
            uid: String::new(),
            by: "ann".to_owned(),
            change: ExperimentChange::default(),
        };
        core.create_experiment(&other).await.unwrap();
        assert!(matches!(core.move_experiment(id, &with("OTHER")).await, Err(DomainError::Conflict { .. })));
        assert_eq!(listed(&core, "OTHER").await[0], ["QC1"]);
    });
}

#[test]
fn whoever_dies_while_moving_a_subject_leaves_it_in_one_project_or_the_other() {
    block_on(async {
        let mut steps = 0;
        loop {
            let (site, experiment) = two_projects().await;
            let id = experiment.subject_id.as_str();
            let (doomed, mortal) = doomed(&site, steps);
            let outcome = doomed.move_subject(id, &with("OTHER")).await;
            let core = recover(&site).await;
            let now = core.subject_by_id(id).await.unwrap().unwrap();
            let is_moved = now.project == "OTHER";
            assert!(outcome.is_err() || is_moved, "step {steps}");
            let [_, _, own, shared] = listed(&core, "DEMO").await;
            assert_eq!((own.len(), shared.len()), if is_moved { (0, 1) } else { (1, 0) }, "step {steps}");
            assert_eq!(listed(&core, "OTHER").await[2].len(), usize::from(is_moved), "step {steps}");
            assert_eq!(core.find_subject("DEMO", "S01").await.unwrap().unwrap().id, id, "step {steps}");
            assert_eq!(core.find_subject("OTHER", "S01").await.unwrap().is_some(), is_moved, "step {steps}");
            in_the_end(&site, async || core.move_subject(id, &with("OTHER")).await.map(|_| ())).await;
            assert_eq!(listed(&core, "OTHER").await[2], ["S01"], "step {steps}");
            if outcome.is_ok() && !mortal.is_dead() {
                break;
            }
            steps += 1;
        }
        assert!(steps > 8, "{steps}");
    });
}

#[test]
fn whoever_dies_while_deleting_leaves_no_list_that_names_what_is_gone() {
    block_on(async {
        let mut steps = 0;
        loop {
            let (site, experiment) = two_projects().await;
            let id = experiment.id.as_str();
            site.core().share_experiment(id, &called("OTHER", "ANON")).await.unwrap();
            let (doomed, mortal) = doomed(&site, steps);
            let outcome = doomed.delete_experiment(id).await;
            let core = recover(&site).await;
            let is_there = core.experiment_by_id(id).await.unwrap().is_some();
            assert!(outcome.is_err() || !is_there, "step {steps}");
            assert_eq!(listed(&core, "OTHER").await[1].len(), usize::from(is_there), "step {steps}");
            assert_eq!(listed(&core, "DEMO").await[0].len(), usize::from(is_there), "step {steps}");
            if is_there {
                core.delete_experiment(id).await.unwrap();
            }
            for kind in ["experiment-label", "manifest", "pack", "content", "experiment-trash"] {
                assert_eq!(left(&site, kind), 0, "step {steps}: {kind}");
            }
            if outcome.is_ok() && !mortal.is_dead() {
                break;
            }
            steps += 1;
        }
        assert!(steps > 8, "{steps}");
    });
}
