//! One file on its way into a pack of its own.

use super::{FilesError, ReceivedFile};
use crate::domain::Core;
use crate::domain::prearchive::upload::UploadError;
use crate::intake::crc32::Crc32;
use crate::intake::{EntryName, Extent, IntakeError, Method};
use crate::storage::pack::PackWriter;

/// One file on its way into its pack.
pub(super) struct Incoming {
    writer: PackWriter,
    crc: Crc32,
    started_ms: u64,
    limit_bytes: u64,
}

/// Refuses a file that has more bytes than it may.
pub(super) fn demand_size(name: &EntryName, bytes: u64, limit_bytes: u64) -> Result<(), FilesError> {
    if bytes <= limit_bytes {
        return Ok(());
    }
    Err(UploadError::from(IntakeError::EntryTooLarge { entry: name.into(), limit_bytes }).into())
}

/// Where a file lies that is stored as it is.
pub(super) fn stored_at(offset: u64, len: u64) -> Extent {
    Extent { offset, stored_len: len, len, method: Method::Stored }
}

impl Incoming {
    #[crate::boxed(?Send)]
    pub async fn start(core: &Core, limit_bytes: u64) -> Result<Self, FilesError> {
        let writer = core.start_pack().await?;
        Ok(Self { writer, crc: Crc32::new(), started_ms: core.clock.now_ms(), limit_bytes })
    }

    #[crate::boxed(?Send)]
    pub async fn push(&mut self, name: &EntryName, piece: &[u8]) -> Result<(), FilesError> {
        demand_size(name, self.writer.bytes().saturating_add(piece.len() as u64), self.limit_bytes)?;
        self.crc.update(piece);
        Ok(self.writer.write(piece).await?)
    }

    #[crate::boxed(?Send)]
    pub async fn finish(&mut self, name: EntryName) -> Result<ReceivedFile, FilesError> {
        let shape = self.writer.finish().await?;
        Ok(ReceivedFile {
            name,
            shape,
            extent: stored_at(0, shape.bytes),
            ordinal: 0,
            crc32: self.crc.clone().finalize(),
            started_ms: self.started_ms,
            unpacked: None,
        })
    }

    /// Removes what was written.
    #[crate::boxed(?Send)]
    pub async fn abandon(self) {
        // If this fails the sweep does it later; why the file is refused is what there is to tell.
        let _ = self.writer.abandon().await;
    }
}
