//! The few operations that every back end gives, and the error they share.

use std::ops::Deref;
use std::rc::Rc;

use async_trait::async_trait;

/// Why a store could not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The store's label is unknown, or this component may not open it.
    #[error("the store {label:?} cannot be opened: {reason}")]
    Unavailable {
        /// The store's label.
        label: String,
        /// What the host said.
        reason: String,
    },
    /// The back end failed; the operation may or may not have taken effect.
    #[error("the store failed on {operation} of {key:?}: {reason}")]
    Failed {
        /// `get`, `exists`, `set`, `delete` or `increment`.
        operation: &'static str,
        /// The key concerned.
        key: String,
        /// What the back end said.
        reason: String,
    },
    /// A record exists but is not what this version writes.
    #[error("the record {key:?} cannot be read: {reason}")]
    Corrupt {
        /// The key concerned.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A record would be larger than [`crate::storage::MAX_RECORD_BYTES`].
    #[error("the record {key:?} would have {bytes} bytes, more than a record may have")]
    TooLarge {
        /// The key concerned.
        key: String,
        /// Its encoded size.
        bytes: usize,
    },
}

/// A key-value back end, reduced to what every provider does soundly.
///
/// Each operation is atomic and, once it has returned, durable and seen by every other reader. Nothing else is
/// assumed: no listing of keys, no compare-and-swap, no batches.
#[async_trait(?Send)]
pub trait Provider {
    /// The value under `key`, if any.
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError>;
    /// Whether there is a value under `key`.
    async fn exists(&self, key: &str) -> Result<bool, StoreError>;
    /// Writes `value` under `key`, over whatever was there.
    async fn set(&self, key: &str, value: Vec<u8>) -> Result<(), StoreError>;
    /// Removes `key`; removing what is not there is no error.
    async fn delete(&self, key: &str) -> Result<(), StoreError>;
    /// Adds `delta` to the counter under `key` (absent counts as 0) and gives the sum. A counter's key is never
    /// written otherwise.
    async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError>;
    /// The counter's present sum, without changing it.
    async fn counter(&self, key: &str) -> Result<i64, StoreError>;
}

/// A handle on a back end. Clones share it.
///
/// The back end is chosen at run time, so that everything above it is compiled once, not once for each back end.
#[derive(Clone)]
pub struct Store(Rc<dyn Provider>);

impl<P: Provider + 'static> From<P> for Store {
    fn from(provider: P) -> Self {
        Self(Rc::new(provider))
    }
}

impl Deref for Store {
    type Target = dyn Provider;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}
