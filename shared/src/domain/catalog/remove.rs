//! Removing what a catalog no longer needs, or the whole of it.

use std::collections::BTreeSet;

use super::{CatalogCursor, CatalogFile, CatalogRef, Leftovers};
use crate::domain::Core;
use crate::storage::{PackId, Store, StoreError, keys, pack};

/// New pages that one change writes at most, so that many may lie uncommitted behind the next number.
const MAX_NEW_PAGES: u64 = 2;

impl<S: Store> Core<S> {
    pub(super) async fn remove_leftovers(
        &self,
        catalog: CatalogRef<'_>,
        leftovers: &Leftovers,
    ) -> Result<(), StoreError> {
        for pack in &leftovers.packs {
            self.release_file_pack(*pack, catalog.owner).await?;
        }
        for page in &leftovers.pages {
            self.records.delete(&keys::catalog_page(catalog.id, *page)).await?;
        }
        for page in &leftovers.cleared {
            self.clear_page(catalog, *page).await?;
        }
        Ok(())
    }

    /// Releases the packs of a page's files, then removes the page: whoever is interrupted finds it again.
    async fn clear_page(&self, catalog: CatalogRef<'_>, number: u64) -> Result<(), StoreError> {
        let files: Vec<CatalogFile> = self.catalog_page(catalog.id, number).await?.unwrap_or_default();
        for file in files {
            self.release_file_pack(file.file.pack, catalog.owner).await?;
        }
        self.records.delete(&keys::catalog_page(catalog.id, number)).await
    }

    /// Removes a catalog with its files; its owner refers to it no more, or is about to go itself.
    ///
    /// # Errors
    /// The store's failure; to be called again then.
    pub(crate) async fn remove_catalog(&self, catalog: CatalogRef<'_>) -> Result<(), StoreError> {
        let head = self.catalog(catalog.id).await?;
        self.remove_leftovers(catalog, &head.leftovers).await?;
        for page in &head.pages {
            self.clear_page(catalog, page.number).await?;
        }
        // What was never committed may name packs of files that stay: those are the sweep's.
        for page in head.next_page..head.next_page.saturating_add(MAX_NEW_PAGES) {
            self.records.delete(&keys::catalog_page(catalog.id, page)).await?;
        }
        self.records.delete(&keys::catalog(catalog.id)).await
    }

    /// The packs in which the files of a catalog lie.
    pub(crate) async fn packs_of_catalog(&self, id: &str) -> Result<BTreeSet<PackId>, StoreError> {
        let mut packs = BTreeSet::new();
        let mut cursor = CatalogCursor::new(id);
        while let Some(files) = self.next_files(&mut cursor).await? {
            packs.extend(files.iter().map(|file| file.file.pack));
        }
        Ok(packs)
    }

    /// Removes a catalog that another has taken the place of, or was to take: packs of files that the other has as well
    /// stay with the owner. It may be one that was never finished: then it has pages from 0 on and no head.
    ///
    /// # Errors
    /// The store's failure; to be called again then.
    pub(crate) async fn remove_twin(&self, catalog: CatalogRef<'_>, kept: &BTreeSet<PackId>) -> Result<(), StoreError> {
        let head = self.catalog(catalog.id).await?;
        self.remove_leftovers(catalog, &head.leftovers).await?;
        let mut pages: Vec<u64> = head.pages.iter().map(|page| page.number).collect();
        if pages.is_empty() {
            let mut next = 0;
            while self.catalog_page(catalog.id, next).await?.is_some() {
                pages.push(next);
                next += 1;
            }
        } else {
            pages.extend(head.next_page..head.next_page.saturating_add(MAX_NEW_PAGES));
        }
        // From the last on: whoever is interrupted finds all that is left from the first on.
        for page in pages.into_iter().rev() {
            for file in self.catalog_page(catalog.id, page).await?.unwrap_or_default() {
                if !kept.contains(&file.file.pack) {
                    self.release_file_pack(file.file.pack, catalog.owner).await?;
                }
            }
            self.records.delete(&keys::catalog_page(catalog.id, page)).await?;
        }
        self.records.delete(&keys::catalog(catalog.id)).await
    }

    /// Releases the pack of one file, with the page of digests beside it.
    pub(crate) async fn release_file_pack(&self, id: PackId, owner: &str) -> Result<(), StoreError> {
        self.records.delete(&keys::pack_digests(id, 0)).await?;
        pack::release(&self.records, &self.blobs, id, owner).await
    }
}
