//! Experiments: the sessions of the archive.

use serde::{Deserialize, Serialize};

use super::experiment_type::ExperimentType;
use super::sharing::Share;
use super::staged::{Staged, read_experiment};
use super::subject::LabelRef;
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::domain::resource::ItemResource;
use crate::domain::shelf::ShelvedScan;
use crate::domain::shelf::placed::Placed;
use crate::domain::{shelf, triage, user_cache};
use crate::imaging::Field;
use crate::storage::roster::RowSource;
use crate::storage::{Lease, Record, Roster, StoreError, keys};

/// An archived session, or an assessor of one.
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
    pub xsi_type: ExperimentType,
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
    /// Catalogs of its own resources that were removed and are to be cleared away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discarded: Vec<String>,
    /// Files that were put by hand beside its own resources, and wait until they are taken up; lists leave them out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub placed: Vec<Placed>,
    /// The scans that may have a shelf: resources with a changeable catalog.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shelved_scans: Vec<ShelvedScan>,
    /// Manifests that are its own no more, or not yet, and are to be removed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub superseded: Vec<String>,
    /// The other projects that it is in; lists leave them out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shares: Vec<Share>,
    /// The session that it is an assessor of, by its identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assessed: Option<String>,
    /// The identifiers of its assessors; one that is not there was about to be made, or was removed. Lists leave them out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assessors: Vec<String>,
    /// The XAR with assessors that was made part of it last, by its identifier; lists leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<String>,
    /// What becomes of an assessor when the XAR that it came with is made part of its session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staged: Option<Box<Staged>>,
    /// When it was changed last, in milliseconds since the epoch; 0 if it has not been since it was archived.
    #[serde(default)]
    pub changed_ms: u64,
    /// Its place in the project's list.
    pub place: u64,
}

/// The status of an experiment that everybody may use who may read its project.
pub const ACTIVE: &str = "active";

/// The status of an experiment whose content is to be reviewed first.
pub const QUARANTINE: &str = "quarantine";

/// The status of an experiment that nobody may change.
pub const LOCKED: &str = "locked";

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
        self.changed_ms.max(self.insert_ms)
    }

    /// As lists show it.
    fn listed(self) -> Self {
        let (resources, discarded, placed, shelved_scans) = Default::default();
        let (superseded, merged, shares, assessors) = Default::default();
        let taken = None;
        Self { resources, discarded, placed, shelved_scans, superseded, merged, shares, assessors, taken, ..self }
    }

    /// Whether it is hidden from those who only read its project.
    pub fn is_quarantined(&self) -> bool {
        self.status == QUARANTINE
    }

    /// Refuses a change while it is locked.
    pub(crate) fn demand_unlocked(&self) -> Result<(), DomainError> {
        if self.status != LOCKED {
            return Ok(());
        }
        Err(DomainError::Refused {
            what: "The experiment is locked and cannot be changed; unlock it first (unlock=true).".to_owned(),
        })
    }

    /// The lease under which the experiment of this label is made, changed and removed.
    pub(crate) fn lease_name(&self) -> String {
        lease_of(&self.project, &self.label)
    }
}

/// The lease under which the experiment of a label is made, changed and removed.
pub(super) fn lease_of(project: &str, label: &str) -> String {
    format!("experiment/{project}/{label}")
}

impl Core {
    pub(super) fn experiment_roster(&self, project: &str) -> (Roster, impl RowSource<Experiment>) {
        let (records, of) = (self.records.clone(), project.to_owned());
        let source = move |id: String, place| {
            let (records, of) = (records.clone(), of.clone());
            async move {
                let found = read_experiment(&records, &id).await?;
                let found = found.filter(|found| found.place == place && found.project == of);
                Ok(found.map(Experiment::listed))
            }
        };
        (self.roster(format!("experiments/{project}")), source)
    }

    /// The experiments that belong to a project, oldest first.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
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
    #[crate::boxed(?Send)]
    pub async fn experiment_by_id(&self, id: &str) -> Result<Option<Experiment>, StoreError> {
        read_experiment(&self.records, id).await
    }

    /// The experiment that has this label in a project, whether it belongs to it or is shared with it.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn experiment_by_label(&self, project: &str, label: &str) -> Result<Option<Experiment>, StoreError> {
        let reference: Option<LabelRef> = self.records.get(&keys::experiment_label(project, label)).await?;
        let Some(reference) = reference else { return Ok(None) };
        let found = self.experiment_by_id(&reference.id).await?;
        Ok(found.filter(|found| found.label_in(project) == Some(label)))
    }

    /// The experiment of this identifier or label, in a project if one is named: one that belongs to it or is shared with
    /// it.
    ///
    /// # Errors
    /// [`DomainError::NotFound`] or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn experiment(&self, project: Option<&str>, name: &str) -> Result<Experiment, DomainError> {
        let found = match project {
            Some(project) => match self.experiment_by_label(project, name).await? {
                Some(found) => Some(found),
                None => self.experiment_by_id(name).await?.filter(|found| found.label_in(project).is_some()),
            },
            None => self.experiment_by_id(name).await?,
        };
        found.ok_or_else(|| DomainError::not_found("experiment", name))
    }

    /// Stores a changed experiment, whose lease the caller holds, and shows the change in the list.
    pub(crate) async fn store_experiment(
        &self,
        lease: &mut Lease,
        experiment: &mut Experiment,
    ) -> Result<(), DomainError> {
        let (roster, source) = self.experiment_roster(&experiment.project);
        let touch = roster.touch(&experiment.id, Some(experiment.place)).await?;
        experiment.changed_ms = self.clock.now_ms();
        self.set_experiment(lease, experiment).await?;
        roster.settled(&experiment.id, touch).await?;
        if Roster::is_long_at(touch.slot) {
            roster.fold_if_long(&source).await?;
        }
        Ok(())
    }

    /// Stores an experiment of which nothing has changed that lists show.
    pub(crate) async fn set_experiment(&self, lease: &mut Lease, experiment: &Experiment) -> Result<(), DomainError> {
        if !self.leases.keep(lease).await? {
            return Err(DomainError::Busy { what: "this experiment".to_owned() });
        }
        Ok(self.records.set(&keys::experiment(&experiment.id), experiment).await?)
    }

    /// Whether an experiment exists that has the files of this session of the prearchive.
    pub(crate) async fn has_content(&self, experiment: &str, session: &str) -> Result<bool, StoreError> {
        Ok(self.experiment_by_id(experiment).await?.is_some_and(|found| found.owns_as(session)))
    }

    /// Whether files owned under this name are still somebody's: a session's of the prearchive, an experiment's, a
    /// user's who keeps them in the cache, those of a folder of the quarantine or of who took them over.
    ///
    /// # Errors
    /// The store's failure.
    pub(crate) async fn content_is_alive(&self, content: &str) -> Result<bool, StoreError> {
        if !triage::is_folder(content) {
            return self.item_is_alive(content).await;
        }
        if self.folder_of_owner(content).await?.is_some() {
            return Ok(true);
        }
        match self.heir_of_owner(content).await? {
            Some(heir) => self.item_is_alive(&heir).await,
            None => Ok(false),
        }
    }

    pub(crate) async fn item_is_alive(&self, content: &str) -> Result<bool, StoreError> {
        if let Some(login) = user_cache::login_of(content) {
            return Ok(self.records.store().get(keys::user_cache(login).as_str()).await?.is_some());
        }
        if let Some(item) = shelf::item_of(content) {
            return Ok(self.records.store().get(item.as_str()).await?.is_some());
        }
        if self.records.store().get(keys::session(content).as_str()).await?.is_some() {
            return Ok(true);
        }
        Ok(self.experiment_of(content).await?.is_some())
    }

    /// Whether two names under which packs are owned stand for the same item: those of sessions that became the same
    /// experiment do, and those of folders of the quarantine that it took over.
    ///
    /// # Errors
    /// The store's failure.
    pub(crate) async fn is_same_owner(&self, one: &str, other: &str) -> Result<bool, StoreError> {
        if one == other {
            return Ok(true);
        }
        let (one, other) = (&self.present_owner(one).await?, &self.present_owner(other).await?);
        if one == other {
            return Ok(true);
        }
        let reference = async |name| self.records.get::<LabelRef>(&keys::content(name)).await;
        let (Some(first), Some(second)) = (reference(one).await?, reference(other).await?) else { return Ok(false) };
        if first.id != second.id {
            return Ok(false);
        }
        // A session that was to be merged has its reference before it is; of an experiment that is gone the references
        // are all that is left.
        let experiment = self.experiment_by_id(&first.id).await?;
        Ok(experiment.is_none_or(|experiment| experiment.owns_as(one) && experiment.owns_as(other)))
    }

    /// The experiment that has the files owned under this name.
    pub(crate) async fn experiment_of(&self, content: &str) -> Result<Option<Experiment>, StoreError> {
        let reference: Option<LabelRef> = self.records.get(&keys::content(content)).await?;
        let Some(reference) = reference else { return Ok(None) };
        Ok(self.experiment_by_id(&reference.id).await?.filter(|found| found.owns_as(content)))
    }
}
