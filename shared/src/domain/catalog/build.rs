//! Writing a whole catalog at once, of files that come in the order of their paths.

use super::change::{file_bytes, separator};
use super::{Catalog, CatalogFile, FILES_PER_PAGE, PAGE_BYTES, Page, PageRef};
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::storage::{StoreError, keys};

/// A catalog that is being written; nothing refers to it yet. Its pages have the numbers from 0 on, its head comes last.
pub(crate) struct CatalogBuilder<'a> {
    core: &'a Core,
    id: &'a str,
    head: Catalog,
    files: Vec<CatalogFile>,
    bytes: usize,
    /// The last path of the page before.
    last: Option<String>,
}

impl<'a> CatalogBuilder<'a> {
    /// Begins a catalog under an identifier that was never used.
    pub fn new(core: &'a Core, id: &'a str) -> Self {
        Self { core, id, head: Catalog::default(), files: Vec::new(), bytes: 0, last: None }
    }

    /// Adds the next file.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn push(&mut self, file: CatalogFile) -> Result<(), StoreError> {
        let bytes = file_bytes(&file);
        if self.files.len() >= FILES_PER_PAGE || (!self.files.is_empty() && self.bytes + bytes > PAGE_BYTES) {
            self.write_page().await?;
        }
        self.bytes += bytes;
        self.head.files += 1;
        self.head.bytes = self.head.bytes.saturating_add(file.file.extent.len);
        self.files.push(file);
        Ok(())
    }

    async fn write_page(&mut self) -> Result<(), StoreError> {
        let files = std::mem::take(&mut self.files);
        self.bytes = 0;
        let first = files.first().map(|file| file.file.name.as_str()).unwrap_or_default();
        let from = self.last.as_deref().map(|last| separator(last, first)).unwrap_or_default();
        let number = self.head.next_page;
        self.head.pages.push(PageRef { number, from, count: files.len() as u64 });
        self.head.next_page += 1;
        self.last = files.last().map(|file| file.file.name.clone());
        self.core.records.set(&keys::catalog_page(self.id, number), &Page { files }).await
    }

    /// Writes what is left, and the head.
    ///
    /// # Errors
    /// [`DomainError::Invalid`] if the catalog has become too large, or the store's failure.
    pub async fn finish(mut self) -> Result<(), DomainError> {
        if !self.files.is_empty() {
            self.write_page().await?;
        }
        match self.core.records.set(&keys::catalog(self.id), &self.head).await {
            Err(StoreError::TooLarge { .. }) => Err(super::change::full()),
            done => Ok(done?),
        }
    }
}

impl Core {
    /// Writes a catalog that nothing refers to yet, of files in the order of their paths. `keep` is asked for each page's
    /// worth of files whether to go on.
    ///
    /// # Errors
    /// What `keep` says, [`DomainError::Invalid`] if the catalog has become too large, or the store's failure.
    pub(crate) async fn write_catalog(
        &self,
        id: &str,
        files: Vec<CatalogFile>,
        mut keep: impl AsyncFnMut() -> Result<(), DomainError>,
    ) -> Result<(), DomainError> {
        let mut builder = CatalogBuilder::new(self, id);
        for (number, file) in files.into_iter().enumerate() {
            if number.is_multiple_of(FILES_PER_PAGE) {
                keep().await?;
            }
            builder.push(file).await?;
        }
        builder.finish().await
    }
}
