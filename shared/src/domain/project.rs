//! Projects.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Core;
use super::access::{Accessibility, ProjectRole};
use super::error::DomainError;
use super::ids::ProjectId;
use crate::storage::roster::RowSource;
use crate::storage::{Record, Roster, Store, StoreError, keys};

/// What becomes of a session that has been uploaded to a project (XNAT's `prearchive_code`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub enum PrearchiveCode {
    /// 0: it stays in the prearchive until somebody archives it.
    Manual,
    /// 1: as 0; the older way to say that the upload's own wish decides.
    ByUpload,
    /// 4: it is archived; equal files are not replaced.
    AutoArchive,
    /// 5: it is archived; equal files are replaced.
    AutoArchiveOverwrite,
}

impl From<PrearchiveCode> for u8 {
    fn from(code: PrearchiveCode) -> u8 {
        match code {
            PrearchiveCode::Manual => 0,
            PrearchiveCode::ByUpload => 1,
            PrearchiveCode::AutoArchive => 4,
            PrearchiveCode::AutoArchiveOverwrite => 5,
        }
    }
}

impl TryFrom<u8> for PrearchiveCode {
    type Error = String;

    fn try_from(code: u8) -> Result<Self, String> {
        match code {
            0 => Ok(Self::Manual),
            1 => Ok(Self::ByUpload),
            4 => Ok(Self::AutoArchive),
            5 => Ok(Self::AutoArchiveOverwrite),
            other => Err(format!("{other} is no prearchive code")),
        }
    }
}

impl PrearchiveCode {
    /// The code that a client wrote: 0, 1, 4 or 5, or `true` and `false` for 1 and 0.
    ///
    /// # Errors
    /// [`DomainError::Invalid`] for anything else.
    pub fn parse(text: &str) -> Result<Self, DomainError> {
        match text {
            "0" | "false" => Ok(Self::Manual),
            "1" | "true" => Ok(Self::ByUpload),
            "4" => Ok(Self::AutoArchive),
            "5" => Ok(Self::AutoArchiveOverwrite),
            other => Err(DomainError::Invalid {
                what: format!(
                    "The submitted code {} is invalid: it must be 0 (stays in the prearchive), 1, 4 (archived, nothing \
                     overwritten) or 5 (archived, files overwritten).",
                    other.chars().take(40).collect::<String>().escape_default()
                ),
            }),
        }
    }

    /// Whether sessions are archived by themselves.
    pub fn archives(self) -> bool {
        matches!(self, Self::AutoArchive | Self::AutoArchiveOverwrite)
    }
}

/// What can be said of a project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectFields {
    /// Its title; the identifier if nothing else was given.
    pub name: String,
    /// Its running title; the identifier if nothing else was given.
    pub secondary_id: String,
    /// What it is about.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Words it can be found by.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub keywords: String,
    /// The principal investigator's first name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub pi_firstname: String,
    /// The principal investigator's last name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub pi_lastname: String,
}

/// Changes to a project's fields: what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct ProjectChange {
    /// See [`ProjectFields::name`].
    pub name: Option<String>,
    /// See [`ProjectFields::secondary_id`].
    pub secondary_id: Option<String>,
    /// See [`ProjectFields::description`].
    pub description: Option<String>,
    /// See [`ProjectFields::keywords`].
    pub keywords: Option<String>,
    /// See [`ProjectFields::pi_firstname`].
    pub pi_firstname: Option<String>,
    /// See [`ProjectFields::pi_lastname`].
    pub pi_lastname: Option<String>,
}

/// A project.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Project {
    /// Its identifier.
    pub id: ProjectId,
    /// What is said of it.
    pub fields: ProjectFields,
    /// What becomes of uploads.
    pub prearchive_code: PrearchiveCode,
    /// What those see who have no role in it.
    #[serde(default)]
    pub accessibility: Accessibility,
    /// Who has which role, by login name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub members: BTreeMap<String, ProjectRole>,
    /// When it was made, in milliseconds since the epoch.
    pub created_ms: u64,
    /// Who made it.
    pub created_by: String,
    /// Its place in the list of projects.
    pub place: u64,
}

impl Record for Project {
    const VERSION: u32 = 1;
}

const ROSTER: &str = "projects";

impl<S: Store> Core<S> {
    fn projects(&self) -> (Roster<S>, impl RowSource<Project>) {
        let records = self.records.clone();
        let source = move |id: String, place| {
            let records = records.clone();
            async move {
                let found: Option<Project> = records.get(&keys::project(&id)).await?;
                Ok(found.filter(|found| found.place == place))
            }
        };
        (self.roster(ROSTER), source)
    }

    /// All projects, oldest first.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn list_projects(&self) -> Result<Vec<Project>, StoreError> {
        let (roster, source) = self.projects();
        Ok(roster.list(&source).await?.into_iter().map(|listed| listed.row).collect())
    }

    /// The project of this identifier.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn find_project(&self, id: &str) -> Result<Option<Project>, StoreError> {
        self.records.get(&keys::project(id)).await
    }

    /// The project of this identifier, which must exist.
    ///
    /// # Errors
    /// [`DomainError::NotFound`] or the store's failure.
    pub async fn project(&self, id: &str) -> Result<Project, DomainError> {
        self.find_project(id).await?.ok_or_else(|| DomainError::not_found("project", id))
    }

    /// Makes the project or changes its fields. Gives whether it was made.
    ///
    /// # Errors
    /// [`DomainError::Exists`] if another project has the title or running title, or the store's failure.
    pub async fn put_project(&self, id: &ProjectId, change: ProjectChange, by: &str) -> Result<bool, DomainError> {
        // One lease for all projects: titles are unique over the site, and projects are made seldom.
        self.with_lease("projects", "the list of projects", async |core| {
            let old = core.find_project(id.as_str()).await?;
            let mut fields = old.as_ref().map_or_else(
                || ProjectFields { name: id.to_string(), secondary_id: id.to_string(), ..Default::default() },
                |old| old.fields.clone(),
            );
            for (field, value) in [
                (&mut fields.name, change.name),
                (&mut fields.secondary_id, change.secondary_id),
                (&mut fields.description, change.description),
                (&mut fields.keywords, change.keywords),
                (&mut fields.pi_firstname, change.pi_firstname),
                (&mut fields.pi_lastname, change.pi_lastname),
            ] {
                if let Some(value) = value {
                    *field = checked_text(&value)?;
                }
            }
            if old.as_ref().is_some_and(|old| old.fields == fields) {
                return Ok(false);
            }
            for other in core.list_projects().await? {
                let clashes = other.fields.name == fields.name || other.fields.secondary_id == fields.secondary_id;
                if other.id != *id && clashes {
                    return Err(DomainError::Exists { what: format!("a project with the same title, {},", other.id) });
                }
            }
            let (roster, source) = core.projects();
            let touch = roster.touch(id.as_str(), old.as_ref().map(|old| old.place)).await?;
            let is_new = old.is_none();
            let project = match old {
                Some(old) => Project { fields, ..old },
                None => Project {
                    id: id.clone(),
                    fields,
                    prearchive_code: PrearchiveCode::try_from(core.settings.default_prearchive_code)
                        .unwrap_or(PrearchiveCode::Manual),
                    accessibility: Accessibility::default(),
                    members: BTreeMap::from([(by.to_owned(), ProjectRole::Owner)]),
                    created_ms: core.clock.now_ms(),
                    created_by: by.to_owned(),
                    place: touch.place,
                },
            };
            core.records.set(&keys::project(id.as_str()), &project).await?;
            roster.settled(id.as_str(), touch).await?;
            roster.fold_if_long(&source).await?;
            Ok(is_new)
        })
        .await
    }

    /// Sets what becomes of uploads to the project.
    ///
    /// # Errors
    /// [`DomainError::NotFound`] or the store's failure.
    pub async fn set_prearchive_code(&self, id: &str, code: PrearchiveCode) -> Result<(), DomainError> {
        self.with_lease("projects", "the list of projects", async |core| {
            let mut project = core.project(id).await?;
            if project.prearchive_code == code {
                return Ok(());
            }
            let (roster, _) = core.projects();
            let touch = roster.touch(id, Some(project.place)).await?;
            project.prearchive_code = code;
            core.records.set(&keys::project(id), &project).await?;
            roster.settled(id, touch).await?;
            Ok(())
        })
        .await
    }

    /// Does `work` while nobody else does anything under the lease `name`; waits for them first.
    ///
    /// # Errors
    /// [`DomainError::Busy`] if the wait is too long, or what `work` gives.
    pub(crate) async fn with_lease<T>(
        &self,
        name: &str,
        what: &str,
        work: impl AsyncFnOnce(&Self) -> Result<T, DomainError>,
    ) -> Result<T, DomainError> {
        let lease = self.leases.acquire_within(name, self.patience_ms()).await?;
        let Some(lease) = lease else { return Err(DomainError::Busy { what: what.to_owned() }) };
        let result = work(self).await;
        self.leases.release(lease).await?;
        result
    }
}

/// The longest free text of a project, in bytes.
const MAX_TEXT_BYTES: usize = 16 * 1024;

fn checked_text(text: &str) -> Result<String, DomainError> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(DomainError::Invalid {
            what: format!("A field of the project has {} bytes; at most {MAX_TEXT_BYTES} are allowed.", text.len()),
        });
    }
    Ok(text.to_owned())
}
