//! xz: streams one behind the other with empty bytes between them, as xz(1) takes them. Everything that a stream says
//! of itself is verified. Section numbers are those of The .xz File Format 1.2.1.
//!
//! The data are decoded by `lzma-rust2`. What is around them is read here, since that crate's own reader of it keeps a
//! record of every block until the stream's end: a stream of tiny blocks would fill the memory. Here, as in liblzma, a
//! hash of the records is enough.

use crc::{CRC_64_XZ, Crc, Digest, Table};
use crc32fast::Hasher;
use lzma_rust2::{Action, Lzma2Stream, Status};
use sha2::{Digest as _, Sha256};

use crate::intake::crc32::Crc32;
use crate::intake::decode::xz_header::{self, BlockHeader, CheckKind, DAMAGED, ENDS_BYTES};
use crate::intake::decode::{Compression, Format, Progress};
use crate::intake::error::IntakeError;

static CRC64: Crc<u64, Table<16>> = Crc::<u64, Table<16>>::new(&CRC_64_XZ);

pub(super) struct Xz {
    max_dictionary_bytes: u64,
    state: State,
    /// Bytes of a part that is not complete yet: at most a block's header, so 1 KiB.
    partial: Vec<u8>,
    check: CheckKind,
    /// What the blocks were, and what the index says they were.
    blocks: Records,
    listed: Records,
    /// Over the index, and its bytes so far.
    index_crc: Hasher,
    index_bytes: u64,
    streams: u64,
}

enum State {
    StreamHeader,
    /// The first byte of a block's header, or of the index.
    BlockOrIndex,
    BlockHeader {
        len: usize,
    },
    Block(Box<Block>),
    BlockPadding {
        len: usize,
        check: Check,
    },
    BlockCheck(Check),
    IndexCount,
    /// An index has so many records left, and this much of the next one has been read.
    IndexRecord {
        left: u64,
        unpadded: Option<u64>,
    },
    IndexPadding {
        len: usize,
    },
    IndexCrc,
    StreamFooter,
    /// Behind a stream and so many empty bytes.
    Between {
        empty_bytes: u64,
    },
    /// There was an error.
    Failed,
}

struct Block {
    header: BlockHeader,
    header_bytes: u64,
    lzma: Lzma2Stream,
    check: Check,
}

/// The records of an index (4.3), of which a hash is kept.
#[derive(Default)]
struct Records {
    count: u64,
    hash: Sha256,
}

impl Records {
    fn add(&mut self, unpadded: u64, uncompressed: u64) {
        self.count = self.count.saturating_add(1);
        self.hash.update(unpadded.to_le_bytes());
        self.hash.update(uncompressed.to_le_bytes());
    }
}

impl Xz {
    pub(super) fn new(max_dictionary_bytes: u64) -> Self {
        Self {
            max_dictionary_bytes,
            state: State::StreamHeader,
            partial: Vec::new(),
            check: CheckKind::None,
            blocks: Records::default(),
            listed: Records::default(),
            index_crc: Hasher::new(),
            index_bytes: 0,
            streams: 0,
        }
    }

    /// Bytes of the part that is being gathered.
    fn needed(&self) -> usize {
        match &self.state {
            State::StreamHeader | State::StreamFooter => ENDS_BYTES,
            State::BlockHeader { len } | State::BlockPadding { len, .. } | State::IndexPadding { len } => *len,
            State::BlockCheck(_) => self.check.len(),
            State::IndexCrc => 4,
            // Where a number ends shows in its last byte.
            State::IndexCount | State::IndexRecord { .. } => self.partial.len().saturating_add(1),
            State::BlockOrIndex | State::Block(_) | State::Between { .. } | State::Failed => 1,
        }
    }

    /// A part is complete: what follows it?
    fn part(&mut self, state: State) -> Result<State, IntakeError> {
        let part = std::mem::take(&mut self.partial);
        Ok(match state {
            State::StreamHeader => {
                self.check = xz_header::stream_header(&part)?;
                (self.blocks, self.listed) = (Records::default(), Records::default());
                self.streams = self.streams.saturating_add(1);
                State::BlockOrIndex
            }
            State::BlockOrIndex => match part.first() {
                Some(0) => {
                    (self.index_crc, self.index_bytes) = (Hasher::new(), 0);
                    self.index_part(&part);
                    State::IndexCount
                }
                // 3.1.1
                first => {
                    let len = usize::from(first.copied().unwrap_or(0)).saturating_add(1).saturating_mul(4);
                    self.partial = part;
                    State::BlockHeader { len }
                }
            },
            State::BlockHeader { .. } => State::Block(self.block(&part)?),
            State::BlockPadding { check, .. } => {
                all_empty(&part)?;
                self.behind_padding(check)
            }
            State::BlockCheck(check) => {
                check.verify(&part)?;
                State::BlockOrIndex
            }
            State::IndexCount => match xz_header::number_so_far(&part)? {
                None => {
                    self.partial = part;
                    State::IndexCount
                }
                Some(count) if count != self.blocks.count => return Err(DAMAGED),
                Some(count) => {
                    self.index_part(&part);
                    self.next_record(count)?
                }
            },
            State::IndexRecord { left, unpadded } => match (xz_header::number_so_far(&part)?, unpadded) {
                (None, unpadded) => {
                    self.partial = part;
                    State::IndexRecord { left, unpadded }
                }
                (Some(unpadded), None) => {
                    self.index_part(&part);
                    State::IndexRecord { left, unpadded: Some(unpadded) }
                }
                (Some(uncompressed), Some(unpadded)) => {
                    self.index_part(&part);
                    self.listed.add(unpadded, uncompressed);
                    self.next_record(left.saturating_sub(1))?
                }
            },
            State::IndexPadding { .. } => {
                all_empty(&part)?;
                self.index_part(&part);
                State::IndexCrc
            }
            State::IndexCrc => {
                let crc = std::mem::take(&mut self.index_crc).finalize();
                if crc.to_le_bytes() != *part {
                    return Err(DAMAGED);
                }
                self.index_bytes = self.index_bytes.saturating_add(4);
                State::StreamFooter
            }
            State::StreamFooter => {
                xz_header::stream_footer(&part, self.check, self.index_bytes)?;
                State::Between { empty_bytes: 0 }
            }
            State::Block(_) | State::Between { .. } | State::Failed => return Err(DAMAGED),
        })
    }

    fn block(&mut self, part: &[u8]) -> Result<Box<Block>, IntakeError> {
        let header = BlockHeader::parse(part)?;
        let limit_bytes = self.max_dictionary_bytes;
        if u64::from(header.dictionary) > limit_bytes {
            return Err(IntakeError::DictionaryTooLarge { bytes: header.dictionary.into(), limit_bytes });
        }
        if self.blocks.count != 0 {
            // As with a stream, it costs a decoder of its own.
            self.streams = self.streams.saturating_add(1);
        }
        let lzma = Lzma2Stream::new(header.dictionary);
        Ok(Box::new(Block { header, header_bytes: part.len() as u64, lzma, check: Check::new(self.check) }))
    }

    fn behind_padding(&self, check: Check) -> State {
        if self.check == CheckKind::None { State::BlockOrIndex } else { State::BlockCheck(check) }
    }

    fn index_part(&mut self, part: &[u8]) {
        self.index_crc.update(part);
        self.index_bytes = self.index_bytes.saturating_add(part.len() as u64);
    }

    fn next_record(&mut self, left: u64) -> Result<State, IntakeError> {
        if left != 0 {
            return Ok(State::IndexRecord { left, unpadded: None });
        }
        let (blocks, listed) = (std::mem::take(&mut self.blocks), std::mem::take(&mut self.listed));
        if blocks.hash.finalize() != listed.hash.finalize() {
            return Err(DAMAGED);
        }
        Ok(match self.index_bytes.wrapping_neg() % 4 {
            0 => State::IndexCrc,
            len => State::IndexPadding { len: len as usize },
        })
    }

    fn decode_block(
        &mut self,
        mut block: Box<Block>,
        input: &[u8],
        output: &mut [u8],
    ) -> Result<Progress, IntakeError> {
        let result = block.lzma.process(input, output, Action::Run).map_err(|_| DAMAGED)?;
        let made = result.bytes_produced;
        block.check.update(output.get(..made).unwrap_or_default());
        let (compressed, uncompressed) = (block.lzma.total_in(), block.lzma.total_out());
        let is_end = result.status == Status::StreamEnd;
        let differs = |said: Option<u64>, is: u64| said.is_some_and(|said| is > said || (is_end && is != said));
        if differs(block.header.compressed, compressed) || differs(block.header.uncompressed, uncompressed) {
            return Err(DAMAGED);
        }
        self.state = if is_end {
            // 4.3.1
            let unpadded = block.header_bytes.saturating_add(compressed).saturating_add(self.check.len() as u64);
            self.blocks.add(unpadded, uncompressed);
            match compressed.wrapping_neg() % 4 {
                0 => self.behind_padding(block.check),
                len => State::BlockPadding { len: len as usize, check: block.check },
            }
        } else {
            State::Block(block)
        };
        Ok(Progress { taken: result.bytes_consumed, made })
    }

    /// 2.2: the padding between streams is a multiple of four bytes.
    fn between(&mut self, empty_bytes: u64, input: &[u8]) -> Result<Progress, IntakeError> {
        let taken = input.iter().position(|&byte| byte != 0).unwrap_or(input.len());
        let empty_bytes = empty_bytes.saturating_add(taken as u64);
        self.state = match input.get(taken) {
            None => State::Between { empty_bytes },
            Some(0xfd) if empty_bytes.is_multiple_of(4) => State::StreamHeader,
            Some(_) => return Err(IntakeError::BytesAfterCompressed { format: Compression::Xz }),
        };
        Ok(Progress { taken, made: 0 })
    }
}

impl Format for Xz {
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, IntakeError> {
        match std::mem::replace(&mut self.state, State::Failed) {
            State::Block(block) => self.decode_block(block, input, output),
            State::Between { empty_bytes } => {
                let progress = self.between(empty_bytes, input)?;
                if progress.taken == 0 && !input.is_empty() {
                    // The next stream begins at once.
                    return self.decode(input, output);
                }
                Ok(progress)
            }
            state => {
                self.state = state;
                let missing = self.needed().saturating_sub(self.partial.len());
                let more = input.get(..missing).unwrap_or(input);
                self.partial.extend_from_slice(more);
                if more.len() == missing {
                    let state = std::mem::replace(&mut self.state, State::Failed);
                    self.state = self.part(state)?;
                }
                Ok(Progress { taken: more.len(), made: 0 })
            }
        }
    }

    fn is_complete(&self) -> bool {
        matches!(self.state, State::Between { empty_bytes } if empty_bytes.is_multiple_of(4))
    }

    fn streams(&self) -> u64 {
        self.streams
    }
}

fn all_empty(part: &[u8]) -> Result<(), IntakeError> {
    if part.iter().all(|&byte| byte == 0) { Ok(()) } else { Err(DAMAGED) }
}

/// The check over a block's decoded data (3.4).
enum Check {
    None,
    Crc32(Crc32),
    Crc64(Digest<'static, u64, Table<16>>),
    Sha256(Box<Sha256>),
}

impl Check {
    fn new(kind: CheckKind) -> Self {
        match kind {
            CheckKind::None => Self::None,
            CheckKind::Crc32 => Self::Crc32(Crc32::new()),
            CheckKind::Crc64 => Self::Crc64(CRC64.digest()),
            CheckKind::Sha256 => Self::Sha256(Box::default()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::None => {}
            Self::Crc32(crc) => crc.update(bytes),
            Self::Crc64(digest) => digest.update(bytes),
            Self::Sha256(hash) => hash.update(bytes),
        }
    }

    fn verify(self, expected: &[u8]) -> Result<(), IntakeError> {
        let is_right = match self {
            Self::None => true,
            Self::Crc32(crc) => crc.finalize().to_le_bytes() == expected,
            Self::Crc64(digest) => digest.finalize().to_le_bytes() == expected,
            Self::Sha256(hash) => *hash.finalize() == *expected,
        };
        if is_right { Ok(()) } else { Err(DAMAGED) }
    }
}
