//! What the sweep does about the quarantine, and what becomes of that of a deleted project.

use super::TriageFolder;
use crate::domain::Core;
use crate::domain::catalog::CatalogRef;
use crate::domain::error::DomainError;
use crate::storage::{StoreError, keys};

impl Core {
    /// Finishes what was to leave the quarantine, or takes it back.
    ///
    /// # Errors
    /// The store's failure; what was not finished is finished the next time.
    pub(crate) async fn finish_triage(&self) -> Result<(), DomainError> {
        let (roster, source) = self.triage_trash();
        for listed in roster.list(&source).await? {
            let TriageFolder { project, label, number, .. } = &listed.row.folder;
            // Holding the folder settles an approval.
            let outcome = self
                .with_folder(project, label, async |core, held| {
                    match &held.folder {
                        // Whoever was about to take it away died before: it stays.
                        Some(folder) if folder.number == *number => core.absolve(folder).await?,
                        _ => return Ok(true),
                    }
                    Ok(false)
                })
                .await;
            match outcome {
                Ok(true) => self.empty_triage_of(&listed.row.folder).await?,
                Ok(false) | Err(DomainError::Busy { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        roster.fold_if_long(&source).await?;
        Ok(())
    }

    /// Removes folders that were made for uploads which never ended.
    ///
    /// # Errors
    /// The store's failure; to be called again then.
    pub(crate) async fn tidy_triage(&self, project: &str) -> Result<(), DomainError> {
        let (roster, source) = self.triage_folders(project);
        for listed in roster.list(&source).await?.into_iter().filter(|listed| listed.row.is_new) {
            let outcome = self
                .with_folder(project, &listed.row.label, async |core, held| {
                    let Some(folder) = held.folder.clone() else { return Ok(()) };
                    if folder.is_made || !core.catalog(&folder.catalog).await?.is_empty() {
                        return Ok(());
                    }
                    core.drop_folder(held).await?;
                    let owner = folder.owner();
                    Ok(core.remove_catalog(CatalogRef { id: &folder.catalog, owner: &owner }).await?)
                })
                .await;
            match outcome {
                Ok(()) | Err(DomainError::Busy { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Whether anything waits in the quarantine of a project.
    pub(crate) async fn project_has_triage(&self, project: &str) -> Result<bool, StoreError> {
        Ok(!self.list_triage(project, None).await?.is_empty())
    }

    /// Removes the quarantine of a project that is gone.
    ///
    /// # Errors
    /// [`DomainError::Busy`], or the store's failure.
    pub(crate) async fn remove_triage_of_project(&self, project: &str) -> Result<(), DomainError> {
        for folder in self.list_triage(project, None).await? {
            let removed = self
                .with_folder(project, &folder.label, async |core, held| {
                    let Some(folder) = held.folder.clone() else { return Ok(()) };
                    core.condemn(&folder).await?;
                    core.drop_folder(held).await
                })
                .await;
            removed?;
            self.empty_triage_of(&folder).await?;
        }
        Ok(())
    }

    /// Forgets what there was of the quarantine of a project that is gone for good.
    ///
    /// # Errors
    /// The store's failure; to be called again then.
    pub(crate) async fn forget_triage(&self, project: &str) -> Result<(), StoreError> {
        self.forget_dead_heirs(project).await?;
        self.records.delete(&keys::triage_counter(project)).await
    }
}
