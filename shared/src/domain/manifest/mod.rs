//! Manifests: what a session consists of. Immutable; archiving writes a new head over the same pages of files.
//!
//! A manifest is a head (the session's own fields), pages of scans and pages of files. Files stand in one sequence,
//! [`FILES_PER_PAGE`] a page; a resource is a run of that sequence, sorted by name.

mod read;
mod write;

use serde::{Deserialize, Serialize};

use super::catalog::FileNotes;
use super::resource::CountedResource;
use crate::imaging::session::{ImageSession, Scan};
use crate::intake::Extent;
use crate::storage::{PackId, Record};

/// Rises with every change of what is made of the same headers, so that older documents are built anew when somebody
/// asks for it.
pub const BUILDER: u32 = 2;

/// Files on one page: some 500 bytes each, far below the largest record.
pub const FILES_PER_PAGE: usize = 256;

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
    /// What it is, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
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

impl Resource {
    /// What is said of its files, as a catalog has it.
    pub(crate) fn notes(&self) -> FileNotes {
        FileNotes {
            format: self.format.clone(),
            content: self.content.clone(),
            description: self.description.clone(),
            ..FileNotes::default()
        }
    }
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
