//! Listing a resource of the manifest in a catalog, so that it can be changed. No file is moved.

use super::hold::HeldShelf;
use crate::domain::Core;
use crate::domain::catalog::{CatalogFile, CatalogRef};
use crate::domain::error::DomainError;
use crate::domain::ids::random_id;
use crate::domain::manifest::{FileEntry, Resource};
use crate::domain::resource::ItemResource;

impl Core {
    /// The resource of the held scan that stands in the manifest under this name, if there is one: a label is meant
    /// before a number.
    pub(in crate::domain) async fn manifest_resource(
        &self,
        held: &HeldShelf,
        name: &str,
    ) -> Result<Option<Resource>, DomainError> {
        let (super::ShelfOf::Scan { scan, .. }, Some(experiment)) = (&held.of, &held.experiment) else {
            return Ok(None);
        };
        let manifest = self.manifest(&experiment.manifest).await?;
        let scans = self.scans(&manifest).await?;
        let Some(stored) = scans.into_iter().find(|stored| stored.scan.id == *scan) else { return Ok(None) };
        let seen = |resource: &&Resource| !held.shelf.hides(resource.number, &resource.label);
        let by_label = stored.resources.iter().filter(seen).find(|resource| resource.label == name);
        let by_number = || stored.resources.iter().filter(seen).find(|resource| resource.number.to_string() == name);
        Ok(by_label.or_else(by_number).cloned())
    }

    /// The files of a resource of the held scan that stands in the manifest.
    pub(in crate::domain) async fn files_of_images(
        &self,
        held: &HeldShelf,
        resource: &Resource,
    ) -> Result<Vec<FileEntry>, DomainError> {
        let Some(experiment) = &held.experiment else {
            return Err(DomainError::not_found("resource", &resource.label));
        };
        let manifest = self.manifest(&experiment.manifest).await?;
        Ok(self.files(&manifest, resource).await?)
    }

    /// Lists the files of a resource of the manifest in a new catalog. The resource that is given back is not on the
    /// shelf yet, and its catalog is noted there as one under conversion: the write that ends this and hides the
    /// resource of the manifest is the caller's.
    pub(super) async fn converted(
        &self,
        held: &mut HeldShelf,
        resource: &Resource,
    ) -> Result<ItemResource, DomainError> {
        let images = self.files_of_images(held, resource).await?;
        let Some(experiment) = held.experiment.clone() else {
            return Err(DomainError::not_found("resource", &resource.label));
        };
        let notes = resource.notes();
        let catalog = random_id()?;
        held.shelf.converting = Some(catalog.clone());
        self.store_shelf(held).await?;
        let listed = |file| CatalogFile {
            file,
            by: experiment.insert_user.clone(),
            at_ms: experiment.insert_ms,
            notes: notes.clone(),
            wish: None,
        };
        let files = images.into_iter().map(listed).collect();
        let (reference, lease) = (CatalogRef { id: &catalog, owner: &held.owner }, &mut held.lease);
        self.put_files(lease, reference, files, true).await?;
        Ok(ItemResource { label: resource.label.clone(), notes, number: resource.number, catalog, is_made: true })
    }

    /// Ends a conversion; the caller stores the shelf.
    pub(super) fn end_conversion(held: &mut HeldShelf, resource: &Resource) {
        held.shelf.converting = None;
        held.shelf.hidden.push(resource.number);
    }
}
