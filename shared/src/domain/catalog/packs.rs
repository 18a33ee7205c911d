//! Packs of a catalog's files: which may be given back when files go.

use super::{CatalogRef, Leftovers};
use crate::domain::Core;
use crate::domain::manifest::FileEntry;
use crate::storage::pack::{self, PackRecord};
use crate::storage::{PackId, StoreError, keys};

impl Core {
    /// Adds the pack of a file that has gone to what is left behind.
    pub(super) async fn leave_behind(&self, leftovers: &mut Leftovers, file: &FileEntry) -> Result<(), StoreError> {
        let list = match self.is_whole_pack(file).await? {
            true => &mut leftovers.packs,
            false => &mut leftovers.shared,
        };
        if !list.contains(&file.pack) {
            list.push(file.pack);
        }
        Ok(())
    }

    /// Whether nothing but this file lies in its pack.
    async fn is_whole_pack(&self, file: &FileEntry) -> Result<bool, StoreError> {
        // Before a file of an archive its header stands.
        if file.extent.offset > 0 {
            return Ok(false);
        }
        let shape = pack::find(&self.records, file.pack).await?;
        Ok(shape.is_none_or(|shape| shape.bytes == file.extent.stored_len))
    }

    /// Releases a pack unless a file of its owner still lies in it, be it in this catalog, unless that `is_going`, or
    /// elsewhere. Gives whether it was released.
    pub(super) async fn release_shared_pack(
        &self,
        pack: PackId,
        catalog: CatalogRef<'_>,
        is_going: bool,
    ) -> Result<bool, StoreError> {
        if self.records.get::<PackRecord>(&keys::pack(pack)).await?.is_none() {
            return Ok(true);
        }
        // Most often there is another in the same catalog.
        if !is_going && self.catalog_has_pack(catalog.id, pack).await? {
            return Ok(false);
        }
        if self.owner_needs_pack(catalog.owner, pack, catalog.id).await? {
            return Ok(false);
        }
        self.release_pack(pack, catalog.owner, false).await?;
        Ok(true)
    }

    /// Releases a pack in which no file of its owner lies any more, with the digests beside it. `is_whole` says that it
    /// never held more than one.
    ///
    /// # Errors
    /// The store's failure; to be called again then.
    pub(crate) async fn release_pack(&self, id: PackId, owner: &str, is_whole: bool) -> Result<(), StoreError> {
        let Some(record) = self.records.get::<PackRecord>(&keys::pack(id)).await? else { return Ok(()) };
        // What became one item by merging is one owner of several names.
        for name in &record.owners {
            if self.is_same_owner(name, owner).await? {
                // Should others need the pack still, they take the digests again.
                self.forget_pack_digests(id, if is_whole { 0 } else { record.bytes }).await?;
                pack::release(&self.records, &self.blobs, id, name).await?;
            }
        }
        Ok(())
    }
}
