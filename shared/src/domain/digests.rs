//! MD5 digests of files, as XNAT's catalogs carry them.
//!
//! They are facts about the entries of a pack and kept beside it, a page for [`PER_PAGE`] entries. They are taken
//! after an upload was answered; whoever needs one that is not there yet takes it then.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};

use super::Core;
use super::manifest::{FileEntry, Manifest};
use crate::intake::{ExtentError, ExtentReader};
use crate::storage::{PackId, PackReader, Record, StoreError, keys, pack};

const PER_PAGE: u32 = 256;

/// What an entry of an archive takes at least, in bytes: a zip's two headers (APPNOTE 4.3.7 and 4.3.12).
const MIN_ENTRY_BYTES: u64 = 30 + 46;

#[derive(Serialize, Deserialize, Default)]
struct DigestPage {
    md5: BTreeMap<u32, String>,
}

impl Record for DigestPage {
    const VERSION: u32 = 1;
}

/// Why a file could not be read back.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The store failed, or the pack is gone.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The bytes are not those that were stored.
    #[error(transparent)]
    Extent(#[from] ExtentError),
}

/// Digests as they were read, and those that were set since.
#[derive(Default)]
pub(super) struct Digests {
    /// By pack and page; and whether one was set there.
    pages: BTreeMap<(PackId, u32), (DigestPage, bool)>,
}

impl Digests {
    /// Sets the digest of a file.
    pub fn set(&mut self, file: &FileEntry, digest: String) {
        let (page, is_changed) = self.pages.entry((file.pack, file.ordinal / PER_PAGE)).or_default();
        page.md5.insert(file.ordinal, digest);
        *is_changed = true;
    }
}

/// Reads a file through; its CRC-32 must be right.
async fn md5_of(pack: Rc<PackReader>, file: &FileEntry) -> Result<String, ReadError> {
    md5_read(ExtentReader::whole(pack, file.extent, file.crc32)?).await
}

/// The MD5 digest of what a reader gives.
pub(super) async fn md5_read(mut bytes: ExtentReader<Rc<PackReader>>) -> Result<String, ReadError> {
    let mut md5 = Md5::new();
    while let Some(piece) = bytes.next().await? {
        md5.update(&piece);
    }
    Ok(md5.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

impl Core {
    /// A reader of a committed pack.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if the pack is not there, or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn pack_reader(&self, id: PackId) -> Result<PackReader, StoreError> {
        let missing = || StoreError::Corrupt { key: keys::pack(id).to_string(), reason: "it is missing".to_owned() };
        let shape = pack::find(&self.records, id).await?.ok_or_else(missing)?;
        Ok(PackReader::new(self.blobs.clone(), shape))
    }

    /// The MD5 digests of these files as hexadecimal digits, in their order.
    ///
    /// # Errors
    /// [`ReadError`] if a file cannot be read back.
    #[crate::boxed(?Send)]
    pub async fn digests(&self, files: &[FileEntry]) -> Result<Vec<String>, ReadError> {
        let mut known = Digests::default();
        let mut digests = Vec::with_capacity(files.len());
        let mut reader: Option<(PackId, Rc<PackReader>)> = None;
        for file in files {
            let digest = match self.known_digest(&mut known, file).await? {
                Some(digest) => digest,
                None => {
                    let pack = match &reader {
                        Some((id, pack)) if *id == file.pack => pack.clone(),
                        _ => {
                            let pack = Rc::new(self.pack_reader(file.pack).await?);
                            reader = Some((file.pack, pack.clone()));
                            pack
                        }
                    };
                    let digest = md5_of(pack, file).await?;
                    known.set(file, digest.clone());
                    digest
                }
            };
            digests.push(digest);
        }
        self.store_digests(&known).await?;
        Ok(digests)
    }

    /// The digest of a file, if it is known.
    pub(super) async fn known_digest(
        &self,
        digests: &mut Digests,
        file: &FileEntry,
    ) -> Result<Option<String>, StoreError> {
        let number = file.ordinal / PER_PAGE;
        let (page, _) = match digests.pages.entry((file.pack, number)) {
            Entry::Occupied(held) => held.into_mut(),
            Entry::Vacant(place) => {
                let page = self.records.get(&keys::pack_digests(file.pack, u64::from(number))).await?;
                place.insert((page.unwrap_or_default(), false))
            }
        };
        Ok(page.md5.get(&file.ordinal).cloned())
    }

    /// Stores digests that were set.
    pub(super) async fn store_digests(&self, digests: &Digests) -> Result<(), StoreError> {
        for ((pack, number), (page, is_changed)) in &digests.pages {
            if *is_changed {
                self.records.set(&keys::pack_digests(*pack, u64::from(*number)), page).await?;
            }
        }
        Ok(())
    }

    /// Removes the digests of these files. They are taken again should one still be wanted.
    ///
    /// # Errors
    /// The store's failure.
    pub(crate) async fn forget_digests(&self, files: &[FileEntry]) -> Result<(), StoreError> {
        let pages: BTreeSet<(PackId, u32)> = files.iter().map(|file| (file.pack, file.ordinal / PER_PAGE)).collect();
        for (pack, number) in pages {
            self.records.delete(&keys::pack_digests(pack, u64::from(number))).await?;
        }
        Ok(())
    }

    /// Removes the digests of all files in a pack of so many bytes.
    pub(crate) async fn forget_pack_digests(&self, pack: PackId, bytes: u64) -> Result<(), StoreError> {
        let entries = (bytes / MIN_ENTRY_BYTES).min(self.settings.limits.max_entries);
        for page in 0..=entries / u64::from(PER_PAGE) {
            self.records.delete(&keys::pack_digests(pack, page)).await?;
        }
        Ok(())
    }

    /// Takes the digests of all files of a manifest that are not known yet.
    ///
    /// # Errors
    /// [`ReadError`] if a file cannot be read back.
    #[crate::boxed(?Send)]
    pub async fn take_digests(&self, manifest: &Manifest) -> Result<(), ReadError> {
        for page in 0..manifest.file_pages {
            let files = self.file_page(manifest, page).await?;
            self.digests(&files).await?;
        }
        Ok(())
    }
}
