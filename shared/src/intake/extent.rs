//! Extents, and reading a file back by its extent.

use std::ops::Range;

use bytes::Bytes;
use flate2::{Decompress, FlushDecompress, Status};
use futures::Stream;
use serde::{Deserialize, Serialize};

use crate::intake::crc32::Crc32;
use crate::intake::source::{Cursor, PackReadError, PackSource};

/// Bytes inflated at once, which is also the largest piece handed out for a deflated file.
const OUTPUT_BYTES: usize = 128 * 1024;

/// How the bytes of a file are stored in its pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Method {
    /// As they are.
    #[serde(rename = "s")]
    Stored,
    /// As a raw deflate stream (RFC 1951).
    #[serde(rename = "d")]
    Deflated,
}

/// Where a file's bytes are in its pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// Where the stored bytes begin, in bytes from the start of the pack.
    #[serde(rename = "o")]
    pub offset: u64,
    /// Bytes in the pack.
    #[serde(rename = "s")]
    pub stored_len: u64,
    /// Bytes of the file.
    #[serde(rename = "l")]
    pub len: u64,
    #[serde(rename = "m")]
    pub method: Method,
}

impl Extent {
    fn end(&self) -> u64 {
        self.offset.saturating_add(self.stored_len)
    }
}

/// Why a file could not be read back.
#[derive(Debug, thiserror::Error)]
pub enum ExtentError {
    /// The range is not within the file: an answer of 416.
    #[error("bytes {start} to {end} were asked for of a file of {len} bytes")]
    Range { start: u64, end: u64, len: u64 },
    /// The bytes are not those that were checked at intake.
    #[error("the stored bytes are damaged: CRC-32 or length is wrong")]
    Damaged,
    #[error(transparent)]
    Pack(#[from] PackReadError),
}

/// Gives the bytes of one file, in pieces of at most a few hundred KiB.
pub struct ExtentReader<P> {
    cursor: Cursor<P>,
    inflate: Option<Inflate>,
    /// Taken over all that is inflated or copied; `None` if the range does not show all of it.
    crc: Option<(Crc32, u32)>,
    /// Bytes not handed out yet.
    left: u64,
}

struct Inflate {
    raw: Decompress,
    /// Bytes still to be inflated and thrown away.
    skip: u64,
    /// Bytes that the rest of the file may still come to.
    owed: u64,
}

impl<P: PackSource> ExtentReader<P> {
    /// The bytes `range` of the file. The CRC-32 is checked if they are read to the end of the file and, for a stored
    /// file, from its beginning; if it is wrong, the last piece is an error.
    ///
    /// # Errors
    /// [`ExtentError::Range`] if the range is not within the file.
    pub fn new(pack: P, extent: Extent, crc32: u32, range: Range<u64>) -> Result<Self, ExtentError> {
        let Range { start, end } = range;
        let range_error = ExtentError::Range { start, end, len: extent.len };
        let Some(left) = end.checked_sub(start).filter(|_| end <= extent.len) else { return Err(range_error) };
        if extent.method == Method::Stored && extent.stored_len != extent.len {
            return Err(ExtentError::Damaged);
        }
        let crc = |seen: bool| seen.then(|| (Crc32::new(), crc32));
        Ok(match extent.method {
            Method::Stored => Self {
                cursor: Cursor::new(pack, extent.offset.saturating_add(start), extent.offset.saturating_add(end)),
                inflate: None,
                crc: crc(left == extent.len),
                left,
            },
            Method::Deflated => Self {
                cursor: Cursor::new(pack, extent.offset, extent.end()),
                inflate: Some(Inflate { raw: Decompress::new(false), skip: start, owed: extent.len }),
                crc: crc(end == extent.len),
                left,
            },
        })
    }

    /// The whole file.
    pub fn whole(pack: P, extent: Extent, crc32: u32) -> Result<Self, ExtentError> {
        Self::new(pack, extent, crc32, 0..extent.len)
    }

    /// The whole file without a look at its CRC-32: for whoever checks a stronger digest of it.
    ///
    /// # Errors
    /// [`ExtentError::Damaged`] for an extent that cannot be.
    pub fn unchecked(pack: P, extent: Extent) -> Result<Self, ExtentError> {
        Ok(Self { crc: None, ..Self::whole(pack, extent, 0)? })
    }

    /// The stored bytes as they are, still compressed if they are: for [`crate::intake::zipout`].
    pub fn raw(pack: P, extent: Extent) -> Self {
        let cursor = Cursor::new(pack, extent.offset, extent.end());
        Self { cursor, inflate: None, crc: None, left: extent.stored_len }
    }

    /// The next piece, never empty; `None` when all has been given.
    ///
    /// # Errors
    /// The store failed, or the bytes are not what was checked at intake.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ExtentError> {
        if self.left == 0 {
            return Ok(None);
        }
        let piece = if self.inflate.is_some() {
            self.inflated().await?
        } else {
            let piece = self.cursor.piece().await?.ok_or(ExtentError::Damaged)?;
            if let Some((hasher, _)) = &mut self.crc {
                hasher.update(&piece);
            }
            piece
        };
        self.left = self.left.saturating_sub(piece.len() as u64);
        if self.left == 0
            && let Some((hasher, expected)) = self.crc.take()
            && hasher.finalize() != expected
        {
            return Err(ExtentError::Damaged);
        }
        Ok(Some(piece))
    }

    async fn inflated(&mut self) -> Result<Bytes, ExtentError> {
        let Some(inflate) = &mut self.inflate else { return Err(ExtentError::Damaged) };
        loop {
            // A small file gets a small buffer.
            let room = usize::try_from(inflate.owed).unwrap_or(usize::MAX).min(OUTPUT_BYTES);
            let mut output = Vec::with_capacity(room);
            let input = self.cursor.peek().await?;
            let before = inflate.raw.total_in();
            let status = inflate
                .raw
                .decompress_vec(input, &mut output, FlushDecompress::None)
                .map_err(|_| ExtentError::Damaged)?;
            let taken = inflate.raw.total_in().saturating_sub(before);
            let starved = taken == 0 && output.is_empty();
            self.cursor.skip(usize::try_from(taken).unwrap_or(usize::MAX));
            let made = output.len() as u64;
            inflate.owed = inflate.owed.checked_sub(made).ok_or(ExtentError::Damaged)?;
            if let Some((hasher, _)) = &mut self.crc {
                hasher.update(&output);
            }
            if inflate.owed != 0 && (status == Status::StreamEnd || starved) {
                return Err(ExtentError::Damaged);
            }
            let skipped = inflate.skip.min(made);
            inflate.skip = inflate.skip.saturating_sub(skipped);
            let wanted = made.saturating_sub(skipped).min(self.left);
            if wanted != 0 {
                // Both are at most `made`, which is the length of a `Vec`.
                let start = skipped as usize;
                let mut piece = Bytes::from(output).split_off(start);
                piece.truncate(wanted as usize);
                return Ok(piece);
            }
            if inflate.owed == 0 {
                return Err(ExtentError::Damaged);
            }
        }
    }

    /// As a stream, for a response body.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, ExtentError>> {
        futures::stream::try_unfold(
            self,
            |mut reader| async move { Ok(reader.next().await?.map(|piece| (piece, reader))) },
        )
    }
}
