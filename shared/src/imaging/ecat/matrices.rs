//! The directory of matrices: blocks of 31 entries each, linked to one another.

use super::BLOCK_BYTES;
use super::header::EcatError;
use super::main_header::Block;
use std::collections::BTreeSet;

/// Number of the first block of the directory; the main header is block 1.
pub(super) const FIRST_DIRECTORY_BLOCK: u32 = 2;

/// Entries of a block besides its head.
const ENTRIES: u32 = 31;
/// Bytes of an entry, and of a block's head.
const ENTRY_BYTES: usize = 16;
/// An entry's status for a matrix that was removed.
const DELETED: u32 = 3;
/// The bits of a matrix's identifier that are its frame.
const FRAME_BITS: u32 = 0x1FF;

/// What the directory says, as far as it was read.
#[derive(Debug, Default)]
pub(super) struct Matrices {
    frames: BTreeSet<u32>,
    first_block: Option<u32>,
    /// The first and last block of the matrix that stands last in the file.
    last: (u32, u32),
}

impl Matrices {
    /// Takes a block of the directory in and answers the number of the next one, if there is one.
    pub fn add(&mut self, block: &[u8; BLOCK_BYTES]) -> Result<Option<u32>, EcatError> {
        let block = Block(block);
        let (free, next, used) = (block.u32(0), block.u32(4), block.u32(12));
        if used > ENTRIES || free != ENTRIES - used {
            return Err(EcatError::Malformed { what: "its directory of matrices does not add up" });
        }
        for entry in 1..=used as usize {
            let at = entry * ENTRY_BYTES;
            let (id, start, end, status) = (block.u32(at), block.u32(at + 4), block.u32(at + 8), block.u32(at + 12));
            if status == DELETED {
                continue;
            }
            if start <= FIRST_DIRECTORY_BLOCK || end < start {
                return Err(EcatError::Malformed { what: "its directory names a matrix at an impossible place" });
            }
            self.frames.insert(id & FRAME_BITS);
            self.last = self.last.max((start, end));
            self.first_block = Some(self.first_block.map_or(start, |first| first.min(start)));
        }
        Ok(Some(next).filter(|next| *next > FIRST_DIRECTORY_BLOCK))
    }

    /// The frames that were listed.
    pub fn frames(&self) -> u16 {
        u16::try_from(self.frames.len()).unwrap_or(u16::MAX)
    }

    /// How long the file is at least if each image has so many bytes, which stand behind its subheader. The last block
    /// need not be full.
    pub fn least_bytes(&self, image_bytes: u64) -> u64 {
        let (start, end) = self.last;
        let bytes = |blocks: u32| u64::from(blocks).saturating_mul(BLOCK_BYTES as u64);
        bytes(end).min(bytes(start).saturating_add(image_bytes))
    }

    /// The block of the subheader that stands first in the file.
    pub fn first_block(&self) -> Result<u32, EcatError> {
        self.first_block.ok_or(EcatError::Malformed { what: "its directory names no matrix" })
    }
}
