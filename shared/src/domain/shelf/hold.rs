//! Holding a shelf: one actor at a time on an item.

use super::{MAX_DISCARDED, Shelf, ShelfOf, ShelvedScan, project_owner, subject_owner};
use crate::domain::Core;
use crate::domain::archive::{Experiment, Subject};
use crate::domain::catalog::CatalogRef;
use crate::domain::error::DomainError;
use crate::storage::keys::Key;
use crate::storage::{Lease, StoreError, keys};

/// A shelf that nobody else may change meanwhile.
pub(in crate::domain) struct HeldShelf {
    pub of: ShelfOf,
    pub lease: Lease,
    /// The name under which the packs of its files are owned.
    pub owner: String,
    /// The experiment, if it is one's or a scan's.
    pub experiment: Option<Experiment>,
    pub shelf: Shelf,
}

impl HeldShelf {
    /// Where the shelf's record is, if it has one of its own.
    fn key(&self) -> Option<Key> {
        match &self.of {
            ShelfOf::Project(id) => Some(keys::project_shelf(id)),
            ShelfOf::Subject(id) => Some(keys::subject_shelf(id)),
            ShelfOf::Scan { experiment, scan } => {
                let shelved = self.experiment.as_ref().and_then(|experiment| experiment.shelved(scan));
                Some(shelved.map_or_else(|| keys::scan_shelf(experiment, scan, ""), |shelved| shelved.key(experiment)))
            }
            ShelfOf::Experiment(_) => None,
        }
    }
}

/// The lease of a project's shelf.
pub(super) fn project_lease(id: &str) -> String {
    format!("project-shelf/{id}")
}

fn busy() -> DomainError {
    DomainError::Busy { what: "this item of the archive".to_owned() }
}

impl Core {
    /// Does something to a shelf while nobody else changes its item.
    ///
    /// # Errors
    /// [`DomainError::NotFound`] if the item is not there, [`DomainError::Refused`] if it is locked,
    /// [`DomainError::Busy`], what `work` gives, or the store's failure.
    pub(in crate::domain) async fn with_shelf<T>(
        &self,
        of: &ShelfOf,
        work: impl AsyncFnOnce(&Self, &mut HeldShelf) -> Result<T, DomainError>,
    ) -> Result<T, DomainError> {
        let name = self.shelf_lease(of).await?;
        let lease = self.leases.acquire_within(&name, self.patience_ms()).await?.ok_or_else(busy)?;
        let (owner, shelf) = (String::new(), Shelf::default());
        let mut held = HeldShelf { of: of.clone(), lease, owner, experiment: None, shelf };
        let outcome = match self.load_shelf(&mut held, &name).await {
            Ok(()) => work(self, &mut held).await,
            Err(error) => Err(error),
        };
        self.leases.release(held.lease).await?;
        outcome
    }

    /// Does something while nobody else changes an item, which may be locked.
    ///
    /// # Errors
    /// [`DomainError::NotFound`] if the item is not there, [`DomainError::Busy`], what `work` gives, or the store's
    /// failure.
    pub(in crate::domain) async fn beside_shelf<T>(
        &self,
        of: &ShelfOf,
        work: impl AsyncFnOnce(&Self) -> Result<T, DomainError>,
    ) -> Result<T, DomainError> {
        self.with_lease(&self.shelf_lease(of).await?, "this item of the archive", work).await
    }

    async fn shelf_lease(&self, of: &ShelfOf) -> Result<String, DomainError> {
        Ok(match of {
            ShelfOf::Project(id) => project_lease(id),
            ShelfOf::Subject(id) => self.subject_that_is(id).await?.lease_name(),
            ShelfOf::Experiment(id) | ShelfOf::Scan { experiment: id, .. } => {
                self.experiment_that_is(id).await?.lease_name()
            }
        })
    }

    pub(crate) async fn subject_that_is(&self, id: &str) -> Result<Subject, DomainError> {
        self.subject_by_id(id).await?.ok_or_else(|| DomainError::not_found("subject", id))
    }

    pub(crate) async fn experiment_that_is(&self, id: &str) -> Result<Experiment, DomainError> {
        self.experiment_by_id(id).await?.ok_or_else(|| DomainError::not_found("experiment", id))
    }

    async fn load_shelf(&self, held: &mut HeldShelf, lease_name: &str) -> Result<(), DomainError> {
        // It may have got another label meanwhile.
        if self.shelf_lease(&held.of).await? != lease_name {
            return Err(busy());
        }
        match &held.of {
            ShelfOf::Project(id) => {
                self.project_by_id(id).await?.ok_or_else(|| DomainError::not_found("project", id))?;
                held.owner = project_owner(id);
            }
            ShelfOf::Subject(id) => held.owner = subject_owner(id),
            ShelfOf::Experiment(id) | ShelfOf::Scan { experiment: id, .. } => {
                let experiment = self.experiment_that_is(id).await?;
                experiment.demand_unlocked()?;
                self.demand_session_unlocked(&experiment).await?;
                held.owner = experiment.content.clone();
                held.experiment = Some(experiment);
            }
        }
        held.shelf = match (&held.of, &held.experiment) {
            (ShelfOf::Experiment(_), Some(experiment)) => Shelf {
                resources: experiment.resources.clone(),
                discarded: experiment.discarded.clone(),
                placed: experiment.placed.clone(),
                ..Shelf::default()
            },
            (ShelfOf::Scan { scan, .. }, Some(experiment)) => {
                let manifest = self.manifest(&experiment.manifest).await?;
                if !self.scans(&manifest).await?.iter().any(|stored| stored.scan.id == *scan) {
                    return Err(DomainError::not_found("scan", scan));
                }
                self.scan_shelf(experiment, scan).await?
            }
            _ => self.shelf_record(held).await?,
        };
        if let Some(catalog) = held.shelf.converting.take() {
            self.drop_catalog(&catalog).await?;
        }
        self.settle_placed(held).await
    }

    async fn shelf_record(&self, held: &HeldShelf) -> Result<Shelf, StoreError> {
        match held.key() {
            Some(key) => Ok(self.records.get(&key).await?.unwrap_or_default()),
            None => Ok(Shelf::default()),
        }
    }

    /// Stores a held shelf.
    ///
    /// # Errors
    /// [`DomainError::Busy`] if the lease has run out, [`DomainError::Full`] if it has grown too large, or the store's
    /// failure.
    pub(super) async fn store_shelf(&self, held: &mut HeldShelf) -> Result<(), DomainError> {
        let HeldShelf { of, experiment, shelf, .. } = held;
        match (of, experiment.as_mut()) {
            (ShelfOf::Experiment(_), Some(experiment)) => {
                experiment.resources = shelf.resources.clone();
                experiment.discarded = shelf.discarded.clone();
                experiment.placed = shelf.placed.clone();
                return self.set_experiment(&mut held.lease, experiment).await.map_err(too_full);
            }
            (ShelfOf::Scan { scan, .. }, Some(experiment)) if experiment.shelved(scan).is_none() => {
                let shelved = ShelvedScan::from(scan.clone());
                // What an earlier scan of this ID may have left there goes first.
                self.remove_shelf(&shelved.key(&experiment.id), &experiment.content).await?;
                experiment.shelved_scans.push(shelved);
                self.set_experiment(&mut held.lease, experiment).await.map_err(too_full)?;
            }
            _ => {}
        }
        if !self.leases.keep(&mut held.lease).await? {
            return Err(busy());
        }
        match held.key() {
            Some(key) => self.records.set(&key, &held.shelf).await.map_err(DomainError::from).map_err(too_full),
            None => Ok(()),
        }
    }

    /// Notes a catalog as one to be cleared away; the caller stores the shelf.
    pub(super) async fn discard_from_shelf(&self, held: &mut HeldShelf, catalog: String) -> Result<(), DomainError> {
        while held.shelf.discarded.len() >= MAX_DISCARDED {
            let oldest = held.shelf.discarded.remove(0);
            self.remove_catalog(CatalogRef { id: &oldest, owner: &held.owner }).await?;
        }
        held.shelf.discarded.push(catalog);
        Ok(())
    }
}

/// Lists that stand in one record may come to its end.
fn too_full(error: DomainError) -> DomainError {
    match error {
        DomainError::Store(StoreError::TooLarge { .. }) => DomainError::Full {
            what: "The item has no room for another resource; delete those that are no longer needed.".to_owned(),
        },
        error => error,
    }
}
