//! Bringing an approval to its end: by whoever approves, or after a crash by whoever comes next.

use super::hold::HeldFolder;
use super::{Approval, TriageFolder};
use crate::domain::Core;
use crate::domain::catalog::CatalogRef;
use crate::domain::error::DomainError;
use crate::storage::pack;

impl Core {
    /// Brings the approval of a held folder to its end, whose worker has died: it was done, or was not.
    ///
    /// # Errors
    /// [`DomainError::Busy`] if somebody is at work on the destination, or the store's failure; to be called again then.
    pub(super) async fn settle(&self, held: &mut HeldFolder) -> Result<(), DomainError> {
        let folder = held.found()?;
        let Some(approval) = folder.approval.clone() else { return Ok(()) };
        // The lease of the destination sees to it that the worker, should it live after all, does nothing any more.
        let of = approval.dest.of.clone();
        let is_approved = self
            .beside_shelf(&of, async |core| {
                let is_approved = core.is_approved(&folder, &approval).await?;
                if !is_approved {
                    core.take_approval_back(held, &folder, &approval).await?;
                }
                Ok(is_approved)
            })
            .await;
        match is_approved {
            Ok(true) => self.end_approval(held).await,
            Ok(false) => Ok(()),
            // Nothing can come there any more.
            Err(DomainError::NotFound { .. }) => self.take_approval_back(held, &folder, &approval).await,
            Err(error) => Err(error),
        }
    }

    /// Takes the files out of the quarantine that stand in the archive now, and tells of it. May be done again.
    pub(super) async fn end_approval(&self, held: &mut HeldFolder) -> Result<(), DomainError> {
        let folder = held.found()?;
        let Some(approval) = folder.approval.clone() else { return Ok(()) };
        self.tell_of_approval(&folder, &approval).await?;
        let Some(paths) = &approval.paths else { return self.drop_folder(held).await };
        let left = TriageFolder { approval: None, ..folder };
        // The record keeps its approval until its files are gone from the catalog: nobody sees them twice.
        self.take_out(held, &left, paths).await?;
        if held.folder.is_some() {
            let owner = left.owner();
            self.settle_catalog(&mut held.lease, CatalogRef { id: &left.catalog, owner: &owner }).await?;
            self.write_folder(held, left.clone()).await?;
            self.absolve(&left).await?;
        }
        Ok(())
    }

    /// Leaves the folder as it was before an approval of which nothing came.
    pub(super) async fn take_approval_back(
        &self,
        held: &mut HeldFolder,
        folder: &TriageFolder,
        approval: &Approval,
    ) -> Result<(), DomainError> {
        self.keep_folder(held).await?;
        match &approval.paths {
            None => self.forget_heir(folder).await?,
            Some(paths) => {
                for path in paths {
                    let Some(found) = self.catalog_file(&folder.catalog, path).await? else { continue };
                    if !self.owner_needs_pack(&approval.owner, found.file.pack, "").await? {
                        pack::release(&self.records, &self.blobs, found.file.pack, &approval.owner).await?;
                    }
                }
            }
        }
        let left = TriageFolder { approval: None, ..folder.clone() };
        let owner = left.owner();
        self.settle_catalog(&mut held.lease, CatalogRef { id: &left.catalog, owner: &owner }).await?;
        self.write_folder(held, left.clone()).await?;
        self.absolve(folder).await?;
        // The worker may have died when all that was chosen had left the folder.
        self.take_out(held, &left, &[]).await
    }
}
