//! Reading a catalog while others may change it.

use super::{Catalog, CatalogFile, Page};
use crate::domain::Core;
use crate::storage::{PackId, StoreError, keys};

/// How often a reader starts again because a change overtook it.
const MAX_READS: usize = 16;

/// How far somebody has read a catalog.
#[derive(Debug, Clone)]
pub struct CatalogCursor {
    id: String,
    head: Option<Catalog>,
    after: Option<String>,
}

impl CatalogCursor {
    /// Before the first file of this catalog.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), head: None, after: None }
    }
}

impl Core {
    /// The head of a catalog; an empty one if there is none.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn catalog(&self, id: &str) -> Result<Catalog, StoreError> {
        Ok(self.records.get(&keys::catalog(id)).await?.unwrap_or_default())
    }

    pub(super) async fn catalog_page(&self, id: &str, number: u64) -> Result<Option<Vec<CatalogFile>>, StoreError> {
        Ok(self.records.get::<Page>(&keys::catalog_page(id, number)).await?.map(|page| page.files))
    }

    /// The file at this path.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn catalog_file(&self, id: &str, path: &str) -> Result<Option<CatalogFile>, StoreError> {
        for _ in 0..MAX_READS {
            let head = self.catalog(id).await?;
            let Some(page) = head.pages.get(head.index_of(path)) else { return Ok(None) };
            if let Some(files) = self.catalog_page(id, page.number).await? {
                return Ok(files.into_iter().find(|found| found.file.name == path));
            }
        }
        Err(overtaken(id))
    }

    /// The next files of a catalog in the order of their paths, a page's worth of them; `None` behind the last.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn next_files(&self, cursor: &mut CatalogCursor) -> Result<Option<Vec<CatalogFile>>, StoreError> {
        let mut reads = 0;
        loop {
            let head = match &mut cursor.head {
                Some(head) => head,
                none => none.insert(self.catalog(&cursor.id).await?),
            };
            let mut index = cursor.after.as_ref().map_or(0, |after| head.index_of(after));
            let found = loop {
                let Some(page) = head.pages.get(index) else { return Ok(None) };
                let Some(mut files) = self.catalog_page(&cursor.id, page.number).await? else { break None };
                files.retain(|found| cursor.after.as_ref().is_none_or(|after| found.file.name > *after));
                if !files.is_empty() {
                    break Some(files);
                }
                index += 1;
            };
            if let Some(files) = found {
                cursor.after = files.last().map(|last| last.file.name.clone());
                return Ok(Some(files));
            }
            cursor.head = None;
            reads += 1;
            if reads >= MAX_READS {
                return Err(overtaken(&cursor.id));
            }
        }
    }

    /// All files of a catalog, for whoever holds them in memory in any case.
    pub(crate) async fn files_of_catalog(&self, id: &str) -> Result<Vec<CatalogFile>, StoreError> {
        let mut all = Vec::new();
        let mut cursor = CatalogCursor::new(id);
        while let Some(files) = self.next_files(&mut cursor).await? {
            all.extend(files);
        }
        Ok(all)
    }

    /// Whether a file of the catalog lies in this pack.
    pub(crate) async fn catalog_has_pack(&self, id: &str, pack: PackId) -> Result<bool, StoreError> {
        let mut cursor = CatalogCursor::new(id);
        while let Some(files) = self.next_files(&mut cursor).await? {
            if files.iter().any(|found| found.file.pack == pack) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn overtaken(id: &str) -> StoreError {
    StoreError::Corrupt { key: keys::catalog(id).to_string(), reason: "it names a page that is missing".to_owned() }
}
