//! Taking files that were received over into a catalog.

use super::{CatalogFile, CatalogRef, FileNotes, Put};
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::domain::manifest::FileEntry;
use crate::domain::prearchive::unpack::UnpackedFile;
use crate::domain::prearchive::upload_files::ReceivedFile;
use crate::intake::{Extent, Method};
use crate::storage::{Lease, Store, pack};

/// How files are taken over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taking<'a> {
    /// Who adds them.
    pub by: &'a str,
    /// What is said of each.
    pub notes: &'a FileNotes,
    /// Whether they take the place of files that are there.
    pub overwrite: bool,
}

impl<S: Store> Core<S> {
    /// Takes files over one after the other; what an archive holds is taken over together. Gives the paths of those that are there already and were not to be
    /// overwritten: nothing is changed about them. On an error the files before it are taken over, and those that
    /// stay in `left` are nobody's.
    ///
    /// # Errors
    /// As [`Core::put_file`].
    pub(crate) async fn take_files(
        &self,
        lease: &mut Lease,
        catalog: CatalogRef<'_>,
        taking: Taking<'_>,
        left: &mut Vec<ReceivedFile>,
    ) -> Result<Vec<String>, DomainError> {
        let mut duplicates = Vec::new();
        left.reverse();
        while let Some(received) = left.pop() {
            let shape = received.shape;
            let at_ms = self.clock.now_ms();
            pack::commit(&self.records, shape, vec![catalog.owner.to_owned()], at_ms).await?;
            match self.take_file(lease, catalog, taking, received, at_ms).await {
                Ok((there, true)) => {
                    duplicates.extend(there);
                    pack::seal(&self.records, shape.id).await?;
                }
                Ok((there, false)) => {
                    duplicates.extend(there);
                    self.release_pack(shape.id, catalog.owner, true).await?;
                }
                // Whether the file was taken over is not known; the sweep looks and removes its pack if not.
                Err(error @ DomainError::Store(_)) => return Err(error),
                Err(error) => {
                    self.release_pack(shape.id, catalog.owner, true).await?;
                    return Err(error);
                }
            }
        }
        Ok(duplicates)
    }

    /// Takes over what came in one pack: a file, or what an archive holds. Gives the paths of those that are there
    /// already, and whether any was taken over.
    async fn take_file(
        &self,
        lease: &mut Lease,
        catalog: CatalogRef<'_>,
        taking: Taking<'_>,
        received: ReceivedFile,
        at_ms: u64,
    ) -> Result<(Vec<String>, bool), DomainError> {
        let entry = |ordinal: u32, name: String, extent: Extent, crc32: u32| CatalogFile {
            file: FileEntry {
                name,
                pack: received.shape.id,
                ordinal,
                extent,
                crc32,
                sop_instance_uid: String::new(),
                instance_number: None,
            },
            by: taking.by.to_owned(),
            at_ms,
            notes: taking.notes.clone(),
        };
        let Some(unpacked) = received.unpacked else {
            let bytes = received.shape.bytes;
            let extent = Extent { offset: 0, stored_len: bytes, len: bytes, method: Method::Stored };
            let path = received.name.as_str().to_owned();
            let file = entry(0, path.clone(), extent, received.crc32);
            return Ok(match self.put_file(lease, catalog, file, taking.overwrite).await? {
                Put::Added | Put::Replaced => (Vec::new(), true),
                Put::Duplicate => (vec![path], false),
            });
        };
        let count = unpacked.len();
        let files = unpacked.into_iter().map(|UnpackedFile { ordinal, name, extent, crc32 }| {
            entry(ordinal, name.as_str().to_owned(), extent, crc32)
        });
        let duplicates = self.put_files(lease, catalog, files.collect(), taking.overwrite).await?;
        let is_taken = duplicates.len() < count;
        Ok((duplicates, is_taken))
    }
}
