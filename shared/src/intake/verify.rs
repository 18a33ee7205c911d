//! Inflating one entry once: its bytes are counted, their CRC-32 taken, and a sink looks at them.

use flate2::{Decompress, FlushDecompress, Status};

use crate::intake::crc32::Crc32;
use crate::intake::error::IntakeError;
use crate::intake::extent::Method;
use crate::intake::name::{EntryName, ShownName};
use crate::limits::Limits;

/// Bytes inflated at once. Larger costs cache, smaller costs copies of deflate's window of 32 KiB.
const OUTPUT_BYTES: usize = 128 * 1024;

/// Looks at the inflated bytes of one file as they pass.
pub trait EntrySink {
    /// What it has found out. Results are kept for every entry of a zip until its end: keep them small.
    type Output;

    /// The next bytes.
    fn push(&mut self, bytes: &[u8]);

    /// Whether it wants more; once it does not, nothing more is pushed.
    fn wants_more(&self) -> bool {
        true
    }

    /// The file has ended well: CRC-32 and length are right.
    fn finish(self) -> Self::Output;
}

/// Makes a sink for each file.
pub trait SinkFactory {
    /// What looks at one file.
    type Sink: EntrySink;

    /// A sink for the file of this name. It may be called for a file that turns out not to count.
    fn open(&mut self, name: &EntryName) -> Self::Sink;
}

/// What a sink finds out, by its factory.
pub type SinkOutput<F> = <<F as SinkFactory>::Sink as EntrySink>::Output;

/// The working memory for inflating, and the count of what all entries of an upload came to. One for an upload.
pub struct Inflater {
    limits: Limits,
    raw: Decompress,
    output: Box<[u8]>,
    total_len: u64,
    total_stored: u64,
}

impl Inflater {
    /// Nothing counted yet.
    pub fn new(limits: Limits) -> Self {
        let output = vec![0; OUTPUT_BYTES].into_boxed_slice();
        Self { limits, raw: Decompress::new(false), output, total_len: 0, total_stored: 0 }
    }

    /// Bytes inflated so far.
    pub fn inflated_bytes(&self) -> u64 {
        self.total_len
    }
}

/// What is known about an entry before its data are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expected {
    /// Bytes in the pack. Without it a deflate stream must end by itself, and a stored entry cannot be checked.
    pub stored_len: Option<u64>,
    /// Bytes after inflating.
    pub len: Option<u64>,
    /// Of the inflated bytes.
    pub crc32: Option<u32>,
}

/// What an entry came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked<R> {
    pub crc32: u32,
    pub len: u64,
    pub stored_len: u64,
    /// What the sink says; `None` if there was none.
    pub result: Option<R>,
}

/// The check of one entry: push its stored bytes, then finish.
pub struct EntryCheck<S> {
    name: EntryName,
    method: Method,
    expected: Expected,
    sink: Option<S>,
    sink_open: bool,
    crc: Crc32,
    len: u64,
    stored_len: u64,
    ended: bool,
}

impl<S: EntrySink> EntryCheck<S> {
    /// Begins with an entry; `inflater` is its own until it has ended.
    pub fn new(
        inflater: &mut Inflater,
        name: EntryName,
        method: Method,
        expected: Expected,
        sink: Option<S>,
    ) -> Result<Self, IntakeError> {
        inflater.raw.reset(false);
        let limit_bytes = inflater.limits.max_entry_bytes;
        if expected.len.is_some_and(|len| len > limit_bytes) {
            return Err(IntakeError::EntryTooLarge { entry: ShownName::from(&name), limit_bytes });
        }
        let ended = method == Method::Stored && expected.stored_len == Some(0);
        let sink_open = sink.as_ref().is_some_and(S::wants_more);
        Ok(Self { name, method, expected, sink, sink_open, crc: Crc32::new(), len: 0, stored_len: 0, ended })
    }

    /// Whether all of the entry's bytes have been taken.
    pub fn is_ended(&self) -> bool {
        self.ended
    }

    /// CRC-32, stored length and length of what was taken so far.
    pub fn so_far(&self) -> (u32, u64, u64) {
        (self.crc.clone().finalize(), self.stored_len, self.len)
    }

    /// Takes the next stored bytes and says how many were the entry's: fewer than given only if it has ended, be it
    /// that its known length is reached or that the deflate stream ended by itself.
    ///
    /// # Errors
    /// The entry is damaged, is not what was expected, or passes a limit.
    pub fn push(&mut self, inflater: &mut Inflater, bytes: &[u8]) -> Result<usize, IntakeError> {
        if self.ended {
            return Ok(0);
        }
        let left = self.expected.stored_len.map_or(u64::MAX, |all| all.saturating_sub(self.stored_len));
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        let offered = bytes.get(..count).unwrap_or(bytes);
        match self.method {
            Method::Stored => {
                self.took(inflater, count);
                self.made(inflater, offered)?;
            }
            Method::Deflated => {
                // The output buffer is lent out so that counting may borrow the rest.
                let mut output = std::mem::take(&mut inflater.output);
                let taken = self.inflate(inflater, offered, &mut output);
                inflater.output = output;
                let taken = taken?;
                if self.ended && self.expected.stored_len.is_some_and(|all| all != self.stored_len) {
                    return Err(IntakeError::StoredLength { entry: self.shown() });
                }
                if self.ended {
                    return Ok(taken);
                }
            }
        }
        if self.expected.stored_len == Some(self.stored_len) {
            match self.method {
                Method::Stored => self.ended = true,
                Method::Deflated => return Err(IntakeError::StoredLength { entry: self.shown() }),
            }
        }
        Ok(count)
    }

    fn inflate(&mut self, inflater: &mut Inflater, mut input: &[u8], output: &mut [u8]) -> Result<usize, IntakeError> {
        let offered = input.len();
        loop {
            let (in_before, out_before) = (inflater.raw.total_in(), inflater.raw.total_out());
            let status = inflater
                .raw
                .decompress(input, output, FlushDecompress::None)
                .map_err(|_| IntakeError::Deflate { entry: self.shown() })?;
            let taken = usize::try_from(inflater.raw.total_in().saturating_sub(in_before)).unwrap_or(usize::MAX);
            let made = usize::try_from(inflater.raw.total_out().saturating_sub(out_before)).unwrap_or(usize::MAX);
            input = input.get(taken..).unwrap_or_default();
            self.took(inflater, taken);
            self.made(inflater, output.get(..made).unwrap_or_default())?;
            if status == Status::StreamEnd {
                self.ended = true;
                break;
            }
            // A full output buffer may hide more; otherwise all input has been used up.
            if made < output.len() && (input.is_empty() || (taken == 0 && made == 0)) {
                break;
            }
        }
        Ok(offered.saturating_sub(input.len()))
    }

    fn took(&mut self, inflater: &mut Inflater, count: usize) {
        self.stored_len = self.stored_len.saturating_add(count as u64);
        inflater.total_stored = inflater.total_stored.saturating_add(count as u64);
    }

    fn made(&mut self, inflater: &mut Inflater, bytes: &[u8]) -> Result<(), IntakeError> {
        let limits = inflater.limits;
        self.len = self.len.saturating_add(bytes.len() as u64);
        inflater.total_len = inflater.total_len.saturating_add(bytes.len() as u64);
        if let Some(expected_bytes) = self.expected.len.filter(|&len| self.len > len) {
            return Err(IntakeError::Length { entry: self.shown(), expected_bytes });
        }
        if self.len > limits.max_entry_bytes {
            return Err(IntakeError::EntryTooLarge { entry: self.shown(), limit_bytes: limits.max_entry_bytes });
        }
        if inflater.total_len > limits.max_inflated_bytes {
            return Err(IntakeError::InflatedTooLarge { limit_bytes: limits.max_inflated_bytes });
        }
        let allowed = |stored: u64, free: u64| stored.saturating_mul(limits.max_ratio).saturating_add(free);
        if self.len > allowed(self.stored_len, limits.ratio_free_entry_bytes) {
            return Err(IntakeError::Ratio { entry: self.shown(), limit: limits.max_ratio });
        }
        if inflater.total_len > allowed(inflater.total_stored, limits.ratio_free_total_bytes) {
            return Err(IntakeError::TotalRatio { limit: limits.max_ratio });
        }
        self.crc.update(bytes);
        if self.sink_open
            && !bytes.is_empty()
            && let Some(sink) = &mut self.sink
        {
            sink.push(bytes);
            self.sink_open = sink.wants_more();
        }
        Ok(())
    }

    /// The entry's verdict, once [`EntryCheck::is_ended`].
    ///
    /// # Errors
    /// The entry has not ended, or its length or CRC-32 is not what was expected.
    pub fn finish(self) -> Result<Checked<S::Output>, IntakeError> {
        if !self.ended {
            return Err(IntakeError::StoredLength { entry: self.shown() });
        }
        if let Some(expected_bytes) = self.expected.len.filter(|&len| len != self.len) {
            return Err(IntakeError::Length { entry: self.shown(), expected_bytes });
        }
        let entry = self.shown();
        let crc32 = self.crc.finalize();
        if self.expected.crc32.is_some_and(|expected| expected != crc32) {
            return Err(IntakeError::Crc { entry });
        }
        let result = self.sink.map(S::finish);
        Ok(Checked { crc32, len: self.len, stored_len: self.stored_len, result })
    }

    fn shown(&self) -> ShownName {
        ShownName::from(&self.name)
    }
}
