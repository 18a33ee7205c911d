//! Removing resources of a user's cache, or all of them.

use super::{CacheResource, HeldCache, MAX_DISCARDED, owner_of};
use crate::accounts::Login;
use crate::domain::Core;
use crate::domain::catalog::CatalogRef;
use crate::domain::error::DomainError;

impl Core {
    /// Removes a resource from a user's cache with its files: they are gone when this returns. What they take in the
    /// store is given back by [`Core::tidy_cache`], which may take long.
    ///
    /// # Errors
    /// [`DomainError::NotFound`] if there is no such resource, [`DomainError::Busy`], or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn remove_cache_resource(&self, login: &Login, label: &str) -> Result<(), DomainError> {
        self.with_cache(login, async |core, held| {
            let found = held.cache.find(label).cloned();
            let found = found.ok_or_else(|| DomainError::not_found("resource", label))?;
            core.discard(held, &found.catalog).await?;
            held.cache.resources.retain(|resource| resource.catalog != found.catalog);
            core.store_cache(held).await
        })
        .await
    }

    /// Lists a catalog as one that belongs to no resource; the caller stores the cache.
    pub(super) async fn discard(&self, held: &mut HeldCache, catalog: &str) -> Result<(), DomainError> {
        let owner = owner_of(held.login.as_str());
        while held.cache.discarded.len() >= MAX_DISCARDED {
            let oldest = held.cache.discarded.remove(0);
            self.remove_catalog(CatalogRef { id: &oldest, owner: &owner }).await?;
        }
        held.cache.discarded.push(catalog.to_owned());
        Ok(())
    }

    /// Discards resources, however many; the caller stores the cache.
    pub(super) fn discard_all(held: &mut HeldCache, resources: &[CacheResource]) {
        let is_gone = |catalog: &String| resources.iter().any(|resource| resource.catalog == *catalog);
        held.cache.resources.retain(|resource| !is_gone(&resource.catalog));
        held.cache.discarded.extend(resources.iter().map(|resource| resource.catalog.clone()));
    }

    /// Gives back what removed resources of a user's cache take in the store. If this does not come to its end, the
    /// sweep does it.
    ///
    /// # Errors
    /// [`DomainError::Busy`], or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn tidy_cache(&self, login: &Login) -> Result<(), DomainError> {
        // Only while nobody is at work on the cache is everything that is listed there nobody's.
        let discarded = self.with_cache(login, async |_, held| Ok(held.cache.discarded.clone())).await?;
        let owner = owner_of(login.as_str());
        for catalog in &discarded {
            self.remove_catalog(CatalogRef { id: catalog, owner: &owner }).await?;
        }
        self.with_cache(login, async |core, held| {
            let is_listed = held.cache.place > 0;
            held.cache.discarded.retain(|catalog| !discarded.contains(catalog));
            match is_listed && (!discarded.is_empty() || held.cache.is_empty()) {
                true => core.store_cache(held).await,
                false => Ok(()),
            }
        })
        .await
    }
}
