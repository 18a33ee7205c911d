//! Taking the compression off a body while it passes: gzip (RFC 1952), bzip2 and xz (The .xz File Format 1.2.1).
//!
//! A decoder is given input and hands out output piece by piece, so that an asynchronous caller can write each piece
//! before it asks for the next. It counts what goes in and comes out and refuses bombs, truncation, damage and whatever
//! follows the end; checksums that a format has are verified, at the latest before [`Decoder::finish`] is `Ok`.
//!
//! Working memory, beside the 128 KiB of output: gzip 50 KiB; bzip2 4 MiB; xz 64 KiB, and the dictionary that its
//! header asks for, which grows with the output and is bounded by [`Limits::max_dictionary_bytes`] (half of it again
//! for a moment when it grows).

mod bzip2;
mod gzip;
mod xz;
mod xz_header;

use std::fmt;

use crate::intake::error::IntakeError;
use crate::limits::Limits;

use self::bzip2::Bzip2;
use gzip::Gzip;
use xz::Xz;

/// The largest piece that is handed out, in bytes.
pub const OUTPUT_BYTES: usize = 128 * 1024;

/// Streams that the files of one upload may have, beyond the first of each, whatever they hold. Beginning with one costs
/// a decoder far more than sending its few bytes costs the client: with bzip2 a tenth of a millisecond.
pub const FREE_STREAMS: u64 = 1_024;

/// Beyond them each stream must have made so many bytes on average. Those who compress in parallel write streams of
/// nearly 64 KiB and more.
const MIN_STREAM_BYTES: u64 = 32 * 1024;

/// A format of compressed data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    Gzip,
    Bzip2,
    Xz,
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
        })
    }
}

/// Bytes that a format's decoder took and made in one call.
#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    taken: usize,
    made: usize,
}

/// What each format does.
trait Format {
    /// Takes some of the input and fills some of the output. If it neither takes nor makes anything although both have
    /// room, it never will. Without input it still gives what it holds back.
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, IntakeError>;

    /// Whether the input may end here.
    fn is_complete(&self) -> bool;

    /// Streams begun so far, and what costs as much to begin with.
    fn streams(&self) -> u64;
}

/// Decodes one body: one stream, or several one behind the other, which are one file then.
pub struct Decoder {
    compression: Compression,
    format: Box<dyn Format>,
    limits: Limits,
    output: Box<[u8]>,
    taken_bytes: u64,
    made_bytes: u64,
    /// What other files of the upload have used up of [`FREE_STREAMS`].
    spent_streams: u64,
    has_failed: bool,
}

impl Decoder {
    /// Before the first byte.
    pub fn new(compression: Compression, limits: &Limits) -> Self {
        let format: Box<dyn Format> = match compression {
            Compression::Gzip => Box::new(Gzip::new()),
            Compression::Bzip2 => Box::new(Bzip2::new()),
            Compression::Xz => Box::new(Xz::new(limits.max_dictionary_bytes)),
        };
        let output = vec![0; OUTPUT_BYTES].into_boxed_slice();
        Self {
            compression,
            format,
            limits: *limits,
            output,
            taken_bytes: 0,
            made_bytes: 0,
            spent_streams: 0,
            has_failed: false,
        }
    }

    /// The same behind other files of one upload, which came to so many [`Decoder::spent_streams`].
    #[must_use]
    pub fn behind(self, spent_streams: u64) -> Self {
        Self { spent_streams, ..self }
    }

    /// How many streams the files of the upload have had so far beyond what their sizes explain.
    pub fn spent_streams(&self) -> u64 {
        let explained = (self.made_bytes / MIN_STREAM_BYTES).saturating_add(1);
        self.spent_streams.saturating_add(self.format.streams().saturating_sub(explained))
    }

    /// Takes from the front of `input` and gives the next piece of output, of at most [`OUTPUT_BYTES`]. An empty piece
    /// means that all of the input has been taken and everything it gives has been handed out: call it until then, and
    /// come again with more input, or with [`Decoder::finish`].
    ///
    /// # Errors
    /// The data are damaged, ask for too much memory, or pass a limit; after that they are refused whatever comes.
    pub fn step<'a>(&'a mut self, input: &mut &[u8]) -> Result<&'a [u8], IntakeError> {
        if self.has_failed {
            return Err(IntakeError::Compressed { format: self.compression });
        }
        let made = self.decode(input).inspect_err(|_| self.has_failed = true)?;
        Ok(self.output.get(..made).unwrap_or_default())
    }

    /// Until something has been made, or nothing can be.
    fn decode(&mut self, input: &mut &[u8]) -> Result<usize, IntakeError> {
        loop {
            let Progress { taken, made } = self.format.decode(input, &mut self.output)?;
            *input = input.get(taken..).unwrap_or_default();
            self.taken_bytes = self.taken_bytes.saturating_add(taken as u64);
            self.made_bytes = self.made_bytes.saturating_add(made as u64);
            self.check()?;
            if made != 0 || (taken == 0 && input.is_empty()) {
                return Ok(made);
            }
            if taken == 0 {
                return Err(IntakeError::Compressed { format: self.compression });
            }
        }
    }

    fn check(&self) -> Result<(), IntakeError> {
        let Limits { max_inflated_bytes, max_ratio, ratio_free_decompressed_bytes, .. } = self.limits;
        if self.made_bytes > max_inflated_bytes {
            return Err(IntakeError::InflatedTooLarge { limit_bytes: max_inflated_bytes });
        }
        if self.made_bytes > self.taken_bytes.saturating_mul(max_ratio).saturating_add(ratio_free_decompressed_bytes) {
            return Err(IntakeError::TotalRatio { limit: max_ratio });
        }
        if self.spent_streams() > FREE_STREAMS {
            return Err(IntakeError::TooManyStreams { format: self.compression, limit: FREE_STREAMS });
        }
        Ok(())
    }

    /// The input has ended, and [`Decoder::step`] has given an empty piece since it got the last of it.
    ///
    /// # Errors
    /// It was cut off, or has failed before.
    pub fn finish(self) -> Result<(), IntakeError> {
        let format = self.compression;
        if self.has_failed {
            return Err(IntakeError::Compressed { format });
        }
        if self.format.is_complete() { Ok(()) } else { Err(IntakeError::CompressedCutOff { format }) }
    }

    /// Bytes taken so far.
    pub fn taken_bytes(&self) -> u64 {
        self.taken_bytes
    }

    /// Bytes made so far.
    pub fn made_bytes(&self) -> u64 {
        self.made_bytes
    }
}
