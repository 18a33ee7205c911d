//! Taking files that were received over into a catalog.

use super::{CatalogFile, CatalogRef, FileNotes, Put};
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::domain::manifest::FileEntry;
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
    /// Takes files over one after the other. Gives the paths of those that are there already and were not to be
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
            let path = received.name.as_str().to_owned();
            let file = CatalogFile {
                file: FileEntry {
                    name: path.clone(),
                    pack: shape.id,
                    ordinal: 0,
                    extent: Extent { offset: 0, stored_len: shape.bytes, len: shape.bytes, method: Method::Stored },
                    crc32: received.crc32,
                    sop_instance_uid: String::new(),
                    instance_number: None,
                },
                by: taking.by.to_owned(),
                at_ms: self.clock.now_ms(),
                notes: taking.notes.clone(),
            };
            pack::commit(&self.records, shape, vec![catalog.owner.to_owned()], file.at_ms).await?;
            match self.put_file(lease, catalog, file, taking.overwrite).await {
                Ok(Put::Added | Put::Replaced) => pack::seal(&self.records, shape.id).await?,
                Ok(Put::Duplicate) => {
                    duplicates.push(path);
                    self.release_file_pack(shape.id, catalog.owner).await?;
                }
                // Whether the file was taken over is not known; the sweep looks and removes its pack if not.
                Err(error @ DomainError::Store(_)) => return Err(error),
                Err(error) => {
                    self.release_file_pack(shape.id, catalog.owner).await?;
                    return Err(error);
                }
            }
        }
        Ok(duplicates)
    }
}
