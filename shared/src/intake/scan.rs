//! Checking a zip while it arrives. The scanner walks the local headers *speculatively*: nothing it finds counts until
//! the central directory agrees, and at the first thing it does not understand it stops and leaves the rest to
//! [`crate::intake::zip::finish`]. It fails only for what is certainly wrong.

use crate::intake::error::IntakeError;
use crate::intake::extent::Method;
use crate::intake::name::{self, EntryName};
use crate::intake::record::{self, LocalHeader, LocalParse};
use crate::intake::verify::{EntryCheck, Expected, Inflater, SinkFactory, SinkOutput};
use crate::limits::Limits;

/// An entry that passed, and agrees with its local header and data descriptor.
#[derive(Debug)]
pub struct Seen<R> {
    /// Where its local header begins, in bytes from the start of the body.
    pub header_offset: u64,
    /// The name's bytes in the local header.
    pub raw_name: Box<[u8]>,
    pub method: Method,
    /// Of the inflated bytes, as computed.
    pub crc32: u32,
    /// Bytes after inflating.
    pub len: u64,
    pub stored_len: u64,
    /// Where its data begin.
    pub data_offset: u64,
    /// Where its data and its data descriptor have ended.
    pub end: u64,
    /// What the sink says; `None` for a folder.
    pub result: Option<R>,
    /// The method's number in the local header, which says more than `method` for an empty entry.
    pub(super) method_number: u16,
}

/// What the scanner knows when the body has ended.
pub(super) struct Scanned<F: SinkFactory> {
    pub(super) limits: Limits,
    pub(super) inflater: Inflater,
    pub(super) factory: F,
    /// In the order of their offsets. An entry is taken out when the directory has named it.
    pub(super) seen: Vec<Option<Seen<SinkOutput<F>>>>,
    /// The `header_offset` of each of `seen`, which stay when the entries are taken.
    pub(super) offsets: Vec<u64>,
}

impl<F: SinkFactory> Scanned<F> {
    pub(super) fn take(&mut self, header_offset: u64) -> Option<Seen<SinkOutput<F>>> {
        let index = self.offsets.binary_search(&header_offset).ok()?;
        self.seen.get_mut(index)?.take()
    }
}

/// Takes the body of a zip in pieces of any size.
pub struct ZipScanner<F: SinkFactory> {
    known: Scanned<F>,
    state: State<F::Sink>,
    /// Where in the body the next byte lies.
    at: u64,
    /// Bytes of a header or descriptor not complete yet: at most one local header, so 128 KiB.
    partial: Vec<u8>,
}

enum State<S> {
    /// A local header should come, and begin here.
    Header { offset: u64 },
    /// Inside an entry's data.
    Data(Box<Current<S>>),
    /// The data of an entry have ended, its descriptor should come.
    Descriptor(Box<Current<S>>),
    /// Something was not understood.
    Stopped,
}

struct Current<S> {
    header_offset: u64,
    data_offset: u64,
    method: Method,
    local: LocalHeader,
    check: EntryCheck<S>,
}

impl<F: SinkFactory> ZipScanner<F> {
    /// Before the first byte.
    pub fn new(limits: Limits, factory: F) -> Self {
        let inflater = Inflater::new(limits);
        let known = Scanned { limits, inflater, factory, seen: Vec::new(), offsets: Vec::new() };
        Self { known, state: State::Header { offset: 0 }, at: 0, partial: Vec::new() }
    }

    /// Takes the next bytes of the body. The time it takes is that of inflating them: give way between the pieces.
    ///
    /// # Errors
    /// Only for what is wrong whatever the central directory will say: a limit is passed, or an entry contradicts the
    /// sizes and CRC-32 of its own local header, or its deflate stream is damaged.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), IntakeError> {
        let limit_bytes = self.known.limits.max_upload_bytes;
        if self.at.saturating_add(chunk.len() as u64) > limit_bytes {
            return Err(IntakeError::UploadTooLarge { limit_bytes });
        }
        let mut rest = chunk;
        while !rest.is_empty() {
            let taken = match std::mem::replace(&mut self.state, State::Stopped) {
                State::Header { offset } => self.header(offset, rest)?,
                State::Data(current) => self.data(current, rest)?,
                State::Descriptor(current) => self.descriptor(current, rest)?,
                State::Stopped => rest.len(),
            };
            self.at = self.at.saturating_add(taken as u64);
            rest = rest.get(taken..).unwrap_or_default();
        }
        Ok(())
    }

    /// Bytes of the body so far.
    pub fn received_bytes(&self) -> u64 {
        self.at
    }

    /// The body has ended; what was found goes to [`crate::intake::zip::finish`].
    pub(super) fn end(self) -> Scanned<F> {
        self.known
    }

    fn header(&mut self, offset: u64, rest: &[u8]) -> Result<usize, IntakeError> {
        let mut taken = 0_usize;
        loop {
            let need = match LocalHeader::parse(&self.partial) {
                // Nothing yet: the signature decides whether the rest is worth waiting for.
                _ if self.partial.is_empty() => record::LOCAL.len(),
                LocalParse::Need(need) => need,
                LocalParse::No => return Ok(taken),
                LocalParse::Header(local) => {
                    self.partial.clear();
                    self.open(offset, local)?;
                    return Ok(taken);
                }
            };
            let missing = need.saturating_sub(self.partial.len());
            let available = rest.get(taken..).unwrap_or_default();
            if available.is_empty() {
                self.state = State::Header { offset };
                return Ok(taken);
            }
            let more = available.get(..missing).unwrap_or(available);
            self.partial.extend_from_slice(more);
            taken = taken.saturating_add(more.len());
        }
    }

    /// Begins with the entry of a local header, or stops if the central directory must say more first.
    fn open(&mut self, header_offset: u64, local: LocalHeader) -> Result<(), IntakeError> {
        let limits = self.known.limits;
        if self.known.seen.len() as u64 >= limits.max_entries {
            return Err(IntakeError::TooManyEntries { limit: limits.max_entries });
        }
        let Some(method) = local.method() else { return Ok(()) };
        if local.flags & (record::FLAGS_ENCRYPTION | record::FLAG_PATCH) != 0 || local.other_name.is_some() {
            return Ok(());
        }
        let Ok(text) = name::decode(&local.name, local.flags & record::FLAG_UTF8 != 0) else { return Ok(()) };
        let is_folder = text.ends_with('/');
        let Ok(name) = EntryName::of_entry(&text, &limits) else { return Ok(()) };
        let sizes = (local.stored_len.unwrap_or(0), local.len.unwrap_or(0));
        let expected = match (local.has_descriptor(), method) {
            (false, _) => {
                if local.stored_len.is_none() || local.len.is_none() {
                    return Ok(());
                }
                Expected { stored_len: local.stored_len, len: local.len, crc32: Some(local.crc32) }
            }
            // Deflate ends by itself, whatever the local header says, and then the descriptor decides.
            (true, Method::Deflated) => Expected::default(),
            (true, Method::Stored) if sizes.0 != 0 => Expected { stored_len: local.stored_len, ..Expected::default() },
            // Where a stored entry of unknown length ends, only the central directory knows.
            (true, Method::Stored) => return Ok(()),
        };
        // 4.3.7: the data begin right behind the header.
        let data_offset = header_offset.saturating_add(local.header_len as u64);
        let sink = (!is_folder).then(|| self.known.factory.open(&name));
        let check = EntryCheck::new(&mut self.known.inflater, name, method, expected, sink)?;
        let current = Box::new(Current { header_offset, data_offset, method, local, check });
        if current.check.is_ended() {
            return self.close(current);
        }
        self.state = State::Data(current);
        Ok(())
    }

    fn data(&mut self, mut current: Box<Current<F::Sink>>, rest: &[u8]) -> Result<usize, IntakeError> {
        let taken = current.check.push(&mut self.known.inflater, rest)?;
        if current.check.is_ended() {
            self.close(current)?;
        } else {
            self.state = State::Data(current);
        }
        Ok(taken)
    }

    /// The data have ended.
    fn close(&mut self, current: Box<Current<F::Sink>>) -> Result<(), IntakeError> {
        if current.local.has_descriptor() {
            self.state = State::Descriptor(current);
            return Ok(());
        }
        self.keep(*current, 0)
    }

    fn descriptor(&mut self, current: Box<Current<F::Sink>>, rest: &[u8]) -> Result<usize, IntakeError> {
        // The longest form is looked at even when a shorter one is there: behind any entry come at least the headers
        // of the central directory, so a sound zip always has so many bytes.
        let missing = record::MAX_DESCRIPTOR_BYTES.saturating_sub(self.partial.len());
        let more = rest.get(..missing).unwrap_or(rest);
        let held = self.partial.len();
        self.partial.extend_from_slice(more);
        if self.partial.len() < record::MAX_DESCRIPTOR_BYTES {
            self.state = State::Descriptor(current);
            return Ok(more.len());
        }
        let (crc32, stored_len, len) = current.check.so_far();
        let Some(descriptor_len) = record::descriptor_len(&self.partial, crc32, stored_len, len) else {
            return Ok(more.len());
        };
        // What was read too far begins the next header; part of it may have come with an earlier piece.
        let behind = self.partial.split_off(descriptor_len.min(self.partial.len()));
        self.partial.clear();
        self.keep(*current, descriptor_len as u64)?;
        if let State::Header { .. } = self.state {
            // Those from this piece are simply not taken.
            let from_earlier = held.saturating_sub(descriptor_len);
            self.partial.extend_from_slice(behind.get(..from_earlier).unwrap_or_default());
        }
        Ok(descriptor_len.saturating_sub(held))
    }

    fn keep(&mut self, current: Current<F::Sink>, descriptor_len: u64) -> Result<(), IntakeError> {
        let Current { header_offset, data_offset, method, local, check } = current;
        let checked = check.finish()?;
        if local.has_descriptor() && !agrees_when_described(&local, checked.crc32, checked.stored_len, checked.len) {
            return Ok(());
        }
        let end = data_offset.saturating_add(checked.stored_len).saturating_add(descriptor_len);
        self.known.offsets.push(header_offset);
        self.known.seen.push(Some(Seen {
            header_offset,
            raw_name: local.name,
            method,
            crc32: checked.crc32,
            len: checked.len,
            stored_len: checked.stored_len,
            data_offset,
            end,
            result: checked.result,
            method_number: local.method,
        }));
        self.state = State::Header { offset: end };
        Ok(())
    }
}

/// With a data descriptor the local header's CRC-32 and sizes are zero (4.4.4), or right.
pub(super) fn agrees_when_described(local: &LocalHeader, crc32: u32, stored_len: u64, len: u64) -> bool {
    (local.crc32 == 0 || local.crc32 == crc32)
        && local.stored_len.is_none_or(|found| found == 0 || found == stored_len)
        && local.len.is_none_or(|found| found == 0 || found == len)
}
