//! Reading shelves: nobody's lease is needed.

use super::{Shelf, ShelfOf};
use crate::domain::Core;
use crate::domain::archive::Experiment;
use crate::domain::error::DomainError;
use crate::domain::manifest::{Manifest, StoredScan};
use crate::domain::resource::{CountedResource, ItemResource, named};
use crate::storage::{StoreError, keys};

/// How many shelves are read at once.
const WIDTH: usize = 8;

impl Core {
    /// The resources on a project's or subject's shelf, or an experiment's own, in order of their labels. Those of a
    /// scan are given by [`Core::scans_of`], as they stand before those of the manifest.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn shelf_resources(&self, of: &ShelfOf) -> Result<Vec<CountedResource>, StoreError> {
        self.counted_resources(&self.resources_on(of).await?).await
    }

    async fn resources_on(&self, of: &ShelfOf) -> Result<Vec<ItemResource>, StoreError> {
        Ok(match of {
            ShelfOf::Experiment(id) => {
                let experiment = self.experiment_by_id(id).await?;
                experiment.map(|experiment| experiment.resources).unwrap_or_default()
            }
            ShelfOf::Project(id) => {
                let shelf: Option<Shelf> = self.records.get(&keys::project_shelf(id)).await?;
                shelf.unwrap_or_default().resources
            }
            ShelfOf::Subject(id) => {
                let shelf: Option<Shelf> = self.records.get(&keys::subject_shelf(id)).await?;
                shelf.unwrap_or_default().resources
            }
            ShelfOf::Scan { experiment, scan } => match self.experiment_by_id(experiment).await? {
                Some(experiment) => self.scan_shelf(&experiment, scan).await?.resources,
                None => Vec::new(),
            },
        })
    }

    /// The label of the resource of an item that an address means by this name; the name itself if there is none.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn label_of_resource(&self, of: &ShelfOf, name: String) -> Result<String, StoreError> {
        // Nothing else is looked up for what can be no number.
        if name.bytes().any(|byte| !byte.is_ascii_digit()) {
            return Ok(name);
        }
        let resources = self.resources_on(of).await?;
        if let Some(found) = named(&resources, &name) {
            return Ok(found.label.clone());
        }
        let ShelfOf::Scan { experiment, scan } = of else { return Ok(name) };
        let Some(experiment) = self.experiment_by_id(experiment).await? else { return Ok(name) };
        let manifest = self.manifest(&experiment.manifest).await?;
        let scans = self.scans_of(&experiment, &manifest).await?;
        let images = scans.into_iter().filter(|stored| stored.scan.id == *scan).flat_map(|stored| stored.resources);
        let images: Vec<_> = images.collect();
        let is_label = images.iter().any(|found| found.label == name);
        let by_number = images.into_iter().find(|found| !is_label && found.number.to_string() == name);
        Ok(by_number.map_or(name, |found| found.label))
    }

    /// Whether an experiment has a scan of this ID.
    ///
    /// # Errors
    /// [`DomainError::NotFound`] if there is no such experiment, or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn has_scan(&self, experiment: &str, scan: &str) -> Result<bool, DomainError> {
        let experiment = self.experiment_that_is(experiment).await?;
        let manifest = self.manifest(&experiment.manifest).await?;
        Ok(self.scans(&manifest).await?.iter().any(|stored| stored.scan.id == scan))
    }

    /// The scans of an experiment with what stands on their shelves.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn scans_of(&self, experiment: &Experiment, manifest: &Manifest) -> Result<Vec<StoredScan>, StoreError> {
        let mut scans = self.scans(manifest).await?;
        for some in experiment.shelved_scans.chunks(WIDTH) {
            let shelves = some.iter().map(async |shelved| {
                Ok::<_, StoreError>((&shelved.scan, self.shelf_of_scan(&experiment.id, shelved).await?))
            });
            for read in futures::future::join_all(shelves).await {
                let (scan, shelf) = read?;
                if let Some(stored) = scans.iter_mut().find(|stored| stored.scan.id == *scan) {
                    stored.resources.retain(|resource| !shelf.hides(resource.number, &resource.label));
                    stored.shelf = self.counted_resources(&shelf.resources).await?;
                }
            }
        }
        Ok(scans)
    }
}
