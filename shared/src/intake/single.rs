//! A body that is one file: the whole pack is one stored extent.

use crate::intake::crc32::Crc32;
use crate::intake::error::IntakeError;
use crate::intake::extent::{Extent, Method};
use crate::intake::name::{EntryName, ShownName};
use crate::intake::verify::EntrySink;
use crate::intake::zip::Entry;
use crate::limits::Limits;

/// Takes the body in pieces of any size.
pub struct SingleScanner<S> {
    limits: Limits,
    name: EntryName,
    sink: S,
    crc: Crc32,
    len: u64,
}

impl<S: EntrySink> SingleScanner<S> {
    /// Before the first byte. The name is the caller's choice, as a body has none of its own.
    pub fn new(limits: Limits, name: EntryName, sink: S) -> Self {
        Self { limits, name, sink, crc: Crc32::new(), len: 0 }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// The body is larger than an upload or a file may be.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), IntakeError> {
        self.len = self.len.saturating_add(chunk.len() as u64);
        let Limits { max_upload_bytes, max_entry_bytes, .. } = self.limits;
        if self.len > max_upload_bytes {
            return Err(IntakeError::UploadTooLarge { limit_bytes: max_upload_bytes });
        }
        if self.len > max_entry_bytes {
            let entry = ShownName::from(&self.name);
            return Err(IntakeError::EntryTooLarge { entry, limit_bytes: max_entry_bytes });
        }
        self.crc.update(chunk);
        if !chunk.is_empty() && self.sink.wants_more() {
            self.sink.push(chunk);
        }
        Ok(())
    }

    /// Bytes of the body so far.
    pub fn received_bytes(&self) -> u64 {
        self.len
    }

    /// The body has ended.
    ///
    /// # Errors
    /// [`IntakeError::EmptyBody`].
    pub fn finish(self) -> Result<Entry<S::Output>, IntakeError> {
        if self.len == 0 {
            return Err(IntakeError::EmptyBody);
        }
        let extent = Extent { offset: 0, stored_len: self.len, len: self.len, method: Method::Stored };
        Ok(Entry { name: self.name, extent, crc32: self.crc.finalize(), result: self.sink.finish() })
    }
}
