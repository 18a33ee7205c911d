//! Typed records: JSON values with a schema version, under keys that are built in one module.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::keys::Key;
use super::store::{Store, StoreError};

/// No record is larger, so that every provider can hold it (DynamoDB's items end at 400 KB); longer lists are paged.
pub const MAX_RECORD_BYTES: usize = 256 * 1024;

/// What can be stored as a record.
pub trait Record: Serialize + DeserializeOwned {
    /// The version of this record's layout. A record of another version is refused, not guessed at.
    const VERSION: u32;
}

#[derive(serde::Deserialize)]
struct Envelope<T> {
    v: u32,
    r: T,
}

#[derive(serde::Deserialize)]
struct VersionOnly {
    v: u32,
}

#[derive(serde::Serialize)]
struct EnvelopeRef<'a, T> {
    v: u32,
    r: &'a T,
}

/// Encodes a record as it is stored.
///
/// # Errors
/// [`StoreError::TooLarge`] beyond [`MAX_RECORD_BYTES`], [`StoreError::Corrupt`] if it cannot be written as JSON.
pub fn encode<T: Record>(key: &Key, record: &T) -> Result<Vec<u8>, StoreError> {
    let bytes = serde_json::to_vec(&EnvelopeRef { v: T::VERSION, r: record })
        .map_err(|error| StoreError::Corrupt { key: key.to_string(), reason: error.to_string() })?;
    if bytes.len() > MAX_RECORD_BYTES {
        return Err(StoreError::TooLarge { key: key.to_string(), bytes: bytes.len() });
    }
    Ok(bytes)
}

/// Decodes what [`encode`] wrote.
///
/// # Errors
/// [`StoreError::Corrupt`] if it is no JSON, of another version, or not of this type.
pub fn decode<T: Record>(key: &Key, bytes: &[u8]) -> Result<T, StoreError> {
    let corrupt = |reason: String| StoreError::Corrupt { key: key.to_string(), reason };
    match serde_json::from_slice::<Envelope<T>>(bytes) {
        Ok(envelope) if envelope.v == T::VERSION => Ok(envelope.r),
        Ok(envelope) => {
            Err(corrupt(format!("its layout has version {}, this program reads {}", envelope.v, T::VERSION)))
        }
        Err(error) => match serde_json::from_slice::<VersionOnly>(bytes) {
            Ok(found) if found.v != T::VERSION => {
                Err(corrupt(format!("its layout has version {}, this program reads {}", found.v, T::VERSION)))
            }
            _ => Err(corrupt(error.to_string())),
        },
    }
}

/// The records of one store.
#[derive(Clone)]
pub struct Records {
    store: Store,
}

impl Records {
    /// Records in `store`.
    pub fn new(store: impl Into<Store>) -> Self {
        Self { store: store.into() }
    }

    /// The store beneath.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The record under `key`, if there is one.
    ///
    /// # Errors
    /// The store's failure, or [`StoreError::Corrupt`].
    pub async fn get<T: Record>(&self, key: &Key) -> Result<Option<T>, StoreError> {
        match self.store.get(key.as_str()).await? {
            Some(bytes) => decode(key, &bytes).map(Some),
            None => Ok(None),
        }
    }

    /// Writes `record` whole under `key`.
    ///
    /// # Errors
    /// The store's failure, or [`StoreError::TooLarge`].
    pub async fn set<T: Record>(&self, key: &Key, record: &T) -> Result<(), StoreError> {
        let bytes = encode(key, record)?;
        self.store.set(key.as_str(), bytes).await
    }

    /// Removes the record under `key`, if any.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn delete(&self, key: &Key) -> Result<(), StoreError> {
        self.store.delete(key.as_str()).await
    }

    /// Removes records that are numbered from nought on, up to the first number under which there is none. The last goes
    /// first, so that what a crash leaves is found the next time.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn delete_numbered(&self, key: impl Fn(u64) -> Key) -> Result<(), StoreError> {
        let mut count = 0;
        while self.store.get(key(count).as_str()).await?.is_some() {
            count += 1;
        }
        for number in (0..count).rev() {
            self.delete(&key(number)).await?;
        }
        Ok(())
    }

    /// Adds to the counter under `key` and gives the sum.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn increment(&self, key: &Key, delta: i64) -> Result<i64, StoreError> {
        self.store.increment(key.as_str(), delta).await
    }
}
