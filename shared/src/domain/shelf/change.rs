//! Making and removing resources of the archive's items, and files in them.

use super::ShelfOf;
use super::hold::HeldShelf;
use crate::domain::Core;
use crate::domain::catalog::{CatalogRef, FileNotes, Taking};
use crate::domain::error::DomainError;
use crate::domain::ids::random_id;
use crate::domain::prearchive::upload_files::ReceivedFile;
use crate::domain::resource::{ItemResource, MAX_RESOURCES, check_label, check_notes, named};

/// What is to be done with files that have been received.
#[derive(Debug, Clone, Default)]
pub struct AddItemFiles {
    /// The label or number of the resource; one of this label is made if there is none.
    pub resource: String,
    /// Who adds them.
    pub by: String,
    /// What is said of them, and of the resource if it is made.
    pub notes: FileNotes,
    /// Whether they take the place of files that are there.
    pub overwrite: bool,
}

/// Refuses one more resource on a shelf of so many than may be.
pub(in crate::domain) fn demand_place(count: usize) -> Result<(), DomainError> {
    if count < MAX_RESOURCES {
        return Ok(());
    }
    let what = format!("An item may have at most {MAX_RESOURCES} resources; put the file into one of them.");
    Err(DomainError::Invalid { what })
}

impl Core {
    /// Makes an empty resource.
    ///
    /// # Errors
    /// [`DomainError::Conflict`] if there is one of that label, [`DomainError::Invalid`] for a label or notes that
    /// cannot be, or as with every change of an item: [`DomainError::NotFound`], [`DomainError::Refused`] if it is
    /// locked, [`DomainError::Busy`], or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn make_item_resource(&self, of: &ShelfOf, label: &str, notes: &FileNotes) -> Result<(), DomainError> {
        check_label(label)?;
        check_notes(notes)?;
        self.with_shelf(of, async |core, held| {
            let taken = || DomainError::Conflict { reason: "Specified resource already exists.".to_owned() };
            if core.manifest_resource(held, label).await?.is_some_and(|found| found.label == label) {
                return Err(taken());
            }
            if let Some(known) = held.shelf.resources.iter().position(|known| known.label == label) {
                let Some(resource) = held.shelf.resources.get_mut(known) else { return Err(taken()) };
                if resource.is_made || !core.catalog(&resource.catalog).await?.is_empty() {
                    return Err(taken());
                }
                resource.is_made = true;
                resource.notes = notes.clone();
                return core.store_shelf(held).await;
            }
            let resource = core.new_resource(held, label, notes).await?;
            held.shelf.resources.push(ItemResource { is_made: true, ..resource });
            core.store_shelf(held).await
        })
        .await
    }

    /// Adds a resource to a held shelf that is there as soon as it has a file.
    pub(in crate::domain) async fn add_resource(
        &self,
        held: &mut HeldShelf,
        label: &str,
        notes: &FileNotes,
    ) -> Result<ItemResource, DomainError> {
        let new = self.new_resource(held, label, notes).await?;
        held.shelf.resources.push(new.clone());
        self.store_shelf(held).await?;
        Ok(new)
    }

    async fn new_resource(
        &self,
        held: &HeldShelf,
        label: &str,
        notes: &FileNotes,
    ) -> Result<ItemResource, DomainError> {
        demand_place(held.shelf.resources.len())?;
        let mut number = 0;
        self.number("xnat_abstractresource_id", vec![&mut number]).await?;
        let (label, catalog) = (label.to_owned(), random_id()?);
        Ok(ItemResource { label, notes: notes.clone(), number, catalog, is_made: false })
    }

    /// Adds files to a resource of an item. Gives the paths of those that are there already and were not to be
    /// overwritten: nothing is changed about them. Each of the others is kept from the return on; on an error some may
    /// have been added.
    ///
    /// # Errors
    /// [`DomainError::Invalid`] for a label or path that cannot be, and as [`Core::make_item_resource`].
    #[crate::boxed(?Send)]
    pub async fn add_item_files(
        &self,
        of: &ShelfOf,
        add: &AddItemFiles,
        files: Vec<ReceivedFile>,
    ) -> Result<Vec<String>, DomainError> {
        let mut left = files;
        let outcome = self.take_item_files(of, add, &mut left).await;
        // What was not taken over is nobody's.
        self.abandon_files(left).await;
        outcome
    }

    async fn take_item_files(
        &self,
        of: &ShelfOf,
        add: &AddItemFiles,
        left: &mut Vec<ReceivedFile>,
    ) -> Result<Vec<String>, DomainError> {
        check_notes(&add.notes)?;
        for file in left.iter() {
            self.demand_in_time(file.started_ms)?;
        }
        self.with_shelf(of, async |core, held| {
            let resource = match core.changeable(held, &add.resource).await? {
                Some(known) => known,
                None => {
                    check_label(&add.resource)?;
                    core.add_resource(held, &add.resource, &add.notes).await?
                }
            };
            let catalog = CatalogRef { id: &resource.catalog, owner: &held.owner };
            let taking = Taking { by: &add.by, notes: &add.notes, wish: None, overwrite: add.overwrite };
            core.take_files(&mut held.lease, catalog, taking, left).await
        })
        .await
    }

    /// The resource of this name, with a catalog that can be changed.
    pub(in crate::domain) async fn changeable(
        &self,
        held: &mut HeldShelf,
        name: &str,
    ) -> Result<Option<ItemResource>, DomainError> {
        if let Some(known) = named(&held.shelf.resources, name) {
            return Ok(Some(known.clone()));
        }
        let Some(found) = self.manifest_resource(held, name).await? else { return Ok(None) };
        let resource = self.converted(held, &found).await?;
        Self::end_conversion(held, &found);
        held.shelf.resources.push(resource.clone());
        self.store_shelf(held).await?;
        Ok(Some(resource))
    }

    /// Removes a resource of an item with its files: they are gone when this returns. What they take in the store is
    /// given back by [`Core::tidy_shelf`], which may take long.
    ///
    /// # Errors
    /// [`DomainError::NotFound`] if there is no such resource, and as [`Core::make_item_resource`].
    #[crate::boxed(?Send)]
    pub async fn remove_item_resource(&self, of: &ShelfOf, name: &str) -> Result<(), DomainError> {
        let missing = || DomainError::not_found("resource", name);
        self.with_shelf(of, async |core, held| {
            let known = named(&held.shelf.resources, name).cloned();
            let (label, catalog) = match known {
                Some(known) => {
                    if !known.is_made && core.catalog(&known.catalog).await?.is_empty() {
                        return Err(missing());
                    }
                    held.shelf.resources.retain(|resource| resource.catalog != known.catalog);
                    (known.label, known.catalog)
                }
                None => {
                    let found = core.manifest_resource(held, name).await?.ok_or_else(missing)?;
                    let resource = core.converted(held, &found).await?;
                    Self::end_conversion(held, &found);
                    (resource.label, resource.catalog)
                }
            };
            core.discard_from_shelf(held, catalog).await?;
            // What waits to become a part of it goes with it.
            while let Some(at) = held.shelf.placed.iter().position(|placed| placed.label == label) {
                let placed = held.shelf.placed.remove(at);
                core.discard_from_shelf(held, placed.catalog).await?;
            }
            core.store_shelf(held).await
        })
        .await
    }

    /// Gives back what removed resources of an item take in the store. If this does not come to its end, it is done by
    /// the next removal, or with the item's deletion.
    ///
    /// # Errors
    /// As with every change of an item.
    #[crate::boxed(?Send)]
    pub async fn tidy_shelf(&self, of: &ShelfOf) -> Result<(), DomainError> {
        let (discarded, owner) =
            self.with_shelf(of, async |_, held| Ok((held.shelf.discarded.clone(), held.owner.clone()))).await?;
        for catalog in &discarded {
            self.remove_catalog(CatalogRef { id: catalog, owner: &owner }).await?;
        }
        if discarded.is_empty() {
            return Ok(());
        }
        self.with_shelf(of, async |core, held| {
            held.shelf.discarded.retain(|catalog| !discarded.contains(catalog));
            core.store_shelf(held).await
        })
        .await
    }
}
