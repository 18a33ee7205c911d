//! Giving an item that is shared with a project another label there.

use super::{Share, Sharing, already_there, not_there, unless_busy};
use crate::domain::Core;
use crate::domain::archive::experiment::lease_of;
use crate::domain::archive::subject::{LabelRef, lease_name};
use crate::domain::archive::{Experiment, Subject};
use crate::domain::error::DomainError;
use crate::storage::keys;

/// The new label that a request has for what is shared with a project already.
///
/// # Errors
/// [`DomainError::Conflict`] if the item belongs to the project, or is to keep its label there.
pub(super) fn wanted_label<'a>(
    own: &str,
    shares: &[Share],
    Sharing { project, label }: &'a Sharing,
) -> Result<&'a str, DomainError> {
    let present = super::share_with(shares, project).map(|share| share.label.as_str());
    match (present, label.as_deref()) {
        (Some(present), Some(wanted)) if present != wanted => Ok(wanted),
        (present, _) => Err(already_there(present.unwrap_or(own), project)),
    }
}

fn renamed(shares: &mut [Share], project: &str, label: &str, what: &str) -> Result<String, DomainError> {
    let share = shares.iter_mut().find(|share| share.project == project).ok_or_else(|| not_there(what, project))?;
    Ok(std::mem::replace(&mut share.label, label.to_owned()))
}

impl Core {
    /// Gives an experiment that is shared with a project another label there.
    pub(super) async fn relabel_experiment(
        &self,
        id: &str,
        (project, label): (&str, &str),
    ) -> Result<Experiment, DomainError> {
        let (changed, former) = self
            .with_experiment_and_label(id, (project, label), async |core, leases, mut experiment| {
                core.free_experiment_label(&experiment, project, label).await?;
                let what = format!("The experiment {:?}", experiment.label);
                let former = renamed(&mut experiment.shares, project, label, &what)?;
                // Until the record is written this label leads nowhere, and from then on the former one.
                core.records.set(&keys::experiment_label(project, label), &LabelRef { id: id.to_owned() }).await?;
                core.keep_both(leases, "this experiment").await?;
                core.records.set(&keys::experiment(id), &experiment).await?;
                Ok((experiment, former))
            })
            .await?;
        let forgotten = self
            .with_lease(&lease_of(project, &former), "the experiment of this label", async |core| {
                match core.experiment_by_id(id).await? {
                    Some(now) if now.label_in(project) == Some(&former) => Ok(()),
                    _ => Ok(core.forget_experiment_label((project, &former), id).await?),
                }
            })
            .await;
        unless_busy(forgotten)?;
        Ok(changed)
    }

    /// Gives a subject that is shared with a project another label there; its experiments that belong to that project
    /// are told.
    pub(super) async fn relabel_subject(
        &self,
        id: &str,
        (project, label): (&str, &str),
    ) -> Result<Subject, DomainError> {
        let (changed, former) = self
            .with_subject_and_label(id, (project, label), async |core, leases, mut subject| {
                core.demand_free_subject_label(&subject, (project, label)).await?;
                let what = format!("The subject {:?}", subject.label);
                let former = renamed(&mut subject.shares, project, label, &what)?;
                subject.is_renamed = true;
                let noted = core.note_renamed(&mut subject).await?;
                core.records.set(&keys::subject_label(project, label), &LabelRef { id: id.to_owned() }).await?;
                core.keep_both(leases, "the subject").await?;
                core.records.set(&keys::subject(id), &subject).await?;
                core.renamed_noted(&subject, noted).await?;
                Ok((subject, former))
            })
            .await?;
        let forgotten = self
            .with_lease(&lease_name(project, &former), "the subject of this label", async |core| {
                let now = core.subject_by_id(id).await?;
                let is_its_own = now
                    .is_some_and(|now| now.label_in(project).is_some_and(|label| label.eq_ignore_ascii_case(&former)));
                match is_its_own {
                    true => Ok(()),
                    false => core.forget_subject_label((project, &former), id).await,
                }
            })
            .await;
        unless_busy(forgotten)?;
        self.spread_label(changed).await
    }
}
