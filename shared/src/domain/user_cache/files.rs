//! Adding and removing files of a user's cache, within what the user may keep.

use super::{CacheResource, HeldCache, MAX_FILES, UserCache, check_label, demand_place, owner_of};
use crate::accounts::Login;
use crate::domain::Core;
use crate::domain::catalog::{CatalogRef, FileNotes, Taking};
use crate::domain::error::DomainError;
use crate::domain::prearchive::upload_files::ReceivedFile;
use crate::storage::StoreError;

/// How many catalogs are read at once.
const WIDTH: usize = 8;

/// What a user keeps in the cache.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CacheUsage {
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Core {
    /// How much a user keeps.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn cache_usage(&self, login: &Login) -> Result<CacheUsage, StoreError> {
        let cache = self.user_cache(login.as_str()).await?;
        self.usage_of(&cache).await
    }

    pub(super) async fn usage_of(&self, cache: &UserCache) -> Result<CacheUsage, StoreError> {
        let mut usage = CacheUsage::default();
        for some in cache.resources.chunks(WIDTH) {
            for head in futures::future::join_all(some.iter().map(|resource| self.catalog(&resource.catalog))).await {
                let head = head?;
                usage.files = usage.files.saturating_add(head.files);
                usage.bytes = usage.bytes.saturating_add(head.bytes);
            }
        }
        Ok(usage)
    }

    /// How many bytes a user may still add, who wants to add a file of `bytes` of them (0 if that is not known). What
    /// a file takes that is to be replaced counts until it is.
    ///
    /// # Errors
    /// [`DomainError::Full`] if it has no room, or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn cache_room(&self, login: &Login, bytes: u64) -> Result<u64, DomainError> {
        let usage = self.cache_usage(login).await?;
        self.demand_room(usage, CacheUsage { files: 1, bytes })?;
        Ok(self.settings.max_cache_bytes.saturating_sub(usage.bytes))
    }

    fn demand_room(&self, usage: CacheUsage, wanted: CacheUsage) -> Result<(), DomainError> {
        for (held, more, most, what) in [
            (usage.bytes, wanted.bytes, self.settings.max_cache_bytes, "bytes"),
            (usage.files, wanted.files, MAX_FILES, "files"),
        ] {
            if held.saturating_add(more) > most {
                return Err(DomainError::Full {
                    what: format!(
                        "Your user cache holds {held} of the {most} {what} that it may hold, which leaves no room for \
                         this; delete files or resources from it that are no longer needed, and send this again."
                    ),
                });
            }
        }
        Ok(())
    }

    /// Adds files to a resource in a user's cache, which is made if it is not there. They take the place of those that
    /// have the same paths. All are kept from the return on; on an error some may have been added.
    ///
    /// # Errors
    /// [`DomainError::Invalid`] for a label or path that cannot be, [`DomainError::Full`], [`DomainError::Busy`], or
    /// the store's failure.
    #[crate::boxed(?Send)]
    pub async fn add_cache_files(
        &self,
        login: &Login,
        label: &str,
        files: Vec<ReceivedFile>,
    ) -> Result<(), DomainError> {
        let mut left = files;
        let outcome = self.take_cache_files(login, label, &mut left).await;
        // What was not taken over is nobody's.
        self.abandon_files(left).await;
        outcome
    }

    async fn take_cache_files(
        &self,
        login: &Login,
        label: &str,
        left: &mut Vec<ReceivedFile>,
    ) -> Result<(), DomainError> {
        check_label(label)?;
        let mut wanted = CacheUsage::default();
        for file in left.iter() {
            self.demand_in_time(file.started_ms)?;
            wanted.files = wanted.files.saturating_add(file.count());
            wanted.bytes = wanted.bytes.saturating_add(file.bytes());
        }
        self.with_cache(login, async |core, held| {
            core.demand_room(core.usage_of(&held.cache).await?, wanted)?;
            match held.cache.find(label).cloned() {
                Some(resource) => core.fill(held, &resource.catalog, left).await,
                None => {
                    demand_place(&held.cache)?;
                    let resource = core.new_cache_resource(label)?;
                    core.fill_new(held, resource, left).await
                }
            }
        })
        .await
    }

    /// Makes a resource that has files as soon as it is seen.
    async fn fill_new(
        &self,
        held: &mut HeldCache,
        resource: CacheResource,
        left: &mut Vec<ReceivedFile>,
    ) -> Result<(), DomainError> {
        self.discard(held, &resource.catalog).await?;
        self.store_cache(held).await?;
        let outcome = self.fill(held, &resource.catalog, left).await;
        // What an error left halfway is seen all the same.
        if outcome.is_ok() || !self.catalog(&resource.catalog).await?.is_empty() {
            held.cache.discarded.retain(|id| *id != resource.catalog);
            held.cache.resources.push(resource);
            self.store_cache(held).await?;
        }
        outcome
    }

    async fn fill(&self, held: &mut HeldCache, catalog: &str, left: &mut Vec<ReceivedFile>) -> Result<(), DomainError> {
        let (by, owner) = (held.login.as_str(), owner_of(held.login.as_str()));
        let taking = Taking { by, notes: &FileNotes::default(), wish: None, overwrite: true };
        self.take_files(&mut held.lease, CatalogRef { id: catalog, owner: &owner }, taking, left).await.map(drop)
    }

    /// Removes files from a resource in a user's cache: the one at the path `names`, or else those that it names
    /// between commas, all or none. The resource stays.
    ///
    /// # Errors
    /// [`DomainError::NotFound`] with the first that is not there, [`DomainError::Busy`], or the store's failure: some
    /// may have been removed then.
    #[crate::boxed(?Send)]
    pub async fn remove_cache_files(&self, login: &Login, label: &str, names: &str) -> Result<(), DomainError> {
        let missing = |name: &str| DomainError::not_found("file", name);
        self.with_cache(login, async |core, held| {
            let resource = held.cache.find(label).cloned().ok_or_else(|| missing(names))?;
            let mut paths = vec![names];
            if core.catalog_file(&resource.catalog, names).await?.is_none() {
                paths = names.split(',').filter(|path| !path.is_empty()).collect();
                paths.sort_unstable();
                paths.dedup();
                for path in &paths {
                    if core.catalog_file(&resource.catalog, path).await?.is_none() {
                        return Err(missing(path));
                    }
                }
            }
            if paths.is_empty() {
                return Err(missing(names));
            }
            let owner = owner_of(held.login.as_str());
            let catalog = CatalogRef { id: &resource.catalog, owner: &owner };
            for path in paths {
                core.remove_file(&mut held.lease, catalog, path).await?;
            }
            Ok(())
        })
        .await
    }
}
