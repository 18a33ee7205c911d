//! Checking a tar while it arrives: ustar and PAX (POSIX.1-2024, pax), GNU's format with long names and large numbers,
//! and the old format of the seventh edition. The bytes go into a pack unchanged, so each file is a stored extent.
//!
//! Two readers must not see two different archives, so what readers treat differently is refused: a size that PAX and
//! header give differently, a name given twice, records and numbers that are not exactly as the standard has them, and
//! everything behind the end. A tar without its two empty blocks is refused too, even if it ends behind an entry, as
//! GNU tar would take it: nothing else tells a whole tar from one that was cut off between two files.
//!
//! The headers are parsed here and not by the crate `tar`, which is made for reading: it takes numbers in any form,
//! leaves the checksum to its caller, and skips PAX records that it does not understand.

mod entry;
mod header;
mod pax;

use crate::intake::conflict;
use crate::intake::error::IntakeError;
use crate::intake::extent::{Extent, Method};
use crate::intake::name::EntryName;
use crate::intake::verify::{EntryCheck, Expected, Inflater, SinkFactory, SinkOutput};
use crate::intake::zip::{Entry, EntryVisitor, Summary};
use crate::limits::Limits;

use entry::{Next, Pending};
pub(super) use header::begins;
use header::{BLOCK_BYTES, Header, Kind};
use pax::Pax;

/// What is wrong with a header of a tar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderProblem {
    #[error("its checksum is wrong")]
    Checksum,
    #[error("its format is not known")]
    Magic,
    #[error("its size is no number that a file can have")]
    Size,
    #[error("its PAX records are malformed")]
    Pax,
    #[error("its PAX records have a key twice")]
    PaxTwice,
    #[error("it gives a path, a size or a link to all entries, which only one entry can have")]
    GlobalPax,
    #[error("it gives a second name or second records to one entry")]
    TwoNames,
    #[error("its records or its long name have more than {limit} bytes")]
    TooLong {
        /// The limit, in bytes.
        limit: u64,
    },
}

impl HeaderProblem {
    /// A stable code for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Checksum => "tar.header.checksum",
            Self::Magic => "tar.header.format",
            Self::Size => "tar.header.size",
            Self::Pax => "tar.header.pax",
            Self::PaxTwice => "tar.header.pax_twice",
            Self::GlobalPax => "tar.header.global_pax",
            Self::TwoNames => "tar.header.two_names",
            Self::TooLong { .. } => "tar.header.too_long",
        }
    }
}

/// Bytes of PAX records or of a long name, beside the names that the limits allow: times, owners and attributes.
const MAX_EXTENSION_BYTES: u64 = 64 << 10;

/// Takes a tar in pieces of any size. It holds at most one header with its records, and what it has found.
pub struct TarScanner<F: SinkFactory> {
    limits: Limits,
    factory: F,
    /// Counts and checks, though there is nothing to inflate.
    inflater: Inflater,
    state: State<F::Sink>,
    /// Where in the tar the next byte lies.
    at: u64,
    /// Bytes of a header block that is not complete yet.
    partial: Vec<u8>,
    pending: Pending,
    found: Vec<Found<SinkOutput<F>>>,
    entries: u64,
}

enum Found<R> {
    File(Entry<R>),
    Folder(EntryName),
}

enum State<S> {
    Header,
    /// Inside the records or the long name that a header announced.
    Extension {
        kind: Kind,
        header_offset: u64,
        left: u64,
        bytes: Vec<u8>,
    },
    File(Box<Current<S>>),
    /// What fills the last block of data.
    Padding {
        left: u64,
    },
    /// Only empty bytes may come, so many have.
    End {
        empty_bytes: u64,
    },
    /// There was an error.
    Failed,
}

struct Current<S> {
    name: EntryName,
    offset: u64,
    check: EntryCheck<S>,
}

impl<F: SinkFactory> TarScanner<F> {
    /// Before the first byte.
    pub fn new(limits: Limits, factory: F) -> Self {
        Self {
            limits,
            factory,
            inflater: Inflater::new(limits),
            state: State::Header,
            at: 0,
            partial: Vec::new(),
            pending: Pending::default(),
            found: Vec::new(),
            entries: 0,
        }
    }

    /// Takes the next bytes of the tar.
    ///
    /// # Errors
    /// The first thing that is wrong, or a limit that is passed; after that the tar is refused whatever comes.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), IntakeError> {
        let limit_bytes = self.limits.max_upload_bytes;
        if self.at.saturating_add(chunk.len() as u64) > limit_bytes {
            self.state = State::Failed;
            return Err(IntakeError::UploadTooLarge { limit_bytes });
        }
        let mut rest = chunk;
        while !rest.is_empty() {
            let taken = match std::mem::replace(&mut self.state, State::Failed) {
                State::Header => self.header(rest)?,
                State::Extension { kind, header_offset, left, bytes } => {
                    self.extension(kind, header_offset, left, bytes, rest)?
                }
                State::File(current) => self.file(current, rest)?,
                State::Padding { left } => self.padding(left, rest),
                State::End { empty_bytes } => self.end(empty_bytes, rest)?,
                State::Failed => return Err(IntakeError::TarCutOff),
            };
            self.at = self.at.saturating_add(taken as u64);
            rest = rest.get(taken..).unwrap_or_default();
        }
        Ok(())
    }

    /// Bytes of the tar so far.
    pub fn received_bytes(&self) -> u64 {
        self.at
    }

    /// The tar has ended: gives its files to the visitor in their order.
    ///
    /// # Errors
    /// It was cut off, or names contradict each other, as [`IntakeError`]; whatever the visitor returns.
    pub fn finish<V: EntryVisitor<SinkOutput<F>>>(self, visitor: &mut V) -> Result<Summary, V::Error> {
        if self.at == 0 {
            return Err(IntakeError::EmptyBody.into());
        }
        if !matches!(self.state, State::End { empty_bytes } if empty_bytes >= 2 * BLOCK_BYTES as u64) {
            return Err(IntakeError::TarCutOff.into());
        }
        conflict::check(self.found.iter().map(|found| match found {
            Found::File(entry) => (&entry.name, false),
            Found::Folder(name) => (name, true),
        }))?;
        let mut summary = Summary { folders: self.entries, ..Summary::default() };
        for found in self.found {
            let Found::File(entry) = found else { continue };
            summary.files = summary.files.saturating_add(1);
            summary.folders = summary.folders.saturating_sub(1);
            summary.bytes = summary.bytes.saturating_add(entry.extent.len);
            visitor.entry(entry)?;
        }
        Ok(summary)
    }

    fn header(&mut self, rest: &[u8]) -> Result<usize, IntakeError> {
        let missing = BLOCK_BYTES.saturating_sub(self.partial.len());
        let more = rest.get(..missing).unwrap_or(rest);
        self.partial.extend_from_slice(more);
        if self.partial.len() < BLOCK_BYTES {
            self.state = State::Header;
            return Ok(more.len());
        }
        let end = self.at.saturating_add(more.len() as u64);
        let header_offset = end.saturating_sub(BLOCK_BYTES as u64);
        if self.partial.iter().all(|&byte| byte == 0) {
            if !self.pending.is_empty() {
                return Err(IntakeError::TarCutOff);
            }
            self.state = State::End { empty_bytes: BLOCK_BYTES as u64 };
            return Ok(more.len());
        }
        let broken = |problem| IntakeError::TarHeader { offset: header_offset, problem };
        let header = Header::parse(&self.partial).map_err(broken)?;
        self.partial.clear();
        match header.kind {
            Kind::Pax | Kind::GlobalPax | Kind::LongName | Kind::LongLink => {
                let names = self.limits.max_name_bytes as u64;
                let limit = MAX_EXTENSION_BYTES.saturating_add(names.saturating_mul(2));
                if header.size > limit {
                    return Err(broken(HeaderProblem::TooLong { limit }));
                }
                self.pending.expect(header.kind).map_err(broken)?;
                let (kind, left) = (header.kind, header.size);
                if left == 0 {
                    self.extended(kind, header_offset, Vec::new())?;
                    self.state = State::Header;
                } else {
                    self.state = State::Extension { kind, header_offset, left, bytes: Vec::new() };
                }
            }
            // It is none of what the archive holds.
            Kind::VolumeLabel if self.pending.is_empty() => self.state = State::Header,
            _ => self.open(header, header_offset, end)?,
        }
        Ok(more.len())
    }

    fn extension(
        &mut self,
        kind: Kind,
        header_offset: u64,
        left: u64,
        mut bytes: Vec<u8>,
        rest: &[u8],
    ) -> Result<usize, IntakeError> {
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
        bytes.extend_from_slice(rest.get(..count).unwrap_or(rest));
        let left = left.saturating_sub(count as u64);
        if left == 0 {
            let padding = padding_after(bytes.len() as u64);
            self.extended(kind, header_offset, bytes)?;
            self.state = State::Padding { left: padding };
            self.skip_no_padding();
        } else {
            self.state = State::Extension { kind, header_offset, left, bytes };
        }
        Ok(count)
    }

    /// The records or the long name are complete.
    fn extended(&mut self, kind: Kind, header_offset: u64, bytes: Vec<u8>) -> Result<(), IntakeError> {
        let broken = |problem| IntakeError::TarHeader { offset: header_offset, problem };
        match kind {
            Kind::Pax => self.pending.pax = Some(Pax::parse(&bytes).map_err(broken)?),
            Kind::GlobalPax => {
                if !Pax::parse(&bytes).map_err(broken)?.may_be_global() {
                    return Err(broken(HeaderProblem::GlobalPax));
                }
            }
            Kind::LongName => self.pending.long_name = Some(entry::without_end(bytes)),
            // It belongs to a link, which is refused.
            _ => self.pending.has_long_link = true,
        }
        Ok(())
    }

    /// Begins with an entry whose data begin at `offset`.
    fn open(&mut self, header: Header, header_offset: u64, offset: u64) -> Result<(), IntakeError> {
        let Limits { max_entries, .. } = self.limits;
        self.entries = self.entries.saturating_add(1);
        if self.entries > max_entries {
            return Err(IntakeError::TooManyEntries { limit: max_entries });
        }
        let pending = std::mem::take(&mut self.pending);
        let (name, size) = match entry::next(header, pending, header_offset, &self.limits)? {
            Next::Root => {
                self.state = State::Header;
                return Ok(());
            }
            Next::Folder(name) => {
                self.found.push(Found::Folder(name));
                self.state = State::Header;
                return Ok(());
            }
            Next::File { name, size } => (name, size),
        };
        let sink = self.factory.open(&name);
        let expected = Expected { stored_len: Some(size), len: Some(size), crc32: None };
        let check = EntryCheck::new(&mut self.inflater, name.clone(), Method::Stored, expected, Some(sink))?;
        let current = Box::new(Current { name, offset, check });
        if current.check.is_ended() {
            return self.close(*current);
        }
        self.state = State::File(current);
        Ok(())
    }

    fn file(&mut self, mut current: Box<Current<F::Sink>>, rest: &[u8]) -> Result<usize, IntakeError> {
        let taken = current.check.push(&mut self.inflater, rest)?;
        if current.check.is_ended() {
            self.close(*current)?;
        } else {
            self.state = State::File(current);
        }
        Ok(taken)
    }

    /// The data of a file have ended.
    fn close(&mut self, current: Current<F::Sink>) -> Result<(), IntakeError> {
        let Current { name, offset, check } = current;
        let checked = check.finish()?;
        let extent = Extent { offset, stored_len: checked.stored_len, len: checked.len, method: Method::Stored };
        self.state = State::Padding { left: padding_after(checked.len) };
        self.skip_no_padding();
        // There always is a sink.
        let Some(result) = checked.result else { return Ok(()) };
        self.found.push(Found::File(Entry { name, extent, crc32: checked.crc32, result }));
        Ok(())
    }

    fn padding(&mut self, left: u64, rest: &[u8]) -> usize {
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
        self.state = State::Padding { left: left.saturating_sub(count as u64) };
        self.skip_no_padding();
        count
    }

    fn skip_no_padding(&mut self) {
        if matches!(self.state, State::Padding { left: 0 }) {
            self.state = State::Header;
        }
    }

    fn end(&mut self, empty_bytes: u64, rest: &[u8]) -> Result<usize, IntakeError> {
        if let Some(at) = rest.iter().position(|&byte| byte != 0) {
            return Err(IntakeError::BytesAfterTar { offset: self.at.saturating_add(at as u64) });
        }
        self.state = State::End { empty_bytes: empty_bytes.saturating_add(rest.len() as u64) };
        Ok(rest.len())
    }
}

/// What is missing to whole blocks.
fn padding_after(len: u64) -> u64 {
    len.wrapping_neg() % BLOCK_BYTES as u64
}
