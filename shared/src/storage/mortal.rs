//! A store whose writer dies after so many changes: to test that whatever is half done can be gone on with.

use std::cell::Cell;
use std::rc::Rc;

use async_trait::async_trait;

use super::store::{Provider, Store, StoreError};

/// A handle on a store that fails from a chosen change on, as if its process were gone.
#[derive(Clone)]
pub struct MortalStore {
    inner: Store,
    changes_left: Rc<Cell<u64>>,
}

impl MortalStore {
    /// A handle on `inner` that makes `changes` changes and then dies. Its clones die with it.
    pub fn new(inner: impl Into<Store>, changes: u64) -> Self {
        Self { inner: inner.into(), changes_left: Rc::new(Cell::new(changes)) }
    }

    /// Whether it is dead.
    pub fn is_dead(&self) -> bool {
        self.changes_left.get() == 0
    }

    fn change(&self, operation: &'static str, key: &str) -> Result<(), StoreError> {
        match self.changes_left.get().checked_sub(1) {
            Some(left) => {
                self.changes_left.set(left);
                Ok(())
            }
            None => Err(StoreError::Failed { operation, key: key.to_owned(), reason: "the writer is dead".to_owned() }),
        }
    }
}

#[async_trait(?Send)]
impl Provider for MortalStore {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.get(key).await
    }

    async fn exists(&self, key: &str) -> Result<bool, StoreError> {
        self.inner.exists(key).await
    }

    async fn set(&self, key: &str, value: Vec<u8>) -> Result<(), StoreError> {
        self.change("set", key)?;
        self.inner.set(key, value).await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.change("delete", key)?;
        self.inner.delete(key).await
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        self.change("increment", key)?;
        self.inner.increment(key, delta).await
    }

    async fn counter(&self, key: &str) -> Result<i64, StoreError> {
        self.inner.counter(key).await
    }
}
