//! From pieces of any size to the bytes that a step needs.

use super::header::HeaderError;
use super::walker::Step;

/// Whether the reader wants more of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The header goes on.
    More,
    /// No further bytes are wanted: the header is complete, or the file is refused.
    Done,
}

/// Feeds bytes to steps, keeping what a step needs but has not got yet.
#[derive(Debug, Default)]
pub struct Stream {
    carry: Vec<u8>,
    skip: u64,
}

impl Stream {
    /// Nothing is half read.
    pub fn is_idle(&self) -> bool {
        self.carry.is_empty() && self.skip == 0
    }

    /// Does steps until they need more bytes than there are, or want no more.
    pub fn drive(
        &mut self,
        mut input: &[u8],
        mut step: impl FnMut(&[u8]) -> Result<Step, HeaderError>,
    ) -> Result<Progress, HeaderError> {
        loop {
            if self.skip > 0 {
                let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(input.len());
                self.skip = self.skip.saturating_sub(u64::try_from(skipped).unwrap_or(u64::MAX));
                input = input.get(skipped..).unwrap_or_default();
                if self.skip > 0 {
                    return Ok(Progress::More);
                }
            }
            if self.carry.is_empty() {
                match step(input)? {
                    Step::Took(used) => input = input.get(used..).unwrap_or_default(),
                    Step::TookAndSkips(used, skip) => {
                        input = input.get(used..).unwrap_or_default();
                        self.skip = skip;
                    }
                    Step::Needs(_) => {
                        self.carry.extend_from_slice(input);
                        return Ok(Progress::More);
                    }
                    Step::Done => return Ok(Progress::Done),
                }
                continue;
            }
            match step(&self.carry)? {
                Step::Took(used) => drop_front(&mut self.carry, used),
                Step::TookAndSkips(used, skip) => {
                    drop_front(&mut self.carry, used);
                    let kept = self.carry.len();
                    drop_front(&mut self.carry, usize::try_from(skip).unwrap_or(usize::MAX));
                    let dropped = kept.saturating_sub(self.carry.len());
                    self.skip = skip.saturating_sub(u64::try_from(dropped).unwrap_or(u64::MAX));
                }
                Step::Needs(needed) => {
                    let (next, rest) =
                        input.split_at_checked(needed.saturating_sub(self.carry.len()).max(1)).unwrap_or((input, &[]));
                    if next.is_empty() {
                        return Ok(Progress::More);
                    }
                    self.carry.extend_from_slice(next);
                    input = rest;
                }
                Step::Done => return Ok(Progress::Done),
            }
        }
    }
}

fn drop_front(bytes: &mut Vec<u8>, count: usize) {
    bytes.drain(..count.min(bytes.len()));
}
