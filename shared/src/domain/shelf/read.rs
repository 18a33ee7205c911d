//! Reading shelves: nobody's lease is needed.

use super::{Shelf, ShelfOf};
use crate::domain::Core;
use crate::domain::archive::Experiment;
use crate::domain::error::DomainError;
use crate::domain::manifest::{Manifest, StoredScan};
use crate::domain::resource::CountedResource;
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
        let resources = match of {
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
        };
        self.counted_resources(&resources).await
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
