//! Removing files from resources of the archive's items.

use super::ShelfOf;
use super::hold::HeldShelf;
use crate::domain::Core;
use crate::domain::catalog::{CatalogCursor, CatalogRef};
use crate::domain::error::DomainError;
use crate::domain::file_filter::PathFilter;
use crate::domain::resource::named;
use crate::storage::StoreError;

impl Core {
    /// Removes a file from a resource of an item. The resource stays.
    ///
    /// # Errors
    /// [`DomainError::NotFound`] if there is no such file, and as [`Core::make_item_resource`].
    #[crate::boxed(?Send)]
    pub async fn remove_item_file(&self, of: &ShelfOf, resource: &str, path: &str) -> Result<(), DomainError> {
        self.remove_item_files(of, resource, path, &PathFilter::File(path.to_owned())).await?;
        Ok(())
    }

    /// Removes the file at `path` from a resource of an item, or if there is none those that a filter wants: all with one
    /// write. The resource stays. Gives how many files were removed.
    ///
    /// # Errors
    /// [`DomainError::NotFound`] if there is no such file, and as [`Core::make_item_resource`].
    #[crate::boxed(?Send)]
    pub async fn remove_item_files(
        &self,
        of: &ShelfOf,
        resource: &str,
        path: &str,
        wanted: &PathFilter,
    ) -> Result<u64, DomainError> {
        let missing = || DomainError::not_found("file", path);
        // A name may have a star, too: then the file is meant that is called so.
        let file = PathFilter::File(path.to_owned());
        self.with_shelf(of, async |core, held| {
            // A resource is not converted for files that it does not have.
            if named(&held.shelf.resources, resource).is_none() && !core.images_have(held, resource, &file).await? {
                let is_any = !matches!(wanted, PathFilter::File(_)) && core.images_have(held, resource, wanted).await?;
                is_any.then_some(()).ok_or_else(missing)?;
            }
            let found = core.changeable(held, resource).await?.ok_or_else(missing)?;
            let is_one = core.catalog_file(&found.catalog, path).await?.is_some();
            if !is_one && !core.catalog_has(&found.catalog, wanted).await? {
                return Err(missing());
            }
            if !found.is_made {
                // Its last file must not take it along.
                let known = held.shelf.resources.iter_mut().find(|known| known.catalog == found.catalog);
                known.into_iter().for_each(|known| known.is_made = true);
                core.store_shelf(held).await?;
            }
            let catalog = CatalogRef { id: &found.catalog, owner: &held.owner };
            match is_one {
                true => Ok(u64::from(core.remove_file(&mut held.lease, catalog, path).await?)),
                false => core.remove_files(&mut held.lease, catalog, |path| wanted.accepts(path)).await,
            }
        })
        .await
    }

    /// Whether a resource of a held scan's manifest has files that a filter wants.
    async fn images_have(
        &self,
        held: &mut HeldShelf,
        resource: &str,
        wanted: &PathFilter,
    ) -> Result<bool, DomainError> {
        let Some(found) = self.manifest_resource(held, resource).await? else { return Ok(false) };
        let Some(experiment) = &held.experiment else { return Ok(false) };
        let manifest = self.manifest(&experiment.manifest).await?;
        if let PathFilter::File(path) = wanted {
            return Ok(self.file(&manifest, &found, path).await?.is_some());
        }
        let mut page = 0;
        while let Some(files) = self.files_on_page(&manifest, &found, page).await? {
            page += 1;
            if files.iter().any(|file| wanted.accepts(&file.name)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn catalog_has(&self, id: &str, wanted: &PathFilter) -> Result<bool, StoreError> {
        if let PathFilter::File(path) = wanted {
            return Ok(self.catalog_file(id, path).await?.is_some());
        }
        let mut cursor = CatalogCursor::new(id);
        while let Some(files) = self.next_files(&mut cursor).await? {
            if files.iter().any(|found| wanted.accepts(&found.file.name)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
