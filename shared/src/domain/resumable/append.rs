//! Adding bytes to an upload, one worker at a time.

use std::pin::pin;

use bytes::Bytes;
use futures::future::{Either, select};

use super::{Progress, ResumableUpload, lease_name};
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::domain::prearchive::upload::UploadError;
use crate::storage::pack::{self, PackWriter};
use crate::storage::{Lease, PackId, StoreError, keys};

/// After so many new bytes it is written down how many are safe, so that a host that dies costs no more than these.
const STEP_BYTES: u64 = 32 * 1024 * 1024;

/// Over a slow line it is written down after so many milliseconds instead, also while nothing comes: the line may be
/// dead without anybody noticing.
const STEP_MS: u64 = 2_000;

fn busy() -> DomainError {
    DomainError::Busy { what: "this upload".to_owned() }
}

/// Why more bytes than are missing are refused.
pub fn longer_than_missing(missing_bytes: u64) -> DomainError {
    let what = format!("The body is longer than the {missing_bytes} bytes that are missing of the upload.");
    DomainError::Invalid { what }
}

/// An upload that nobody else adds to while this is held.
pub struct Appending {
    /// The upload as it is.
    pub upload: ResumableUpload,
    lease: Lease,
}

impl Core {
    /// Takes a user's upload to add to it.
    ///
    /// # Errors
    /// [`DomainError::NotFound`], [`DomainError::Busy`] if somebody adds to it already, or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn hold_resumable(&self, login: &str, id: &str) -> Result<Appending, DomainError> {
        self.resumable_upload(login, id).await?;
        let lease = self.leases.acquire(&lease_name(id)).await?.ok_or_else(busy)?;
        let upload = match self.resumable_upload(login, id).await {
            Ok(upload) => upload,
            Err(error) => {
                self.leases.retire(lease).await?;
                return Err(error);
            }
        };
        Ok(Appending { upload, lease })
    }

    /// Whoever imported the same upload before and died over it may have made sessions: they keep their part of the pack.
    pub(crate) async fn keep_earlier_owners(&self, id: PackId, owners: &mut Vec<String>) -> Result<(), StoreError> {
        for earlier in pack::owners(&self.records, id).await? {
            if !owners.contains(&earlier) && self.content_is_alive(&earlier).await? {
                owners.push(earlier);
            }
        }
        Ok(())
    }

    /// Adds what `next` gives, up to the upload's length. All that came is safe when this returns, also when it
    /// returns an error; only whoever loses the upload to another worker has written nothing that counts.
    ///
    /// # Errors
    /// [`UploadError`] for a body that is cut off or longer than what is missing, [`DomainError::Busy`] or the store's
    /// failure.
    pub async fn append_resumable<E: From<UploadError> + From<DomainError>>(
        &self,
        appending: &mut Appending,
        mut next: impl AsyncFnMut() -> Result<Option<Bytes>, E>,
    ) -> Result<(), E> {
        let Appending { upload, lease } = appending;
        let shape = upload.shape();
        let resumed = PackWriter::resume(self.blobs.clone(), shape.id, upload.offset).await;
        let mut writer = resumed.map_err(DomainError::from)?;
        let mut looked_ms = self.clock.now_ms();
        let outcome = loop {
            let piece = {
                let mut coming = pin!(next());
                loop {
                    match select(coming.as_mut(), pin!(self.clock.pause(STEP_MS))).await {
                        Either::Left((piece, _)) => break piece,
                        Either::Right(_) => self.note_safe(upload, &mut writer, lease).await?,
                    }
                }
            };
            let piece = match piece {
                Ok(Some(piece)) => piece,
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            };
            let missing = upload.bytes.saturating_sub(writer.bytes());
            if piece.len() as u64 > missing {
                let fitting = usize::try_from(missing).map_or(piece.len(), |missing| missing.min(piece.len()));
                writer.write(&piece[..fitting]).await.map_err(DomainError::from)?;
                break Err(longer_than_missing(upload.bytes.saturating_sub(upload.offset)).into());
            }
            writer.take(piece).await.map_err(DomainError::from)?;
            if !self.leases.keep(lease).await.map_err(DomainError::from)? {
                return Err(busy().into());
            }
            let now_ms = self.clock.now_ms();
            let is_far = writer.bytes().saturating_sub(upload.offset) >= STEP_BYTES;
            if is_far || now_ms.saturating_sub(looked_ms) >= STEP_MS {
                self.note_safe(upload, &mut writer, lease).await?;
                looked_ms = now_ms;
            }
        };
        // The last chunk of somebody else may be longer than ours.
        if !self.leases.keep(lease).await.map_err(DomainError::from)? {
            return Err(busy().into());
        }
        let shape = writer.finish().await.map_err(DomainError::from)?;
        if !self.leases.holds(lease) {
            return Err(busy().into());
        }
        upload.offset = shape.bytes;
        upload.touched_ms = self.clock.now_ms();
        match &outcome {
            Ok(()) if upload.offset == upload.bytes => upload.progress = Progress::Importing,
            Ok(()) => {}
            // Nobody imports it now: whoever sends the last byte once more does.
            Err(_) => upload.offset = upload.offset.min(upload.bytes.saturating_sub(1)),
        }
        self.store_resumable(upload).await.map_err(DomainError::from)?;
        outcome
    }

    /// Writes down how many bytes are safe, if that is more than before.
    async fn note_safe(
        &self,
        upload: &mut ResumableUpload,
        writer: &mut PackWriter,
        lease: &mut Lease,
    ) -> Result<(), DomainError> {
        let safe_bytes = writer.safe_bytes().await?;
        // Nobody is told off for silence: the next piece shows whether the upload is still ours.
        if safe_bytes > upload.offset && self.leases.keep(lease).await? {
            upload.offset = safe_bytes;
            upload.touched_ms = self.clock.now_ms();
            self.store_resumable(upload).await?;
        }
        Ok(())
    }

    /// Says what came of the upload, all of whose bytes have come. They are removed unless sessions have them.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn conclude_resumable(&self, appending: &mut Appending, progress: Progress) -> Result<(), DomainError> {
        appending.upload.progress = progress;
        appending.upload.touched_ms = self.clock.now_ms();
        self.leases.keep(&mut appending.lease).await?;
        self.store_resumable(&appending.upload).await?;
        // Should this not be done any more, the sweep does it.
        Ok(self.remove_bytes(&appending.upload).await?)
    }

    /// Keeps the upload while the import that it completes is under way. `false` if it was lost.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn keep_resumable(&self, appending: &mut Appending) -> Result<bool, DomainError> {
        Ok(self.leases.keep(&mut appending.lease).await?)
    }

    /// Gives the upload back.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn let_go_resumable(&self, appending: Appending) -> Result<(), DomainError> {
        Ok(self.leases.release(appending.lease).await?)
    }

    async fn remove_bytes(&self, upload: &ResumableUpload) -> Result<(), StoreError> {
        let pack = upload.shape().id;
        if pack::find(&self.records, pack).await?.is_none() {
            pack::remove_uncommitted(&self.blobs, pack).await?;
        }
        Ok(())
    }

    /// Removes an upload and, unless it was imported, its bytes.
    ///
    /// # Errors
    /// The store's failure. What is left then the sweep removes.
    #[crate::boxed(?Send)]
    pub async fn remove_resumable(&self, appending: Appending) -> Result<(), DomainError> {
        let Appending { upload, lease } = appending;
        let (roster, _) = self.resumable_uploads();
        let touch = roster.touch(&upload.id, Some(upload.place)).await?;
        self.remove_verdicts(&upload).await?;
        self.records.delete(&keys::resumable(&upload.id)).await?;
        roster.settled(&upload.id, touch).await?;
        self.leases.retire(lease).await?;
        // Without its record nobody can ask for the bytes; the sweep removes what is left if this is not done any more.
        Ok(self.remove_bytes(&upload).await?)
    }
}
