//! The stores' files as the domain's storage.

use crate::kv::{self, Store};
use narthex::storage::{Provider, StoreError, counter};

/// A store of the application.
pub(super) struct KeyValue(pub Store);

fn failed(operation: &'static str, key: &str) -> impl FnOnce(kv::StoreError) -> StoreError {
    let key = key.to_owned();
    move |error| StoreError::Failed { operation, key, reason: error.to_string() }
}

#[async_trait::async_trait(?Send)]
impl Provider for KeyValue {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.get(key.to_owned()).await.map_err(failed("get", key))
    }

    async fn exists(&self, key: &str) -> Result<bool, StoreError> {
        self.0.exists(key.to_owned()).await.map_err(failed("exists", key))
    }

    async fn set(&self, key: &str, value: Vec<u8>) -> Result<(), StoreError> {
        self.0.set(key.to_owned(), value).await.map_err(failed("set", key))
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.0.delete(key.to_owned()).await.map_err(failed("delete", key))
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        self.0.increment(key.to_owned(), delta).await.map_err(failed("increment", key))
    }

    async fn counter(&self, key: &str) -> Result<i64, StoreError> {
        match self.get(key).await? {
            None => Ok(0),
            Some(bytes) => counter::read(&bytes)
                .ok_or_else(|| StoreError::Corrupt { key: key.to_owned(), reason: "it is no counter".to_owned() }),
        }
    }
}
