//! Removing what a catalog no longer needs, or the whole of it.

use std::collections::BTreeSet;

use super::change::Draft;
use super::{Catalog, CatalogCursor, CatalogFile, CatalogRef, Leftovers};
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::storage::{Lease, PackId, StoreError, keys};

/// New pages that one change writes at most without writing them down before, so that many may lie uncommitted behind
/// the next number.
pub(super) const MAX_NEW_PAGES: u64 = 2;

/// Packs that are found to be needed still while a catalog is removed: they are not looked for again on every page.
type Needed = BTreeSet<PackId>;

impl Core {
    pub(super) async fn remove_leftovers(
        &self,
        catalog: CatalogRef<'_>,
        leftovers: &Leftovers,
    ) -> Result<(), StoreError> {
        for pack in &leftovers.packs {
            self.release_pack(*pack, catalog.owner, true).await?;
        }
        for pack in &leftovers.shared {
            self.release_shared_pack(*pack, catalog, false).await?;
        }
        for page in &leftovers.pages {
            self.records.delete(&keys::catalog_page(catalog.id, *page)).await?;
        }
        if !leftovers.replaced.is_empty() {
            let head = self.catalog(catalog.id).await?;
            let mut draft = Draft { core: self, id: catalog.id, head, pages: Default::default() };
            for page in &leftovers.replaced {
                self.remove_replaced_page(&mut draft, catalog, *page).await?;
            }
        }
        let mut needed = Needed::new();
        for page in &leftovers.cleared {
            self.clear_page(catalog, *page, &mut needed).await?;
        }
        Ok(())
    }

    /// Gives back what the files of a page had that were replaced, then removes the page.
    async fn remove_replaced_page(
        &self,
        draft: &mut Draft<'_>,
        catalog: CatalogRef<'_>,
        number: u64,
    ) -> Result<(), StoreError> {
        let files = self.catalog_page(catalog.id, number).await?.unwrap_or_default();
        let mut leftovers = Leftovers::default();
        for CatalogFile { file, .. } in files {
            if draft.find(&file.name).await?.is_none_or(|present| present.file.pack != file.pack) {
                self.leave_behind(&mut leftovers, &file).await?;
            }
        }
        for pack in leftovers.packs {
            self.release_pack(pack, catalog.owner, true).await?;
        }
        for pack in leftovers.shared {
            self.release_shared_pack(pack, catalog, false).await?;
        }
        self.records.delete(&keys::catalog_page(catalog.id, number)).await
    }

    /// Removes what the last change left behind, if it has not been, and forgets it: from then on the catalog may be
    /// removed in the name of another owner.
    ///
    /// # Errors
    /// [`DomainError::Busy`] if the lease has run out, or the store's failure.
    pub(crate) async fn settle_catalog(&self, lease: &mut Lease, catalog: CatalogRef<'_>) -> Result<(), DomainError> {
        let head = self.catalog(catalog.id).await?;
        if head.leftovers.is_empty() {
            return Ok(());
        }
        self.remove_leftovers(catalog, &head.leftovers).await?;
        if !self.leases.keep(lease).await? {
            return Err(super::change::busy());
        }
        let settled = Catalog { leftovers: Leftovers::default(), ..head };
        Ok(self.records.set(&keys::catalog(catalog.id), &settled).await?)
    }

    /// Releases the packs of a page's files, then removes the page: whoever is interrupted finds it again.
    async fn clear_page(&self, catalog: CatalogRef<'_>, number: u64, needed: &mut Needed) -> Result<(), StoreError> {
        let files: Vec<CatalogFile> = self.catalog_page(catalog.id, number).await?.unwrap_or_default();
        let mut leftovers = Leftovers::default();
        for CatalogFile { file, .. } in files {
            if !needed.contains(&file.pack) {
                self.leave_behind(&mut leftovers, &file).await?;
            }
        }
        for pack in leftovers.packs {
            self.release_pack(pack, catalog.owner, true).await?;
        }
        for pack in leftovers.shared {
            if !self.release_shared_pack(pack, catalog, true).await? {
                needed.insert(pack);
            }
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
        let mut needed = Needed::new();
        for page in &head.pages {
            self.clear_page(catalog, page.number, &mut needed).await?;
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
        let mut needed = kept.clone();
        // From the last on: whoever is interrupted finds all that is left from the first on.
        for page in pages.into_iter().rev() {
            self.clear_page(catalog, page, &mut needed).await?;
        }
        self.records.delete(&keys::catalog(catalog.id)).await
    }

    /// Removes a catalog that lists files which are somebody else's still: no pack is touched.
    ///
    /// # Errors
    /// The store's failure; to be called again then.
    pub(crate) async fn drop_catalog(&self, id: &str) -> Result<(), StoreError> {
        let head = self.catalog(id).await?;
        let Leftovers { pages, replaced, cleared, .. } = &head.leftovers;
        let named = head.pages.iter().map(|page| page.number);
        let uncommitted = head.next_page..head.next_page.saturating_add(MAX_NEW_PAGES);
        for page in named.chain(pages.iter().chain(replaced).chain(cleared).copied()).chain(uncommitted) {
            self.records.delete(&keys::catalog_page(id, page)).await?;
        }
        self.records.delete(&keys::catalog(id)).await
    }
}
