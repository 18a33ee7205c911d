//! Removing whole shelves, with the items they belong to.

use super::{Shelf, ShelfOf, project_owner, subject_owner};
use crate::domain::Core;
use crate::domain::catalog::CatalogRef;
use crate::domain::error::DomainError;
use crate::storage::keys::Key;
use crate::storage::roster::{RowSource, Touch};
use crate::storage::{Roster, StoreError, keys};

/// The list of subjects that are about to go, or have gone, and leave a shelf.
const TRASH: &str = "subject-trash";

impl Core {
    /// Removes a shelf with all that stands on it; its item is gone, or goes next.
    ///
    /// # Errors
    /// The store's failure; to be called again then.
    pub(crate) async fn remove_shelf(&self, key: &Key, owner: &str) -> Result<(), StoreError> {
        let Some(shelf) = self.records.get::<Shelf>(key).await? else { return Ok(()) };
        self.remove_catalogs(&shelf.resources, owner).await?;
        for catalog in &shelf.discarded {
            self.remove_catalog(CatalogRef { id: catalog, owner }).await?;
        }
        for placed in &shelf.placed {
            self.remove_catalog(placed.catalog_of(owner)).await?;
        }
        if let Some(catalog) = &shelf.converting {
            self.drop_catalog(catalog).await?;
        }
        self.records.delete(key).await
    }

    /// Whether a project has a shelf with anything on it.
    pub(crate) async fn project_has_shelf(&self, id: &str) -> Result<bool, StoreError> {
        Ok(!self.shelf_resources(&ShelfOf::Project(id.to_owned())).await?.is_empty())
    }

    /// Removes the shelf of a project that is gone.
    ///
    /// # Errors
    /// [`DomainError::Busy`], or the store's failure.
    pub(crate) async fn remove_project_shelf(&self, id: &str) -> Result<(), DomainError> {
        self.with_lease(&super::hold::project_lease(id), "the project's resources", async |core| {
            Ok(core.remove_shelf(&keys::project_shelf(id), &project_owner(id)).await?)
        })
        .await
    }

    fn subject_trash(&self) -> (Roster, impl RowSource<()>) {
        let records = self.records.clone();
        let source = move |id: String, place| {
            let records = records.clone();
            async move {
                let found: Option<Shelf> = records.get(&keys::subject_shelf(&id)).await?;
                Ok(found.filter(|found| found.place == place).map(drop))
            }
        };
        (self.roster(TRASH), source)
    }

    /// Notes that the shelf of a subject is to be removed as soon as the subject is gone. To be called under the
    /// subject's lease, before its record goes; gives `None` if it has no shelf.
    pub(crate) async fn condemn_subject_shelf(&self, id: &str) -> Result<Option<Touch>, StoreError> {
        let Some(mut shelf) = self.records.get::<Shelf>(&keys::subject_shelf(id)).await? else { return Ok(None) };
        let (roster, _) = self.subject_trash();
        let touch = roster.touch(id, Some(shelf.place).filter(|place| *place > 0)).await?;
        shelf.place = touch.place;
        self.records.set(&keys::subject_shelf(id), &shelf).await?;
        roster.settled(id, touch).await?;
        Ok(Some(touch))
    }

    /// Removes the shelf of a subject that is gone.
    pub(crate) async fn remove_subject_shelf(&self, id: &str, noted: Touch) -> Result<(), StoreError> {
        let (roster, source) = self.subject_trash();
        let touch = roster.touch(id, Some(noted.place)).await?;
        self.remove_shelf(&keys::subject_shelf(id), &subject_owner(id)).await?;
        roster.settled(id, touch).await?;
        if Roster::is_long_at(touch.slot) {
            roster.fold_if_long(&source).await?;
        }
        Ok(())
    }

    /// Removes what deleted subjects left.
    ///
    /// # Errors
    /// The store's failure; to be called again then.
    pub(crate) async fn finish_deleted_subjects(&self) -> Result<(), DomainError> {
        let (roster, source) = self.subject_trash();
        for listed in roster.list(&source).await? {
            let id = listed.member.as_str();
            let lease = match self.subject_by_id(id).await? {
                Some(subject) => subject.lease_name(),
                None => format!("subject-trash/{id}"),
            };
            let outcome = self
                .with_lease(&lease, "the subject", async |core| {
                    let touch = roster.touch(id, Some(listed.place)).await?;
                    if core.subject_by_id(id).await?.is_none() {
                        core.remove_shelf(&keys::subject_shelf(id), &subject_owner(id)).await?;
                    } else if let Some(mut shelf) = core.records.get::<Shelf>(&keys::subject_shelf(id)).await? {
                        // Whoever was about to delete it died before: it stays, and so does its shelf.
                        shelf.place = 0;
                        core.records.set(&keys::subject_shelf(id), &shelf).await?;
                    }
                    Ok(roster.settled(id, touch).await?)
                })
                .await;
            match outcome {
                Ok(()) | Err(DomainError::Busy { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        roster.fold_if_long(&source).await?;
        Ok(())
    }
}
