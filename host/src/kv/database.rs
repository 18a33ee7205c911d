//! One SQLite file and the threads that serve it.

use super::behind::DropBehind;
use super::reader::{self, Query, Reader, SpotReaders};
use super::room::LogRoom;
use super::sqlite::{self, Journal, SMALL_LOG_BYTES};
use super::writer::{self, Operation, Writer};
use super::{Profile, StoreError};
use std::path::Path;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// One SQLite file: one thread writes it, one thread reads it, and with a write-ahead log a few connections read it
/// on the spot. Other processes may use the file at the same time.
pub struct Database {
    writer: Sender<writer::Command>,
    reader: Sender<reader::Command>,
    spot: Option<SpotReaders>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Database {
    /// Opens a file, making it and its folder if need be.
    pub fn open(path: &Path, profile: Profile) -> Result<Arc<Self>, StoreError> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(StoreError::io("making the folder"))?;
        }
        let (connection, journal) = sqlite::open_writer(path, profile)?;
        let gate = Arc::new(RwLock::new(()));
        let (writer, writes) = mpsc::channel();
        let (reader, reads) = mpsc::channel();
        let room = (journal == Journal::WriteAhead).then(|| LogRoom::new(path, SMALL_LOG_BYTES));
        let behind = (profile == Profile::Large)
            .then(|| DropBehind::new(path))
            .transpose()
            .map_err(StoreError::io("opening the file"))?;
        let serving_writes = Writer { connection, journal, room, behind, queue: writes, gate: gate.clone() };
        let connection = sqlite::open_reader(path, profile)?;
        let serving_reads = Reader { connection, journal, queue: reads, gate };
        let threads =
            vec![spawn("kv-writer", move || serving_writes.run())?, spawn("kv-reader", move || serving_reads.run())?];
        let spot = (journal == Journal::WriteAhead).then(|| SpotReaders::new(path.to_owned(), profile));
        Ok(Arc::new(Self { writer, reader, spot, threads: Mutex::new(threads) }))
    }

    /// Hands a write to the writer at once, and waits for its commit.
    pub(super) async fn write<T>(
        &self,
        store: &Arc<str>,
        operation: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Operation,
    ) -> Result<T, StoreError> {
        let (done, outcome) = oneshot::channel();
        let command = writer::Command::Write { store: store.clone(), operation: operation(done) };
        self.writer.send(command).map_err(|_| StoreError::Closed)?;
        outcome.await.map_err(|_| StoreError::Closed)?
    }

    async fn read<T>(
        &self,
        store: &Arc<str>,
        query: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Query,
    ) -> Result<T, StoreError> {
        let (done, outcome) = oneshot::channel();
        let command = reader::Command::Read { store: store.clone(), query: query(done) };
        self.reader.send(command).map_err(|_| StoreError::Closed)?;
        outcome.await.map_err(|_| StoreError::Closed)?
    }

    pub(super) async fn get(&self, store: &Arc<str>, key: String) -> Result<Option<Vec<u8>>, StoreError> {
        let spot = self.spot.as_ref().and_then(|spot| spot.with(|connection| reader::get(connection, store, &key)));
        match spot {
            Some(value) => value,
            None => self.read(store, |done| Query::Get { key, done }).await,
        }
    }

    pub(super) async fn exists(&self, store: &Arc<str>, key: String) -> Result<bool, StoreError> {
        let spot = self.spot.as_ref().and_then(|spot| spot.with(|connection| reader::exists(connection, store, &key)));
        match spot {
            Some(there) => there,
            None => self.read(store, |done| Query::Exists { key, done }).await,
        }
    }

    pub(super) async fn get_many(
        &self,
        store: &Arc<str>,
        keys: Vec<String>,
    ) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        self.read(store, |done| Query::GetMany { keys, done }).await
    }

    pub(super) async fn keys_after(&self, store: &Arc<str>, after: Option<String>) -> Result<Vec<String>, StoreError> {
        self.read(store, |done| Query::KeysAfter { after, done }).await
    }

    /// Finishes what is queued, empties the write-ahead log, and ends the threads. Blocks.
    pub fn close(&self) {
        // The readers go first, so that the writer is the last to hold the file.
        if let Some(spot) = &self.spot {
            spot.close();
        }
        // A thread that is gone already needs no telling.
        _ = self.reader.send(reader::Command::Close);
        let mut threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let Some(writer) = (!threads.is_empty()).then(|| threads.remove(0)) else { return };
        let others = threads.into_iter().map(JoinHandle::join).all(|joined| joined.is_ok());
        _ = self.writer.send(writer::Command::Close);
        if writer.join().is_err() || !others {
            tracing::error!("a key-value thread had panicked");
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // Does not wait: this may run on a thread that must not. Dropping the senders ends the threads.
        _ = self.reader.send(reader::Command::Close);
        _ = self.writer.send(writer::Command::Close);
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StoreError> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).map_err(StoreError::io("starting a key-value thread"))
}
