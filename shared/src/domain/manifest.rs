//! Manifests: what a session consists of. Immutable; archiving writes a new head over the same pages of files.
//!
//! A manifest is a head (the session's own fields), pages of scans and pages of files. Files stand in one sequence,
//! [`FILES_PER_PAGE`] a page; a resource is a run of that sequence, sorted by name.

use serde::{Deserialize, Serialize};

use super::Core;
use super::error::DomainError;
use super::ids;
use super::resource::CountedResource;
use crate::imaging::session::{ImageSession, Scan};
use crate::intake::Extent;
use crate::storage::{PackId, Record, Store, StoreError, keys};

/// Rises with every change of what is made of the same headers, so that older documents are built anew when somebody
/// asks for it.
pub const BUILDER: u32 = 2;

/// Files on one page: some 500 bytes each, far below the largest record.
pub const FILES_PER_PAGE: usize = 256;

/// Scans on one page, at most; a page is also closed when it has grown to [`SCAN_PAGE_BYTES`].
const SCANS_PER_PAGE: usize = 100;
const SCAN_PAGE_BYTES: usize = 150 * 1024;

/// One file of a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its name within the resource.
    #[serde(rename = "n")]
    pub name: String,
    /// The pack it lies in.
    #[serde(rename = "p")]
    pub pack: PackId,
    /// Its number in the pack.
    #[serde(rename = "o")]
    pub ordinal: u32,
    /// Where in the pack.
    #[serde(rename = "e")]
    pub extent: Extent,
    /// CRC-32 of its bytes.
    #[serde(rename = "c")]
    pub crc32: u32,
    /// SOP Instance UID.
    #[serde(rename = "u")]
    pub sop_instance_uid: String,
    /// Instance Number, if it has one.
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    pub instance_number: Option<i64>,
}

/// A resource: files of one kind at one place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resource {
    /// `DICOM`, `secondary`, ...
    pub label: String,
    /// `RAW`, `secondary`, ...
    pub content: String,
    /// `DICOM`, ...
    pub format: String,
    /// Its number on the server (`xnat_abstractresource_id`), given when it is archived; 0 before.
    #[serde(default)]
    pub number: u64,
    /// The place of its first file in the sequence of files.
    pub first: u64,
    /// How many files.
    pub count: u64,
    /// Bytes of all its files.
    pub bytes: u64,
    /// For each page of files after the first that it touches, the name of its first file there: to find one file
    /// by reading one page.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub page_starts: Vec<String>,
}

/// A scan with its files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredScan {
    /// What the headers say.
    pub scan: Scan,
    /// XNAT's scan type, given when it is archived.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub scan_type: Option<String>,
    /// XNAT's quality label, given when it is archived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<String>,
    /// Its number on the server (`xnat_imagescandata_id`), given when it is archived; 0 before.
    #[serde(default)]
    pub number: u64,
    /// Its resources.
    pub resources: Vec<Resource>,
    /// The resources on its shelf, once they were read: see [`super::shelf`].
    #[serde(skip)]
    pub shelf: Vec<CountedResource>,
}

/// The head of a manifest.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    /// Its identifier.
    pub id: String,
    /// The manifest whose pages of files these are: its own, or the one it was made from.
    pub files_of: String,
    /// The session without its scans.
    pub session: ImageSession,
    /// Pages of scans.
    pub scan_pages: u64,
    /// Scans on all pages.
    pub scans: u64,
    /// Files of all scans.
    pub files: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// Pages of files; those of scans that were deleted since are among them.
    #[serde(default)]
    pub file_pages: u64,
    /// The way of building that made it: see [`BUILDER`].
    #[serde(default)]
    pub builder: u32,
}

impl Record for Manifest {
    const VERSION: u32 = 1;
}

#[derive(Serialize, Deserialize)]
struct ScanPage {
    scans: Vec<StoredScan>,
}

impl Record for ScanPage {
    const VERSION: u32 = 1;
}

#[derive(Serialize, Deserialize)]
struct FilePage {
    files: Vec<FileEntry>,
}

impl Record for FilePage {
    const VERSION: u32 = 1;
}

/// A scan that is to be stored, with its files by resource.
pub struct NewScan {
    /// What the headers say.
    pub scan: Scan,
    /// Label, content and format of each resource, with its files.
    pub resources: Vec<(String, String, String, Vec<FileEntry>)>,
}

/// A scan with all its files.
#[derive(Debug, Clone, PartialEq)]
pub struct FullScan {
    /// The scan. Where its resources stand in the sequence of files, and how large they are, follows from `files`.
    pub stored: StoredScan,
    /// The files of each of its resources.
    pub files: Vec<Vec<FileEntry>>,
}

impl From<NewScan> for FullScan {
    fn from(new: NewScan) -> Self {
        let mut resources = Vec::with_capacity(new.resources.len());
        let mut files = Vec::with_capacity(new.resources.len());
        for (label, content, format, list) in new.resources {
            resources.push(Resource {
                label,
                content,
                format,
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

/// How many records are written or read at once.
const WIDTH: usize = 8;

impl<S: Store> Core<S> {
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

    /// The manifest of this identifier, which must exist.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if it does not, or the store's failure.
    pub async fn manifest(&self, id: &str) -> Result<Manifest, StoreError> {
        let key = keys::manifest(id);
        let found = self.records.get(&key).await?;
        found.ok_or_else(|| StoreError::Corrupt { key: key.to_string(), reason: "it is missing".to_owned() })
    }

    /// The scans of a manifest, in order.
    ///
    /// # Errors
    /// The store's failure.
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
