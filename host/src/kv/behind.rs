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
    kept: u64,
    step: u64,
}

impl DropBehind {
    /// For a file that is there.
    pub fn new(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let from = file.metadata()?.len();
        Ok(Self { file, from, kept: KEPT_BYTES, step: STEP_BYTES })
    }

    /// To be called after a commit, when all is on the disk: only clean pages are given back.
    pub fn committed(&mut self) {
        let Ok(metadata) = self.file.metadata() else { return };
        let until = metadata.len().saturating_sub(self.kept);
        // A file that was vacuumed is shorter than it was.
        self.from = self.from.min(metadata.len());
        if let Some(length) = until.checked_sub(self.from).filter(|length| *length >= self.step) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn what_was_there_before_and_the_end_stay() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("blobs.db");
        let mut grown = File::create(&path)?;
        grown.write_all(&[1; 1000])?;
        let mut behind = DropBehind { kept: 300, step: 200, ..DropBehind::new(&path)? };

        let mut given_back = |bytes: usize| {
            grown.write_all(&vec![2; bytes])?;
            grown.sync_all()?;
            let before = behind.from;
            behind.committed();
            io::Result::Ok(before..behind.from)
        };
        assert_eq!(given_back(499)?, 1000..1000, "less than a step beyond what is kept");
        assert_eq!(given_back(1)?, 1000..1200);
        assert_eq!(given_back(0)?, 1200..1200, "once is enough");
        assert_eq!(given_back(1000)?, 1200..2200);
        Ok(())
    }

    #[test]
    fn a_file_that_became_shorter_begins_anew() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("blobs.db");
        std::fs::write(&path, [1; 1000])?;
        let mut behind = DropBehind { kept: 0, step: 100, ..DropBehind::new(&path)? };

        std::fs::write(&path, [2; 400])?;
        behind.committed();
        assert_eq!(behind.from, 400);
        std::fs::write(&path, [3; 600])?;
        behind.committed();
        assert_eq!(behind.from, 600);
        assert_eq!(std::fs::read(&path)?, [3; 600], "only memory is given back");
        Ok(())
    }
}
