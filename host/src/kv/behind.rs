//! Giving back the page cache behind a file that grows.
//!
//! What is uploaded is rarely read again soon, and an upload of gigabytes would push everything else out of the memory in
//! which the system keeps files. Pages that are given back while they are few are taken again for the next values, too; new
//! ones are dear on virtual machines that return unused memory to their host, there twenty times as dear as writing to them.

use std::fs::File;
use std::io;
use std::path::Path;

/// Bytes at the file's end that stay in memory: what was just uploaded is what will be hashed, listed or sent on.
const KEPT_BYTES: u64 = 256 << 20;

/// Bytes given back at once, so that it takes a fraction of a millisecond, and not after every commit.
const STEP_BYTES: u64 = 8 << 20;

/// A file whose older part leaves the page cache as it grows.
pub(super) struct DropBehind {
    file: File,
    /// What lies before was given back, or was there when the file was opened.
    from: u64,
}

impl DropBehind {
    /// For a file that is there.
    pub fn new(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let from = file.metadata()?.len();
        Ok(Self { file, from })
    }

    /// To be called after a commit, when all is on the disk: only clean pages are given back.
    pub fn committed(&mut self) {
        let Ok(metadata) = self.file.metadata() else { return };
        let until = metadata.len().saturating_sub(KEPT_BYTES);
        // A file that was vacuumed is shorter than it was.
        self.from = self.from.min(metadata.len());
        if let Some(length) = until.checked_sub(self.from).filter(|length| *length >= STEP_BYTES) {
            give_back(&self.file, self.from, length);
            self.from = until;
        }
    }
}

#[cfg(target_os = "linux")]
fn give_back(file: &File, from: u64, length: u64) {
    use rustix::fs::{Advice, fadvise};

    // It is advice: without it, everything works as well.
    if let Err(error) = fadvise(file, from, std::num::NonZeroU64::new(length), Advice::DontNeed) {
        tracing::debug!(%error, "the page cache was not given back");
    }
}

#[cfg(not(target_os = "linux"))]
fn give_back(_: &File, _: u64, _: u64) {}
