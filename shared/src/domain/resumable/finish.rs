//! Going on with an upload that was imported by somebody who died before all was done that was wanted.

use super::{Appending, Progress, ResumableUpload};
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::domain::prearchive::onward::{Brought, Onward, Way};
use crate::domain::prearchive::upload_files::ReceivedFile;
use crate::intake::{EntryName, Extent, Method};
use crate::storage::{StoreError, pack};

impl Core {
    /// Writes down what is wanted of the sessions of an upload before it is imported, so that whoever comes next knows.
    ///
    /// # Errors
    /// [`DomainError::Busy`] if the upload was lost, or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn intend_resumable(&self, held: &mut Appending, onward: &Onward) -> Result<(), DomainError> {
        if held.upload.onward.as_ref() == Some(onward) {
            return Ok(());
        }
        if !self.keep_resumable(held).await? {
            return Err(DomainError::Busy { what: "this upload".to_owned() });
        }
        held.upload.onward = Some(onward.clone());
        Ok(self.store_resumable(&held.upload).await?)
    }

    /// Whether an upload was imported whole by somebody who did not live to say so: then only what comes after that is
    /// left to be done.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn was_imported(&self, upload: &ResumableUpload) -> Result<bool, DomainError> {
        Ok(upload.progress == Progress::Importing && pack::is_sealed(&self.records, upload.shape().id).await?)
    }

    /// An upload all of whose bytes have come, as a file that was received in one go.
    ///
    /// # Errors
    /// [`DomainError::Invalid`], which a fixed name never is.
    pub fn received_resumable(&self, upload: &ResumableUpload) -> Result<ReceivedFile, DomainError> {
        let shape = upload.shape();
        let name = EntryName::parse("upload.xar", &self.settings.limits);
        let name = name.map_err(|problem| DomainError::Invalid { what: problem.to_string() })?;
        let extent = Extent { offset: 0, stored_len: shape.bytes, len: shape.bytes, method: Method::Stored };
        let started_ms = self.clock.now_ms();
        Ok(ReceivedFile { name, shape, extent, ordinal: 0, crc32: 0, started_ms, unpacked: None })
    }

    /// Brings the sessions of such an upload on, as was wanted. Gives where each has come to.
    ///
    /// # Errors
    /// As [`Core::bring_on`].
    #[crate::boxed(?Send)]
    pub async fn finish_resumable(&self, held: &Appending) -> Result<(Vec<String>, Vec<Brought>), DomainError> {
        let onward = held.upload.onward.clone().unwrap_or_default();
        let mut uris = Vec::new();
        let mut sessions = Vec::new();
        for owner in pack::owners(&self.records, held.upload.shape().id).await? {
            if let Some(session) = self.session(&owner).await? {
                sessions.push(session);
            } else if let Some(experiment) = self.experiment_of(&owner).await? {
                uris.push(match onward.way {
                    Way::Straight => format!("/data/archive/experiments/{}", experiment.id),
                    _ => Brought::Archived { session: owner, experiment: Box::new(experiment) }.uri(),
                });
            }
        }
        let brought = self.bring_on(sessions, &onward).await?;
        uris.extend(brought.iter().map(Brought::uri));
        uris.dedup();
        Ok((uris, brought))
    }

    /// Does what is left of an upload for which nobody has come back. What is busy, or fails for a while, is left to the
    /// next time.
    pub(super) async fn finish_abandoned(&self, held: &mut Appending) -> Result<(), DomainError> {
        if !self.was_imported(&held.upload).await? {
            return Ok(());
        }
        let progress = match self.finish_resumable(held).await {
            Ok((uris, _)) => Progress::Imported { uris },
            Err(DomainError::Busy { .. }) => return Ok(()),
            Err(DomainError::Store(error @ (StoreError::Unavailable { .. } | StoreError::Failed { .. }))) => {
                return Err(error.into());
            }
            Err(error) => Progress::Refused { reason: error.to_string() },
        };
        self.conclude_resumable(held, progress).await
    }
}
