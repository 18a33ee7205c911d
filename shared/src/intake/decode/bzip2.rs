//! bzip2: streams one behind the other, as bzip2(1) takes them. The checksums of blocks and streams are verified.

use bzip2::{Decompress, Status};

use crate::intake::decode::{Compression, Format, Progress};
use crate::intake::error::IntakeError;

const DAMAGED: IntakeError = IntakeError::Compressed { format: Compression::Bzip2 };

pub(super) struct Bzip2 {
    /// `None` behind a stream.
    raw: Option<Decompress>,
    streams: u64,
}

impl Bzip2 {
    pub(super) fn new() -> Self {
        Self { raw: Some(Decompress::new(false)), streams: 1 }
    }
}

impl Format for Bzip2 {
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, IntakeError> {
        let raw = match (&mut self.raw, input.first()) {
            (Some(raw), _) => raw,
            (None, None) => return Ok(Progress::default()),
            (None, Some(b'B')) => {
                self.streams = self.streams.saturating_add(1);
                self.raw.insert(Decompress::new(false))
            }
            (None, Some(_)) => return Err(IntakeError::BytesAfterCompressed { format: Compression::Bzip2 }),
        };
        let (in_before, out_before) = (raw.total_in(), raw.total_out());
        let status = raw.decompress(input, output).map_err(|_| DAMAGED)?;
        let taken = raw.total_in().saturating_sub(in_before);
        let made = raw.total_out().saturating_sub(out_before);
        match status {
            Status::StreamEnd => self.raw = None,
            Status::MemNeeded => return Err(DAMAGED),
            _ => {}
        }
        // Neither is more than the length of a slice.
        Ok(Progress { taken: taken as usize, made: made as usize })
    }

    fn is_complete(&self) -> bool {
        self.raw.is_none()
    }

    fn streams(&self) -> u64 {
        self.streams
    }
}
