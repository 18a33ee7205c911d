//! What the sweep does about user caches: what is too old goes, and what belongs to users who are gone.

use super::{CacheRow, HeldCache, lease_name, owner_of};
use crate::accounts::{Account, Login};
use crate::domain::Core;
use crate::domain::catalog::{CatalogCursor, CatalogRef};
use crate::domain::error::DomainError;
use crate::storage::StoreError;

/// Files that one sweep takes out of one user's catalogs one by one; the next goes on. Resources of which nothing is
/// left are taken away whole, whatever they hold.
const MAX_REMOVED: usize = 500;

/// What is too old in a resource.
#[derive(Default)]
struct Aged {
    /// Files that are.
    files: u64,
    /// The paths of some of them.
    paths: Vec<String>,
    /// Files that are not.
    kept: u64,
    /// Since when the oldest of these is there, in milliseconds since the epoch.
    oldest_ms: Option<u64>,
}

impl Core {
    /// Sweeps the caches of all users; gives how many files were removed. What somebody is at is left to them.
    ///
    /// # Errors
    /// The store's failure; what was not swept is swept the next time.
    pub(crate) async fn sweep_user_caches(&self) -> Result<u64, DomainError> {
        let (roster, source) = self.user_caches();
        let mut removed = 0;
        for listed in roster.list(&source).await? {
            // Only names that were checked are listed.
            let Ok(login) = Login::parse(&listed.member) else { continue };
            let is_gone = Account::load(&self.records, &login).await.map_err(DomainError::from)?.is_none();
            if is_gone || self.is_aged(&listed.row) {
                removed += self.sweep_user_cache(&login, is_gone).await?;
            }
            if is_gone || listed.row.is_untidy || self.is_aged(&listed.row) {
                match self.tidy_cache(&login).await {
                    Err(DomainError::Busy { .. }) => {}
                    done => done?,
                }
            }
        }
        roster.fold_if_long(&source).await?;
        Ok(removed)
    }

    fn is_aged(&self, row: &CacheRow) -> bool {
        self.aged_before_ms().is_some_and(|before_ms| row.oldest_ms < before_ms)
    }

    /// What is older than this goes, in milliseconds since the epoch; `None` if nothing does.
    fn aged_before_ms(&self) -> Option<u64> {
        let retention_ms = self.settings.cache_retention_seconds.saturating_mul(1000);
        (retention_ms > 0).then(|| self.clock.now_ms().saturating_sub(retention_ms))
    }

    async fn sweep_user_cache(&self, login: &Login, is_gone: bool) -> Result<u64, DomainError> {
        let Some(lease) = self.leases.acquire(&lease_name(login)).await? else { return Ok(0) };
        let swept = self
            .in_cache(login, lease, async |core, held| match is_gone {
                true => core.remove_all(held).await,
                false => core.remove_aged(held).await,
            })
            .await;
        match swept {
            Err(DomainError::Busy { .. }) => Ok(0),
            swept => swept,
        }
    }

    async fn remove_all(&self, held: &mut HeldCache) -> Result<u64, DomainError> {
        let usage = self.usage_of(&held.cache).await?;
        let resources = held.cache.resources.clone();
        if !resources.is_empty() {
            Self::discard_all(held, &resources);
            self.store_cache(held).await?;
        }
        Ok(usage.files)
    }

    async fn remove_aged(&self, held: &mut HeldCache) -> Result<u64, DomainError> {
        let Some(before_ms) = self.aged_before_ms() else { return Ok(0) };
        let owner = owner_of(held.login.as_str());
        let mut oldest_ms = self.clock.now_ms();
        let mut room = MAX_REMOVED;
        let (mut removed, mut gone) = (0, Vec::new());
        for resource in held.cache.resources.clone() {
            let mut aged = self.aged_in(held, &resource.catalog, before_ms, room).await?;
            if aged.kept == 0 && (aged.files > 0 || resource.made_ms < before_ms) {
                removed += aged.files;
                gone.push(resource);
                continue;
            }
            oldest_ms = oldest_ms.min(aged.oldest_ms.unwrap_or(resource.made_ms));
            room -= aged.paths.len().min(room);
            if aged.files > aged.paths.len() as u64 {
                // Some are left: there is something to do at once.
                oldest_ms = 0;
            }
            for path in aged.paths.drain(..) {
                let catalog = CatalogRef { id: &resource.catalog, owner: &owner };
                removed += u64::from(self.remove_file(&mut held.lease, catalog, &path).await?);
            }
        }
        Self::discard_all(held, &gone);
        held.cache.oldest_ms = oldest_ms;
        if held.cache.place > 0 {
            self.store_cache(held).await?;
        }
        Ok(removed)
    }

    async fn aged_in(
        &self,
        held: &mut HeldCache,
        catalog: &str,
        before_ms: u64,
        most: usize,
    ) -> Result<Aged, StoreError> {
        let mut aged = Aged::default();
        let mut cursor = CatalogCursor::new(catalog);
        while let Some(files) = self.next_files(&mut cursor).await? {
            // Should the lease be lost, the write that follows notices.
            self.leases.keep(&mut held.lease).await?;
            for file in files {
                if file.at_ms >= before_ms {
                    aged.kept += 1;
                    aged.oldest_ms = Some(aged.oldest_ms.map_or(file.at_ms, |oldest| oldest.min(file.at_ms)));
                    continue;
                }
                aged.files += 1;
                if aged.paths.len() < most {
                    aged.paths.push(file.file.name);
                }
            }
        }
        Ok(aged)
    }
}
