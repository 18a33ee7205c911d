//! Removing what the archive holds.
//!
//! An experiment's record is what makes it one: with that it is gone for everybody. A copy in the trash, written
//! before, says which files are still to be removed; the sweep works the trash off.

use super::experiment::Experiment;
use super::review::Reviewer;
use super::subject::{LabelRef, Subject};
use super::trash::Trash;
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::domain::history::ItemKind;
use crate::storage::{StoreError, keys};

impl Core {
    /// Deletes an experiment with its files. From the one write on that does it nobody finds it; should the rest fail
    /// or be cut off, the sweep does it.
    ///
    /// # Errors
    /// [`DomainError::NotFound`], [`DomainError::Busy`] while it is being archived, or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn delete_experiment(&self, id: &str) -> Result<(), DomainError> {
        let found = self.experiment_that_is(id).await?;
        self.delete_found_experiment(&found, None).await
    }

    /// As [`Core::delete_experiment`], if it belongs to this project.
    ///
    /// # Errors
    /// As there.
    pub(in crate::domain) async fn delete_experiment_of(&self, project: &str, id: &str) -> Result<(), DomainError> {
        let found = self.experiment_that_is(id).await?;
        if found.project != project {
            return Err(DomainError::not_found("experiment", id));
        }
        self.delete_found_experiment(&found, None).await
    }

    async fn delete_found_experiment(
        &self,
        found: &Experiment,
        reviewer: Option<&Reviewer>,
    ) -> Result<(), DomainError> {
        let id = found.id.as_str();
        self.settle_content(found, async || Ok(())).await?;
        self.with_lease(&found.lease_name(), "this experiment", async |core| {
            let experiment = core.experiment_that_is(id).await?;
            if experiment.lease_name() != found.lease_name() {
                return Err(DomainError::Busy { what: "this experiment, which was moved just now,".to_owned() });
            }
            core.demand_settled(&experiment).await?;
            if let Some(reviewer) = reviewer {
                core.tell_of_rejection(&experiment, reviewer).await?;
            }
            let trash = core.remove_record(&experiment).await?;
            match core.empty_experiment_trash(trash).await {
                // It is gone. What somebody else is at with one of its assessors ends first; the sweep does the rest.
                Err(DomainError::Busy { .. }) => Ok(()),
                done => done,
            }
        })
        .await?;
        if let Some(session) = &found.assessed {
            self.forget_assessor(session, id).await;
        }
        Ok(())
    }

    /// Removes an experiment's record, whose lease the caller holds. What it leaves is in the trash then.
    async fn remove_record(&self, experiment: &Experiment) -> Result<Trash, DomainError> {
        self.finish_change(&experiment.id).await?;
        let (experiments, source) = self.experiment_roster(&experiment.project);
        let touch = experiments.touch(&experiment.id, Some(experiment.place)).await?;
        let unlisting = self.unlist_experiment(experiment).await?;
        let trash = self.write_trash(experiment, None).await?;
        self.records.delete(&keys::experiment(&experiment.id)).await?;
        experiments.settled(&experiment.id, touch).await?;
        self.unlisted(&experiment.id, unlisting).await?;
        experiments.fold_if_long(&source).await?;
        Ok(trash)
    }

    /// Removes the assessors of a session that is gone, whose lease the caller holds.
    ///
    /// # Errors
    /// [`DomainError::Busy`] or the store's failure; to be called again then.
    pub(super) async fn remove_assessors(&self, session: &Experiment) -> Result<(), DomainError> {
        for assessor in self.assessors_of(session).await? {
            self.with_lease(&assessor.lease_name(), "an assessor of this session", async |core| {
                let Some(assessor) = core.experiment_by_id(&assessor.id).await? else { return Ok(()) };
                let trash = core.remove_record(&assessor).await?;
                core.empty_trash_of_one(trash).await
            })
            .await?;
        }
        Ok(())
    }

    /// Waits until the session that became part of an experiment last has left the prearchive with all that it had
    /// there. Until then it would come back without files, were the experiment deleted, and its remains are told from
    /// what the experiment needs by its own manifest. `keep` is asked on the way whether to go on.
    ///
    /// # Errors
    /// [`DomainError::Busy`] if that takes longer than a lease lives, what `keep` says, or the store's failure.
    pub(super) async fn settle_content(
        &self,
        experiment: &Experiment,
        mut keep: impl AsyncFnMut() -> Result<(), DomainError>,
    ) -> Result<(), DomainError> {
        let mut patience = self.clock.patience(self.patience_ms());
        loop {
            if self.is_settled(experiment).await? {
                return Ok(());
            }
            let id = experiment.last_content();
            // Whoever holds a session that was archived finds that it is gone.
            match self.hold_session(id).await {
                Ok(held) => self.let_go(held).await?,
                Err(DomainError::NotFound { .. } | DomainError::Busy { .. }) => {}
                Err(error) => return Err(error),
            }
            self.empty_trash_of(id).await?;
            keep().await?;
            if !self.is_settled(experiment).await? && !patience.wait().await {
                return Err(being_archived());
            }
        }
    }

    /// Refuses to change an experiment that is just being archived.
    pub(super) async fn demand_settled(&self, experiment: &Experiment) -> Result<(), DomainError> {
        if self.is_settled(experiment).await? { Ok(()) } else { Err(being_archived()) }
    }

    async fn is_settled(&self, experiment: &Experiment) -> Result<bool, StoreError> {
        let id = experiment.last_content();
        let store = self.records.store();
        Ok(store.get(keys::session(id).as_str()).await?.is_none()
            && store.get(keys::trash(id).as_str()).await?.is_none())
    }

    /// As [`Core::delete_experiment`], unless it is locked. One in quarantine is rejected thereby, which is told.
    ///
    /// # Errors
    /// As there, and [`DomainError::Refused`].
    #[crate::boxed(?Send)]
    pub async fn delete_unlocked_experiment(&self, id: &str, reviewer: &Reviewer) -> Result<(), DomainError> {
        let experiment = self.experiment_that_is(id).await?;
        experiment.demand_unlocked()?;
        self.demand_session_unlocked(&experiment).await?;
        for assessor in self.assessors_of(&experiment).await? {
            assessor.demand_unlocked()?;
        }
        self.delete_found_experiment(&experiment, Some(reviewer)).await
    }

    /// Deletes a subject; `with_experiments` says that its experiments may go with it. Those that belong to other projects
    /// may not.
    ///
    /// # Errors
    /// [`DomainError::Conflict`] if it has some that may not, [`DomainError::Refused`] if one is locked,
    /// [`DomainError::Busy`], or the store's failure; what was deleted until then is gone.
    #[crate::boxed(?Send)]
    pub async fn delete_subject_with(
        &self,
        subject: &Subject,
        with_experiments: bool,
        reviewer: &Reviewer,
    ) -> Result<(), DomainError> {
        for share in &subject.shares {
            if !self.experiments_of_subject(&share.project, &subject.id).await?.is_empty() {
                return Err(DomainError::Conflict {
                    reason: format!(
                        "The subject {} has experiments that belong to another project; move it there, or delete them \
                         first.",
                        subject.label
                    ),
                });
            }
        }
        let experiments = self.experiments_of_subject(&subject.project, &subject.id).await?;
        // Files without the records that name them could never be found again.
        if !with_experiments && !experiments.is_empty() {
            return Err(DomainError::Conflict {
                reason: format!(
                    "The subject {} still has experiments; delete them first, or delete the subject with \
                     removeFiles=true.",
                    subject.label
                ),
            });
        }
        for experiment in &experiments {
            experiment.demand_unlocked()?;
        }
        for experiment in experiments {
            match self.delete_unlocked_experiment(&experiment.id, reviewer).await {
                Err(DomainError::NotFound { .. }) => {}
                done => done?,
            }
        }
        self.delete_subject(subject).await
    }

    /// Deletes a subject, which should have no experiments any more. Its record goes first; a label that is left
    /// behind by a crash leads to nothing and is overwritten by the next subject of that label.
    ///
    /// # Errors
    /// [`DomainError::Busy`] if it has an experiment all the same, or somebody else works on it, or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn delete_subject(&self, subject: &Subject) -> Result<(), DomainError> {
        self.with_lease(&subject.lease_name(), "the subject", async |core| {
            let subject = &match core.subject_by_id(&subject.id).await? {
                Some(now) if now.lease_name() != subject.lease_name() => {
                    return Err(DomainError::Busy { what: "the subject, which was moved just now,".to_owned() });
                }
                now => now.unwrap_or_else(|| subject.clone()),
            };
            // Whoever archives holds this lease as well, and may have come between the caller's look and this.
            for project in subject.projects() {
                if !core.experiments_of_subject(project, &subject.id).await?.is_empty() {
                    let what = "the subject, of which a session was archived just now,".to_owned();
                    return Err(DomainError::Busy { what });
                }
            }
            let shelf = core.condemn_subject_shelf(&subject.id).await?;
            let (roster, source) = core.subject_roster(&subject.project);
            let touch = roster.touch(&subject.id, Some(subject.place)).await?;
            let unlisting = core.unlist_subject(subject).await?;
            core.records.delete(&keys::subject(&subject.id)).await?;
            let label = keys::subject_label(&subject.project, &subject.label);
            if core.records.get::<LabelRef>(&label).await?.is_some_and(|reference| reference.id == subject.id) {
                core.records.delete(&label).await?;
            }
            roster.settled(&subject.id, touch).await?;
            core.unlisted(&subject.id, unlisting).await?;
            core.forget_shared_subject_labels(subject).await?;
            roster.fold_if_long(&source).await?;
            core.forget_history(ItemKind::Subject, &subject.id).await?;
            if let Some(noted) = shelf {
                core.remove_subject_shelf(&subject.id, noted).await?;
            }
            Ok(())
        })
        .await
    }
}

fn being_archived() -> DomainError {
    DomainError::Busy { what: "this experiment, which is being archived,".to_owned() }
}
