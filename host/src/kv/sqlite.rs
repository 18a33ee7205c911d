//! Opening SQLite files: Spin's table, and the settings that each profile wants.

use super::{MAX_KEY_BYTES, MAX_VALUE_BYTES, Profile, StoreError};
use rusqlite::Connection;
use rusqlite::limits::Limit;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long to wait for another process that holds the file's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(20);

/// Page size of new files with large values. Every commit writes some pages whole (twice, with the journal) for a few bytes
/// in each, and the larger they are the more; the smaller, the more pages a value is.
const LARGE_PAGE_BYTES: u32 = 16384;

/// Page cache of a connection to a file of small records.
const SMALL_CACHE_KIB: u32 = 8192;

/// Pages of the write-ahead log of a file of small records after which they are moved into the file. Keys fall
/// anywhere in the file, so a short log would move nearly every changed page once for each change; a long one moves a
/// page once for many. 32 MiB are read back in a moment after a crash.
const SMALL_LOG_PAGES: u32 = 8192;

/// Bytes of a log of that many pages (each with a head of its own), and of the transaction that comes to that number.
pub(super) const SMALL_LOG_BYTES: u64 = SMALL_LOG_PAGES as u64 * (4096 + 24) + (1 << 20);

/// Page cache of a connection to a file of large values, which are read once and not again.
const LARGE_CACHE_KIB: u32 = 2048;

/// What is kept of a rollback journal between commits.
const JOURNAL_BYTES: u32 = 4 << 20;

/// What SQLite may keep in memory in this process, for all files together. Its caches count pages in common, so
/// without this the large pages would take the places that are meant for small ones.
const HEAP_BYTES: u32 = 32 << 20;

/// Statements that a connection keeps prepared.
const PREPARED_STATEMENTS: usize = 32;

/// How a file keeps its transactions whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Journal {
    /// Readers see the last commit and never wait.
    WriteAhead,
    /// Readers and a commit exclude each other.
    Rollback,
}

/// Opens the file for writing, makes Spin's table if it is not there, and sets the journal.
///
/// The journal found in the file may be another than the profile's if a process that has it open prevents the
/// change; then the file is used as it is.
pub(super) fn open_writer(path: &Path, profile: Profile) -> Result<(Connection, Journal), StoreError> {
    let connection = Connection::open(path).map_err(StoreError::sqlite("opening the file"))?;
    let fail = StoreError::sqlite("setting up the file");
    let journal = set_up_writer(&connection, profile).map_err(fail)?;
    keep_journal(path, journal).map_err(StoreError::io("making the journal last"))?;
    Ok((connection, journal))
}

/// Makes sure that the journal is found after a power cut: SQLite is built not to sync the folder for it.
fn keep_journal(path: &Path, journal: Journal) -> std::io::Result<()> {
    let ending = match journal {
        Journal::WriteAhead => "-wal",
        Journal::Rollback => "-journal",
    };
    // Another process may write to it; an empty one is as good as none.
    OpenOptions::new().append(true).create(true).open(beside(path, ending))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// A file that SQLite keeps beside a database.
pub(super) fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn set_up_writer(connection: &Connection, profile: Profile) -> rusqlite::Result<Journal> {
    set_up(connection, profile)?;
    if profile == Profile::Large {
        // Takes effect only in a file that has no table yet, and not in one that is in WAL mode.
        connection.pragma_update(None, "page_size", LARGE_PAGE_BYTES)?;
        // A transaction stays in memory until its commit (the writer bounds it), so that readers need to be kept
        // out only during the commit itself.
        connection.pragma_update(None, "cache_spill", false)?;
        // The journal stays between commits; what a rare large transaction made of it does not.
        connection.pragma_update(None, "journal_size_limit", JOURNAL_BYTES)?;
    }
    if profile == Profile::Small {
        connection.pragma_update(None, "wal_autocheckpoint", SMALL_LOG_PAGES)?;
    }
    let wanted = match profile {
        Profile::Small => "WAL",
        // With full sync, overwriting the journal's head is itself synced; deleting the journal is not, and after a
        // power cut it might come back and undo a commit that was acknowledged. Truncating is as safe, and slower.
        Profile::Large => "PERSIST",
    };
    // The mode that is in force comes back as a row; a file that another process uses may refuse to change.
    let mode: String = connection
        .query_row(&format!("PRAGMA journal_mode = {wanted}"), [], |row| row.get(0))
        .or_else(|_| connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Without these, fsync on macOS does not reach the disk; elsewhere they do nothing.
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "checkpoint_fullfsync", true)?;
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS spin_key_value (
            store TEXT NOT NULL,
            key   TEXT NOT NULL,
            value BLOB NOT NULL,

            PRIMARY KEY (store, key)
        )",
    )?;
    Ok(if mode.eq_ignore_ascii_case("wal") { Journal::WriteAhead } else { Journal::Rollback })
}

/// Opens the file for reading only.
pub(super) fn open_reader(path: &Path, profile: Profile) -> Result<Connection, StoreError> {
    let connection = Connection::open(path).map_err(StoreError::sqlite("opening the file for reading"))?;
    set_up(&connection, profile)
        .and_then(|()| connection.pragma_update(None, "query_only", true))
        .map_err(StoreError::sqlite("setting up the file for reading"))?;
    Ok(connection)
}

fn set_up(connection: &Connection, profile: Profile) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(PREPARED_STATEMENTS);
    let kib = match profile {
        Profile::Small => SMALL_CACHE_KIB,
        Profile::Large => LARGE_CACHE_KIB,
    };
    // Negative means KiB rather than pages.
    connection.pragma_update(None, "cache_size", -i64::from(kib))?;
    connection.pragma_update(None, "soft_heap_limit", HEAP_BYTES)?;
    // A row is a value, a key and a little more: nothing larger is read, whoever wrote it.
    let most = i32::try_from(MAX_VALUE_BYTES + MAX_KEY_BYTES + 4096).unwrap_or(i32::MAX);
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, most)?;
    Ok(())
}
