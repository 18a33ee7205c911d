//! Resources of scans that were changed or made in the archive, and to which a merge adds files.
//!
//! They stand on shelves. While a merge is worked out their files stand among those of the manifest, so that the same rules
//! hold for both; what comes of it is written into new catalogs, on the next revision of the shelf.

use std::collections::{BTreeMap, HashMap};

use super::experiment::Experiment;
use super::merge::Finding;
use super::merge::scans::too_many_files;
use super::trash::{ShelfTwin, Twin};
use crate::domain::Core;
use crate::domain::catalog::{Catalog, CatalogFile, FileNotes, MAX_FILES};
use crate::domain::error::DomainError;
use crate::domain::ids::random_id;
use crate::domain::manifest::{FullScan, Resource};
use crate::domain::resource::ItemResource;
use crate::domain::shelf::{Shelf, ShelvedScan};
use crate::imaging::session::Scan;

/// Resources on shelves that one merge adds to, at most: they are noted in one record before.
const MAX_MET: usize = 200;

/// The shelves that a merge adds to.
pub(super) struct MetShelves(Vec<MetShelf>);

struct MetShelf {
    shelved: ShelvedScan,
    shelf: Shelf,
    resources: Vec<MetResource>,
}

struct MetResource {
    label: String,
    /// What is there.
    files: Vec<CatalogFile>,
    /// What is said of the files that come.
    notes: FileNotes,
}

/// The next revision of a shelf.
pub(super) struct NextShelf {
    pub twin: ShelfTwin,
    pub shelf: Shelf,
    /// The catalogs that are written anew, with their files in order.
    pub catalogs: Vec<(Twin, Vec<CatalogFile>)>,
}

impl Core {
    /// Takes what shelves hide out of the scans of an experiment, and puts those resources of shelves among them for
    /// which files come: `notes_of` gives what is said of the files that come for the resource of this label of a scan.
    ///
    /// # Errors
    /// [`DomainError::Full`] if that is more than `room` files or more resources than can be noted, or the store's
    /// failure.
    pub(super) async fn bring_shelves(
        &self,
        existing: &Experiment,
        scans: &mut [FullScan],
        room: u64,
        notes_of: impl Fn(&Scan, &str) -> Option<FileNotes>,
    ) -> Result<MetShelves, DomainError> {
        let places: HashMap<String, usize> =
            scans.iter().enumerate().map(|(at, scan)| (scan.stored.scan.id.clone(), at)).collect();
        let (mut met, mut left, mut count) = (Vec::new(), room, 0);
        for shelved in &existing.shelved_scans {
            let Some(own) = places.get(&shelved.scan).and_then(|at| scans.get_mut(*at)) else { continue };
            let shelf = self.shelf_of_scan(&existing.id, shelved).await?;
            own.drop_resources(|resource| shelf.hides(resource.number, &resource.label));
            let mut resources = Vec::new();
            for ItemResource { label, notes: own_notes, number, catalog, .. } in &shelf.resources {
                let Some(notes) = notes_of(&own.stored.scan, label) else { continue };
                let Catalog { files: there, bytes, .. } = self.catalog(catalog).await?;
                count += 1;
                left = left.checked_sub(there).filter(|_| count <= MAX_MET).ok_or_else(|| {
                    let what = format!(
                        "Files come for more than {MAX_MET} resources of scans that were changed in the archive, or \
                         these have more than {room} files; send them in several parts."
                    );
                    DomainError::Full { what }
                })?;
                let files = self.files_of_catalog(catalog).await?;
                own.files.push(files.iter().map(|found| found.file.clone()).collect());
                own.stored.resources.push(Resource {
                    label: label.clone(),
                    content: own_notes.content.clone(),
                    format: own_notes.format.clone(),
                    description: own_notes.description.clone(),
                    number: *number,
                    first: 0,
                    count: there,
                    bytes,
                    page_starts: Vec::new(),
                });
                resources.push(MetResource { label: label.clone(), files, notes });
            }
            if !resources.is_empty() {
                met.push(MetShelf { shelved: shelved.clone(), shelf, resources });
            }
        }
        Ok(MetShelves(met))
    }

    /// Writes the next revision of a shelf. It counts when the experiment's record is written, which refers to it then.
    pub(super) async fn write_next_shelf(
        &self,
        experiment: &mut Experiment,
        next: NextShelf,
        mut keep: impl AsyncFnMut() -> Result<(), DomainError>,
    ) -> Result<(), DomainError> {
        for (twin, files) in next.catalogs {
            self.write_catalog(&twin.new, files, &mut keep).await?;
        }
        let ShelfTwin { old, new } = next.twin;
        self.records.set(&new.key(&experiment.id), &next.shelf).await?;
        for shelved in experiment.shelved_scans.iter_mut().filter(|shelved| **shelved == old) {
            shelved.clone_from(&new);
        }
        Ok(())
    }
}

impl NextShelf {
    /// The catalogs that are written anew.
    pub fn twins(&self) -> impl Iterator<Item = &Twin> {
        self.catalogs.iter().map(|(twin, _)| twin)
    }
}

impl FullScan {
    /// Takes resources out, with their files.
    fn drop_resources(&mut self, is_unwanted: impl Fn(&Resource) -> bool) {
        let (resources, files) = (std::mem::take(&mut self.stored.resources), std::mem::take(&mut self.files));
        let kept = resources.into_iter().zip(files).filter(|(resource, _)| !is_unwanted(resource));
        (self.stored.resources, self.files) = kept.unzip();
    }
}

impl MetShelves {
    /// What stands against adding to them, when the scans have been merged.
    pub fn compare(&self, scans: &[FullScan]) -> Vec<Finding> {
        let mut findings = Vec::new();
        for MetShelf { shelved, resources, .. } in &self.0 {
            let Some(own) = scans.iter().find(|scan| scan.stored.scan.id == shelved.scan) else { continue };
            for (resource, files) in own.stored.resources.iter().zip(&own.files) {
                let label = &resource.label;
                if files.len() as u64 > MAX_FILES && resources.iter().any(|met| met.label == *label) {
                    findings.push(too_many_files(&format!("{label} of scan {}", shelved.scan)));
                }
            }
        }
        findings
    }

    /// Takes the resources of the shelves out of the merged scans again. `by` and `at_ms` say who adds files, and when.
    ///
    /// # Errors
    /// [`DomainError::Store`] if there is no randomness.
    pub fn take_out(self, scans: &mut [FullScan], by: &str, at_ms: u64) -> Result<Vec<NextShelf>, DomainError> {
        let mut next = Vec::with_capacity(self.0.len());
        for MetShelf { shelved, mut shelf, resources } in self.0 {
            let Some(own) = scans.iter_mut().find(|scan| scan.stored.scan.id == shelved.scan) else { continue };
            let mut catalogs = Vec::with_capacity(resources.len());
            for MetResource { label, files, notes } in resources {
                let Some(at) = own.stored.resources.iter().position(|resource| resource.label == label) else {
                    continue;
                };
                own.stored.resources.remove(at);
                let mut known: BTreeMap<String, CatalogFile> =
                    files.into_iter().map(|found| (found.file.name.clone(), found)).collect();
                let mut joined: Vec<CatalogFile> = Vec::new();
                for file in own.files.remove(at) {
                    // What was there keeps what was said of it.
                    let found = known.remove(&file.name).filter(|found| found.file == file);
                    joined.push(found.unwrap_or_else(|| CatalogFile {
                        file,
                        by: by.to_owned(),
                        at_ms,
                        notes: notes.clone(),
                        wish: None,
                    }));
                }
                joined.sort_by(|a, b| a.file.name.cmp(&b.file.name));
                let new = random_id()?;
                let Some(own) = shelf.resources.iter_mut().find(|resource| resource.label == label) else { continue };
                own.is_made = true;
                let old = Some(std::mem::replace(&mut own.catalog, new.clone()));
                catalogs.push((Twin { old, new }, joined));
            }
            // What was hidden stands in the manifest no more.
            shelf.hidden.clear();
            let new = ShelvedScan { revision: random_id()?, ..shelved.clone() };
            next.push(NextShelf { twin: ShelfTwin { old: shelved, new }, shelf, catalogs });
        }
        Ok(next)
    }
}
