//! Deflated data sets.

use super::header::{HeaderError, HeaderLimits};
use super::stream::{Progress, Stream};
use super::walker::{Step, Walker};
use flate2::{Decompress, FlushDecompress, Status};

/// The buffer data are inflated into, in bytes.
const INFLATE_BYTES: usize = 8 << 10;

/// A deflated data set: raw deflate, whatever follows the meta group (DICOM PS3.5 A.5).
pub struct Inflater {
    inflate: Decompress,
    stream: Stream,
    inflated: usize,
    max_bytes: usize,
}

impl Inflater {
    /// For a data set that has yet to begin.
    pub fn new(limits: HeaderLimits) -> Self {
        Self {
            inflate: Decompress::new(false),
            stream: Stream::default(),
            inflated: 0,
            max_bytes: limits.max_header_bytes,
        }
    }

    /// Nothing is half read.
    pub fn is_idle(&self) -> bool {
        self.stream.is_idle()
    }

    /// Inflates all of `bytes` and walks through what comes out.
    pub fn step(&mut self, bytes: &[u8], walker: &mut Walker, end_of_file: bool) -> Result<Step, HeaderError> {
        if bytes.is_empty() && !end_of_file {
            return Ok(Step::Needs(1));
        }
        let malformed = HeaderError::Malformed { offset: 0, what: "the deflated data set cannot be inflated" };
        let mut buffer = [0; INFLATE_BYTES];
        let mut rest = bytes;
        loop {
            let (in_before, out_before) = (self.inflate.total_in(), self.inflate.total_out());
            let status =
                self.inflate.decompress(rest, &mut buffer, FlushDecompress::None).map_err(|_| malformed.clone())?;
            let used = usize::try_from(self.inflate.total_in().saturating_sub(in_before)).unwrap_or(usize::MAX);
            let made = usize::try_from(self.inflate.total_out().saturating_sub(out_before)).unwrap_or(usize::MAX);
            rest = rest.get(used..).unwrap_or_default();
            self.inflated = self.inflated.saturating_add(made);
            if self.inflated > self.max_bytes {
                return Err(HeaderError::TooLarge { max_header_bytes: self.max_bytes });
            }
            let made = buffer.get(..made).unwrap_or_default();
            if self.stream.drive(made, |bytes| walker.step(bytes))? == Progress::Done {
                return Ok(Step::Done);
            }
            if status == Status::StreamEnd {
                // Padding may follow; what is half read now will never be whole.
                return if self.stream.is_idle() && walker.at_top() {
                    Ok(Step::Done)
                } else {
                    Err(HeaderError::Truncated { length_bytes: self.inflate.total_in() })
                };
            }
            if used == 0 && made.is_empty() {
                // All is used, or nothing can be done with what there is.
                return if end_of_file || !rest.is_empty() {
                    Err(HeaderError::Truncated { length_bytes: self.inflate.total_in() })
                } else {
                    Ok(Step::Took(bytes.len()))
                };
            }
        }
    }
}
