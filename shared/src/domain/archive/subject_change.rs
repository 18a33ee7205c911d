//! Making and changing subjects.

use std::collections::BTreeMap;

use super::subject::{LabelRef, Subject, lease_name};
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::domain::ids::{MAX_NAME_BYTES, clean_label};
use crate::storage::roster::{RowSource, Touch};
use crate::storage::{Lease, Roster, StoreError, keys};

/// The list of renamed subjects.
const RENAMED: &str = "renamed-subjects";

/// Bytes of one field, at most.
const MAX_FIELD_BYTES: usize = 255;

/// What is to be changed of a subject.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubjectChange {
    /// A new label.
    pub label: Option<String>,
    /// Fields by XNAT's short names; an empty text takes a field away.
    pub fields: BTreeMap<String, String>,
}

/// A label that a subject or experiment may have: XNAT's rule, letters, digits, `_` and `-`.
///
/// # Errors
/// [`DomainError::Invalid`].
pub fn check_item_label(text: &str) -> Result<(), DomainError> {
    if !text.is_empty() && text.len() <= MAX_NAME_BYTES && clean_label(text) == text {
        return Ok(());
    }
    Err(DomainError::Invalid {
        what: format!(
            "Invalid character in the label. Use 1 to {MAX_NAME_BYTES} letters, digits, underscores or hyphens."
        ),
    })
}

fn check_fields(fields: &BTreeMap<String, String>) -> Result<(), DomainError> {
    for (name, value) in fields {
        if value.len() > MAX_FIELD_BYTES || value.chars().any(char::is_control) {
            return Err(DomainError::Invalid {
                what: format!("The field {name} may have at most {MAX_FIELD_BYTES} bytes and no control characters."),
            });
        }
    }
    Ok(())
}

impl Core {
    /// Makes a subject of a label that is not used in its project yet.
    ///
    /// # Errors
    /// [`DomainError::Exists`], [`DomainError::Invalid`], [`DomainError::Busy`], or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn create_subject(
        &self,
        project: &str,
        label: &str,
        change: &SubjectChange,
        by: &str,
    ) -> Result<Subject, DomainError> {
        check_item_label(label)?;
        check_fields(&change.fields)?;
        self.with_lease(&lease_name(project, label), "the subject", async |core| {
            if core.find_subject(project, label).await?.is_some() {
                return Err(DomainError::Exists { what: format!("the subject {label:?} of the project") });
            }
            if core.project_by_id(project).await?.is_none() {
                return Err(DomainError::not_found("project", project));
            }
            core.make_subject(project, label, &change.fields, by).await
        })
        .await
    }

    /// Changes a subject.
    ///
    /// # Errors
    /// [`DomainError::NotFound`], [`DomainError::Conflict`] if the new label is another subject's,
    /// [`DomainError::Invalid`], [`DomainError::Busy`], or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn change_subject(&self, found: &Subject, change: &SubjectChange) -> Result<Subject, DomainError> {
        check_fields(&change.fields)?;
        let new_label = change.label.as_deref().unwrap_or(&found.label);
        if new_label != found.label {
            check_item_label(new_label)?;
        }
        let (old, new) = (found.lease_name(), lease_name(&found.project, new_label));
        // Two leases are taken in one order by everybody.
        let (first, second) = if old <= new { (&old, &new) } else { (&new, &old) };
        let subject = self
            .with_lease(first, "the subject", async |core| {
                if first == second {
                    return core.change_held_subject(found, new_label, &change.fields).await;
                }
                core.with_lease(second, "the subject", async |core| {
                    core.change_held_subject(found, new_label, &change.fields).await
                })
                .await
            })
            .await?;
        if !subject.is_renamed {
            return Ok(subject);
        }
        self.spread_label(subject).await
    }

    async fn change_held_subject(
        &self,
        found: &Subject,
        label: &str,
        fields: &BTreeMap<String, String>,
    ) -> Result<Subject, DomainError> {
        let missing = || DomainError::not_found("subject", &found.label);
        let mut subject = self
            .subject_by_id(&found.id)
            .await?
            .filter(|now| now.lease_name() == found.lease_name())
            .ok_or_else(missing)?;
        if subject.label != label {
            if self.find_subject(&subject.project, label).await?.is_some_and(|other| other.id != subject.id) {
                return Err(DomainError::Conflict {
                    reason: format!("The label {label:?} is used by another subject of the project."),
                });
            }
            subject.label = label.to_owned();
            subject.is_renamed = true;
        }
        for (name, value) in fields {
            match value.is_empty() {
                true => subject.fields.remove(name),
                false => subject.fields.insert(name.clone(), value.clone()),
            };
        }
        subject.changed_ms = self.clock.now_ms();
        let noted = self.note_renamed(&mut subject).await?;
        let (roster, source) = self.subject_roster(&found.project);
        let touch = roster.touch(&subject.id, Some(subject.place)).await?;
        // A label that leads to a subject of another one leads nowhere: so neither is used before the record is written.
        let reference = LabelRef { id: subject.id.clone() };
        self.records.set(&keys::subject_label(&subject.project, &subject.label), &reference).await?;
        self.records.set(&keys::subject(&subject.id), &subject).await?;
        roster.settled(&subject.id, touch).await?;
        roster.fold_if_long(&source).await?;
        self.renamed_noted(&subject, noted).await?;
        let (old, new) = (found.label.to_lowercase(), subject.label.to_lowercase());
        if old != new {
            self.records.delete(&keys::subject_label(&subject.project, &found.label)).await?;
        }
        Ok(subject)
    }

    /// Puts a renamed subject, whose record is about to be written, into the list of those. Gives what
    /// [`Core::renamed_noted`] wants afterwards.
    pub(super) async fn note_renamed(&self, subject: &mut Subject) -> Result<Option<Touch>, StoreError> {
        if !subject.is_renamed {
            return Ok(None);
        }
        let (renamed, _) = self.renamed_roster();
        let noted = renamed.touch(&subject.id, Some(subject.renamed_place).filter(|place| *place > 0)).await?;
        subject.renamed_place = noted.place;
        Ok(Some(noted))
    }

    /// The record of a renamed subject has been written.
    pub(super) async fn renamed_noted(&self, subject: &Subject, noted: Option<Touch>) -> Result<(), StoreError> {
        match noted {
            Some(noted) => self.renamed_roster().0.settled(&subject.id, noted).await,
            None => Ok(()),
        }
    }

    /// The subjects whose experiments may still name them by their former labels.
    fn renamed_roster(&self) -> (Roster, impl RowSource<()>) {
        let records = self.records.clone();
        let source = move |id: String, place| {
            let records = records.clone();
            async move {
                let found: Option<Subject> = records.get(&keys::subject(&id)).await?;
                Ok(found.filter(|found| found.is_renamed && found.renamed_place == place).map(drop))
            }
        };
        (self.roster(RENAMED), source)
    }

    /// Tells the experiments of renamed subjects the new labels, where whoever renamed them did not come to that.
    ///
    /// # Errors
    /// The store's failure; to be called again then.
    pub(crate) async fn finish_renamed_subjects(&self) -> Result<(), DomainError> {
        let (roster, source) = self.renamed_roster();
        for listed in roster.list(&source).await? {
            let id = listed.member.as_str();
            let found = self.subject_by_id(id).await?.filter(|found| found.is_renamed);
            let Some(subject) = found else {
                let touch = roster.touch(id, Some(listed.place)).await?;
                roster.settled(id, touch).await?;
                continue;
            };
            match self.spread_label(subject).await {
                Ok(_) | Err(DomainError::Busy { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        roster.fold_if_long(&source).await?;
        Ok(())
    }

    /// Tells the experiments of a subject its new label. Should this be cut off, the sweep goes on.
    pub(super) async fn spread_label(&self, subject: Subject) -> Result<Subject, DomainError> {
        let mut experiments = Vec::new();
        for project in subject.projects() {
            experiments.extend(self.experiments_of_subject(project, &subject.id).await?);
        }
        for listed in experiments {
            if Some(listed.subject_label.as_str()) == subject.label_in(&listed.project) {
                continue;
            }
            let changed = self
                .with_experiment(&listed.id, async |core, lease: &mut Lease, mut experiment| {
                    let label = subject.called_in(&experiment.project);
                    experiment.subject_label = label.to_owned();
                    core.store_experiment(lease, &mut experiment).await
                })
                .await;
            match changed {
                Err(DomainError::NotFound { .. }) => {}
                changed => changed?,
            }
        }
        self.with_lease(&subject.lease_name(), "the subject", async |core| {
            let is_same = |now: &Subject| now.label == subject.label && now.shares == subject.shares;
            let Some(now) = core.subject_by_id(&subject.id).await?.filter(is_same) else {
                return Ok(subject.clone());
            };
            let settled = Subject { is_renamed: false, renamed_place: 0, ..now.clone() };
            let (renamed, _) = core.renamed_roster();
            let noted = renamed.touch(&now.id, Some(now.renamed_place).filter(|place| *place > 0)).await?;
            let (roster, _) = core.subject_roster(&settled.project);
            let touch = roster.touch(&settled.id, Some(settled.place)).await?;
            core.records.set(&keys::subject(&settled.id), &settled).await?;
            roster.settled(&settled.id, touch).await?;
            renamed.settled(&settled.id, noted).await?;
            Ok(settled)
        })
        .await
    }
}
