//! Whose files lie in a pack: the names under which packs are owned, and what is looked at to find out.

use std::collections::BTreeSet;

use super::Core;
use super::catalog::CatalogCursor;
use super::prearchive::PrearchiveSession;
use super::shelf::{self, Shelf};
use super::{archive::Experiment, triage, user_cache};
use crate::storage::{PackId, StoreError, keys};

/// Whether a name under which packs are owned is that of something that has catalogs only, and no images.
pub(super) fn is_item(owner: &str) -> bool {
    user_cache::login_of(owner).is_some() || shelf::item_of(owner).is_some() || triage::is_folder(owner)
}

impl Core {
    /// Whether a file of an owner lies in a pack, other than those of the catalog `except`. Precise, where the sweep is
    /// content with less: what was deleted counts no more. An owner that is gone has no files.
    pub(super) async fn owner_needs_pack(&self, owner: &str, pack: PackId, except: &str) -> Result<bool, StoreError> {
        if !self.content_is_alive(owner).await? {
            return Ok(false);
        }
        if !is_item(owner)
            && let Some(experiment) = self.experiment_of(owner).await?
            && self.images_need_pack(&experiment, pack).await?
        {
            return Ok(true);
        }
        self.has_catalog_with_pack(owner, pack, except).await
    }

    /// Whether an image of an experiment lies in a pack.
    async fn images_need_pack(&self, experiment: &Experiment, pack: PackId) -> Result<bool, StoreError> {
        let manifest = self.manifest(&experiment.manifest).await?;
        for stored in self.scans_of(experiment, &manifest).await? {
            for resource in &stored.resources {
                let mut page = 0;
                while let Some(files) = self.files_on_page(&manifest, resource, page).await? {
                    if files.iter().any(|file| file.pack == pack) {
                        return Ok(true);
                    }
                    page += 1;
                }
            }
        }
        Ok(false)
    }

    /// Whether a file of one of an owner's catalogs, other than `except`, lies in a pack.
    pub(super) async fn has_catalog_with_pack(
        &self,
        owner: &str,
        pack: PackId,
        except: &str,
    ) -> Result<bool, StoreError> {
        for catalog in self.catalogs_of(owner).await? {
            if catalog != except && self.catalog_has_pack(&catalog, pack).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Adds the packs in which files of an owner's catalogs lie.
    pub(super) async fn add_packs_of_catalogs(
        &self,
        owner: &str,
        packs: &mut BTreeSet<PackId>,
    ) -> Result<(), StoreError> {
        for catalog in self.catalogs_of(owner).await? {
            let mut cursor = CatalogCursor::new(catalog);
            while let Some(files) = self.next_files(&mut cursor).await? {
                packs.extend(files.into_iter().map(|found| found.file.pack));
            }
        }
        Ok(())
    }

    /// The catalogs of an owner.
    async fn catalogs_of(&self, owner: &str) -> Result<Vec<String>, StoreError> {
        if !triage::is_folder(owner) {
            return self.catalogs_of_item(owner).await;
        }
        // While files pass from a folder to its heir they stand in the catalog of either.
        let folder = self.folder_of_owner(owner).await?;
        let mut catalogs: Vec<String> = folder.map(|folder| folder.catalog).into_iter().collect();
        if let Some(heir) = self.heir_of_owner(owner).await? {
            catalogs.extend(self.catalogs_of_item(&heir).await?);
        }
        Ok(catalogs)
    }

    async fn catalogs_of_item(&self, owner: &str) -> Result<Vec<String>, StoreError> {
        if let Some(login) = user_cache::login_of(owner) {
            return self.user_cache_catalogs(login).await;
        }
        let mut catalogs = Vec::new();
        if let Some(key) = shelf::shelf_of_owner(owner) {
            let shelf: Option<Shelf> = self.records.get(&key).await?;
            catalogs.extend(shelf.unwrap_or_default().catalogs());
            return Ok(catalogs);
        }
        if let Some(session) = self.records.get::<PrearchiveSession>(&keys::session(owner)).await? {
            catalogs.extend(session.resources.into_iter().map(|resource| resource.catalog));
        }
        if let Some(experiment) = self.experiment_of(owner).await? {
            for shelved in &experiment.shelved_scans {
                catalogs.extend(self.shelf_of_scan(&experiment.id, shelved).await?.catalogs());
            }
            catalogs.extend(experiment.resources.into_iter().map(|resource| resource.catalog));
            catalogs.extend(experiment.placed.into_iter().map(|placed| placed.catalog));
        }
        Ok(catalogs)
    }
}
