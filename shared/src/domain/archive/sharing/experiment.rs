//! Sharing experiments.

use super::leases::BothLeases;
use super::relabel::wanted_label;
use super::{Share, Sharing, already_there, demand_room, label_used, not_there, share_with};
use crate::domain::Core;
use crate::domain::archive::Experiment;
use crate::domain::archive::subject::LabelRef;
use crate::domain::archive::subject_change::check_item_label;
use crate::domain::error::DomainError;
use crate::storage::{Lease, StoreError, keys};

impl Core {
    /// Shares an experiment with a project, and its subject if that is not there yet. One that is shared with it already
    /// gets the new label, if another is given.
    ///
    /// # Errors
    /// [`DomainError::Conflict`] if it is there already or a label is another's, [`DomainError::NotFound`],
    /// [`DomainError::Invalid`], [`DomainError::Full`], [`DomainError::Busy`], or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn share_experiment(&self, id: &str, sharing: &Sharing) -> Result<Experiment, DomainError> {
        let found = self.experiment_that_is(id).await?;
        if found.label_in(&sharing.project).is_some() {
            let label = wanted_label(&found.label, &found.shares, sharing)?;
            return self.relabel_experiment(id, (&sharing.project, label)).await;
        }
        let label = self.demand_free(&found, sharing).await?;
        let there = (sharing.project.as_str(), label.as_str());
        demand_room(&found.shares)?;
        self.with_subject_in(&found.subject_id, &sharing.project, async |core, subject_lease: &mut Lease, _| {
            core.with_experiment_and_label(id, there, async |core, leases, experiment| {
                core.demand_free(&experiment, sharing).await?;
                demand_room(&experiment.shares)?;
                core.keep(subject_lease, "the subject").await?;
                core.write_share(leases, experiment, there).await
            })
            .await
        })
        .await
    }

    /// Refuses what an experiment cannot be called in a project, and a project that it is in already. Gives its label
    /// there.
    async fn demand_free(
        &self,
        experiment: &Experiment,
        Sharing { project, label }: &Sharing,
    ) -> Result<String, DomainError> {
        if experiment.label_in(project).is_some() {
            return Err(already_there(&experiment.label, project));
        }
        self.free_experiment_label(experiment, project, label.as_deref().unwrap_or(&experiment.label)).await
    }

    /// Refuses a label that an experiment cannot have in a project.
    pub(super) async fn free_experiment_label(
        &self,
        experiment: &Experiment,
        project: &str,
        label: &str,
    ) -> Result<String, DomainError> {
        if label != experiment.label {
            check_item_label(label)?;
        }
        if self.project_by_id(project).await?.is_none() {
            return Err(DomainError::not_found("project", project));
        }
        match self.experiment_by_label(project, label).await? {
            Some(other) if other.id != experiment.id => Err(label_used(label, project)),
            _ => Ok(label.to_owned()),
        }
    }

    async fn write_share(
        &self,
        leases: &mut BothLeases,
        mut experiment: Experiment,
        (project, label): (&str, &str),
    ) -> Result<Experiment, DomainError> {
        let id = experiment.id.clone();
        let (roster, source) = self.shared_experiments(project);
        let touch = roster.touch(&id, None).await?;
        experiment.shares.push(Share { project: project.to_owned(), label: label.to_owned(), place: touch.place });
        // A label that leads to an experiment that is not there under it leads nowhere.
        self.records.set(&keys::experiment_label(project, label), &LabelRef { id: id.clone() }).await?;
        self.keep_both(leases, "this experiment").await?;
        self.records.set(&keys::experiment(&id), &experiment).await?;
        roster.settled(&id, touch).await?;
        roster.fold_if_long(&source).await?;
        Ok(experiment)
    }

    /// Takes an experiment out of a project that it is shared with.
    ///
    /// # Errors
    /// [`DomainError::NotFound`] if it is not, [`DomainError::Busy`], or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn unshare_experiment(&self, id: &str, project: &str) -> Result<Experiment, DomainError> {
        let found = self.experiment_that_is(id).await?;
        let missing = || not_there(&format!("The experiment {:?}", found.label), project);
        let label = share_with(&found.shares, project).ok_or_else(missing)?.label.clone();
        self.with_experiment_and_label(id, (project, &label), async |core, leases, mut experiment| {
            let share = share_with(&experiment.shares, project).filter(|share| share.label == label);
            let share = share.cloned().ok_or_else(missing)?;
            let (roster, source) = core.shared_experiments(project);
            let touch = roster.touch(id, Some(share.place)).await?;
            experiment.shares.retain(|other| other.project != project);
            core.keep_both(leases, "this experiment").await?;
            core.records.set(&keys::experiment(id), &experiment).await?;
            core.forget_experiment_label((project, &label), id).await?;
            roster.settled(id, touch).await?;
            roster.fold_if_long(&source).await?;
            Ok(experiment)
        })
        .await
    }

    /// Removes a label if it leads to an experiment, which is not there under it any more. Done under the label's lease.
    pub(in crate::domain::archive) async fn forget_experiment_label(
        &self,
        (project, label): (&str, &str),
        id: &str,
    ) -> Result<(), StoreError> {
        let key = keys::experiment_label(project, label);
        if self.records.get::<LabelRef>(&key).await?.is_some_and(|found| found.id == id) {
            self.records.delete(&key).await?;
        }
        Ok(())
    }
}
