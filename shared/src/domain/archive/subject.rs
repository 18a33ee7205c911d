//! Subjects.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::sharing::Share;
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::storage::roster::RowSource;
use crate::storage::{Record, Roster, StoreError, keys};

/// A subject.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Subject {
    /// Its identifier, such as `XNAT_S00001`.
    pub id: String,
    /// The project it belongs to.
    pub project: String,
    /// Its label in that project.
    pub label: String,
    /// When it was made, in milliseconds since the epoch.
    pub insert_ms: u64,
    /// Who made it.
    pub insert_user: String,
    /// What is said of it, by XNAT's short names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
    /// Whether experiments may still name it by its former label.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_renamed: bool,
    /// Its place in the list of those of whom that is so; 0 if it is not in there.
    #[serde(default)]
    pub renamed_place: u64,
    /// The other projects that it is in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shares: Vec<Share>,
    /// When it was changed last, in milliseconds since the epoch; 0 if it has not been since it was made.
    #[serde(default)]
    pub changed_ms: u64,
    /// Its place in the project's list.
    pub place: u64,
}

impl Record for Subject {
    const VERSION: u32 = 1;
}

impl Subject {
    /// When it was changed last, in milliseconds since the epoch.
    pub fn last_modified_ms(&self) -> u64 {
        self.changed_ms.max(self.insert_ms)
    }

    /// The lease under which the subject of this label is made, changed and removed.
    pub(crate) fn lease_name(&self) -> String {
        lease_name(&self.project, &self.label)
    }
}

pub(super) fn lease_name(project: &str, label: &str) -> String {
    format!("subject/{project}/{}", label.to_lowercase())
}

/// Which item a label stands for.
#[derive(Serialize, Deserialize)]
pub(super) struct LabelRef {
    pub id: String,
}

impl Record for LabelRef {
    const VERSION: u32 = 1;
}

impl Core {
    pub(super) fn subject_roster(&self, project: &str) -> (Roster, impl RowSource<Subject>) {
        let (records, of) = (self.records.clone(), project.to_owned());
        let source = move |id: String, place| {
            let (records, of) = (records.clone(), of.clone());
            async move {
                let found: Option<Subject> = records.get(&keys::subject(&id)).await?;
                Ok(found.filter(|found| found.place == place && found.project == of))
            }
        };
        (self.roster(format!("subjects/{project}")), source)
    }

    /// The subjects that belong to a project, oldest first.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn list_subjects(&self, project: &str) -> Result<Vec<Subject>, StoreError> {
        let (roster, source) = self.subject_roster(project);
        let rows = roster.list(&source).await?;
        roster.fold_if_long(&source).await?;
        Ok(rows.into_iter().map(|listed| listed.row).collect())
    }

    /// The subject of this identifier.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn subject_by_id(&self, id: &str) -> Result<Option<Subject>, StoreError> {
        self.records.get(&keys::subject(id)).await
    }

    /// The subject that has this label, matched without case, or this identifier in a project, whether it belongs to it or
    /// is shared with it.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn find_subject(&self, project: &str, name: &str) -> Result<Option<Subject>, StoreError> {
        if let Some(reference) = self.records.get::<LabelRef>(&keys::subject_label(project, name)).await? {
            let found = self.subject_by_id(&reference.id).await?;
            let is_named =
                |found: &Subject| found.label_in(project).is_some_and(|label| label.eq_ignore_ascii_case(name));
            if let Some(subject) = found.filter(is_named) {
                return Ok(Some(subject));
            }
        }
        Ok(self.subject_by_id(name).await?.filter(|found| found.label_in(project).is_some()))
    }

    /// The subject of this label in a project; it is made if there is none.
    ///
    /// # Errors
    /// [`DomainError::Busy`] or the store's failure.
    pub(super) async fn subject_for(&self, project: &str, label: &str, by: &str) -> Result<Subject, DomainError> {
        if let Some(subject) = self.find_subject(project, label).await? {
            return Ok(subject);
        }
        self.with_lease(&lease_name(project, label), "the subject", async |core| {
            if let Some(subject) = core.find_subject(project, label).await? {
                return Ok(subject);
            }
            core.make_subject(project, label, &BTreeMap::new(), by).await
        })
        .await
    }

    /// Makes a subject of a label whose lease the caller holds.
    pub(super) async fn make_subject(
        &self,
        project: &str,
        label: &str,
        fields: &BTreeMap<String, String>,
        by: &str,
    ) -> Result<Subject, DomainError> {
        let id = self.new_item_id('S').await?;
        let (roster, _) = self.subject_roster(project);
        let touch = roster.touch(&id, None).await?;
        let subject = Subject {
            id: id.clone(),
            project: project.to_owned(),
            label: label.to_owned(),
            insert_ms: self.clock.now_ms(),
            insert_user: by.to_owned(),
            fields: fields.iter().filter(|(_, value)| !value.is_empty()).map(|(k, v)| (k.clone(), v.clone())).collect(),
            is_renamed: false,
            shares: Vec::new(),
            renamed_place: 0,
            changed_ms: 0,
            place: touch.place,
        };
        self.records.set(&keys::subject_label(project, label), &LabelRef { id: id.clone() }).await?;
        self.records.set(&keys::subject(&id), &subject).await?;
        roster.settled(&id, touch).await?;
        Ok(subject)
    }

    /// A new identifier: the site, the kind (`S` subjects, `E` experiments), and a number that is never used again.
    pub(super) async fn new_item_id(&self, kind: char) -> Result<String, StoreError> {
        let prefix = format!("{}_{kind}", self.settings.site_id);
        let number = self.records.increment(&keys::sequence(&prefix), 1).await?;
        Ok(format!("{prefix}{number:05}"))
    }
}
