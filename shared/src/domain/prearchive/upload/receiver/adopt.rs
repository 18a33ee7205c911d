//! Bodies that lie in packs already.

use std::rc::Rc;

use super::{Receiver, unreadable};
use crate::domain::prearchive::upload::UploadError;
use crate::domain::prearchive::upload::flow::NAMELESS;
use crate::domain::prearchive::upload::sink::FileSink;
use crate::domain::prearchive::upload_files::ReceivedFile;
use crate::intake::kind::SNIFF_BYTES;
use crate::intake::{BodyKind, EntryName, EntryVisitor, ExtentReader, IntakeError, SingleScanner};
use crate::storage::pack::{PackReader, PackShape};

/// Bytes of a pack that are looked at at once.
const READ_BYTES: usize = 256 * 1024;

impl Receiver {
    /// Takes in a body that lies in a complete pack already. If it is refused, whoever gave the pack removes it.
    ///
    /// # Errors
    /// As [`Receiver::take`].
    #[crate::boxed(?Send)]
    pub async fn borrow(&mut self, name: &str, shape: PackShape) -> Result<(), UploadError> {
        self.lent = Some(shape.id);
        self.adopt(name, shape).await
    }

    /// Takes in a body that lies in a complete pack already, which becomes the upload's.
    ///
    /// # Errors
    /// As [`Receiver::take`].
    pub(super) async fn adopt(&mut self, name: &str, shape: PackShape) -> Result<(), UploadError> {
        let mut flow = self.flow(name, "", 0);
        flow.content.adopted = Some(shape);
        self.packs.push(shape);
        self.spent.received_bytes = self.spent.received_bytes.saturating_add(shape.bytes);
        let reader = PackReader::new(self.core.blobs.clone(), shape);
        let mut offset = 0;
        while offset < shape.bytes {
            let piece = reader.read(offset, READ_BYTES).await?;
            offset = offset.saturating_add(piece.len() as u64);
            self.push(&mut flow, piece).await?;
        }
        self.end(flow).await?;
        self.open_waiting().await
    }

    /// Takes in a file of a form, alone in its pack or one of several. The pack becomes the upload's.
    ///
    /// # Errors
    /// As [`Receiver::take`].
    #[crate::boxed(?Send)]
    pub async fn adopt_file(&mut self, file: &ReceivedFile) -> Result<(), UploadError> {
        self.begun_at(file.started_ms);
        if file.is_alone() {
            return self.adopt(file.name.as_str(), file.shape).await;
        }
        if self.shared.as_ref().is_none_or(|pack| pack.shape != file.shape) {
            self.packs.push(file.shape);
            self.shared = Some(Shared {
                shape: file.shape,
                reader: Rc::new(PackReader::new(self.core.blobs.clone(), file.shape)),
            });
        }
        let Some(pack) = self.shared.as_ref().map(|shared| shared.reader.clone()) else { return Ok(()) };
        self.look_at(file, pack).await
    }

    /// Looks at a file that is no archive, as at a body that is one file.
    async fn look_at(&mut self, file: &ReceivedFile, pack: Rc<PackReader>) -> Result<(), UploadError> {
        let limits = self.spent.left_of(&self.core.settings.limits, 0);
        if limits.max_entries == 0 {
            return Err(self.as_whole(IntakeError::TooManyEntries { limit: 0 }));
        }
        let name = EntryName::parse(file.name.as_str(), &limits).or_else(|_| EntryName::parse(NAMELESS, &limits));
        let name = name.map_err(|_| UploadError::Unsupported { kind: "a file whose name cannot be used" })?;
        let mut scanner = SingleScanner::new(limits, name, FileSink::new(&limits));
        let mut bytes = ExtentReader::whole(pack, file.extent, file.crc32).map_err(unreadable)?;
        // The first bytes may lie in two chunks.
        let mut head = Some(Vec::new());
        while let Some(piece) = bytes.next().await.map_err(unreadable)? {
            if let Some(first) = &mut head {
                first.extend_from_slice(&piece);
                if first.len() >= SNIFF_BYTES {
                    self.demand_kind(file, &head.take().unwrap_or_default())?;
                }
            }
            scanner.push(&piece).map_err(|error| self.as_whole(error))?;
        }
        match head {
            Some(head) if head.is_empty() => return self.empty(file.name.as_str()),
            Some(head) => self.demand_kind(file, &head)?,
            None => {}
        }
        let mut entry = scanner.finish()?;
        entry.extent = file.extent;
        self.sorter.enter(file.shape.id, "", false, file.ordinal);
        self.sorter.entry(entry)?;
        self.spent.received_bytes = self.spent.received_bytes.saturating_add(file.extent.len);
        self.spent.inflated_bytes = self.spent.inflated_bytes.saturating_add(file.extent.len);
        self.spent.entries = self.spent.entries.saturating_add(1);
        Ok(())
    }

    /// Refuses what is not worth storing, by its first bytes.
    fn demand_kind(&self, file: &ReceivedFile, head: &[u8]) -> Result<(), UploadError> {
        match BodyKind::of(head.get(..SNIFF_BYTES).unwrap_or(head)) {
            BodyKind::Text | BodyKind::Unknown if !self.leaves_out() => Err(self.no_image(file.name.as_str())),
            _ => Ok(()),
        }
    }
}

/// A pack that files of a form share.
pub(super) struct Shared {
    shape: PackShape,
    reader: Rc<PackReader>,
}
