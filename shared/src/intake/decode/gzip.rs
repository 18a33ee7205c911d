//! gzip: members one behind the other, and empty bytes behind the last, as gzip(1) takes them.

use flate2::{Decompress, FlushDecompress, Status};

use crate::intake::decode::{Compression, Format, Progress};
use crate::intake::error::IntakeError;

/// The largest window of deflate, as a power of two.
const WINDOW_BITS: u8 = 15;

const DAMAGED: IntakeError = IntakeError::Compressed { format: Compression::Gzip };

pub(super) struct Gzip {
    /// Reads a member's header, with its CRC-16 if there is one, and checks its CRC-32 and length.
    raw: Decompress,
    state: State,
    streams: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Member,
    /// Behind a member.
    Between,
    /// Only empty bytes may come.
    Padding,
}

impl Gzip {
    pub(super) fn new() -> Self {
        Self { raw: Decompress::new_gzip(WINDOW_BITS), state: State::Member, streams: 1 }
    }
}

impl Format for Gzip {
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, IntakeError> {
        if self.state == State::Between {
            self.state = match input.first() {
                None => return Ok(Progress::default()),
                Some(0) => State::Padding,
                Some(0x1f) => {
                    self.raw = Decompress::new_gzip(WINDOW_BITS);
                    self.streams = self.streams.saturating_add(1);
                    State::Member
                }
                Some(_) => return Err(IntakeError::BytesAfterCompressed { format: Compression::Gzip }),
            };
        }
        if self.state == State::Padding {
            if input.iter().any(|&byte| byte != 0) {
                return Err(IntakeError::BytesAfterCompressed { format: Compression::Gzip });
            }
            return Ok(Progress { taken: input.len(), made: 0 });
        }
        let (in_before, out_before) = (self.raw.total_in(), self.raw.total_out());
        let status = self.raw.decompress(input, output, FlushDecompress::None).map_err(|_| DAMAGED)?;
        if status == Status::StreamEnd {
            self.state = State::Between;
        }
        let taken = self.raw.total_in().saturating_sub(in_before);
        let made = self.raw.total_out().saturating_sub(out_before);
        // Neither is more than the length of a slice.
        Ok(Progress { taken: taken as usize, made: made as usize })
    }

    fn is_complete(&self) -> bool {
        self.state != State::Member
    }

    fn streams(&self) -> u64 {
        self.streams
    }
}
