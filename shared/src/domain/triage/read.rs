//! Reading the quarantine: nobody's lease is needed.

use super::{Approval, TriageFolder, TriageRow};
use crate::domain::Core;
use crate::domain::catalog::{CatalogFile, CatalogJoin};
use crate::domain::error::DomainError;
use crate::domain::resource::named;
use crate::storage::roster::Listed;
use crate::storage::{StoreError, keys};

/// How many folders are read at once.
const WIDTH: usize = 16;

/// Which files of a folder are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// All that its catalog lists.
    All,
    /// All but these, which stand in the archive already.
    AllBut(Vec<String>),
    /// None: they stand in the archive already.
    Nothing,
}

impl Shown {
    /// Whether the file at this path is there.
    pub fn has(&self, path: &str) -> bool {
        match self {
            Self::All => true,
            Self::AllBut(gone) => !gone.iter().any(|gone| gone == path),
            Self::Nothing => false,
        }
    }
}

impl Core {
    /// The folders of a project's quarantine, oldest first; of one uploader if one is named. Some may be empty.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn list_triage(&self, project: &str, by: Option<&str>) -> Result<Vec<TriageFolder>, StoreError> {
        let (roster, source) = self.triage_folders(project);
        let mut listed = roster.list(&source).await?;
        listed.retain(|listed| by.is_none_or(|by| listed.row.by == by));
        let mut folders = Vec::with_capacity(listed.len());
        for some in listed.chunks(WIDTH) {
            let read = async |listed: &Listed<TriageRow>| -> Result<Option<TriageFolder>, StoreError> {
                let found = self.records.get::<TriageFolder>(&keys::triage(project, &listed.row.label)).await?;
                Ok(found.filter(|found| found.place == listed.place))
            };
            for found in futures::future::join_all(some.iter().map(read)).await {
                folders.extend(found?);
            }
        }
        Ok(folders)
    }

    /// The folder of this label, if it is there.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn triage_folder(&self, project: &str, label: &str) -> Result<Option<TriageFolder>, StoreError> {
        let Some(folder) = self.records.get::<TriageFolder>(&keys::triage(project, label)).await? else {
            return Ok(None);
        };
        let is_there = (folder.is_made || !self.catalog(&folder.catalog).await?.is_empty())
            && self.shown_of(&folder).await? != Shown::Nothing;
        Ok(is_there.then_some(folder))
    }

    /// Which files of a folder are there: an approval may be under way, or its worker have died.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn shown_of(&self, folder: &TriageFolder) -> Result<Shown, StoreError> {
        match &folder.approval {
            Some(approval) if self.is_approved(folder, approval).await? => Ok(match &approval.paths {
                None => Shown::Nothing,
                Some(paths) => Shown::AllBut(paths.clone()),
            }),
            _ => Ok(Shown::All),
        }
    }

    /// The file at this path of a folder.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn triage_file(&self, folder: &TriageFolder, path: &str) -> Result<Option<CatalogFile>, StoreError> {
        match self.shown_of(folder).await?.has(path) {
            true => self.catalog_file(&folder.catalog, path).await,
            false => Ok(None),
        }
    }

    /// Whether the destination of an approval has its files. They come there with one write.
    pub(super) async fn is_approved(&self, folder: &TriageFolder, approval: &Approval) -> Result<bool, StoreError> {
        let shelf = self.shelf_resources(&approval.dest.of).await?;
        let resources: Vec<_> = shelf.into_iter().map(|counted| counted.resource).collect();
        let Some(resource) = named(&resources, &approval.dest.resource) else { return Ok(false) };
        let mut join = CatalogJoin::new(self, Some(&folder.catalog), Some(&resource.catalog));
        while let Some(joined) = join.next().await? {
            if let (Some(here), Some(there)) = (joined.first, joined.second)
                && (here.file.pack, here.file.ordinal) == (there.file.pack, there.file.ordinal)
                && approval.paths.as_ref().is_none_or(|paths| paths.contains(&here.file.name))
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The files of a folder that are there, in the order of their paths: those named, or all.
    ///
    /// # Errors
    /// [`DomainError::NotFound`] for the first of `paths` that is not there, or the store's failure.
    pub(super) async fn chosen_files(
        &self,
        folder: &TriageFolder,
        paths: Option<&[String]>,
    ) -> Result<Vec<CatalogFile>, DomainError> {
        let Some(paths) = paths else { return Ok(self.files_of_catalog(&folder.catalog).await?) };
        let mut files = Vec::with_capacity(paths.len());
        for path in paths {
            let found = self.catalog_file(&folder.catalog, path).await?;
            files.push(found.ok_or_else(|| DomainError::not_found("file", path))?);
        }
        Ok(files)
    }
}
