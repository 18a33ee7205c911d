//! Catalogs: the files of one resource, as a list of which any part can be changed for the price of one page.
//!
//! A catalog is a head and pages of files, all sorted by path. A change writes the page anew under a number that was
//! never used, then the head, which is the commit, and then removes what the head no longer names. What a worker that
//! died left to be removed stands in the head, and the number of a page that was never committed is used again by the
//! next change; so nothing stays behind for ever. A change of many pages writes them down in the head as left behind
//! before it writes them. A catalog without a head is empty.
//!
//! A pack that holds one file is given back with that file. One that holds several, such as an archive that was
//! unpacked, is given back when no file of its owner lies in it any more.
//!
//! Whoever changes a catalog holds the lease of its owner. Readers hold nothing: when a page was replaced under their
//! eyes they read the head again and go on behind the last path they have seen.

mod build;
mod bulk;
mod change;
mod join;
mod packs;
mod paths;
mod read;
mod remove;
mod take;
#[cfg(test)]
mod tests;

pub(crate) use build::CatalogBuilder;
pub(crate) use bulk::demand_no_clash;
pub use change::Put;
pub(crate) use change::{full, taken};
pub(crate) use join::CatalogJoin;
pub(crate) use paths::Clashes;
pub use read::CatalogCursor;
pub(crate) use take::Taking;

use serde::{Deserialize, Serialize};

use super::manifest::FileEntry;
use crate::storage::{PackId, Record};

/// Files on one page, at most; a page is also divided when it has grown to [`PAGE_BYTES`].
pub const FILES_PER_PAGE: usize = 256;

/// Bytes of a page beyond which it is divided: far below the largest record, whatever one file adds.
const PAGE_BYTES: usize = 128 * 1024;

/// Files of one catalog, at most: as many as one upload may hold.
pub const MAX_FILES: u64 = 100_000;

/// One file of a catalog.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CatalogFile {
    /// Its path within the resource and where its bytes lie: in a pack of its own, or in one that it shares with other
    /// files of the same owner.
    #[serde(rename = "f")]
    pub file: FileEntry,
    /// Who added it.
    #[serde(rename = "b")]
    pub by: String,
    /// When, in milliseconds since the epoch.
    #[serde(rename = "t")]
    pub at_ms: u64,
    /// What was said of it.
    #[serde(rename = "n", default, skip_serializing_if = "FileNotes::is_empty")]
    pub notes: FileNotes,
    /// Of a file that waits in the quarantine: what whoever sent it there wants.
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    pub wish: Option<Wish>,
}

/// What whoever sends a file to the quarantine wants to happen with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// Whether it is to take the place of a file of the resource (`OVERWRITE`).
    #[serde(rename = "o", default, skip_serializing_if = "std::ops::Not::not")]
    pub overwrite: bool,
    /// Why it was sent (`event_reason`).
    #[serde(rename = "r", default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// What whoever added a file or a resource said of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileNotes {
    /// Format.
    #[serde(rename = "f", default, skip_serializing_if = "String::is_empty")]
    pub format: String,
    /// Content.
    #[serde(rename = "c", default, skip_serializing_if = "String::is_empty")]
    pub content: String,
    /// Description.
    #[serde(rename = "d", default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Tags, joined by commas.
    #[serde(rename = "t", default, skip_serializing_if = "String::is_empty")]
    pub tags: String,
}

impl FileNotes {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The head of a catalog.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Catalog {
    /// Its pages, in order.
    pages: Vec<PageRef>,
    /// Files on all pages.
    pub files: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// The number of the next new page. Pages of this number and above may exist, but count for nothing.
    next_page: u64,
    /// What the last change put out of use: removed already, unless its worker died.
    #[serde(default, skip_serializing_if = "Leftovers::is_empty")]
    leftovers: Leftovers,
}

impl Record for Catalog {
    const VERSION: u32 = 1;
}

/// A page as the head knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct PageRef {
    /// Its number.
    #[serde(rename = "n")]
    number: u64,
    /// A text that is not greater than any path on the page, but greater than all on the page before.
    #[serde(rename = "p")]
    from: String,
    /// Files on it.
    #[serde(rename = "c")]
    count: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Leftovers {
    /// Pages whose files stand on other pages now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pages: Vec<u64>,
    /// Packs of files that were replaced or removed, which held nothing else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    packs: Vec<PackId>,
    /// Packs of such files that hold others as well, which may still be needed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    shared: Vec<PackId>,
    /// Pages of whose files some were replaced, and the others stand on other pages now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    replaced: Vec<u64>,
    /// Pages whose files were all removed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    cleared: Vec<u64>,
}

impl Leftovers {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Page {
    files: Vec<CatalogFile>,
}

impl Record for Page {
    const VERSION: u32 = 1;
}

impl Catalog {
    /// Whether it has no file.
    pub fn is_empty(&self) -> bool {
        self.files == 0
    }

    /// The place of the page on which a path stands or would stand, in the list of pages.
    fn index_of(&self, path: &str) -> usize {
        self.pages.partition_point(|page| page.from.as_str() <= path).saturating_sub(1)
    }
}

/// Which catalog, and whose: packs are owned under the owner's name.
#[derive(Debug, Clone, Copy)]
pub struct CatalogRef<'a> {
    /// Its identifier.
    pub id: &'a str,
    /// The name under which the packs of its files are owned.
    pub owner: &'a str,
}
