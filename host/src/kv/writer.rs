//! The one thread that writes a file.
//!
//! It takes what waits in its queue into one transaction and acknowledges each write after the commit, so that
//! many writers share the price of a sync. While a transaction runs, what arrives meanwhile joins it, up to a
//! bound. Nothing ever waits in order to be gathered, but threads that are ready to run, and may be about to write as well,
//! go first.

use super::StoreError;
use super::behind::DropBehind;
use super::room::LogRoom;
use super::sqlite::Journal;
use rusqlite::blob::ZeroBlob;
use rusqlite::{Connection, MAIN_DB, OptionalExtension, ToSql, params};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::oneshot;

/// Most writes in one transaction, so that the first does not wait long for the last.
const MAX_BATCH_WRITES: usize = 512;

/// Most bytes in one transaction, which stays in memory until its commit.
const MAX_BATCH_BYTES: usize = 8 << 20;

/// Values from this size on are written into their place instead of being bound to a statement.
const STREAMED_BYTES: usize = 64 * 1024;

// One statement could do for a row that is there and for one that is not, but SQLite notes for it in a temporary file what
// it changes, to be able to undo it alone. These two need no such file.
const INSERT: &str = "INSERT INTO spin_key_value (store, key, value) VALUES (?1, ?2, ?3)";
const UPDATE: &str = "UPDATE spin_key_value SET value = ?2 WHERE rowid = ?1";
const ROW: &str = "SELECT rowid FROM spin_key_value WHERE store = ?1 AND key = ?2";
const DELETE: &str = "DELETE FROM spin_key_value WHERE store = ?1 AND key = ?2";
const GET: &str = "SELECT value FROM spin_key_value WHERE store = ?1 AND key = ?2";

type Done<T> = oneshot::Sender<Result<T, StoreError>>;

/// What the writer is asked to do.
pub(super) enum Command {
    Write {
        store: Arc<str>,
        operation: Operation,
    },
    /// Everything queued before is still done.
    Close,
}

/// A write and where its outcome goes.
pub(super) enum Operation {
    Set { key: String, value: Vec<u8>, done: Done<()> },
    SetMany { pairs: Vec<(String, Vec<u8>)>, done: Done<()> },
    DeleteMany { keys: Vec<String>, done: Done<()> },
    Increment { key: String, delta: i64, done: Done<i64> },
    Swap { key: String, expected: Option<Vec<u8>>, value: Vec<u8>, done: Done<bool> },
}

impl Operation {
    /// About how much memory it takes until the commit.
    fn bytes(&self) -> usize {
        match self {
            Self::Set { value, .. } | Self::Swap { value, .. } => value.len(),
            Self::SetMany { pairs, .. } => pairs.iter().map(|(_, value)| value.len()).sum(),
            Self::DeleteMany { .. } | Self::Increment { .. } => 0,
        }
    }
}

/// A write that waits for the commit.
enum Outcome {
    Unit(Done<()>),
    Number(Done<i64>, i64),
    Bool(Done<bool>, bool),
}

impl Outcome {
    /// The receiver may have given up, which is none of the writer's business.
    fn send(self, commit: &Result<(), StoreError>) {
        match (self, commit.clone()) {
            (Self::Unit(done), commit) => drop(done.send(commit)),
            (Self::Number(done, number), commit) => drop(done.send(commit.map(|()| number))),
            (Self::Bool(done, bool), commit) => drop(done.send(commit.map(|()| bool))),
        }
    }
}

pub(super) struct Writer {
    pub connection: Connection,
    pub journal: Journal,
    /// Room that is still to be made in a write-ahead log.
    pub room: Option<LogRoom>,
    /// Gives back the page cache behind a file of large values.
    pub behind: Option<DropBehind>,
    pub queue: Receiver<Command>,
    /// Held by readers of a rollback-journal file, and by the writer during a commit.
    pub gate: Arc<RwLock<()>>,
}

impl Writer {
    /// Works until told to close.
    pub fn run(mut self) {
        while let Ok(Command::Write { store, operation }) = self.queue.recv() {
            std::thread::yield_now();
            if self.batch(store, operation).is_break() {
                break;
            }
        }
        if self.journal == Journal::WriteAhead {
            // Leaves one plain file behind. If another process has it open, that one will do it.
            let emptied = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
            if let Err(error) = emptied {
                tracing::debug!(%error, "the write-ahead log was not emptied");
            }
        }
        // Closing a file gives up all locks that this process has on it, so nobody must be reading.
        let gate = self.gate.write().unwrap_or_else(PoisonError::into_inner);
        drop(self.behind.take());
        drop(gate);
    }

    /// One transaction, beginning with one write.
    fn batch(&mut self, store: Arc<str>, operation: Operation) -> std::ops::ControlFlow<()> {
        let mut outcomes = Vec::new();
        let mut bytes = operation.bytes();
        let mut flow = std::ops::ControlFlow::Continue(());
        if let Err(error) = self.statement("BEGIN IMMEDIATE", "beginning a transaction") {
            fail(operation, error);
            return flow;
        }
        let mut next = Some((store, operation));
        while let Some((store, operation)) = next.take() {
            if let Err(error) = self.execute(&store, operation, &mut outcomes) {
                // SQLite gave up the whole transaction, as it does when the disk is full.
                outcomes.into_iter().for_each(|outcome| outcome.send(&Err(error.clone())));
                return flow;
            }
            if outcomes.len() >= MAX_BATCH_WRITES || bytes >= MAX_BATCH_BYTES {
                break;
            }
            match self.queue.try_recv() {
                Ok(Command::Write { store, operation }) => {
                    bytes = bytes.saturating_add(operation.bytes());
                    next = Some((store, operation));
                }
                Ok(Command::Close) | Err(TryRecvError::Disconnected) => flow = std::ops::ControlFlow::Break(()),
                Err(TryRecvError::Empty) => {}
            }
        }
        let commit = self.commit();
        outcomes.into_iter().for_each(|outcome| outcome.send(&commit));
        self.room.take_if(|room| room.committed(&self.connection));
        if let Some(behind) = &mut self.behind {
            behind.committed();
        }
        flow
    }

    fn commit(&self) -> Result<(), StoreError> {
        let gate =
            (self.journal == Journal::Rollback).then(|| self.gate.write().unwrap_or_else(PoisonError::into_inner));
        let committed = self.statement("COMMIT", "committing");
        drop(gate);
        if committed.is_err() && !self.connection.is_autocommit() {
            // What the rollback itself fails with says nothing new, and the next BEGIN would tell.
            _ = self.statement("ROLLBACK", "rolling back");
        }
        committed
    }

    fn statement(&self, sql: &str, doing: &'static str) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute([]))
            .map(drop)
            .map_err(StoreError::sqlite(doing))
    }

    /// Does one write within the transaction. One that fails is answered at once and undone alone; the error that
    /// is returned is one that took the transaction with it.
    fn execute(&self, store: &str, operation: Operation, outcomes: &mut Vec<Outcome>) -> Result<(), StoreError> {
        let error = match operation {
            Operation::Set { key, value, done } => match self.set(store, &key, &value) {
                Ok(()) => return push(outcomes, Outcome::Unit(done)),
                Err(error) => refuse(done, error),
            },
            Operation::SetMany { pairs, done } => {
                match self.whole(|| pairs.iter().try_for_each(|(key, value)| self.set(store, key, value))) {
                    Ok(()) => return push(outcomes, Outcome::Unit(done)),
                    Err(error) => refuse(done, error),
                }
            }
            Operation::DeleteMany { keys, done } => {
                match self.whole(|| keys.iter().try_for_each(|key| self.delete(store, key))) {
                    Ok(()) => return push(outcomes, Outcome::Unit(done)),
                    Err(error) => refuse(done, error),
                }
            }
            Operation::Increment { key, delta, done } => match self.increment(store, &key, delta) {
                Ok(number) => return push(outcomes, Outcome::Number(done, number)),
                Err(error) => refuse(done, error),
            },
            Operation::Swap { key, expected, value, done } => {
                match self.swap(store, &key, expected.as_deref(), &value) {
                    Ok(swapped) => return push(outcomes, Outcome::Bool(done, swapped)),
                    Err(error) => refuse(done, error),
                }
            }
        };
        if self.connection.is_autocommit() { Err(error) } else { Ok(()) }
    }

    /// Runs several statements of which all take effect or none.
    fn whole(&self, statements: impl FnOnce() -> Result<(), StoreError>) -> Result<(), StoreError> {
        self.statement("SAVEPOINT several", "beginning several writes")?;
        let result = statements();
        if result.is_err() && !self.connection.is_autocommit() {
            self.statement("ROLLBACK TO several", "undoing several writes")?;
        }
        if !self.connection.is_autocommit() {
            self.statement("RELEASE several", "ending several writes")?;
        }
        result
    }

    fn set(&self, store: &str, key: &str, value: &[u8]) -> Result<(), StoreError> {
        let set = match value.len() >= STREAMED_BYTES {
            true => self.set_large(store, key, value),
            false => self.put(store, key, value).map(drop),
        };
        set.map_err(StoreError::sqlite("writing a value"))
    }

    /// Makes room for the value and writes it there: a value that is bound to a statement is copied twice on its way to
    /// the pages.
    fn set_large(&self, store: &str, key: &str, value: &[u8]) -> rusqlite::Result<()> {
        let row = self.put(store, key, ZeroBlob(i32::try_from(value.len()).unwrap_or(i32::MAX)))?;
        let write = || {
            let mut blob = self.connection.blob_open(MAIN_DB, "spin_key_value", "value", row, false)?;
            blob.write_at(value, 0)?;
            blob.close()
        };
        write().inspect_err(|_| {
            // Room without its value must not be committed, and there is no undoing it alone.
            _ = self.statement("ROLLBACK", "rolling back");
        })
    }

    /// Gives the key this value; returns its row.
    fn put(&self, store: &str, key: &str, value: impl ToSql) -> rusqlite::Result<i64> {
        let row = self.connection.prepare_cached(ROW)?.query_row(params![store, key], |row| row.get(0)).optional()?;
        match row {
            Some(row) => self.connection.prepare_cached(UPDATE)?.execute(params![row, value]).map(|_| row),
            None => self.connection.prepare_cached(INSERT)?.insert(params![store, key, value]),
        }
    }

    fn delete(&self, store: &str, key: &str) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(DELETE)
            .and_then(|mut statement| statement.execute(params![store, key]))
            .map(drop)
            .map_err(StoreError::sqlite("deleting a value"))
    }

    fn get<T>(&self, store: &str, key: &str, take: impl FnOnce(&[u8]) -> T) -> Result<Option<T>, StoreError> {
        self.connection
            .prepare_cached(GET)
            .and_then(|mut statement| {
                statement.query_row(params![store, key], |row| Ok(take(row.get_ref(0)?.as_bytes()?))).optional()
            })
            .map_err(StoreError::sqlite("reading a value"))
    }

    fn increment(&self, store: &str, key: &str, delta: i64) -> Result<i64, StoreError> {
        // Spin keeps a counter as eight bytes, little end first.
        let present = self.get(store, key, |value| <[u8; 8]>::try_from(value).map_err(|_| value.len()))?;
        let present = match present {
            None => 0,
            Some(Ok(bytes)) => i64::from_le_bytes(bytes),
            Some(Err(length)) => return Err(StoreError::NotACounter(length)),
        };
        let next = present.checked_add(delta).ok_or(StoreError::CounterOverflow)?;
        self.set(store, key, &next.to_le_bytes())?;
        Ok(next)
    }

    fn swap(&self, store: &str, key: &str, expected: Option<&[u8]>, value: &[u8]) -> Result<bool, StoreError> {
        let same = match self.get(store, key, |present| expected == Some(present))? {
            None => expected.is_none(),
            Some(same) => same,
        };
        if same {
            self.set(store, key, value)?;
        }
        Ok(same)
    }
}

fn push(outcomes: &mut Vec<Outcome>, outcome: Outcome) -> Result<(), StoreError> {
    outcomes.push(outcome);
    Ok(())
}

/// Answers a write that failed alone.
fn refuse<T>(done: Done<T>, error: StoreError) -> StoreError {
    _ = done.send(Err(error.clone()));
    error
}

fn fail(operation: Operation, error: StoreError) {
    match operation {
        Operation::Set { done, .. } | Operation::SetMany { done, .. } | Operation::DeleteMany { done, .. } => {
            refuse(done, error);
        }
        Operation::Increment { done, .. } => drop(refuse(done, error)),
        Operation::Swap { done, .. } => drop(refuse(done, error)),
    }
}
