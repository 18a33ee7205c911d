//! Key-value stores: Spin's provider `spin`, which is SQLite, in the table that Spin uses.
//!
//! A file is served by one writer thread and read by others; see [`Database`]. What Spin's own provider does badly
//! is done better where nobody can come to rely on it: a counter of the wrong length is an error, not a panic, and
//! a swap on an absent key does not overwrite a rival. What a program could come to rely on is kept as it is:
//! `get-many` leaves out what is absent, and listing has no cursor.

mod behind;
mod database;
mod reader;
mod room;
mod sqlite;
mod writer;

pub use database::Database;

use std::sync::Arc;

/// The largest value, as in Spin, where a larger one traps: 128 MiB.
pub const MAX_VALUE_BYTES: usize = 128 << 20;

/// The longest key: what DynamoDB takes, the strictest of Spin's providers that a deployment might use.
pub const MAX_KEY_BYTES: usize = 2048;

/// What a store's file is laid out for.
///
/// The runtime configuration has no key for it, because Spin would refuse one, so the label decides: `blobs` holds
/// large values, every other label small ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Many small records: a write-ahead log, so that a commit is one short append and readers never wait.
    Small,
    /// Values of a megabyte: a rollback journal, because a write-ahead log writes every byte twice, and larger
    /// pages, so that a value is not too many of them.
    Large,
}

impl Profile {
    /// The profile for a label.
    pub fn of_label(label: &str) -> Self {
        if label == "blobs" { Self::Large } else { Self::Small }
    }
}

/// Why an operation on a store failed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A key over [`MAX_KEY_BYTES`].
    #[error("the key has {0} bytes, and at most {MAX_KEY_BYTES} are allowed")]
    KeyTooLong(usize),
    /// A value over [`MAX_VALUE_BYTES`].
    #[error("the value has {0} bytes, and at most {MAX_VALUE_BYTES} are allowed")]
    ValueTooLong(usize),
    /// A result over [`MAX_VALUE_BYTES`].
    #[error("the result is over {MAX_VALUE_BYTES} bytes")]
    ResultTooLong,
    /// `increment` on a value that is no counter.
    #[error("the value has {0} bytes and so is no counter, which has 8")]
    NotACounter(usize),
    /// `increment` past the end of 64 bits.
    #[error("the counter would pass the end of 64 bits")]
    CounterOverflow,
    /// The host is stopping.
    #[error("the store is closed")]
    Closed,
    /// SQLite or the system beneath it.
    #[error("{doing}: {source}")]
    Sqlite {
        /// What was being done.
        doing: &'static str,
        /// The reason.
        source: Arc<rusqlite::Error>,
    },
    /// The system refused a thread or a file.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The reason.
        source: Arc<std::io::Error>,
    },
}

impl StoreError {
    fn sqlite(doing: &'static str) -> impl FnOnce(rusqlite::Error) -> Self {
        move |source| Self::Sqlite { doing, source: Arc::new(source) }
    }

    fn io(doing: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { doing, source: Arc::new(source) }
    }
}

/// One store: a label's share of a file.
#[derive(Clone)]
pub struct Store {
    database: Arc<Database>,
    name: Arc<str>,
}

impl Store {
    /// The store `name` in a file.
    pub fn new(database: Arc<Database>, name: &str) -> Self {
        Self { database, name: name.into() }
    }

    /// The value of a key.
    pub async fn get(&self, key: String) -> Result<Option<Vec<u8>>, StoreError> {
        check_key(&key)?;
        tracing::trace!(store = &*self.name, key, "get");
        self.database.get(&self.name, key).await
    }

    /// The values of those keys that are there.
    pub async fn get_many(&self, keys: Vec<String>) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        keys.iter().try_for_each(|key| check_key(key))?;
        self.database.get_many(&self.name, keys).await
    }

    /// Whether a key is there.
    pub async fn exists(&self, key: String) -> Result<bool, StoreError> {
        check_key(&key)?;
        tracing::trace!(store = &*self.name, key, "exists");
        self.database.exists(&self.name, key).await
    }

    /// The next keys after one, in order; an empty list at the end.
    pub async fn keys_after(&self, after: Option<String>) -> Result<Vec<String>, StoreError> {
        self.database.keys_after(&self.name, after).await
    }

    /// Sets a value. It is durable when this returns, and the writer has it from the first poll on.
    pub async fn set(&self, key: String, value: Vec<u8>) -> Result<(), StoreError> {
        check_key(&key)?;
        check_value(&value)?;
        tracing::trace!(store = &*self.name, key, "set");
        self.database.write(&self.name, |done| writer::Operation::Set { key, value, done }).await
    }

    /// Sets several values, all or none.
    pub async fn set_many(&self, pairs: Vec<(String, Vec<u8>)>) -> Result<(), StoreError> {
        for (key, value) in &pairs {
            check_key(key)?;
            check_value(value)?;
        }
        self.database.write(&self.name, |done| writer::Operation::SetMany { pairs, done }).await
    }

    /// Removes a key, if it is there.
    pub async fn delete(&self, key: String) -> Result<(), StoreError> {
        check_key(&key)?;
        tracing::trace!(store = &*self.name, key, "delete");
        self.database.write(&self.name, |done| writer::Operation::DeleteMany { keys: vec![key], done }).await
    }

    /// Removes several keys, all or none.
    pub async fn delete_many(&self, keys: Vec<String>) -> Result<(), StoreError> {
        keys.iter().try_for_each(|key| check_key(key))?;
        self.database.write(&self.name, |done| writer::Operation::DeleteMany { keys, done }).await
    }

    /// Adds to a counter and returns its new value; an absent one counts as nought.
    pub async fn increment(&self, key: String, delta: i64) -> Result<i64, StoreError> {
        check_key(&key)?;
        tracing::trace!(store = &*self.name, key, "increment");
        self.database.write(&self.name, |done| writer::Operation::Increment { key, delta, done }).await
    }

    /// Sets a value if the present one is `expected`, and returns whether it was.
    pub async fn swap(&self, key: String, expected: Option<Vec<u8>>, value: Vec<u8>) -> Result<bool, StoreError> {
        check_key(&key)?;
        check_value(&value)?;
        self.database.write(&self.name, |done| writer::Operation::Swap { key, expected, value, done }).await
    }
}

fn check_key(key: &str) -> Result<(), StoreError> {
    if key.len() > MAX_KEY_BYTES {
        return Err(StoreError::KeyTooLong(key.len()));
    }
    Ok(())
}

fn check_value(value: &[u8]) -> Result<(), StoreError> {
    if value.len() > MAX_VALUE_BYTES {
        return Err(StoreError::ValueTooLong(value.len()));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
