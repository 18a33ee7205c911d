//! Taking files that were received over into a catalog.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::{CatalogFile, CatalogRef, FileNotes, Put, Wish};
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::domain::manifest::FileEntry;
use crate::domain::prearchive::unpack::UnpackedFile;
use crate::domain::prearchive::upload_files::ReceivedFile;
use crate::storage::{Lease, PackId, pack};

/// How files are taken over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taking<'a> {
    /// Who adds them.
    pub by: &'a str,
    /// What is said of each.
    pub notes: &'a FileNotes,
    /// What is wanted of each, of those that go to the quarantine.
    pub wish: Option<&'a Wish>,
    /// Whether they take the place of files that are there.
    pub overwrite: bool,
}

impl Core {
    /// Takes files over one after the other; what an archive holds, and files that share a pack, are taken over together.
    /// Gives the paths of those that are there already and were not to be overwritten: nothing is changed about them. On
    /// an error the files before it are taken over, and those that stay in `left` are nobody's.
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
        // Of the packs with files still to come, whether any of them was taken over.
        let mut taken: BTreeMap<PackId, bool> = BTreeMap::new();
        left.reverse();
        while let Some(first) = left.pop() {
            let shape = first.shape;
            let at_ms = self.clock.now_ms();
            if let Entry::Vacant(place) = taken.entry(shape.id) {
                pack::commit(&self.records, shape, vec![catalog.owner.to_owned()], at_ms).await?;
                place.insert(false);
            }
            let round = round_of(first, left);
            match self.take_round(lease, catalog, taking, round, at_ms).await {
                Ok((there, is_taken)) => {
                    duplicates.extend(there);
                    let any = taken.entry(shape.id).or_default();
                    *any |= is_taken;
                    if left.iter().any(|file| file.shape.id == shape.id) {
                        continue;
                    }
                    match *any {
                        true => pack::seal(&self.records, shape.id).await?,
                        false => self.release_pack(shape.id, catalog.owner, true).await?,
                    }
                }
                // Whether the files were taken over is not known; the sweep looks and removes their pack if not.
                Err(error @ DomainError::Store(_)) => return Err(error),
                Err(error) => {
                    if taken.get(&shape.id) == Some(&false) {
                        self.release_pack(shape.id, catalog.owner, true).await?;
                    }
                    return Err(error);
                }
            }
        }
        Ok(duplicates)
    }

    /// Takes over files of one pack together: one, several, or what an archive holds. Gives the paths of those that are
    /// there already, and whether any was taken over.
    async fn take_round(
        &self,
        lease: &mut Lease,
        catalog: CatalogRef<'_>,
        taking: Taking<'_>,
        round: Vec<ReceivedFile>,
        at_ms: u64,
    ) -> Result<(Vec<String>, bool), DomainError> {
        let mut files = Vec::with_capacity(round.len());
        for ReceivedFile { name, shape, extent, ordinal, crc32, unpacked, .. } in round {
            let unpacked = unpacked.unwrap_or_else(|| vec![UnpackedFile { ordinal, name, extent, crc32 }]);
            files.extend(unpacked.into_iter().map(|UnpackedFile { ordinal, name, extent, crc32 }| CatalogFile {
                file: FileEntry {
                    name: name.as_str().to_owned(),
                    pack: shape.id,
                    ordinal,
                    extent,
                    crc32,
                    sop_instance_uid: String::new(),
                    instance_number: None,
                },
                by: taking.by.to_owned(),
                at_ms,
                notes: taking.notes.clone(),
                wish: taking.wish.cloned(),
            }));
        }
        if let [file] = files.as_slice() {
            let path = file.file.name.clone();
            return Ok(match self.put_file(lease, catalog, file.clone(), taking.overwrite).await? {
                Put::Added | Put::Replaced => (Vec::new(), true),
                Put::Duplicate => (vec![path], false),
            });
        }
        let count = files.len();
        let duplicates = self.put_files(lease, catalog, files, taking.overwrite).await?;
        let is_taken = duplicates.len() < count;
        Ok((duplicates, is_taken))
    }
}

/// The first file with those behind it that lie in the same pack and can be taken over with it: of two that have the
/// same path, the later one must find the first there.
fn round_of(first: ReceivedFile, left: &mut Vec<ReceivedFile>) -> Vec<ReceivedFile> {
    let pack = first.shape.id;
    let is_plain = |file: &ReceivedFile| file.shape.id == pack && file.unpacked.is_none();
    let mut paths = BTreeSet::from([first.name.clone()]);
    let mut round = vec![first];
    while let Some(next) = left.pop_if(|next| is_plain(next) && !paths.contains(&next.name)) {
        paths.insert(next.name.clone());
        round.push(next);
    }
    round
}
