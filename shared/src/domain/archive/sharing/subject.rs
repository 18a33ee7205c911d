//! Sharing subjects.

use super::leases::BothLeases;
use super::relabel::wanted_label;
use super::{Share, Sharing, already_there, demand_room, label_used, not_there, share_with};
use crate::domain::Core;
use crate::domain::archive::Subject;
use crate::domain::archive::subject::LabelRef;
use crate::domain::archive::subject_change::check_item_label;
use crate::domain::error::DomainError;
use crate::storage::{Lease, keys};

impl Core {
    /// Shares a subject with a project. One that is shared with it already gets the new label, if another is given.
    ///
    /// # Errors
    /// As [`Core::share_experiment`].
    #[crate::boxed(?Send)]
    pub async fn share_subject(&self, id: &str, sharing: &Sharing) -> Result<Subject, DomainError> {
        let Sharing { project, label } = sharing;
        let found = self.subject_that_is(id).await?;
        if found.label_in(project).is_some() {
            let label = wanted_label(&found.label, &found.shares, sharing)?;
            return self.relabel_subject(id, (project, label)).await;
        }
        let label = label.clone().unwrap_or(found.label);
        self.with_subject_and_label(id, (project, &label), async |core, leases, subject| {
            if subject.label_in(project).is_some() {
                return Err(already_there(&subject.label, project));
            }
            core.write_subject_share(leases, subject, (project, &label)).await
        })
        .await
    }

    /// Refuses a label that a subject cannot have in a project.
    pub(super) async fn demand_free_subject_label(
        &self,
        subject: &Subject,
        (project, label): (&str, &str),
    ) -> Result<(), DomainError> {
        if label != subject.label {
            check_item_label(label)?;
        }
        if self.project_by_id(project).await?.is_none() {
            return Err(DomainError::not_found("project", project));
        }
        match self.find_subject(project, label).await? {
            Some(other) if other.id != subject.id => Err(label_used(label, project)),
            _ => Ok(()),
        }
    }

    async fn write_subject_share(
        &self,
        leases: &mut BothLeases,
        mut subject: Subject,
        (project, label): (&str, &str),
    ) -> Result<Subject, DomainError> {
        self.demand_free_subject_label(&subject, (project, label)).await?;
        demand_room(&subject.shares)?;
        let id = subject.id.clone();
        let (roster, source) = self.shared_subjects(project);
        let touch = roster.touch(&id, None).await?;
        subject.shares.push(Share { project: project.to_owned(), label: label.to_owned(), place: touch.place });
        self.records.set(&keys::subject_label(project, label), &LabelRef { id: id.clone() }).await?;
        self.keep_both(leases, "the subject").await?;
        self.records.set(&keys::subject(&id), &subject).await?;
        roster.settled(&id, touch).await?;
        roster.fold_if_long(&source).await?;
        Ok(subject)
    }

    /// Does something for which a subject must be in a project, while nobody takes it out of there. If it is not in it
    /// yet, it is shared with it under its own label; it stays so only if the work is done.
    pub(in crate::domain::archive) async fn with_subject_in<T>(
        &self,
        id: &str,
        project: &str,
        work: impl AsyncFnOnce(&Self, &mut Lease, Subject) -> Result<T, DomainError>,
    ) -> Result<T, DomainError> {
        let busy = || DomainError::Busy { what: "the subject".to_owned() };
        let found = self.subject_that_is(id).await?;
        if found.label_in(project).is_some() {
            let name = found.lease_name();
            let mut lease = self.leases.acquire_within(&name, self.patience_ms()).await?.ok_or_else(busy)?;
            let outcome = match self.subject_that_is(id).await {
                Ok(now) if now.lease_name() == name && now.label_in(project).is_some() => {
                    work(self, &mut lease, now).await
                }
                Ok(_) => Err(busy()),
                Err(error) => Err(error),
            };
            self.leases.release(lease).await?;
            return outcome;
        }
        self.with_subject_and_label(id, (project, &found.label), async |core, leases, subject| {
            if subject.label_in(project).is_some() {
                return Err(busy());
            }
            let subject = core.write_subject_share(leases, subject, (project, &found.label)).await?;
            let outcome = work(core, &mut leases.own, subject.clone()).await;
            if outcome.is_err() {
                core.take_out_subject(leases, subject, project).await?;
            }
            outcome
        })
        .await
    }

    /// Takes a subject out of a project that it is shared with.
    ///
    /// # Errors
    /// [`DomainError::NotFound`] if it is not, [`DomainError::Conflict`] while experiments of it are in the project,
    /// [`DomainError::Busy`], or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn unshare_subject(&self, id: &str, project: &str) -> Result<Subject, DomainError> {
        let found = self.subject_that_is(id).await?;
        let missing = || not_there(&format!("The subject {:?}", found.label), project);
        let label = share_with(&found.shares, project).ok_or_else(missing)?.label.clone();
        self.with_subject_and_label(id, (project, &label), async |core, leases, subject| {
            let has_own = !core.experiments_of_subject(project, id).await?.is_empty();
            let shared = core.list_shared_experiments(project).await?;
            if has_own || shared.iter().any(|experiment| experiment.subject_id == id) {
                return Err(DomainError::Conflict {
                    reason: format!(
                        "The subject {label} still has experiments in the project {project}; take them out of it first."
                    ),
                });
            }
            core.take_out_subject(leases, subject, project).await
        })
        .await
    }

    async fn take_out_subject(
        &self,
        leases: &mut BothLeases,
        mut subject: Subject,
        project: &str,
    ) -> Result<Subject, DomainError> {
        let missing = || not_there(&format!("The subject {:?}", subject.label), project);
        let share = share_with(&subject.shares, project).cloned().ok_or_else(missing)?;
        let (roster, source) = self.shared_subjects(project);
        let touch = roster.touch(&subject.id, Some(share.place)).await?;
        subject.shares.retain(|other| other.project != project);
        self.keep_both(leases, "the subject").await?;
        self.records.set(&keys::subject(&subject.id), &subject).await?;
        self.forget_subject_label((project, &share.label), &subject.id).await?;
        roster.settled(&subject.id, touch).await?;
        roster.fold_if_long(&source).await?;
        Ok(subject)
    }

    /// Removes a label if it leads to a subject, which is not there under it any more. Done under the label's lease.
    pub(super) async fn forget_subject_label(
        &self,
        (project, label): (&str, &str),
        id: &str,
    ) -> Result<(), DomainError> {
        let key = keys::subject_label(project, label);
        if self.records.get::<LabelRef>(&key).await?.is_some_and(|found| found.id == id) {
            self.records.delete(&key).await?;
        }
        Ok(())
    }
}
