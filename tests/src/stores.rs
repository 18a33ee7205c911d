//! Looks into the files of the stores, past the service.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

/// The SQLite files below a state folder.
pub struct Stores {
    folder: PathBuf,
}

impl Stores {
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf() }
    }

    /// How many chunks of uploads there are, whether anything refers to them or not.
    pub fn chunks(&self) -> usize {
        self.keys().iter().filter(|key| key.starts_with("pack-chunk:")).count()
    }

    /// Whether any value of any store holds these bytes.
    ///
    /// # Panics
    /// When a file cannot be read.
    pub fn contains(&self, bytes: &[u8]) -> bool {
        self.databases().iter().any(|file| {
            let sql = "SELECT EXISTS (SELECT 1 FROM spin_key_value WHERE instr(value, ?1) > 0)";
            open(file).query_row(sql, [bytes], |row| row.get::<_, bool>(0)).expect("the values")
        })
    }

    /// Every key of every store.
    ///
    /// # Panics
    /// When a file cannot be read.
    pub fn keys(&self) -> Vec<String> {
        let mut keys = Vec::new();
        for file in self.databases() {
            let database = open(&file);
            let mut query = database.prepare("SELECT key FROM spin_key_value").expect("the table of the store");
            let rows = query.query_map([], |row| row.get::<_, String>(0)).expect("the keys");
            keys.extend(rows.map(|key| key.expect("a key")));
        }
        keys
    }

    /// The files; there is at least one, or the service keeps its state elsewhere and these looks would prove nothing.
    fn databases(&self) -> Vec<PathBuf> {
        let files = databases(&self.folder);
        assert!(!files.is_empty(), "no store in {}: where is the state?", self.folder.display());
        files
    }
}

fn open(file: &Path) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(file, flags).expect("the store's file");
    database.busy_timeout(Duration::from_secs(20)).expect("a time to wait");
    database
}

fn databases(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(databases(&path));
        } else if path.extension().is_some_and(|extension| extension == "db") {
            found.push(path);
        }
    }
    found
}
