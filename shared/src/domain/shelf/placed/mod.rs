//! Files that were put by hand, beside the service, into the folder of a resource of the archive. Nobody sees them until
//! a refresh of the catalog takes them up ([`take`]).
//!
//! They lie in packs of the item as all its files do, and stand in a catalog of their own, which the item's shelf names.
//! So they go with the item, and taking them up is one write of the resource's catalog that moves no bytes.

mod folder;
mod take;

pub use folder::{ArchiveFolder, ResourceFolder};
pub(in crate::domain) use take::Taken;

use serde::{Deserialize, Serialize};

use super::ShelfOf;
use super::hold::HeldShelf;
use crate::domain::Core;
use crate::domain::catalog::{CatalogFile, CatalogRef, FileNotes};
use crate::domain::error::DomainError;
use crate::domain::ids::random_id;
use crate::domain::manifest::FileEntry;
use crate::domain::prearchive::upload_files::ReceivedFile;
use crate::storage::{StoreError, keys, pack};

/// What XNAT calls its own lists: files of such names never are content.
const CATALOG_ENDING: &str = "_catalog.xml";

/// The files that wait beside one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    /// The resource's label.
    pub label: String,
    /// The identifier of the catalog of the files.
    pub catalog: String,
    /// Whether they are being taken up, so that some of them may stand in the resource's catalog as well.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_passing: bool,
}

impl Placed {
    /// Their catalog, as whoever owns the files under this name refers to it.
    pub(crate) fn catalog_of<'a>(&'a self, owner: &'a str) -> CatalogRef<'a> {
        CatalogRef { id: &self.catalog, owner }
    }
}

/// A file that has been read from where it was, each in a pack of its own.
#[derive(Debug, Clone)]
pub struct PlacedFile {
    /// Its name and where its bytes lie.
    pub received: ReceivedFile,
    /// SOP Instance UID, if it is an image.
    pub sop_instance_uid: String,
    /// Instance Number, if it is an image that has one.
    pub instance_number: Option<i64>,
}

/// Whether a file of this name is a catalog of XNAT's, which is none of the resource's files.
pub fn is_catalog(name: &str) -> bool {
    name.ends_with(CATALOG_ENDING)
}

impl PlacedFile {
    fn into_entry(self, by: &str, at_ms: u64) -> CatalogFile {
        let ReceivedFile { name, shape, extent, ordinal, crc32, .. } = self.received;
        let file = FileEntry {
            name: name.as_str().to_owned(),
            pack: shape.id,
            ordinal,
            extent,
            crc32,
            sop_instance_uid: self.sop_instance_uid,
            instance_number: self.instance_number,
        };
        CatalogFile { file, by: by.to_owned(), at_ms, notes: FileNotes::default(), wish: None }
    }
}

impl Core {
    /// Puts files beside a resource, where they wait: all of them with one write, over those of the same paths that wait
    /// already.
    ///
    /// # Errors
    /// [`DomainError::NotFound`] if the item has no such resource, [`DomainError::Invalid`] for a path that cannot be,
    /// and as with every change of an item: [`DomainError::Refused`] if it is locked, [`DomainError::Busy`], or the
    /// store's failure. Nothing of them is kept then, unless the store failed.
    #[crate::boxed(?Send)]
    pub async fn place_files(
        &self,
        of: &ShelfOf,
        label: &str,
        by: &str,
        files: Vec<PlacedFile>,
    ) -> Result<(), DomainError> {
        let received = files.iter().map(|file| file.received.clone()).collect();
        let outcome = self.place(of, label, by, files).await;
        if outcome.is_err() {
            // What has an owner by now is left to the sweep.
            self.abandon_files(received).await;
        }
        outcome
    }

    async fn place(&self, of: &ShelfOf, label: &str, by: &str, files: Vec<PlacedFile>) -> Result<(), DomainError> {
        for file in &files {
            self.demand_in_time(file.received.started_ms)?;
            let name = file.received.name.as_str();
            if is_catalog(name) {
                let what = format!("The file {name:?} cannot be put: names ending in {CATALOG_ENDING} are catalogs'.");
                return Err(DomainError::Invalid { what });
            }
        }
        self.with_shelf(of, async |core, held| {
            core.label_and_number(held, label)
                .await?
                .filter(|(found, _)| found == label)
                .ok_or_else(|| DomainError::not_found("resource", label))?;
            let placed = match held.shelf.placed.iter().find(|placed| placed.label == label) {
                Some(known) => known.clone(),
                None => {
                    let new = Placed { label: label.to_owned(), catalog: random_id()?, is_passing: false };
                    held.shelf.placed.push(new.clone());
                    core.store_shelf(held).await?;
                    new
                }
            };
            let now_ms = core.clock.now_ms();
            let packs: Vec<_> = files.iter().map(|file| file.received.shape).collect();
            for shape in &packs {
                pack::commit(&core.records, *shape, vec![held.owner.clone()], now_ms).await?;
            }
            let entries = files.into_iter().map(|file| file.into_entry(by, now_ms)).collect();
            match core.put_files(&mut held.lease, placed.catalog_of(&held.owner), entries, true).await {
                Ok(_) => {}
                // Whether they stand there is not known; the sweep looks.
                Err(error @ DomainError::Store(_)) => return Err(error),
                Err(error) => {
                    for shape in &packs {
                        core.release_pack(shape.id, &held.owner, true).await?;
                    }
                    return Err(error);
                }
            }
            for shape in packs {
                pack::seal(&core.records, shape.id).await?;
            }
            Ok(())
        })
        .await
    }

    /// The label and number of the resource of a held item that this names: a label is meant before a number.
    async fn label_and_number(&self, held: &HeldShelf, name: &str) -> Result<Option<(String, u64)>, DomainError> {
        if let Some(counted) = self.counted_resource(&held.shelf.resources, name).await? {
            return Ok(Some((counted.resource.label, counted.resource.number)));
        }
        let found = self.manifest_resource(held, name).await?;
        Ok(found.map(|resource| (resource.label, resource.number)))
    }

    /// The files that wait beside resources of an item, by the resources' labels.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn placed_on(&self, of: &ShelfOf) -> Result<Vec<Placed>, StoreError> {
        let shelf = |key| async move { self.records.get::<super::Shelf>(&key).await };
        let shelf = match of {
            ShelfOf::Experiment(id) => {
                let experiment = self.experiment_by_id(id).await?;
                return Ok(experiment.map(|experiment| experiment.placed).unwrap_or_default());
            }
            ShelfOf::Project(id) => shelf(keys::project_shelf(id)).await?,
            ShelfOf::Subject(id) => shelf(keys::subject_shelf(id)).await?,
            ShelfOf::Scan { experiment, scan } => match self.experiment_by_id(experiment).await? {
                Some(experiment) => Some(self.scan_shelf(&experiment, scan).await?),
                None => None,
            },
        };
        Ok(shelf.unwrap_or_default().placed)
    }

    /// The names and sizes of files that wait, in the order of their names.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn placed_files(&self, placed: &Placed) -> Result<Vec<(String, u64)>, StoreError> {
        let files = self.files_of_catalog(&placed.catalog).await?;
        Ok(files.into_iter().map(|found| (found.file.name, found.file.extent.len)).collect())
    }

    /// Removes files that wait beside a resource, which need not be there any more. Gives how many there were of them.
    ///
    /// # Errors
    /// As with every change of an item.
    pub async fn remove_placed(
        &self,
        of: &ShelfOf,
        label: &str,
        is_unwanted: impl Fn(&str) -> bool,
    ) -> Result<u64, DomainError> {
        let removed = self
            .with_shelf(of, async |core, held| {
                let is_meant = |placed: &Placed| placed.label == label;
                let Some(placed) = held.shelf.placed.iter().find(|placed| is_meant(placed)).cloned() else {
                    return Ok(0);
                };
                let files = core.placed_files(&placed).await?;
                if files.iter().all(|(name, _)| is_unwanted(name)) {
                    held.shelf.placed.retain(|placed| !is_meant(placed));
                    core.discard_from_shelf(held, placed.catalog).await?;
                    core.store_shelf(held).await?;
                    return Ok(files.len() as u64);
                }
                core.remove_files(&mut held.lease, placed.catalog_of(&held.owner), &is_unwanted).await
            })
            .await?;
        self.tidy_shelf(of).await?;
        Ok(removed)
    }
}
