//! Looking whether files are what they were.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::rc::Rc;

use crate::domain::Core;
use crate::domain::digests::{Digests, ReadError, md5_read};
use crate::domain::manifest::FileEntry;
use crate::intake::{ExtentError, ExtentReader, PackReadError};
use crate::storage::pack::{self, PackReader, PackShape};
use crate::storage::{PackId, StoreError};

/// What a file is found to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileState {
    /// What it was, as far as it was looked at.
    Fine,
    /// The same, and its digest was taken, which was not known before.
    DigestTaken,
    /// Its bytes are not those that were stored.
    Damaged,
    /// Its bytes are gone, or some of them.
    Missing,
}

impl Core {
    /// Looks at some files: whether their packs are there; with `probes` whether their first and last bytes are; with
    /// `reads` whether all their bytes are what they were, which takes the digests that are missing.
    ///
    /// # Errors
    /// The store's failure. That something is not there is none.
    pub(super) async fn check_files(
        &self,
        files: &[FileEntry],
        reads: bool,
        probes: bool,
    ) -> Result<Vec<FileState>, StoreError> {
        let mut shapes: BTreeMap<PackId, Option<PackShape>> = BTreeMap::new();
        let mut digests = Digests::default();
        let mut reader: Option<(PackId, Rc<PackReader>)> = None;
        let mut states = Vec::with_capacity(files.len());
        for file in files {
            let shape = match shapes.entry(file.pack) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(place) => *place.insert(pack::find(&self.records, file.pack).await?),
            };
            let end = file.extent.offset.saturating_add(file.extent.stored_len);
            let Some(shape) = shape.filter(|shape| end <= shape.bytes) else {
                states.push(FileState::Missing);
                continue;
            };
            if !reads && !probes {
                states.push(FileState::Fine);
                continue;
            }
            let pack = match &reader {
                Some((id, pack)) if *id == file.pack => pack.clone(),
                _ => {
                    let pack = Rc::new(PackReader::new(self.blobs.clone(), shape));
                    reader = Some((file.pack, pack.clone()));
                    pack
                }
            };
            states.push(match reads {
                true => self.read_through(file, pack, &mut digests).await?,
                false => probe(file, &pack).await?,
            });
        }
        self.store_digests(&digests).await?;
        Ok(states)
    }

    async fn read_through(
        &self,
        file: &FileEntry,
        pack: Rc<PackReader>,
        digests: &mut Digests,
    ) -> Result<FileState, StoreError> {
        let known = self.known_digest(digests, file).await?;
        // A digest that is known says more than the CRC-32, and taking both takes longer.
        let reader = match known {
            Some(_) => ExtentReader::unchecked(pack, file.extent),
            None => ExtentReader::whole(pack, file.extent, file.crc32),
        };
        let read = match reader {
            Ok(reader) => md5_read(reader).await,
            Err(error) => Err(error.into()),
        };
        let digest = match read {
            Ok(digest) => digest,
            Err(ReadError::Store(error)) => return state_of(error),
            Err(ReadError::Extent(ExtentError::Pack(PackReadError::Store { source, .. }))) => {
                let error = source.downcast_ref::<StoreError>().cloned();
                return state_of(error.unwrap_or_else(|| StoreError::Failed {
                    operation: "get",
                    key: String::new(),
                    reason: source.to_string(),
                }));
            }
            Err(ReadError::Extent(_)) => return Ok(FileState::Damaged),
        };
        Ok(match known {
            Some(known) if known == digest => FileState::Fine,
            Some(_) => FileState::Damaged,
            None => {
                digests.set(file, digest);
                FileState::DigestTaken
            }
        })
    }
}

/// Whether the first and the last byte of a file are there.
async fn probe(file: &FileEntry, pack: &PackReader) -> Result<FileState, StoreError> {
    let last = file.extent.stored_len.saturating_sub(1);
    if file.extent.stored_len == 0 {
        return Ok(FileState::Fine);
    }
    for at in [file.extent.offset, file.extent.offset.saturating_add(last)] {
        if let Err(error) = pack.read(at, 1).await {
            return state_of(error);
        }
    }
    Ok(FileState::Fine)
}

/// A piece that is not there or too short says that bytes are gone; what the store could not do says nothing.
fn state_of(error: StoreError) -> Result<FileState, StoreError> {
    match error {
        StoreError::Corrupt { .. } => Ok(FileState::Missing),
        error => Err(error),
    }
}
