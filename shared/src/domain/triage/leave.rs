//! Leaving the quarantine: what is refused, and what is left of a folder that has gone.
//!
//! A folder stands in a list before its record goes, and is emptied afterwards: by whoever took it away, or by the sweep.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::TriageFolder;
use super::hold::HeldFolder;
use crate::domain::Core;
use crate::domain::catalog::CatalogRef;
use crate::domain::error::DomainError;
use crate::domain::history::Cause;
use crate::storage::roster::RowSource;
use crate::storage::{Record, Roster, StoreError, keys};

/// The list of folders that are about to go, or have gone, or are about to lose files.
const ROSTER: &str = "triage-trash";

/// A folder as it was before it was to go or to lose files.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct TriageTrash {
    pub folder: TriageFolder,
    /// Its place in the list.
    pub place: u64,
}

impl Record for TriageTrash {
    const VERSION: u32 = 1;
}

fn member(folder: &TriageFolder) -> String {
    format!("{}/{}", folder.project, folder.number)
}

impl Core {
    pub(super) fn triage_trash(&self) -> (Roster, impl RowSource<TriageTrash> + use<>) {
        let records = self.records.clone();
        let source = move |member: String, place| {
            let records = records.clone();
            async move {
                let Some((project, number)) = member.split_once('/') else { return Ok(None) };
                let key = keys::triage_trash(project, number.parse().unwrap_or(0));
                let found: Option<TriageTrash> = records.get(&key).await?;
                Ok(found.filter(|found| found.place == place))
            }
        };
        (self.roster(ROSTER), source)
    }

    /// Notes that a folder is about to go, or to lose files.
    pub(super) async fn condemn(&self, folder: &TriageFolder) -> Result<TriageTrash, StoreError> {
        let key = keys::triage_trash(&folder.project, folder.number);
        let known: Option<TriageTrash> = self.records.get(&key).await?;
        let (roster, _) = self.triage_trash();
        let touch = roster.touch(&member(folder), known.map(|known| known.place)).await?;
        let trash = TriageTrash { folder: folder.clone(), place: touch.place };
        self.records.set(&key, &trash).await?;
        roster.settled(&member(folder), touch).await?;
        Ok(trash)
    }

    /// Takes that back, or ends it.
    pub(super) async fn absolve(&self, folder: &TriageFolder) -> Result<(), StoreError> {
        let key = keys::triage_trash(&folder.project, folder.number);
        let Some(trash) = self.records.get::<TriageTrash>(&key).await? else { return Ok(()) };
        let (roster, _) = self.triage_trash();
        let touch = roster.touch(&member(folder), Some(trash.place)).await?;
        self.records.delete(&key).await?;
        roster.settled(&member(folder), touch).await
    }

    /// Refuses a folder: its files are gone when this returns. What they take in the store is given back by
    /// [`Core::empty_triage_of`], which may take long.
    ///
    /// # Errors
    /// [`DomainError::NotFound`] if there is no such folder, [`DomainError::Busy`], or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn remove_triage_folder(
        &self,
        project: &str,
        label: &str,
        by: &str,
        cause: &Cause,
    ) -> Result<TriageFolder, DomainError> {
        let (folder, files) = self
            .with_folder(project, label, async |core, held| {
                let folder = held.found()?;
                let files = core.catalog(&folder.catalog).await?.files;
                if files == 0 && !folder.is_made {
                    return Err(DomainError::not_found("folder", label));
                }
                core.condemn(&folder).await?;
                core.drop_folder(held).await?;
                Ok((folder, files))
            })
            .await?;
        self.tell_of_refusal(&folder, by, cause, None, files).await?;
        Ok(folder)
    }

    /// Refuses one file of a folder; with its last file the folder goes, unless it was made on its own.
    ///
    /// # Errors
    /// [`DomainError::NotFound`] if there is no such file, and as [`Core::remove_triage_folder`].
    #[crate::boxed(?Send)]
    pub async fn remove_triage_file(
        &self,
        project: &str,
        label: &str,
        path: &str,
        by: &str,
        cause: &Cause,
    ) -> Result<(), DomainError> {
        let missing = || DomainError::not_found("file", path);
        let folder = self
            .with_folder(project, label, async |core, held| {
                let folder = held.folder.clone().ok_or_else(missing)?;
                if core.catalog_file(&folder.catalog, path).await?.is_none() {
                    return Err(missing());
                }
                core.take_out(held, &folder, std::slice::from_ref(&path.to_owned())).await?;
                Ok(folder)
            })
            .await?;
        self.tell_of_refusal(&folder, by, cause, Some(path), 1).await
    }

    /// Takes files out of the catalog of a held folder, and the folder away that has none left.
    pub(super) async fn take_out(
        &self,
        held: &mut HeldFolder,
        folder: &TriageFolder,
        paths: &[String],
    ) -> Result<(), DomainError> {
        let owner = folder.owner();
        for path in paths {
            let catalog = CatalogRef { id: &folder.catalog, owner: &owner };
            self.remove_file(&mut held.lease, catalog, path).await?;
        }
        if folder.is_made || !self.catalog(&folder.catalog).await?.is_empty() {
            return Ok(());
        }
        let folder = held.found()?;
        self.condemn(&TriageFolder { approval: None, ..folder.clone() }).await?;
        self.drop_folder(held).await?;
        // Nothing but its catalog is left of it.
        Ok(self.empty_triage_of(&folder).await?)
    }

    /// Gives back what a folder that is gone takes in the store. If this does not come to its end, the sweep does it.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn empty_triage_of(&self, folder: &TriageFolder) -> Result<(), StoreError> {
        let key = keys::triage_trash(&folder.project, folder.number);
        match self.records.get::<TriageTrash>(&key).await? {
            Some(trash) => self.empty_triage_trash(&trash).await,
            None => Ok(()),
        }
    }

    /// The folder's record must be gone.
    pub(super) async fn empty_triage_trash(&self, trash: &TriageTrash) -> Result<(), StoreError> {
        let folder = &trash.folder;
        match &folder.approval {
            // All packs have passed to the destination; those of files that it has lost since are to be given back.
            Some(approval) => {
                let mut kept = BTreeSet::new();
                if self.content_is_alive(&approval.owner).await? {
                    self.add_packs_of_catalogs(&approval.owner, &mut kept).await?;
                }
                self.remove_twin(CatalogRef { id: &folder.catalog, owner: &approval.owner }, &kept).await?;
            }
            None => self.remove_catalog(CatalogRef { id: &folder.catalog, owner: &folder.owner() }).await?,
        }
        self.absolve(folder).await
    }
}
