//! Room in the write-ahead log that is made before it is needed.
//!
//! A file that grows has its length and its blocks synced with every commit; one that is written over has only its bytes.
//! A log that has come to its full length once is written over from its beginning, so a process that has written for long
//! pays nothing. Zeros at the log's end make that so from early on: SQLite takes nothing for a frame that does not carry
//! the log's own salt and checksum.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Read, Write as _};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

/// A process that commits less often than this does without.
const COMMITS_BEFORE: u32 = 32;

/// Bytes written at once.
const STEP_BYTES: usize = 1 << 20;

/// The log of one file, as long as no room was made.
pub(super) struct LogRoom {
    log: PathBuf,
    bytes: u64,
    commits: u32,
}

impl LogRoom {
    /// Room of so many bytes in the log of a database.
    pub fn new(database: &Path, bytes: u64) -> Self {
        Self { log: super::sqlite::beside(database, "-wal"), bytes, commits: 0 }
    }

    /// To be called after a commit; makes the room if it is time. Returns whether that is over and done with.
    pub fn committed(&mut self, connection: &Connection) -> bool {
        self.commits += 1;
        if self.commits < COMMITS_BEFORE {
            return false;
        }
        // Whoever holds the lock is the only one to write into the log. Without room everything works as well.
        if connection.execute_batch("BEGIN IMMEDIATE").is_ok() {
            if let Err(error) = self.make() {
                tracing::debug!(%error, log = %self.log.display(), "no room was made in the write-ahead log");
            }
            _ = connection.execute_batch("ROLLBACK");
        }
        true
    }

    fn make(&self) -> io::Result<()> {
        let log = OpenOptions::new().append(true).open(&self.log)?;
        let before = log.metadata()?.len();
        let zeros = io::repeat(0).take(self.bytes.saturating_sub(before));
        write_all(zeros, &log).and_then(|()| log.sync_all()).inspect_err(|_| {
            // The disk may be full, and what is left of it is for data.
            _ = log.set_len(before);
        })
    }
}

fn write_all(mut bytes: impl Read, file: &File) -> io::Result<()> {
    let mut file = BufWriter::with_capacity(STEP_BYTES, file);
    io::copy(&mut bytes, &mut file)?;
    file.flush()
}
