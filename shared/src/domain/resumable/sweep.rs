//! Uploads that nobody goes on with: those that were imported are finished, those that were not are removed in the end.

use std::collections::BTreeSet;

use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::storage::{PackId, StoreError};

impl Core {
    /// The packs of uploads that are still open: nobody else refers to them yet.
    pub(crate) async fn packs_of_open_uploads(&self) -> Result<BTreeSet<PackId>, StoreError> {
        let (roster, source) = self.resumable_uploads();
        let listed = roster.list(&source).await?;
        Ok(listed.into_iter().filter(|listed| listed.row.is_open).map(|listed| listed.row.pack).collect())
    }

    /// Finishes uploads whose last byte has come and whose worker died after the import: their clients may never come
    /// back, since for them everything was sent.
    pub(crate) async fn finish_uploads(&self) -> Result<(), DomainError> {
        let (roster, source) = self.resumable_uploads();
        for listed in roster.list(&source).await?.into_iter().filter(|listed| listed.row.is_open) {
            let Ok(upload) = self.resumable_upload(&listed.row.login, &listed.member).await else { continue };
            if !self.was_imported(&upload).await? {
                continue;
            }
            // Whoever holds it is at it.
            let Ok(mut held) = self.hold_resumable(&listed.row.login, &listed.member).await else { continue };
            let outcome = self.finish_abandoned(&mut held).await;
            self.let_go_resumable(held).await?;
            outcome?;
        }
        Ok(())
    }

    /// Removes uploads at which nobody has been for as long as unfinished uploads are kept. Gives how many.
    pub(crate) async fn remove_stale_uploads(&self) -> Result<u64, DomainError> {
        let (roster, source) = self.resumable_uploads();
        let kept_ms = self.settings.upload_retention_seconds.saturating_mul(1000);
        let mut removed = 0;
        for listed in roster.list(&source).await? {
            // The list is behind while bytes come; the record is not.
            if self.clock.now_ms().saturating_sub(listed.row.touched_ms) <= kept_ms {
                continue;
            }
            let Ok(appending) = self.hold_resumable(&listed.row.login, &listed.member).await else { continue };
            if self.clock.now_ms().saturating_sub(appending.upload.touched_ms) <= kept_ms {
                self.let_go_resumable(appending).await?;
                continue;
            }
            self.remove_resumable(appending).await?;
            removed += 1;
        }
        roster.fold_if_long(&source).await?;
        Ok(removed)
    }
}
