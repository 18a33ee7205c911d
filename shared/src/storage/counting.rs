//! A store that counts what is asked of it: to test what things cost without a clock.

use std::cell::Cell;
use std::rc::Rc;

use async_trait::async_trait;

use super::store::{Provider, Store, StoreError};

/// A handle on a store that counts the operations through it and its clones.
#[derive(Clone)]
pub struct CountingStore {
    inner: Store,
    operations: Rc<Cell<u64>>,
    changes: Rc<Cell<u64>>,
}

impl CountingStore {
    /// A handle on `inner` that has counted nothing yet.
    pub fn new(inner: impl Into<Store>) -> Self {
        Self { inner: inner.into(), operations: Rc::default(), changes: Rc::default() }
    }

    /// The operations since the last call.
    pub fn take(&self) -> u64 {
        self.operations.take()
    }

    /// Those of them that change something, since the last call.
    pub fn take_changes(&self) -> u64 {
        self.changes.take()
    }

    fn count(&self) {
        self.operations.set(self.operations.get() + 1);
    }

    fn count_change(&self) {
        self.count();
        self.changes.set(self.changes.get() + 1);
    }
}

#[async_trait(?Send)]
impl Provider for CountingStore {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.count();
        self.inner.get(key).await
    }

    async fn exists(&self, key: &str) -> Result<bool, StoreError> {
        self.count();
        self.inner.exists(key).await
    }

    async fn set(&self, key: &str, value: Vec<u8>) -> Result<(), StoreError> {
        self.count_change();
        self.inner.set(key, value).await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.count_change();
        self.inner.delete(key).await
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        self.count_change();
        self.inner.increment(key, delta).await
    }

    async fn counter(&self, key: &str) -> Result<i64, StoreError> {
        self.count();
        self.inner.counter(key).await
    }
}
