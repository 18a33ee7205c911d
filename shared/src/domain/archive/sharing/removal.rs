//! What becomes of sharing when an item or a project is deleted.

use super::{Share, Sharing, unless_busy};
use crate::domain::Core;
use crate::domain::archive::experiment::lease_of;
use crate::domain::archive::subject::lease_name;
use crate::domain::archive::{Experiment, Subject};
use crate::domain::error::DomainError;
use crate::storage::StoreError;
use crate::storage::roster::Touch;

/// What was said to the lists of others before an item is removed.
pub(in crate::domain::archive) struct Unlisting(Vec<(String, Touch)>);

impl Core {
    /// Tells the lists of those projects with which an experiment is shared that it is about to be removed.
    pub(in crate::domain::archive) async fn unlist_experiment(
        &self,
        experiment: &Experiment,
    ) -> Result<Unlisting, StoreError> {
        self.unlist("shared-experiments", &experiment.id, &experiment.shares).await
    }

    /// The same of a subject.
    pub(in crate::domain::archive) async fn unlist_subject(&self, subject: &Subject) -> Result<Unlisting, StoreError> {
        self.unlist("shared-subjects", &subject.id, &subject.shares).await
    }

    async fn unlist(&self, list: &str, id: &str, shares: &[Share]) -> Result<Unlisting, StoreError> {
        let mut touches = Vec::with_capacity(shares.len());
        for share in shares {
            let name = format!("{list}/{}", share.project);
            let touch = self.roster(name.clone()).touch(id, Some(share.place)).await?;
            touches.push((name, touch));
        }
        Ok(Unlisting(touches))
    }

    /// To be called when the item is removed.
    pub(in crate::domain::archive) async fn unlisted(
        &self,
        id: &str,
        Unlisting(touches): Unlisting,
    ) -> Result<(), StoreError> {
        for (name, touch) in touches {
            self.roster(name).settled(id, touch).await?;
        }
        Ok(())
    }

    /// Removes the labels under which an experiment that is gone was shared.
    pub(in crate::domain::archive) async fn forget_shared_labels(
        &self,
        experiment: &Experiment,
    ) -> Result<(), DomainError> {
        for Share { project, label, .. } in &experiment.shares {
            let forgotten = self
                .with_lease(&lease_of(project, label), "the experiment of this label", async |core| {
                    Ok(core.forget_experiment_label((project, label), &experiment.id).await?)
                })
                .await;
            unless_busy(forgotten)?;
        }
        Ok(())
    }

    /// Removes the labels under which a subject that is gone was shared.
    pub(in crate::domain::archive) async fn forget_shared_subject_labels(
        &self,
        subject: &Subject,
    ) -> Result<(), DomainError> {
        for Share { project, label, .. } in &subject.shares {
            let forgotten = self
                .with_lease(&lease_name(project, label), "the subject of this label", async |core| {
                    core.forget_subject_label((project, label), &subject.id).await
                })
                .await;
            unless_busy(forgotten)?;
        }
        Ok(())
    }

    /// Takes everything out of a deleted project that was shared with it. Gives whether something is left, because
    /// somebody works on it.
    ///
    /// # Errors
    /// The store's failure; to be called again then.
    pub(in crate::domain) async fn withdraw_shared(&self, project: &str) -> Result<bool, DomainError> {
        let mut is_left = false;
        for experiment in self.list_shared_experiments(project).await? {
            is_left |= !is_withdrawn(self.unshare_experiment(&experiment.id, project).await.map(|_| ()))?;
        }
        for subject in self.list_shared_subjects(project).await? {
            is_left |= !is_withdrawn(self.unshare_subject(&subject.id, project).await.map(|_| ()))?;
        }
        Ok(is_left)
    }

    /// Moves a subject of a deleted project to another that has experiments of it. Gives whether there is one.
    ///
    /// # Errors
    /// [`DomainError::Busy`], or the store's failure.
    pub(in crate::domain) async fn rescue_subject(&self, id: &str) -> Result<bool, DomainError> {
        let Some(subject) = self.subject_by_id(id).await? else { return Ok(false) };
        for share in &subject.shares {
            if !self.experiments_of_subject(&share.project, id).await?.is_empty() {
                let to = Sharing { project: share.project.clone(), label: None };
                self.move_subject(id, &to).await?;
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn is_withdrawn(outcome: Result<(), DomainError>) -> Result<bool, DomainError> {
    match outcome {
        Ok(()) | Err(DomainError::NotFound { .. }) => Ok(true),
        Err(DomainError::Busy { .. } | DomainError::Conflict { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}
