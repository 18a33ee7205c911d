//! bzip2: streams one behind the other, as bzip2(1) takes them. The checksums of blocks and streams are verified.
//!
//! A decoder sets its tables up for the largest block that a stream may have, up to 3.6 MB, before it knows whether
//! there is any: a hundred microseconds. So a stream without blocks, which is 14 bytes, is read here.

use bzip2::{Decompress, Status};

use crate::intake::decode::{Compression, Format, Progress};
use crate::intake::error::IntakeError;

const DAMAGED: IntakeError = IntakeError::Compressed { format: Compression::Bzip2 };

/// Bytes of a stream's start: its header, and the magic number of a block or of the stream's end.
const START_BYTES: usize = 10;

/// Bytes of a stream without blocks.
const EMPTY_BYTES: usize = 14;

/// What a stream without blocks has behind its header: the magic number of its end, and its checksum.
const EMPTY_END: [u8; 10] = [0x17, 0x72, 0x45, 0x38, 0x50, 0x90, 0, 0, 0, 0];

pub(super) struct Bzip2 {
    state: State,
    streams: u64,
}

enum State {
    /// The first bytes of a stream, until they say whether it has blocks.
    Start(Vec<u8>),
    Blocks(Decompress),
    /// Behind a stream.
    Between,
}

impl Bzip2 {
    pub(super) fn new() -> Self {
        Self { state: State::Start(Vec::with_capacity(EMPTY_BYTES)), streams: 1 }
    }

    /// Takes the first bytes of a stream.
    fn start(&mut self, mut first: Vec<u8>, input: &[u8]) -> Result<Progress, IntakeError> {
        let is_empty = |first: &[u8]| {
            first.get(..4).is_some_and(|header| matches!(header, [b'B', b'Z', b'h', b'1'..=b'9']))
                && first.get(4..START_BYTES) == EMPTY_END.get(..START_BYTES - 4)
        };
        let needed = if is_empty(&first) { EMPTY_BYTES } else { START_BYTES };
        let missing = needed.saturating_sub(first.len());
        let more = input.get(..missing).unwrap_or(input);
        first.extend_from_slice(more);
        self.state = match (is_empty(&first), first.len()) {
            (true, EMPTY_BYTES..) if first.get(4..) == Some(&EMPTY_END) => State::Between,
            (true, EMPTY_BYTES..) => return Err(DAMAGED),
            (false, START_BYTES..) => {
                let mut raw = Decompress::new(false);
                // So few bytes make nothing.
                raw.decompress(&first, &mut []).map_err(|_| DAMAGED)?;
                if raw.total_in() != first.len() as u64 {
                    return Err(DAMAGED);
                }
                State::Blocks(raw)
            }
            _ => State::Start(first),
        };
        Ok(Progress { taken: more.len(), made: 0 })
    }
}

impl Format for Bzip2 {
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, IntakeError> {
        let raw = match &mut self.state {
            State::Blocks(raw) => raw,
            State::Start(first) => {
                let first = std::mem::take(first);
                return self.start(first, input);
            }
            State::Between => {
                return match input.first() {
                    None => Ok(Progress::default()),
                    Some(b'B') => {
                        self.streams = self.streams.saturating_add(1);
                        self.start(Vec::with_capacity(EMPTY_BYTES), input)
                    }
                    Some(_) => Err(IntakeError::BytesAfterCompressed { format: Compression::Bzip2 }),
                };
            }
        };
        let (in_before, out_before) = (raw.total_in(), raw.total_out());
        let status = raw.decompress(input, output).map_err(|_| DAMAGED)?;
        let taken = raw.total_in().saturating_sub(in_before);
        let made = raw.total_out().saturating_sub(out_before);
        match status {
            Status::StreamEnd => self.state = State::Between,
            Status::MemNeeded => return Err(DAMAGED),
            _ => {}
        }
        // Neither is more than the length of a slice.
        Ok(Progress { taken: taken as usize, made: made as usize })
    }

    fn is_complete(&self) -> bool {
        matches!(self.state, State::Between)
    }

    fn streams(&self) -> u64 {
        self.streams
    }
}
