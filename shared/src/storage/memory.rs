//! The memory back end: for unit tests.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use async_trait::async_trait;

use super::store::{Provider, StoreError};

#[derive(Default)]
struct Cells {
    values: HashMap<String, Vec<u8>>,
    counters: HashMap<String, i64>,
}

/// A store in memory. Clones share their contents.
///
/// Every operation gives way once before it acts, so that tasks of one executor race as requests do.
#[derive(Clone, Default)]
pub struct MemoryStore {
    cells: Rc<RefCell<Cells>>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// All keys that hold a value, sorted: for tests that look for what was left behind.
    pub fn keys(&self) -> Vec<String> {
        let cells = self.cells.borrow();
        let mut keys: Vec<String> = cells.values.keys().cloned().collect();
        keys.sort();
        keys
    }
}

/// Lets the other tasks of this executor run once.
pub async fn give_way() {
    let mut gave = false;
    std::future::poll_fn(|context| {
        if gave {
            return std::task::Poll::Ready(());
        }
        gave = true;
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

#[async_trait(?Send)]
impl Provider for MemoryStore {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        give_way().await;
        Ok(self.cells.borrow().values.get(key).cloned())
    }

    async fn exists(&self, key: &str) -> Result<bool, StoreError> {
        give_way().await;
        Ok(self.cells.borrow().values.contains_key(key))
    }

    async fn set(&self, key: &str, value: Vec<u8>) -> Result<(), StoreError> {
        give_way().await;
        self.cells.borrow_mut().values.insert(key.to_owned(), value);
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        give_way().await;
        let mut cells = self.cells.borrow_mut();
        cells.values.remove(key);
        cells.counters.remove(key);
        Ok(())
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        give_way().await;
        let mut cells = self.cells.borrow_mut();
        let counter = cells.counters.entry(key.to_owned()).or_insert(0);
        *counter = counter.saturating_add(delta);
        Ok(*counter)
    }

    async fn counter(&self, key: &str) -> Result<i64, StoreError> {
        give_way().await;
        Ok(self.cells.borrow().counters.get(key).copied().unwrap_or(0))
    }
}
