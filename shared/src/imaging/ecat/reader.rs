//! The push parser: from the bytes of a file, in pieces of any size, to its header.

use super::header::{EcatError, EcatHeader};
use super::matrices::{FIRST_DIRECTORY_BLOCK, Matrices};
use super::{BLOCK_BYTES, MAGIC, main_header};
use crate::imaging::Progress;

/// Blocks from the start of a file that are looked at, 64 KiB. The directory's first block and the first subheader
/// stand right behind the main header in every file that is known; a directory that goes on does so behind the 31st
/// matrix, many megabytes away.
const MAX_BLOCKS: u32 = 128;

/// Reads the header of one ECAT 7 file from bytes pushed into it.
///
/// It holds the blocks that it has seen, at most 64 KiB, mostly three; nothing is allocated by a number that the file
/// declares. Images are never looked at.
pub struct EcatReader {
    seen: Vec<u8>,
    /// Blocks to have before the next step.
    needed_blocks: u32,
    state: State,
    matrices: Matrices,
    /// The directory was read to its end.
    is_whole: bool,
    end: Option<Result<EcatHeader, EcatError>>,
}

/// Which block the next step reads.
enum State {
    Main,
    Directory(u32),
    Subheader(u32),
}

impl Default for EcatReader {
    fn default() -> Self {
        Self::new()
    }
}

impl EcatReader {
    /// A reader for one file.
    pub fn new() -> Self {
        Self {
            seen: Vec::new(),
            needed_blocks: 1,
            state: State::Main,
            matrices: Matrices::default(),
            is_whole: false,
            end: None,
        }
    }

    /// Takes the next bytes of the file. After [`Progress::Done`] further bytes are ignored.
    pub fn push(&mut self, mut bytes: &[u8]) -> Progress {
        while self.end.is_none() {
            let missing = (self.needed_blocks as usize).saturating_mul(BLOCK_BYTES).saturating_sub(self.seen.len());
            let (next, rest) = bytes.split_at_checked(missing).unwrap_or((bytes, &[]));
            self.seen.extend_from_slice(next);
            bytes = rest;
            if !self.may_be_ecat() {
                self.end = Some(Err(EcatError::NotEcat));
            } else if next.len() < missing {
                return Progress::More;
            } else if let Err(error) = self.step() {
                self.end = Some(Err(error));
            }
        }
        Progress::Done
    }

    /// The header, once the file has ended or [`push`](Self::push) has answered [`Progress::Done`].
    ///
    /// # Errors
    /// [`EcatError`] saying why the file is refused.
    pub fn finish(self) -> Result<EcatHeader, EcatError> {
        match self.end {
            Some(end) => end,
            None if self.seen.len() < MAGIC.len() => Err(EcatError::NotEcat),
            None => Err(EcatError::Truncated { length_bytes: self.seen.len() as u64 }),
        }
    }

    fn may_be_ecat(&self) -> bool {
        self.seen.iter().zip(MAGIC).all(|(byte, magic)| byte == magic)
    }

    /// One step; the blocks that it needs are there.
    fn step(&mut self) -> Result<(), EcatError> {
        match self.state {
            State::Main => {
                main_header::file_type(self.block(1)?)?;
                self.go(State::Directory(FIRST_DIRECTORY_BLOCK), FIRST_DIRECTORY_BLOCK);
            }
            State::Directory(number) => {
                let block = *self.block(number)?;
                match self.matrices.add(&block)? {
                    // Later blocks of a directory stand behind earlier ones, so this ends.
                    Some(next) if next > number && next <= MAX_BLOCKS => self.go(State::Directory(next), next),
                    next => {
                        self.is_whole = next.is_none();
                        let first = self.matrices.first_block()?;
                        if first > MAX_BLOCKS {
                            let what = "its first matrix does not follow its directory";
                            return Err(EcatError::Malformed { what });
                        }
                        self.go(State::Subheader(first), first);
                    }
                }
            }
            State::Subheader(number) => {
                let frames = Some(self.matrices.frames()).filter(|_| self.is_whole);
                let mut header = main_header::header(self.block(1)?, frames, self.block(number)?)?;
                header.least_bytes = self.matrices.least_bytes(header.image.bytes());
                self.end = Some(Ok(header));
            }
        }
        Ok(())
    }

    fn go(&mut self, state: State, block: u32) {
        self.state = state;
        self.needed_blocks = self.needed_blocks.max(block);
    }

    /// A block that is there, by its number from 1.
    fn block(&self, number: u32) -> Result<&[u8; BLOCK_BYTES], EcatError> {
        let (blocks, _) = self.seen.as_chunks::<BLOCK_BYTES>();
        let index = (number as usize).checked_sub(1);
        index.and_then(|index| blocks.get(index)).ok_or(EcatError::Truncated { length_bytes: self.seen.len() as u64 })
    }
}
