//! Writing manifests, and removing them.

use super::{
    BUILDER, FILES_PER_PAGE, FileEntry, FilePage, FullScan, Manifest, NewScan, Resource, ScanPage, StoredScan,
};
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::domain::ids;
use crate::imaging::session::ImageSession;
use crate::storage::{StoreError, keys};

/// Scans on one page, at most; a page is also closed when it has grown to [`SCAN_PAGE_BYTES`].
const SCANS_PER_PAGE: usize = 100;
const SCAN_PAGE_BYTES: usize = 150 * 1024;

impl From<NewScan> for FullScan {
    fn from(new: NewScan) -> Self {
        let mut resources = Vec::with_capacity(new.resources.len());
        let mut files = Vec::with_capacity(new.resources.len());
        for (label, content, format, list) in new.resources {
            resources.push(Resource {
                label,
                content,
                format,
                description: String::new(),
                number: 0,
                first: 0,
                count: list.len() as u64,
                bytes: list.iter().map(|file| file.extent.len).fold(0, u64::saturating_add),
                page_starts: Vec::new(),
            });
            files.push(list);
        }
        Self {
            stored: StoredScan {
                scan: new.scan,
                scan_type: None,
                quality: None,
                number: 0,
                resources,
                shelf: Vec::new(),
            },
            files,
        }
    }
}

/// How many records are written at once.
const WIDTH: usize = 8;

impl Core {
    /// Writes a new manifest. Nothing refers to it yet.
    ///
    /// # Errors
    /// The store's failure.
    pub(crate) async fn write_manifest(
        &self,
        session: ImageSession,
        scans: Vec<NewScan>,
    ) -> Result<Manifest, DomainError> {
        let scans = scans.into_iter().map(FullScan::from).collect();
        self.write_full_manifest(ids::random_id()?, session, scans, async || Ok(())).await
    }

    /// Writes a new manifest under an identifier that was chosen before. `keep` is asked between the pages whether to
    /// go on.
    ///
    /// # Errors
    /// What `keep` says, or the store's failure.
    pub(crate) async fn write_full_manifest(
        &self,
        id: String,
        session: ImageSession,
        scans: Vec<FullScan>,
        mut keep: impl AsyncFnMut() -> Result<(), DomainError>,
    ) -> Result<Manifest, DomainError> {
        let mut files: Vec<FileEntry> = Vec::new();
        let mut stored = Vec::with_capacity(scans.len());
        for full in scans {
            let mut scan = full.stored;
            for (resource, mut list) in scan.resources.iter_mut().zip(full.files) {
                list.sort_by(|a, b| a.name.cmp(&b.name));
                let first = files.len();
                resource.first = first as u64;
                resource.count = list.len() as u64;
                resource.bytes = list.iter().map(|file| file.extent.len).fold(0, u64::saturating_add);
                resource.page_starts = list
                    .iter()
                    .enumerate()
                    .filter(|(index, _)| *index > 0 && (first + index).is_multiple_of(FILES_PER_PAGE))
                    .map(|(_, file)| file.name.clone())
                    .collect();
                files.append(&mut list);
            }
            stored.push(scan);
        }
        let mut head = Manifest {
            files_of: id.clone(),
            id,
            session,
            scan_pages: 0,
            scans: 0,
            files: files.len() as u64,
            bytes: files.iter().map(|file| file.extent.len).fold(0, u64::saturating_add),
            file_pages: files.len().div_ceil(FILES_PER_PAGE) as u64,
            builder: BUILDER,
        };
        let mut pages = Vec::new();
        while !files.is_empty() {
            let rest = files.split_off(files.len().min(FILES_PER_PAGE));
            pages.push(FilePage { files: std::mem::replace(&mut files, rest) });
        }
        let keyed: Vec<_> = (0..).map(|page| keys::manifest_files(&head.id, page)).zip(&pages).collect();
        for some in keyed.chunks(WIDTH) {
            keep().await?;
            for done in futures::future::join_all(some.iter().map(|(key, page)| self.records.set(key, *page))).await {
                done?;
            }
        }
        self.write_scans(&mut head, stored).await?;
        Ok(head)
    }

    /// Writes a manifest that has `scans` for its scans and shares the files of `old`.
    ///
    /// # Errors
    /// The store's failure.
    pub(crate) async fn derive_manifest(
        &self,
        old: &Manifest,
        scans: Vec<StoredScan>,
    ) -> Result<Manifest, DomainError> {
        self.derive_manifest_as(ids::random_id()?, old, scans).await
    }

    /// As [`Core::derive_manifest`], under an identifier that somebody has written down already.
    ///
    /// # Errors
    /// The store's failure.
    pub(crate) async fn derive_manifest_as(
        &self,
        id: String,
        old: &Manifest,
        scans: Vec<StoredScan>,
    ) -> Result<Manifest, DomainError> {
        let mut head = Manifest { id, ..old.clone() };
        let resources = || scans.iter().flat_map(|scan| &scan.resources);
        head.files = resources().map(|resource| resource.count).sum();
        head.bytes = resources().map(|resource| resource.bytes).fold(0, u64::saturating_add);
        self.write_scans(&mut head, scans).await?;
        Ok(head)
    }

    async fn write_scans(&self, head: &mut Manifest, scans: Vec<StoredScan>) -> Result<(), DomainError> {
        head.scans = scans.len() as u64;
        let mut pages: Vec<ScanPage> = Vec::new();
        let mut bytes = SCAN_PAGE_BYTES;
        for scan in scans {
            let size = serde_json::to_vec(&scan).map_or(SCAN_PAGE_BYTES, |json| json.len());
            match pages.last_mut() {
                Some(page) if page.scans.len() < SCANS_PER_PAGE && bytes + size <= SCAN_PAGE_BYTES => {
                    page.scans.push(scan);
                    bytes += size;
                }
                _ => {
                    pages.push(ScanPage { scans: vec![scan] });
                    bytes = size;
                }
            }
        }
        head.scan_pages = pages.len() as u64;
        let keyed: Vec<_> = (0..).map(|page| keys::manifest_scans(&head.id, page)).zip(&pages).collect();
        for some in keyed.chunks(WIDTH) {
            for done in futures::future::join_all(some.iter().map(|(key, page)| self.records.set(key, *page))).await {
                done?;
            }
        }
        self.records.set(&keys::manifest(&head.id), head).await?;
        Ok(())
    }

    /// Removes a manifest's head and scans, and its pages of files too if `with_files`.
    ///
    /// # Errors
    /// The store's failure; to be called again then.
    pub(crate) async fn remove_manifest(&self, id: &str, with_files: bool) -> Result<(), StoreError> {
        let Some(head) = self.records.get::<Manifest>(&keys::manifest(id)).await? else { return Ok(()) };
        if with_files {
            for page in 0..head.file_pages {
                self.records.delete(&keys::manifest_files(&head.files_of, page)).await?;
            }
        }
        for page in 0..head.scan_pages {
            self.records.delete(&keys::manifest_scans(id, page)).await?;
        }
        self.records.delete(&keys::manifest(id)).await
    }
}
