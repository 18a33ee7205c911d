//! Reading the central directory (4.3.12), which alone says what a zip holds, and judging it as a whole: names,
//! kinds, methods, places. Nothing of an entry's data is read here.

use crate::intake::conflict;
use crate::intake::end::{self, Place};
use crate::intake::error::{IntakeError, MethodName};
use crate::intake::extent::Method;
use crate::intake::name::{self, EntryName, ShownName};
use crate::intake::record::{self, Extra, Fields};
use crate::intake::source::{Cursor, PackSource};
use crate::limits::Limits;

/// One entry as the central directory lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub name: EntryName,
    pub is_folder: bool,
    pub method: Method,
    /// Of the inflated bytes.
    pub crc32: u32,
    /// Bytes after inflating.
    pub len: u64,
    pub stored_len: u64,
    /// Where its local header begins, in bytes from the start of the pack.
    pub header_offset: u64,
    /// What must not be passed by its data and descriptor: the start of the next entry, or of the directory.
    pub end_limit: u64,
    pub(super) method_number: u16,
    /// The name's bytes, where they are not those of `name`.
    raw_name: Option<Box<[u8]>>,
}

impl Listed {
    pub(super) fn raw_name(&self) -> &[u8] {
        self.raw_name.as_deref().unwrap_or(self.name.as_str().as_bytes())
    }

    pub(super) fn shown(&self) -> ShownName {
        ShownName::from(&self.name)
    }
}

/// Reads and checks the whole central directory; entries come in its order.
///
/// # Errors
/// Whatever makes the zip refused that can be told without its data.
pub async fn read<P: PackSource>(pack: &P, limits: &Limits) -> Result<Vec<Listed>, IntakeError> {
    if pack.is_empty() {
        return Err(IntakeError::EmptyBody);
    }
    let place = end::find(pack, limits).await?;
    let mut entries = Vec::new();
    let mut cursor = Cursor::new(pack, place.offset, place.offset.saturating_add(place.bytes));
    let mut inflated_bytes = 0_u64;
    for index in 1..=place.entries {
        let broken = IntakeError::DirectoryRecord { index };
        let Some(fixed) = cursor.take(record::CENTRAL_BYTES).await? else {
            return Err(IntakeError::EntryCount { listed: place.entries });
        };
        let Some(header) = CentralHeader::parse(&fixed) else { return Err(broken) };
        let Some(variable) = cursor.take(header.variable_len()).await? else { return Err(broken) };
        let entry = header.listed(&variable, limits)?;
        inflated_bytes = inflated_bytes.saturating_add(entry.len);
        if inflated_bytes > limits.max_inflated_bytes {
            return Err(IntakeError::InflatedTooLarge { limit_bytes: limits.max_inflated_bytes });
        }
        entries.push(entry);
    }
    if cursor.left() != 0 {
        return Err(IntakeError::EntryCount { listed: place.entries });
    }
    conflict::check(entries.iter().map(|entry| (&entry.name, entry.is_folder)))?;
    check_places(&mut entries, place)?;
    Ok(entries)
}

/// The fixed part of a central directory header.
struct CentralHeader {
    flags: u16,
    method: u16,
    crc32: u32,
    stored_len: u32,
    len: u32,
    name_len: u16,
    extra_len: u16,
    comment_len: u16,
    disk: u16,
    external: u32,
    header_offset: u32,
}

impl CentralHeader {
    fn parse(fixed: &[u8]) -> Option<Self> {
        let mut fields = Fields(fixed);
        fields.signature(record::CENTRAL)?;
        let _versions = fields.u32()?;
        let flags = fields.u16()?;
        let method = fields.u16()?;
        let _modified = fields.u32()?;
        let crc32 = fields.u32()?;
        let stored_len = fields.u32()?;
        let len = fields.u32()?;
        let name_len = fields.u16()?;
        let extra_len = fields.u16()?;
        let comment_len = fields.u16()?;
        let disk = fields.u16()?;
        let _internal = fields.u16()?;
        let external = fields.u32()?;
        let header_offset = fields.u32()?;
        Some(Self {
            flags,
            method,
            crc32,
            stored_len,
            len,
            name_len,
            extra_len,
            comment_len,
            disk,
            external,
            header_offset,
        })
    }

    fn variable_len(&self) -> usize {
        [self.name_len, self.extra_len, self.comment_len].into_iter().map(usize::from).sum()
    }

    fn listed(&self, variable: &[u8], limits: &Limits) -> Result<Listed, IntakeError> {
        let mut variable = Fields(variable);
        let raw_name = variable.take(self.name_len.into()).unwrap_or_default();
        let extra = variable.take(self.extra_len.into()).unwrap_or_default();
        let shown = || ShownName::from_raw(raw_name);
        let bad_name = |problem| IntakeError::Name { entry: shown(), problem };
        let text = name::decode(raw_name, self.flags & record::FLAG_UTF8 != 0).map_err(bad_name)?;
        let named_folder = text.ends_with('/');
        let name = EntryName::of_entry(&text, limits).map_err(bad_name)?;
        let marked_folder = self.marked_folder(&shown)?;
        if self.flags & record::FLAGS_ENCRYPTION != 0 || self.method == record::METHOD_AES {
            return Err(IntakeError::Encrypted { entry: shown() });
        }
        let unsupported = || IntakeError::Method { entry: shown(), method: MethodName(self.method) };
        if self.flags & record::FLAG_PATCH != 0 {
            return Err(unsupported());
        }
        let extra = Extra::parse(extra).ok_or_else(|| IntakeError::Extra { entry: shown() })?;
        if let Some(other) = extra.other_name(raw_name, self.flags) {
            return Err(IntakeError::TwoNames { entry: shown(), other });
        }
        let mut zip64 = extra.zip64.map(Fields);
        // The order is that of 4.5.3.
        let mut wide =
            |field| record::wide(field, &mut zip64).ok_or_else(|| IntakeError::Zip64Missing { entry: shown() });
        let len = wide(self.len)?;
        let stored_len = wide(self.stored_len)?;
        let header_offset = wide(self.header_offset)?;
        let disk = if self.disk == u16::MAX {
            zip64.as_mut().and_then(Fields::u32).ok_or_else(|| IntakeError::Zip64Missing { entry: shown() })?
        } else {
            self.disk.into()
        };
        if disk != 0 {
            return Err(IntakeError::MultiDisk);
        }
        let method = record::method(self.method, stored_len, len).ok_or_else(unsupported)?;
        if method == Method::Stored && stored_len != len {
            return Err(IntakeError::Length { entry: shown(), expected_bytes: len });
        }
        if len > limits.max_entry_bytes {
            return Err(IntakeError::EntryTooLarge { entry: shown(), limit_bytes: limits.max_entry_bytes });
        }
        let is_folder = named_folder || (marked_folder && len == 0);
        if len != 0 && (is_folder || marked_folder) {
            return Err(IntakeError::FolderWithData { entry: shown() });
        }
        let raw_name = (raw_name != name.as_str().as_bytes()).then(|| raw_name.into());
        Ok(Listed {
            name,
            is_folder,
            method,
            crc32: self.crc32,
            len,
            stored_len,
            header_offset,
            end_limit: 0,
            method_number: self.method,
            raw_name,
        })
    }

    /// Whether the attributes mark a folder (4.4.15). The unix mode is looked at whatever system the writer claims,
    /// as readers do not agree on when it counts.
    fn marked_folder(&self, shown: &impl Fn() -> ShownName) -> Result<bool, IntakeError> {
        const TYPE_MASK: u32 = 0o170_000;
        const REGULAR: u32 = 0o100_000;
        const FOLDER: u32 = 0o040_000;
        const SYMLINK: u32 = 0o120_000;
        const DOS_FOLDER: u32 = 0x10;
        match (self.external >> 16) & TYPE_MASK {
            0 => Ok(self.external & DOS_FOLDER != 0),
            REGULAR => Ok(false),
            FOLDER => Ok(true),
            SYMLINK => Err(IntakeError::Symlink { entry: shown() }),
            _ => Err(IntakeError::SpecialFile { entry: shown() }),
        }
    }
}

/// No two entries share a byte, and none leaves the space before the directory. The local headers are not known here,
/// so each is taken for as small as it can be; what is found at its place must fit below `end_limit` later.
fn check_places(entries: &mut [Listed], directory: Place) -> Result<(), IntakeError> {
    let mut order: Vec<&mut Listed> = entries.iter_mut().collect();
    order.sort_unstable_by_key(|entry| entry.header_offset);
    let mut end_limit = directory.offset;
    let mut is_last = true;
    for entry in order.into_iter().rev() {
        entry.end_limit = end_limit;
        let header = (record::LOCAL_BYTES as u64).saturating_add(entry.raw_name().len() as u64);
        let end = entry.header_offset.saturating_add(header).saturating_add(entry.stored_len);
        if end > end_limit {
            let entry = entry.shown();
            let beyond = end > directory.offset.saturating_add(directory.bytes);
            return Err(if is_last && beyond {
                IntakeError::OutOfRange { entry }
            } else {
                IntakeError::Overlap { entry }
            });
        }
        end_limit = entry.header_offset;
        is_last = false;
    }
    Ok(())
}
