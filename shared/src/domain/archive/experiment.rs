//! Experiments: the sessions of the archive.

use serde::{Deserialize, Serialize};

use super::subject::LabelRef;
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::domain::resource::ItemResource;
use crate::domain::user_cache;
use crate::imaging::Field;
use crate::imaging::types::SessionType;
use crate::storage::roster::RowSource;
use crate::storage::{Record, Roster, Store, StoreError, keys};

/// An archived session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Experiment {
    /// Its identifier, such as `XNAT_E00001`.
    pub id: String,
    /// The project it belongs to.
    pub project: String,
    /// Its label in that project.
    pub label: String,
    /// Its subject's identifier.
    pub subject_id: String,
    /// Its subject's label.
    pub subject_label: String,
    /// Its data type.
    pub xsi_type: SessionType,
    /// StudyInstanceUID.
    pub uid: String,
    /// StudyDate as `yyyy-MM-dd`, or empty.
    pub date: String,
    /// The manifest of its present revision.
    pub manifest: String,
    /// The session of the prearchive it was; its packs are owned under this name.
    pub content: String,
    /// The sessions that were merged into it since; packs are owned under these names as well. Lists leave them out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged: Vec<String>,
    /// `active`, `quarantine`, ...
    pub status: String,
    /// Fields that somebody has set; they stand before what the headers say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
    /// Visit and protocol, as the upload gave them.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub visit: String,
    /// See `visit`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub protocol: String,
    /// When it was archived, in milliseconds since the epoch.
    pub insert_ms: u64,
    /// Who archived it.
    pub insert_user: String,
    /// Its own resources, beside those of its scans; lists leave them out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<ItemResource>,
    /// Its place in the project's list.
    pub place: u64,
}

impl Record for Experiment {
    const VERSION: u32 = 1;
}

impl Experiment {
    /// The names under which its packs are owned.
    pub fn owners(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.content.as_str()).chain(self.merged.iter().map(String::as_str))
    }

    /// Whether packs that are owned under this name are its own.
    pub(super) fn owns_as(&self, name: &str) -> bool {
        self.owners().any(|own| own == name)
    }

    /// The session that became part of it last.
    pub(super) fn last_content(&self) -> &str {
        self.merged.last().unwrap_or(&self.content)
    }

    /// When it was changed last, in milliseconds since the epoch.
    pub fn last_modified_ms(&self) -> u64 {
        self.insert_ms
    }
}

/// The lease under which the experiment of a label is made, changed and removed.
pub(super) fn label_lease(experiment: &Experiment) -> String {
    lease_of(&experiment.project, &experiment.label)
}

/// The same by its parts.
pub(super) fn lease_of(project: &str, label: &str) -> String {
    format!("experiment/{project}/{label}")
}

impl<S: Store> Core<S> {
    pub(super) fn experiment_roster(&self, project: &str) -> (Roster<S>, impl RowSource<Experiment>) {
        let records = self.records.clone();
        let source = move |id: String, place| {
            let records = records.clone();
            async move {
                let found: Option<Experiment> = records.get(&keys::experiment(&id)).await?;
                let found = found.filter(|found| found.place == place);
                Ok(found.map(|found| Experiment { resources: Vec::new(), merged: Vec::new(), ..found }))
            }
        };
        (self.roster(format!("experiments/{project}")), source)
    }

    /// The experiments of a project, oldest first.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn list_experiments(&self, project: &str) -> Result<Vec<Experiment>, StoreError> {
        let (roster, source) = self.experiment_roster(project);
        let rows = roster.list(&source).await?;
        roster.fold_if_long(&source).await?;
        Ok(rows.into_iter().map(|listed| listed.row).collect())
    }

    /// The experiment of this identifier.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn experiment_by_id(&self, id: &str) -> Result<Option<Experiment>, StoreError> {
        self.records.get(&keys::experiment(id)).await
    }

    /// The experiment that has this label in a project.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn experiment_by_label(&self, project: &str, label: &str) -> Result<Option<Experiment>, StoreError> {
        let reference: Option<LabelRef> = self.records.get(&keys::experiment_label(project, label)).await?;
        let Some(reference) = reference else { return Ok(None) };
        let found = self.experiment_by_id(&reference.id).await?;
        Ok(found.filter(|found| found.project == project && found.label == label))
    }

    /// The experiment of this identifier or label, in a project if one is named.
    ///
    /// # Errors
    /// [`DomainError::NotFound`] or the store's failure.
    pub async fn experiment(&self, project: Option<&str>, name: &str) -> Result<Experiment, DomainError> {
        let found = match project {
            Some(project) => match self.experiment_by_label(project, name).await? {
                Some(found) => Some(found),
                None => self.experiment_by_id(name).await?.filter(|found| found.project == project),
            },
            None => self.experiment_by_id(name).await?,
        };
        found.ok_or_else(|| DomainError::not_found("experiment", name))
    }

    /// Whether an experiment exists that has the files of this session of the prearchive.
    pub(crate) async fn has_content(&self, experiment: &str, session: &str) -> Result<bool, StoreError> {
        Ok(self.experiment_by_id(experiment).await?.is_some_and(|found| found.owns_as(session)))
    }

    /// Whether files owned under this name are still somebody's: a session's of the prearchive, an experiment's, or a
    /// user's who keeps them in the cache.
    ///
    /// # Errors
    /// The store's failure.
    pub(crate) async fn content_is_alive(&self, content: &str) -> Result<bool, StoreError> {
        if let Some(login) = user_cache::login_of(content) {
            return Ok(self.records.store().get(keys::user_cache(login).as_str()).await?.is_some());
        }
        if self.records.store().get(keys::session(content).as_str()).await?.is_some() {
            return Ok(true);
        }
        Ok(self.experiment_of(content).await?.is_some())
    }

    /// The experiment that has the files owned under this name.
    pub(crate) async fn experiment_of(&self, content: &str) -> Result<Option<Experiment>, StoreError> {
        let reference: Option<LabelRef> = self.records.get(&keys::content(content)).await?;
        let Some(reference) = reference else { return Ok(None) };
        Ok(self.experiment_by_id(&reference.id).await?.filter(|found| found.owns_as(content)))
    }
}
