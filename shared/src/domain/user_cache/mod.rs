//! The user cache: files that users keep for themselves for a while, in resources that they name.
//!
//! One record for each user lists the resources; the files of a resource stand in a catalog. A catalog that is about
//! to be filled for a new resource, or whose resource is gone, is listed as discarded: the write that moves it from
//! there into the list of resources, or the other way, is the commit, and whatever is discarded is removed by whoever
//! comes later.

mod files;
mod remove;
mod sweep;

pub use files::CacheUsage;

use serde::{Deserialize, Serialize};

use super::Core;
use super::catalog::CatalogFile;
use super::error::DomainError;
use super::ids::{MAX_NAME_BYTES, random_id};
use crate::accounts::Login;
use crate::intake::EntryName;
use crate::limits::Limits;
use crate::storage::roster::RowSource;
use crate::storage::{Lease, Record, Roster, StoreError, keys};

/// Resources of one user, at most: they stand in one record.
pub const MAX_RESOURCES: usize = 256;

/// Files of one user in all resources together, at most.
pub const MAX_FILES: u64 = 100_000;

/// Discarded catalogs that wait to be removed; who makes more of them removes the oldest first.
const MAX_DISCARDED: usize = 64;

/// What stands before the login name in the name under which packs are owned. No session's identifier has a slash.
const OWNER: &str = "user-cache/";

/// The list of users who keep something.
const ROSTER: &str = "user-caches";

/// A resource of a user's cache. Unlike others it may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheResource {
    /// Its label, which no other resource of the user has.
    #[serde(rename = "l")]
    pub label: String,
    /// The identifier of its catalog.
    #[serde(rename = "c")]
    pub catalog: String,
    /// When it was made, in milliseconds since the epoch.
    #[serde(rename = "t")]
    pub made_ms: u64,
}

/// What a user keeps.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct UserCache {
    /// Its place in the list of all; 0 before it has one.
    place: u64,
    /// No file and no empty resource is older than this, in milliseconds since the epoch.
    oldest_ms: u64,
    /// The resources.
    resources: Vec<CacheResource>,
    /// Catalogs that belong to no resource.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    discarded: Vec<String>,
}

impl Record for UserCache {
    const VERSION: u32 = 1;
}

impl UserCache {
    fn find(&self, label: &str) -> Option<&CacheResource> {
        self.resources.iter().find(|resource| resource.label == label)
    }

    fn is_empty(&self) -> bool {
        self.resources.is_empty() && self.discarded.is_empty()
    }
}

/// What the sweep needs to know of a user's cache without reading it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct CacheRow {
    /// As [`UserCache::oldest_ms`].
    #[serde(rename = "o")]
    oldest_ms: u64,
    /// Whether there is something to be tidied up.
    #[serde(rename = "u")]
    is_untidy: bool,
}

/// A user's cache that nobody else may change meanwhile.
struct HeldCache {
    login: Login,
    cache: UserCache,
    lease: Lease,
}

/// The name under which the packs of a user's files are owned.
fn owner_of(login: &str) -> String {
    format!("{OWNER}{login}")
}

/// The user whose cache the files owned under this name are in, if they are in one.
pub(crate) fn login_of(owner: &str) -> Option<&str> {
    owner.strip_prefix(OWNER)
}

fn lease_name(login: &Login) -> String {
    // Many users share one: a lease's name stays in the store.
    format!("{OWNER}{:02x}", crc32fast::hash(login.as_str().as_bytes()) & 0xFF)
}

fn busy() -> DomainError {
    DomainError::Busy { what: "the user's cache".to_owned() }
}

/// A label that a resource of the cache may have: one part of a path, 1 to 128 bytes.
///
/// # Errors
/// [`DomainError::Invalid`].
pub fn check_label(text: &str) -> Result<(), DomainError> {
    let limits = Limits { max_name_bytes: MAX_NAME_BYTES, ..Limits::default() };
    let problem = match EntryName::parse(text, &limits) {
        Ok(name) if name.folder().is_none() => return Ok(()),
        Ok(_) => "it has a slash".to_owned(),
        Err(problem) => problem.to_string(),
    };
    Err(DomainError::Invalid {
        what: format!("A resource of the user cache cannot have this name: {problem}; choose another."),
    })
}

impl Core {
    fn user_caches(&self) -> (Roster, impl RowSource<CacheRow>) {
        let records = self.records.clone();
        let source = move |login: String, place| {
            let records = records.clone();
            async move {
                let found: Option<UserCache> = records.get(&keys::user_cache(&login)).await?;
                Ok(found.filter(|found| found.place == place).map(|found| CacheRow {
                    oldest_ms: found.oldest_ms,
                    is_untidy: found.is_empty() || !found.discarded.is_empty(),
                }))
            }
        };
        (self.roster(ROSTER), source)
    }

    /// What a user keeps; nothing if there is no record.
    async fn user_cache(&self, login: &str) -> Result<UserCache, StoreError> {
        Ok(self.records.get(&keys::user_cache(login)).await?.unwrap_or_default())
    }

    /// The resources in a user's cache, in order of their labels.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn cache_resources(&self, login: &Login) -> Result<Vec<CacheResource>, StoreError> {
        let mut resources = self.user_cache(login.as_str()).await?.resources;
        resources.sort_by(|a, b| a.label.cmp(&b.label));
        Ok(resources)
    }

    /// The resource of this label in a user's cache.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn cache_resource(&self, login: &Login, label: &str) -> Result<Option<CacheResource>, StoreError> {
        Ok(self.user_cache(login.as_str()).await?.find(label).cloned())
    }

    /// A file in a user's cache: where its bytes lie, and since when. Its pack may go at any time: whoever reads it then
    /// is told so by the store's error.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn cache_file(&self, login: &Login, label: &str, path: &str) -> Result<Option<CatalogFile>, StoreError> {
        match self.cache_resource(login, label).await? {
            Some(resource) => self.catalog_file(&resource.catalog, path).await,
            None => Ok(None),
        }
    }

    /// Makes an empty resource in a user's cache.
    ///
    /// # Errors
    /// [`DomainError::Exists`] if there is one of that label, [`DomainError::Invalid`] for a label that cannot be,
    /// [`DomainError::Full`], [`DomainError::Busy`], or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn make_cache_resource(&self, login: &Login, label: &str) -> Result<(), DomainError> {
        check_label(label)?;
        self.with_cache(login, async |core, held| {
            if held.cache.find(label).is_some() {
                return Err(DomainError::Exists { what: format!("the resource {label:?} of the user cache") });
            }
            demand_place(&held.cache)?;
            let resource = core.new_cache_resource(label)?;
            held.cache.resources.push(resource);
            core.store_cache(held).await
        })
        .await
    }

    fn new_cache_resource(&self, label: &str) -> Result<CacheResource, DomainError> {
        Ok(CacheResource { label: label.to_owned(), catalog: random_id()?, made_ms: self.clock.now_ms() })
    }

    /// The catalogs in a user's cache.
    pub(crate) async fn user_cache_catalogs(&self, login: &str) -> Result<Vec<String>, StoreError> {
        let cache = self.user_cache(login).await?;
        // What is discarded may be on its way to become a resource.
        Ok(cache.resources.into_iter().map(|resource| resource.catalog).chain(cache.discarded).collect())
    }

    /// Does something to a user's cache while nobody else does.
    async fn with_cache<T>(
        &self,
        login: &Login,
        work: impl AsyncFnOnce(&Self, &mut HeldCache) -> Result<T, DomainError>,
    ) -> Result<T, DomainError> {
        let lease = self.leases.acquire_within(&lease_name(login), self.patience_ms()).await?.ok_or_else(busy)?;
        self.in_cache(login, lease, work).await
    }

    async fn in_cache<T>(
        &self,
        login: &Login,
        lease: Lease,
        work: impl AsyncFnOnce(&Self, &mut HeldCache) -> Result<T, DomainError>,
    ) -> Result<T, DomainError> {
        let fresh = || UserCache { oldest_ms: self.clock.now_ms(), ..UserCache::default() };
        let mut held = HeldCache { login: login.clone(), cache: fresh(), lease };
        let outcome = match self.records.get::<UserCache>(&keys::user_cache(login.as_str())).await {
            Ok(found) => {
                held.cache = found.unwrap_or(held.cache);
                work(self, &mut held).await
            }
            Err(error) => Err(error.into()),
        };
        self.leases.release(held.lease).await?;
        outcome
    }

    /// Stores a held cache and shows the change in the list. One that has become empty goes.
    async fn store_cache(&self, held: &mut HeldCache) -> Result<(), DomainError> {
        let login = held.login.as_str();
        let (roster, source) = self.user_caches();
        let touch = roster.touch(login, Some(held.cache.place).filter(|place| *place > 0)).await?;
        held.cache.place = touch.place;
        if !self.leases.keep(&mut held.lease).await? {
            return Err(busy());
        }
        let key = keys::user_cache(login);
        match held.cache.is_empty() {
            true => self.records.delete(&key).await?,
            false => self.records.set(&key, &held.cache).await?,
        }
        roster.settled(login, touch).await?;
        if Roster::is_long_at(touch.slot) {
            roster.fold_if_long(&source).await?;
        }
        Ok(())
    }
}

/// Refuses one more resource than may be.
fn demand_place(cache: &UserCache) -> Result<(), DomainError> {
    if cache.resources.len() < MAX_RESOURCES {
        return Ok(());
    }
    Err(DomainError::Full {
        what: format!(
            "Your user cache has {MAX_RESOURCES} resources, which is all it may have; delete those that are no longer \
             needed."
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_single_parts_of_a_path() {
        for fine in ["X", "my files", "äöü", "2024,1", ".hidden", &"a".repeat(128)] {
            assert!(check_label(fine).is_ok(), "{fine:?}");
        }
        for bad in ["", ".", "..", "a/b", "a\\b", "a\0", "C:", "/", &"a".repeat(129)] {
            assert!(check_label(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn owners_name_their_users_and_no_session_is_one() {
        assert_eq!(login_of(&owner_of("anna")), Some("anna"));
        assert_eq!(login_of(&random_id().unwrap()), None);
    }
}
