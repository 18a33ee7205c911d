//! Reading a file: one thread for each file, and for files with a write-ahead log also a few connections that any
//! thread may use on the spot, because there a read of a record takes microseconds and waits for nobody.

use super::sqlite::{self, Journal};
use super::{MAX_VALUE_BYTES, Profile, StoreError};
use rusqlite::{Connection, OptionalExtension, params};
use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use tokio::sync::oneshot;

/// Keys in one page of a listing, which holds no lock between pages.
const KEYS_PER_PAGE: i64 = 1000;

/// Connections for reading on the spot; more readers at once go to the thread.
const MAX_SPOT_CONNECTIONS: usize = 4;

type Done<T> = oneshot::Sender<Result<T, StoreError>>;

/// What the reader thread is asked to do.
pub(super) enum Command {
    Read { store: Arc<str>, query: Query },
    Close,
}

/// A read and where its outcome goes.
pub(super) enum Query {
    Get { key: String, done: Done<Option<Vec<u8>>> },
    GetMany { keys: Vec<String>, done: Done<Vec<(String, Vec<u8>)>> },
    Exists { key: String, done: Done<bool> },
    KeysAfter { after: Option<String>, done: Done<Vec<String>> },
}

pub(super) struct Reader {
    pub connection: Connection,
    pub journal: Journal,
    pub queue: Receiver<Command>,
    pub gate: Arc<RwLock<()>>,
}

impl Reader {
    /// Works until told to close.
    pub fn run(self) {
        while let Ok(Command::Read { store, query }) = self.queue.recv() {
            // In a file with a rollback journal a read during a commit would only wait in SQLite, by sleeping.
            let gate =
                (self.journal == Journal::Rollback).then(|| self.gate.read().unwrap_or_else(PoisonError::into_inner));
            // The receiver may have given up, which is none of the reader's business.
            match query {
                Query::Get { key, done } => drop(done.send(get(&self.connection, &store, &key))),
                Query::GetMany { keys, done } => drop(done.send(get_many(&self.connection, &store, keys))),
                Query::Exists { key, done } => drop(done.send(exists(&self.connection, &store, &key))),
                Query::KeysAfter { after, done } => {
                    drop(done.send(keys_after(&self.connection, &store, after.as_deref())));
                }
            }
            drop(gate);
        }
    }
}

/// Connections for reading on the spot.
pub(super) struct SpotReaders {
    path: PathBuf,
    profile: Profile,
    idle: Mutex<(Vec<Connection>, usize)>,
}

impl SpotReaders {
    pub fn new(path: PathBuf, profile: Profile) -> Self {
        Self { path, profile, idle: Mutex::default() }
    }

    /// Reads with a free connection; none if all are in use.
    pub fn with<T>(&self, read: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Option<Result<T, StoreError>> {
        let connection = {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            match idle.0.pop() {
                Some(connection) => Some(connection),
                None if idle.1 < MAX_SPOT_CONNECTIONS => {
                    idle.1 += 1;
                    None
                }
                None => return None,
            }
        };
        let connection = match connection.map_or_else(|| sqlite::open_reader(&self.path, self.profile), Ok) {
            Ok(connection) => connection,
            Err(error) => {
                self.idle.lock().unwrap_or_else(PoisonError::into_inner).1 -= 1;
                return Some(Err(error));
            }
        };
        let result = read(&connection);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).0.push(connection);
        Some(result)
    }

    /// Closes the connections that are idle, and lets no new ones be made.
    pub fn close(&self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.0.clear();
        idle.1 = MAX_SPOT_CONNECTIONS;
    }
}

pub(super) fn get(connection: &Connection, store: &str, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let value = connection
        .prepare_cached("SELECT value FROM spin_key_value WHERE store = ?1 AND key = ?2")
        .and_then(|mut statement| {
            statement
                .query_row(params![store, key], |row| {
                    let value = row.get_ref(0)?.as_bytes()?;
                    Ok((value.len() <= MAX_VALUE_BYTES).then(|| value.to_vec()))
                })
                .optional()
        })
        .map_err(StoreError::sqlite("reading a value"))?;
    match value {
        None => Ok(None),
        Some(None) => Err(StoreError::ResultTooLong),
        Some(value) => Ok(value),
    }
}

pub(super) fn exists(connection: &Connection, store: &str, key: &str) -> Result<bool, StoreError> {
    connection
        .prepare_cached("SELECT 1 FROM spin_key_value WHERE store = ?1 AND key = ?2")
        .and_then(|mut statement| statement.exists(params![store, key]))
        .map_err(StoreError::sqlite("looking for a key"))
}

/// As in Spin's provider: without what is absent, without repetitions, in order of keys.
pub(super) fn get_many(
    connection: &Connection,
    store: &str,
    mut keys: Vec<String>,
) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
    keys.sort_unstable();
    keys.dedup();
    let mut found = Vec::new();
    let mut bytes = 0_usize;
    for key in keys {
        if let Some(value) = get(connection, store, &key)? {
            bytes = bytes.saturating_add(key.len()).saturating_add(value.len());
            if bytes > MAX_VALUE_BYTES {
                return Err(StoreError::ResultTooLong);
            }
            found.push((key, value));
        }
    }
    Ok(found)
}

fn keys_after(connection: &Connection, store: &str, after: Option<&str>) -> Result<Vec<String>, StoreError> {
    // The primary key's index has both columns, so the values are not touched.
    let mut statement = connection
        .prepare_cached(
            "SELECT key FROM spin_key_value WHERE store = ?1 AND (?2 IS NULL OR key > ?2) ORDER BY key LIMIT ?3",
        )
        .map_err(StoreError::sqlite("listing keys"))?;
    statement
        .query_map(params![store, after, KEYS_PER_PAGE], |row| row.get(0))
        .and_then(Iterator::collect)
        .map_err(StoreError::sqlite("listing keys"))
}
