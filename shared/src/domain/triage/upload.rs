//! Making folders, and putting files into them.

use std::collections::BTreeSet;

use super::hold::HeldFolder;
use super::{MAX_URI_BYTES, Target, TriageFolder, check_label, demand_clients_label};
use crate::domain::Core;
use crate::domain::catalog::{CatalogRef, FileNotes, Taking, Wish};
use crate::domain::error::DomainError;
use crate::domain::history::Cause;
use crate::domain::prearchive::upload_files::ReceivedFile;
use crate::domain::resource::check_notes;
use crate::storage::StoreError;

/// What is to be done with files that have been received.
#[derive(Debug, Clone)]
pub struct Quarantine {
    /// The project.
    pub project: String,
    /// The label of the folder; it is made if there is none.
    pub label: String,
    /// Who uploads.
    pub by: String,
    /// For which resource the files are meant.
    pub target: Target,
    /// Whether they take the place of files of the folder, and are to take that of files of the resource.
    pub overwrite: bool,
    /// Whether the folder is one that the service makes by itself.
    pub is_automatic: bool,
    /// What is said of them.
    pub notes: FileNotes,
    /// Why.
    pub cause: Cause,
}

/// What came of files that were sent to the quarantine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quarantined {
    /// The paths of those that wait there now.
    pub paths: Vec<String>,
    /// The paths of those that the folder has already; nothing is changed about them.
    pub duplicates: Vec<String>,
}

impl TriageFolder {
    /// Refuses uploads of others, and for another resource.
    fn demand_same(&self, wanted: &Quarantine) -> Result<(), DomainError> {
        let conflict = |what: &str| {
            let reason = format!("The folder {} of the quarantine {what}; choose another name.", self.label);
            Err(DomainError::Conflict { reason })
        };
        if self.by != wanted.by {
            return conflict("is another user's");
        }
        match &self.target {
            Some(target) if !target.is_same(&wanted.target) => conflict("holds files for another destination"),
            _ => Ok(()),
        }
    }
}

fn check_target(target: &Target) -> Result<(), DomainError> {
    if target.uri.len() <= MAX_URI_BYTES {
        return Ok(());
    }
    Err(DomainError::Invalid { what: format!("The destination's URI may have at most {MAX_URI_BYTES} bytes.") })
}

impl Core {
    /// Makes an empty folder.
    ///
    /// # Errors
    /// [`DomainError::Exists`] if there is one of that label, [`DomainError::Invalid`] for a label that cannot be,
    /// [`DomainError::Full`], [`DomainError::Busy`], or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn make_triage_folder(
        &self,
        project: &str,
        label: &str,
        by: &str,
        target: Option<Target>,
    ) -> Result<(), DomainError> {
        check_label(label)?;
        target.as_ref().map_or(Ok(()), check_target)?;
        self.with_folder(project, label, async |core, held| {
            let folder = core.seen(held).await?;
            if folder.is_some() {
                return Err(DomainError::Exists { what: format!("the folder {label:?} of the quarantine") });
            }
            demand_clients_label(label)?;
            let folder = core.fresh(held, by).await?;
            core.store_folder(held, TriageFolder { target, is_made: true, ..folder }).await
        })
        .await
    }

    /// The held folder, unless nobody can see it because no upload into it has come to its end.
    async fn seen(&self, held: &HeldFolder) -> Result<Option<TriageFolder>, StoreError> {
        match &held.folder {
            Some(folder) if folder.is_made || !self.catalog(&folder.catalog).await?.is_empty() => {
                Ok(Some(folder.clone()))
            }
            _ => Ok(None),
        }
    }

    /// A new folder under a held label that nobody sees one under; what is left of another is used.
    async fn fresh(&self, held: &mut HeldFolder, by: &str) -> Result<TriageFolder, DomainError> {
        match held.folder.take() {
            Some(left) => Ok(TriageFolder {
                by: by.to_owned(),
                target: None,
                overwrite: false,
                reason: String::new(),
                is_filled: false,
                ..left
            }),
            None => self.new_folder(held, by).await,
        }
    }

    /// Puts files into a folder of the quarantine. Each that is not given back as a duplicate is kept from the return
    /// on; on an error some may have been put.
    ///
    /// # Errors
    /// [`DomainError::Conflict`] if the folder is another user's or for another resource, [`DomainError::Invalid`] for a
    /// label or path that cannot be, [`DomainError::Full`], [`DomainError::Busy`], or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn quarantine_files(
        &self,
        wanted: &Quarantine,
        files: Vec<ReceivedFile>,
    ) -> Result<Quarantined, DomainError> {
        let mut left = files;
        let outcome = self.take_triage_files(wanted, &mut left).await;
        // What was not taken over is nobody's.
        self.abandon_files(left).await;
        let (folder, quarantined) = outcome?;
        if !quarantined.paths.is_empty() {
            self.tell_of_upload(&folder, &quarantined, &wanted.cause).await?;
        }
        Ok(quarantined)
    }

    async fn take_triage_files(
        &self,
        wanted: &Quarantine,
        left: &mut Vec<ReceivedFile>,
    ) -> Result<(TriageFolder, Quarantined), DomainError> {
        check_label(&wanted.label)?;
        check_target(&wanted.target)?;
        check_notes(&wanted.notes)?;
        wanted.cause.check()?;
        for file in left.iter() {
            self.demand_in_time(file.started_ms)?;
        }
        let paths: Vec<String> = left.iter().flat_map(paths_of).collect();
        self.with_folder(&wanted.project, &wanted.label, async |core, held| {
            let gone = || DomainError::not_found("project", &wanted.project);
            core.project_by_id(&wanted.project).await?.ok_or_else(gone)?;
            let target = Some(wanted.target.clone());
            let folder = match core.seen(held).await? {
                Some(found) => {
                    found.demand_same(wanted)?;
                    found
                }
                None => {
                    if !wanted.is_automatic {
                        demand_clients_label(&wanted.label)?;
                    }
                    let folder = TriageFolder { target: target.clone(), ..core.fresh(held, &wanted.by).await? };
                    core.store_folder(held, folder.clone()).await?;
                    folder
                }
            };
            let duplicates = match core.fill_folder(held, &folder, wanted, left).await {
                Ok(duplicates) => duplicates,
                Err(error @ DomainError::Store(_)) => return Err(error),
                Err(error) => {
                    // What was made for nothing goes.
                    if core.seen(held).await?.is_none() {
                        core.drop_folder(held).await?;
                    }
                    return Err(error);
                }
            };
            let filled = TriageFolder { target, is_filled: true, ..folder.clone() };
            match folder.is_filled {
                true if filled == folder => {}
                true => core.write_folder(held, filled.clone()).await?,
                false => core.store_folder(held, filled.clone()).await?,
            }
            let there: BTreeSet<&String> = duplicates.iter().collect();
            let paths = paths.into_iter().filter(|path| !there.contains(path)).collect();
            Ok((filled, Quarantined { paths, duplicates }))
        })
        .await
    }

    async fn fill_folder(
        &self,
        held: &mut HeldFolder,
        folder: &TriageFolder,
        wanted: &Quarantine,
        left: &mut Vec<ReceivedFile>,
    ) -> Result<Vec<String>, DomainError> {
        let count = left.iter().map(ReceivedFile::count).fold(0, u64::saturating_add);
        self.demand_files(folder, count).await?;
        let owner = folder.owner();
        let catalog = CatalogRef { id: &folder.catalog, owner: &owner };
        let wish = Wish { overwrite: wanted.overwrite, reason: wanted.cause.reason.clone() };
        let taking = Taking { by: &wanted.by, notes: &wanted.notes, wish: Some(&wish), overwrite: wanted.overwrite };
        self.take_files(&mut held.lease, catalog, taking, left).await
    }

    /// Refuses more files than a folder may have.
    async fn demand_files(&self, folder: &TriageFolder, more: u64) -> Result<(), DomainError> {
        let (held, most) = (self.catalog(&folder.catalog).await?.files, self.settings.max_triage_files);
        if held.saturating_add(more) <= most {
            return Ok(());
        }
        Err(DomainError::Full {
            what: format!(
                "The folder {} of the quarantine holds {held} of the {most} files that it may hold, which leaves no room \
                 for {more} more; send them to another folder.",
                folder.label
            ),
        })
    }
}

fn paths_of(file: &ReceivedFile) -> Vec<String> {
    match &file.unpacked {
        None => vec![file.name.as_str().to_owned()],
        Some(files) => files.iter().map(|file| file.name.as_str().to_owned()).collect(),
    }
}
