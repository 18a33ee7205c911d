//! Reading manifests, page by page.

use super::{FILES_PER_PAGE, FileEntry, FilePage, FullScan, Manifest, Resource, ScanPage, StoredScan};
use crate::domain::Core;
use crate::storage::{StoreError, keys};

impl Core {
    /// The manifest of this identifier, which must exist.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if it does not, or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn manifest(&self, id: &str) -> Result<Manifest, StoreError> {
        let key = keys::manifest(id);
        let found = self.records.get(&key).await?;
        found.ok_or_else(|| StoreError::Corrupt { key: key.to_string(), reason: "it is missing".to_owned() })
    }

    /// The scans of a manifest, in order.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn scans(&self, manifest: &Manifest) -> Result<Vec<StoredScan>, StoreError> {
        let mut scans = Vec::new();
        for page in 0..manifest.scan_pages {
            let key = keys::manifest_scans(&manifest.id, page);
            let found: Option<ScanPage> = self.records.get(&key).await?;
            let missing = || StoreError::Corrupt { key: key.to_string(), reason: "it is missing".to_owned() };
            scans.extend(found.ok_or_else(missing)?.scans);
        }
        Ok(scans)
    }

    pub(crate) async fn file_page(&self, manifest: &Manifest, page: u64) -> Result<Vec<FileEntry>, StoreError> {
        let key = keys::manifest_files(&manifest.files_of, page);
        let found: Option<FilePage> = self.records.get(&key).await?;
        let missing = || StoreError::Corrupt { key: key.to_string(), reason: "it is missing".to_owned() };
        Ok(found.ok_or_else(missing)?.files)
    }

    /// A page of files of a manifest that may be half removed.
    pub(crate) async fn file_page_if_there(
        &self,
        manifest: &Manifest,
        page: u64,
    ) -> Result<Vec<FileEntry>, StoreError> {
        let found: Option<FilePage> = self.records.get(&keys::manifest_files(&manifest.files_of, page)).await?;
        Ok(found.map(|page| page.files).unwrap_or_default())
    }

    /// The files of a resource that lie on its `nth` page, `None` behind the last: so a long list is read in pieces.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn files_on_page(
        &self,
        manifest: &Manifest,
        resource: &Resource,
        nth: u64,
    ) -> Result<Option<Vec<FileEntry>>, StoreError> {
        let per_page = FILES_PER_PAGE as u64;
        let page = resource.first / per_page + nth;
        let end = resource.first + resource.count;
        let from = resource.first.max(page * per_page);
        let to = end.min((page + 1) * per_page);
        if from >= to {
            return Ok(None);
        }
        let mut files = self.file_page(manifest, page).await?;
        let skip = usize::try_from(from - page * per_page).unwrap_or(usize::MAX).min(files.len());
        let take = usize::try_from(to - from).unwrap_or(usize::MAX);
        files.drain(..skip);
        files.truncate(take);
        Ok(Some(files))
    }

    /// All files of a resource.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn files(&self, manifest: &Manifest, resource: &Resource) -> Result<Vec<FileEntry>, StoreError> {
        let mut files = Vec::new();
        let mut nth = 0;
        while let Some(some) = self.files_on_page(manifest, resource, nth).await? {
            files.extend(some);
            nth += 1;
        }
        Ok(files)
    }

    /// The scans of a manifest with all their files.
    ///
    /// # Errors
    /// The store's failure.
    pub(crate) async fn full_scans(&self, manifest: &Manifest) -> Result<Vec<FullScan>, StoreError> {
        let mut full = Vec::new();
        for stored in self.scans(manifest).await? {
            let mut files = Vec::with_capacity(stored.resources.len());
            for resource in &stored.resources {
                files.push(self.files(manifest, resource).await?);
            }
            full.push(FullScan { stored, files });
        }
        Ok(full)
    }

    /// The file of this name in a resource.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn file(
        &self,
        manifest: &Manifest,
        resource: &Resource,
        name: &str,
    ) -> Result<Option<FileEntry>, StoreError> {
        let nth = resource.page_starts.partition_point(|start| start.as_str() <= name) as u64;
        let Some(files) = self.files_on_page(manifest, resource, nth).await? else { return Ok(None) };
        Ok(files.into_iter().find(|file| file.name == name))
    }
}
