//! Projects.

mod codes;
mod fields;
mod members;
mod remove;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Core;
use super::access::{Accessibility, ProjectRole};
use super::error::DomainError;
use super::ids::ProjectId;
use crate::storage::roster::RowSource;
use crate::storage::{Record, Roster, StoreError, keys};

pub use codes::{PetMrHandling, PrearchiveCode, QuarantineCode, ResourceQuarantine};
pub use fields::{ProjectChange, ProjectField, ProjectFields};
pub use members::{LastOwner, MAX_MEMBERS};

/// A project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// Its identifier.
    pub id: ProjectId,
    /// What is said of it.
    pub fields: ProjectFields,
    /// What becomes of uploads.
    pub prearchive_code: PrearchiveCode,
    /// Whether what is archived must be reviewed.
    #[serde(default)]
    pub quarantine_code: QuarantineCode,
    /// Whose uploads to resources are taken into the quarantine.
    #[serde(default)]
    pub resource_quarantine: ResourceQuarantine,
    /// What becomes of studies that hold PET and MR.
    #[serde(default)]
    pub pet_mr: PetMrHandling,
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
    /// When it was last changed, in milliseconds since the epoch; 0 if it never was.
    #[serde(default)]
    pub changed_ms: u64,
    /// Its place in the list of projects.
    pub place: u64,
}

impl Record for Project {
    const VERSION: u32 = 1;
}

impl Project {
    /// When it was last changed, or made, in milliseconds since the epoch.
    pub fn last_modified_ms(&self) -> u64 {
        self.changed_ms.max(self.created_ms)
    }
}

/// Which project an alias stands for. The project has the last word: it must know the alias.
#[derive(Serialize, Deserialize)]
struct AliasRef {
    id: String,
}

impl Record for AliasRef {
    const VERSION: u32 = 1;
}

const ROSTER: &str = "projects";
/// One lease for all projects: titles and aliases are unique over the site, and projects are changed seldom.
const LEASE: &str = "projects";

impl Core {
    fn projects(&self) -> (Roster, impl RowSource<Project>) {
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
    #[crate::boxed(?Send)]
    pub async fn list_projects(&self) -> Result<Vec<Project>, StoreError> {
        let (roster, source) = self.projects();
        Ok(roster.list(&source).await?.into_iter().map(|listed| listed.row).collect())
    }

    /// The project of this identifier.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn project_by_id(&self, id: &str) -> Result<Option<Project>, StoreError> {
        self.records.get(&keys::project(id)).await
    }

    /// The project of this identifier, else of this alias.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn find_project(&self, name: &str) -> Result<Option<Project>, StoreError> {
        if let Some(project) = self.project_by_id(name).await? {
            return Ok(Some(project));
        }
        let Some(reference) = self.records.get::<AliasRef>(&keys::project_alias(name)).await? else { return Ok(None) };
        let found = self.project_by_id(&reference.id).await?;
        Ok(found.filter(|project| project.fields.aliases.iter().any(|alias| alias == name)))
    }

    /// The project of this identifier or alias, which must exist.
    ///
    /// # Errors
    /// [`DomainError::NotFound`] or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn project(&self, name: &str) -> Result<Project, DomainError> {
        self.find_project(name).await?.ok_or_else(|| DomainError::not_found("project", name))
    }

    /// Makes the project, or changes it if there is one of that identifier. Gives whether it was made.
    ///
    /// # Errors
    /// As [`Core::create_project`] and [`Core::change_project`].
    #[crate::boxed(?Send)]
    pub async fn put_project(&self, id: &ProjectId, change: ProjectChange, by: &str) -> Result<bool, DomainError> {
        match self.project_by_id(id.as_str()).await? {
            Some(_) => self.change_project(id.as_str(), &change).await.map(|_| false),
            None => self.create_project(id, &change, by).await.map(|_| true),
        }
    }

    /// Makes a project; whoever makes it becomes its owner.
    ///
    /// # Errors
    /// [`DomainError::Exists`] if there is one of that identifier, [`DomainError::Conflict`] if another has the title,
    /// the running title or an alias, [`DomainError::Refused`] if there was one of that identifier,
    /// [`DomainError::Invalid`] for a text that is refused, or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn create_project(
        &self,
        id: &ProjectId,
        change: &ProjectChange,
        by: &str,
    ) -> Result<Project, DomainError> {
        self.with_lease(LEASE, "the list of projects", async |core| {
            if core.project_by_id(id.as_str()).await?.is_some() {
                return Err(DomainError::Exists { what: format!("the project {id}") });
            }
            core.demand_never_deleted(id.as_str()).await?;
            let mut fields = ProjectFields::default();
            change.apply(id.as_str(), &mut fields)?;
            core.demand_unique(id.as_str(), &fields).await?;
            let (roster, source) = core.projects();
            let touch = roster.touch(id.as_str(), None).await?;
            let project = Project {
                id: id.clone(),
                fields,
                prearchive_code: PrearchiveCode::try_from(core.settings.default_prearchive_code)
                    .unwrap_or(PrearchiveCode::Manual),
                quarantine_code: QuarantineCode::default(),
                resource_quarantine: ResourceQuarantine::default(),
                pet_mr: PetMrHandling::default(),
                accessibility: change.accessibility.unwrap_or_default(),
                members: BTreeMap::from([(by.to_owned(), ProjectRole::Owner)]),
                created_ms: core.clock.now_ms(),
                created_by: by.to_owned(),
                changed_ms: 0,
                place: touch.place,
            };
            core.write_aliases(&project).await?;
            core.records.set(&keys::project(id.as_str()), &project).await?;
            roster.settled(id.as_str(), touch).await?;
            roster.fold_if_long(&source).await?;
            Ok(project)
        })
        .await
    }

    /// Changes what is said of the project of this identifier.
    ///
    /// # Errors
    /// [`DomainError::NotFound`], else as [`Core::create_project`].
    #[crate::boxed(?Send)]
    pub async fn change_project(&self, id: &str, change: &ProjectChange) -> Result<Project, DomainError> {
        self.with_lease(LEASE, "the list of projects", async |core| {
            let old = core.project_by_id(id).await?.ok_or_else(|| DomainError::not_found("project", id))?;
            let mut project = old.clone();
            change.apply(id, &mut project.fields)?;
            project.accessibility = change.accessibility.unwrap_or(old.accessibility);
            if project.fields != old.fields {
                core.demand_unique(id, &project.fields).await?;
            }
            if project.fields.aliases != old.fields.aliases {
                core.write_aliases(&project).await?;
            }
            let project = core.store_project(project, &old).await?;
            for alias in old.fields.aliases.iter().filter(|alias| !project.fields.aliases.contains(alias)) {
                core.remove_alias(alias, id).await?;
            }
            Ok(project)
        })
        .await
    }

    /// Changes what nothing of other projects depends on.
    ///
    /// # Errors
    /// [`DomainError::NotFound`], what `edit` gives, or the store's failure.
    async fn edit_project(
        &self,
        id: &str,
        edit: impl FnOnce(&mut Project) -> Result<(), DomainError>,
    ) -> Result<Project, DomainError> {
        self.with_lease(LEASE, "the list of projects", async |core| {
            let old = core.project_by_id(id).await?.ok_or_else(|| DomainError::not_found("project", id))?;
            let mut project = old.clone();
            edit(&mut project)?;
            core.store_project(project, &old).await
        })
        .await
    }

    /// Writes a project whose lease is held, if it has changed.
    async fn store_project(&self, mut project: Project, old: &Project) -> Result<Project, DomainError> {
        if project == *old {
            return Ok(project);
        }
        let (roster, source) = self.projects();
        let touch = roster.touch(project.id.as_str(), Some(project.place)).await?;
        project.changed_ms = self.clock.now_ms();
        self.records.set(&keys::project(project.id.as_str()), &project).await?;
        roster.settled(project.id.as_str(), touch).await?;
        roster.fold_if_long(&source).await?;
        Ok(project)
    }

    /// Refuses names that would mean two projects. XNAT's rule: titles, running titles and aliases are unique, and no
    /// alias is another project's identifier.
    async fn demand_unique(&self, id: &str, fields: &ProjectFields) -> Result<(), DomainError> {
        for alias in &fields.aliases {
            self.demand_never_deleted(alias).await?;
        }
        let clashing: Vec<String> = self
            .list_projects()
            .await?
            .into_iter()
            .filter(|other| other.id.as_str() != id && clashes(id, fields, other))
            .map(|other| other.id.to_string())
            .take(10)
            .collect();
        if clashing.is_empty() {
            return Ok(());
        }
        Err(DomainError::Conflict {
            reason: format!("Requested new project conflicts with existing projects: {}", clashing.join(", ")),
        })
    }

    /// Writes the aliases before the project that they stand for: until it knows them they mean nothing.
    async fn write_aliases(&self, project: &Project) -> Result<(), StoreError> {
        for alias in &project.fields.aliases {
            let reference = AliasRef { id: project.id.to_string() };
            self.records.set(&keys::project_alias(alias), &reference).await?;
        }
        Ok(())
    }

    /// Removes an alias that a project knows no more, unless it is another's by now.
    async fn remove_alias(&self, alias: &str, id: &str) -> Result<(), StoreError> {
        let key = keys::project_alias(alias);
        if self.records.get::<AliasRef>(&key).await?.is_some_and(|reference| reference.id == id) {
            self.records.delete(&key).await?;
        }
        Ok(())
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

fn clashes(id: &str, fields: &ProjectFields, other: &Project) -> bool {
    other.fields.name == fields.name
        || other.fields.secondary_id == fields.secondary_id
        || other.fields.aliases.iter().any(|alias| alias == id || fields.aliases.contains(alias))
        || fields.aliases.iter().any(|alias| alias == other.id.as_str())
}

#[cfg(test)]
mod tests;
