//! The key-value back end: a Spin store, opened by its label.

use std::rc::Rc;

use async_trait::async_trait;
use spin_sdk::experimental::wasi::keyvalue::{atomics, store as wasi_store};
// The SDK's own `Store` copies every value before it hands it over; this is what it wraps.
use spin_sdk::key_value::wit::key_value;

use super::store::{Provider, StoreError};

struct Handles {
    label: String,
    values: key_value::Store,
    /// The same store through the interface that has `increment`, opened when first needed.
    counters: std::cell::OnceCell<wasi_store::Bucket>,
}

/// A Spin key-value store.
#[derive(Clone)]
pub struct KvStore {
    handles: Rc<Handles>,
}

impl KvStore {
    /// Opens the store with this label.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the manifest or the runtime configuration does not give it.
    pub async fn open(label: &str) -> Result<Self, StoreError> {
        let values = key_value::Store::open(label.to_owned())
            .await
            .map_err(|error| StoreError::Unavailable { label: label.to_owned(), reason: describe(&error) })?;
        Ok(Self { handles: Rc::new(Handles { label: label.to_owned(), values, counters: Default::default() }) })
    }

    fn bucket(&self) -> Result<&wasi_store::Bucket, StoreError> {
        if let Some(bucket) = self.handles.counters.get() {
            return Ok(bucket);
        }
        let bucket = wasi_store::open(&self.handles.label).map_err(|error| StoreError::Unavailable {
            label: self.handles.label.clone(),
            reason: format!("{error:?}"),
        })?;
        Ok(self.handles.counters.get_or_init(|| bucket))
    }
}

fn describe(error: &key_value::Error) -> String {
    match error {
        key_value::Error::StoreTableFull => "too many stores are open".to_owned(),
        key_value::Error::NoSuchStore => "there is no store of this label".to_owned(),
        key_value::Error::AccessDenied => "this component may not open it".to_owned(),
        key_value::Error::Other(reason) => reason.clone(),
    }
}

fn failed(operation: &'static str, key: &str) -> impl FnOnce(key_value::Error) -> StoreError {
    let key = key.to_owned();
    move |error| StoreError::Failed { operation, key, reason: describe(&error) }
}

#[async_trait(?Send)]
impl Provider for KvStore {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.handles.values.get(key.to_owned()).await.map_err(failed("get", key))
    }

    async fn exists(&self, key: &str) -> Result<bool, StoreError> {
        self.handles.values.exists(key.to_owned()).await.map_err(failed("exists", key))
    }

    async fn set(&self, key: &str, value: Vec<u8>) -> Result<(), StoreError> {
        self.handles.values.set(key.to_owned(), value).await.map_err(failed("set", key))
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.handles.values.delete(key.to_owned()).await.map_err(failed("delete", key))
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        atomics::increment(self.bucket()?, key, delta).map_err(|error| StoreError::Failed {
            operation: "increment",
            key: key.to_owned(),
            reason: format!("{error:?}"),
        })
    }

    async fn counter(&self, key: &str) -> Result<i64, StoreError> {
        match self.get(key).await? {
            None => Ok(0),
            Some(bytes) => super::counter::read(&bytes)
                .ok_or_else(|| StoreError::Corrupt { key: key.to_owned(), reason: "it is no counter".to_owned() }),
        }
    }
}
