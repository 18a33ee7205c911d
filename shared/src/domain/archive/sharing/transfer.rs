//! Moving items to other projects. Nothing but their records changes, and one write moves each.

use super::{Share, Sharing, already_there, demand_room, share_with, unless_busy};
use crate::domain::Core;
use crate::domain::archive::experiment::lease_of;
use crate::domain::archive::subject::{LabelRef, lease_name};
use crate::domain::archive::{Experiment, Subject};
use crate::domain::error::DomainError;
use crate::storage::{Lease, keys};

impl Core {
    /// Moves an experiment to another project: it belongs to that from then on, and is no more in the one that it
    /// belonged to. Its subject is shared with the new project if it is not there yet. The assessors of a session follow
    /// it; should that be cut off, moving it there again goes on.
    ///
    /// # Errors
    /// As [`Core::share_experiment`], and [`DomainError::Refused`] if it is locked, [`DomainError::Invalid`] for an assessor.
    #[crate::boxed(?Send)]
    pub async fn move_experiment(&self, id: &str, sharing: &Sharing) -> Result<Experiment, DomainError> {
        let project = sharing.project.as_str();
        let found = self.experiment_that_is(id).await?;
        if found.assessed.is_some() {
            let what = "An assessor belongs to the project of its session; move the session.".to_owned();
            return Err(DomainError::Invalid { what });
        }
        let mut assessors = self.assessors_of(&found).await?;
        assessors.retain(|assessor| assessor.project != project);
        for assessor in &assessors {
            assessor.demand_unlocked()?;
            self.free_experiment_label(assessor, project, &assessor.label).await?;
        }
        let moved = if found.project == project {
            if assessors.is_empty() {
                return Err(already_there(&found.label, project));
            }
            found
        } else {
            let label = sharing.label.as_deref().or_else(|| found.label_in(project)).unwrap_or(&found.label);
            self.move_one(&found, (project, label)).await?
        };
        for assessor in assessors {
            self.move_one(&assessor, (project, &assessor.label)).await?;
        }
        Ok(moved)
    }

    async fn move_one(&self, found: &Experiment, (project, label): (&str, &str)) -> Result<Experiment, DomainError> {
        let id = found.id.as_str();
        found.demand_unlocked()?;
        self.free_experiment_label(found, project, label).await?;
        self.settle_content(found, async || Ok(())).await?;
        self.with_subject_in(&found.subject_id, project, async |core, subject_lease: &mut Lease, subject| {
            core.with_experiment_and_label(id, (project, label), async |core, leases, experiment| {
                experiment.demand_unlocked()?;
                core.demand_settled(&experiment).await?;
                // What waits in the trash is found by the experiment's lease, which is another from now on.
                core.finish_change(id).await?;
                core.free_experiment_label(&experiment, project, label).await?;
                let keep = async || {
                    core.keep(subject_lease, "the subject").await?;
                    core.keep_both(leases, "this experiment").await
                };
                core.write_move(experiment, (project, label), &subject, keep).await
            })
            .await
        })
        .await
    }

    async fn write_move(
        &self,
        old: Experiment,
        (project, label): (&str, &str),
        subject: &Subject,
        keep: impl AsyncFnOnce() -> Result<(), DomainError>,
    ) -> Result<Experiment, DomainError> {
        let id = old.id.as_str();
        let (from, _) = self.experiment_roster(&old.project);
        let (to, source) = self.experiment_roster(project);
        let (shared, _) = self.shared_experiments(project);
        let share = share_with(&old.shares, project);
        let leaving = from.touch(id, Some(old.place)).await?;
        let unsharing = match share {
            Some(share) => Some(shared.touch(id, Some(share.place)).await?),
            None => None,
        };
        let coming = to.touch(id, None).await?;
        let moved = Experiment {
            project: project.to_owned(),
            label: label.to_owned(),
            subject_label: subject.called_in(project).to_owned(),
            shares: old.shares.iter().filter(|share| share.project != project).cloned().collect(),
            place: coming.place,
            ..old.clone()
        };
        self.records.set(&keys::experiment_label(project, label), &LabelRef { id: id.to_owned() }).await?;
        keep().await?;
        self.records.set(&keys::experiment(id), &moved).await?;
        self.forget_experiment_label((&old.project, &old.label), id).await?;
        if let Some(former) = share.map(|share| share.label.as_str()).filter(|former| *former != label) {
            self.forget_former_label((project, former), id).await?;
        }
        from.settled(id, leaving).await?;
        if let Some(touch) = unsharing {
            shared.settled(id, touch).await?;
        }
        to.settled(id, coming).await?;
        to.fold_if_long(&source).await?;
        Ok(moved)
    }

    async fn forget_former_label(&self, (project, label): (&str, &str), id: &str) -> Result<(), DomainError> {
        let forgotten = self
            .with_lease(&lease_of(project, label), "the experiment of this label", async |core| {
                Ok(core.forget_experiment_label((project, label), id).await?)
            })
            .await;
        unless_busy(forgotten)
    }

    /// Moves a subject to another project. Its experiments stay where they are; if any are in the project that it
    /// belonged to, it is shared with that from then on.
    ///
    /// # Errors
    /// As [`Core::share_subject`].
    #[crate::boxed(?Send)]
    pub async fn move_subject(&self, id: &str, sharing: &Sharing) -> Result<Subject, DomainError> {
        let project = sharing.project.as_str();
        let found = self.subject_that_is(id).await?;
        let label = sharing.label.as_deref().or_else(|| found.label_in(project)).unwrap_or(&found.label).to_owned();
        if found.project == project {
            return Err(already_there(&found.label, project));
        }
        let moved = self
            .with_subject_and_label(id, (project, &label), async |core, leases, subject| {
                core.demand_free_subject_label(&subject, (project, &label)).await?;
                let keep = async || core.keep_both(leases, "the subject").await;
                core.write_subject_move(subject, (project, &label), keep).await
            })
            .await?;
        if moved.is_renamed { self.spread_label(moved).await } else { Ok(moved) }
    }

    async fn write_subject_move(
        &self,
        old: Subject,
        (project, label): (&str, &str),
        keep: impl AsyncFnOnce() -> Result<(), DomainError>,
    ) -> Result<Subject, DomainError> {
        let id = old.id.as_str();
        let (from, _) = self.subject_roster(&old.project);
        let (to, source) = self.subject_roster(project);
        let (shared, _) = self.shared_subjects(project);
        let (shared_back, _) = self.shared_subjects(&old.project);
        let stays = !self.experiments_of_subject(&old.project, id).await?.is_empty();
        let share = share_with(&old.shares, project);
        if stays && share.is_none() {
            demand_room(&old.shares)?;
        }
        let leaving = from.touch(id, Some(old.place)).await?;
        let unsharing = match share {
            Some(share) => Some(shared.touch(id, Some(share.place)).await?),
            None => None,
        };
        let sharing_back = if stays { Some(shared_back.touch(id, None).await?) } else { None };
        let coming = to.touch(id, None).await?;
        let mut shares: Vec<Share> = old.shares.iter().filter(|share| share.project != project).cloned().collect();
        shares.extend(sharing_back.map(|touch| Share {
            project: old.project.clone(),
            label: old.label.clone(),
            place: touch.place,
        }));
        let mut moved = Subject {
            project: project.to_owned(),
            label: label.to_owned(),
            shares,
            // Experiments of the new project know it by the label that it had there.
            is_renamed: old.is_renamed || share.is_some_and(|share| share.label != label),
            place: coming.place,
            ..old.clone()
        };
        let noted = self.note_renamed(&mut moved).await?;
        self.records.set(&keys::subject_label(project, label), &LabelRef { id: id.to_owned() }).await?;
        keep().await?;
        self.records.set(&keys::subject(id), &moved).await?;
        if !stays {
            self.forget_subject_label((&old.project, &old.label), id).await?;
        }
        let former = share.map(|share| share.label.as_str());
        if let Some(former) = former.filter(|former| !former.eq_ignore_ascii_case(label)) {
            let forgotten = self
                .with_lease(&lease_name(project, former), "the subject of this label", async |core| {
                    core.forget_subject_label((project, former), id).await
                })
                .await;
            unless_busy(forgotten)?;
        }
        from.settled(id, leaving).await?;
        if let Some(touch) = unsharing {
            shared.settled(id, touch).await?;
        }
        if let Some(touch) = sharing_back {
            shared_back.settled(id, touch).await?;
        }
        self.renamed_noted(&moved, noted).await?;
        to.settled(id, coming).await?;
        to.fold_if_long(&source).await?;
        Ok(moved)
    }
}
