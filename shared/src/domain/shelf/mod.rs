//! Shelves: the resources of the archive's items that may be changed, each with a catalog.
//!
//! The shelf of an experiment stands in its record. Those of scans, subjects and projects are records of their own, and
//! an experiment's record says which of its scans have one. A scan's images stand in the experiment's manifest, which
//! nobody changes: when such a resource is to be changed, its files are first listed in a catalog on the scan's shelf
//! ([`convert`]), which stands before the manifest from then on. Where a merge brings more files for it, the next revision
//! of the shelf is written beside the present one, and the experiment's record flips to it ([`of_scan`]).
//!
//! Whoever changes a shelf holds the lease of its item. A resource that is removed leaves the list in one write, and
//! its catalog is noted as discarded until it is cleared away.
//!
//! Files that were put by hand ([`placed`]) stand in catalogs of their own beside the resources until they are taken up.

mod change;
mod convert;
mod hold;
mod of_scan;
pub mod placed;
mod read;
mod remove;
mod remove_files;

pub use change::AddItemFiles;
pub(in crate::domain) use change::demand_place;
pub(in crate::domain) use hold::HeldShelf;
pub use of_scan::ShelvedScan;

use serde::{Deserialize, Serialize};

use super::resource::ItemResource;
use crate::storage::keys::Key;
use crate::storage::{Record, keys};
use placed::Placed;

/// Catalogs that wait to be cleared away; who discards more of them clears the oldest away first.
const MAX_DISCARDED: usize = 32;

const SUBJECT: &str = "subject/";
const PROJECT: &str = "project/";

/// Whose shelf, by identifiers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShelfOf {
    /// A project's.
    Project(String),
    /// A subject's.
    Subject(String),
    /// An experiment's own.
    Experiment(String),
    /// A scan's.
    Scan {
        /// The experiment.
        experiment: String,
        /// The scan's ID within it.
        scan: String,
    },
}

/// A shelf that is a record of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shelf {
    /// The resources.
    pub resources: Vec<ItemResource>,
    /// Catalogs of resources that were removed and are to be cleared away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discarded: Vec<String>,
    /// Files that were put by hand beside the resources, and wait until they are taken up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub placed: Vec<Placed>,
    /// Of a scan's shelf: the numbers of resources of the manifest that it stands before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hidden: Vec<u64>,
    /// Of a scan's shelf: a catalog into which a resource of the manifest is being listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub converting: Option<String>,
    /// Its place in the list of shelves whose items are about to go; 0 before.
    #[serde(default)]
    pub place: u64,
}

impl Record for Shelf {
    const VERSION: u32 = 1;
}

impl Shelf {
    /// The catalogs of all that stands on it.
    pub fn catalogs(self) -> impl Iterator<Item = String> {
        let of_resources = self.resources.into_iter().map(|resource| resource.catalog);
        of_resources.chain(self.placed.into_iter().map(|placed| placed.catalog))
    }

    /// Whether it stands before a resource of the manifest.
    pub fn hides(&self, number: u64, label: &str) -> bool {
        self.hidden.contains(&number) || self.resources.iter().any(|resource| resource.label == label)
    }
}

/// The name under which the packs of a subject's files are owned. No session's identifier has a slash.
pub(super) fn subject_owner(id: &str) -> String {
    format!("{SUBJECT}{id}")
}

/// The name under which the packs of a project's files are owned.
pub(super) fn project_owner(id: &str) -> String {
    format!("{PROJECT}{id}")
}

/// Where the record of the subject or project is that owns packs under this name.
pub(crate) fn item_of(owner: &str) -> Option<Key> {
    let subject = owner.strip_prefix(SUBJECT).map(keys::subject);
    subject.or_else(|| owner.strip_prefix(PROJECT).map(keys::project))
}

/// Where the shelf of the subject or project is that owns packs under this name.
pub(super) fn shelf_of_owner(owner: &str) -> Option<Key> {
    let subject = owner.strip_prefix(SUBJECT).map(keys::subject_shelf);
    subject.or_else(|| owner.strip_prefix(PROJECT).map(keys::project_shelf))
}
