//! Finding the central directory: the end record (4.3.16), the zip64 end record (4.3.14) and its locator (4.3.15).
//!
//! There must be exactly one way to read the file: the end record and its comment reach exactly to the end of the
//! file, nothing in the comment looks like another end record, and each record ends where the next begins. So no
//! other reader can find another directory than we do.

use bytes::Bytes;

use crate::intake::error::IntakeError;
use crate::intake::record::{self, Fields};
use crate::intake::source::{Cursor, PackSource};
use crate::limits::Limits;

/// Where the central directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) offset: u64,
    pub(super) bytes: u64,
    pub(super) entries: u64,
}

/// The fields that the end record and the zip64 end record have in common, as 64 bits.
#[derive(Debug, Clone, Copy)]
struct Ends {
    disk: u32,
    directory_disk: u32,
    entries_here: u64,
    entries: u64,
    directory_bytes: u64,
    directory_offset: u64,
}

/// Finds the central directory and checks what its end says, against the file and against the limits, before
/// anything is allocated for it.
pub(super) async fn find<P: PackSource>(pack: &P, limits: &Limits) -> Result<Place, IntakeError> {
    let len = pack.len();
    let longest = (record::END_BYTES + usize::from(u16::MAX) + record::LOCATOR64_BYTES) as u64;
    let tail_offset = len.saturating_sub(longest);
    let tail_len = usize::try_from(len.saturating_sub(tail_offset)).unwrap_or(usize::MAX);
    let tail = Cursor::new(pack, tail_offset, len).take(tail_len).await?.unwrap_or_default();
    let at = position(&tail)?;
    let end_offset = tail_offset.saturating_add(at as u64);
    let short = Fields(tail.get(at..).unwrap_or_default());
    let short = end_fields(short).ok_or(IntakeError::NoDirectoryEnd)?;
    let locator = at.checked_sub(record::LOCATOR64_BYTES).and_then(|start| locator(&tail, start));
    let (ends, directory_end) = match locator {
        None => (short, end_offset),
        Some(locator) => {
            let ends = end64(pack, locator, end_offset).await?;
            if !agrees(short, ends) {
                return Err(IntakeError::Zip64End);
            }
            (ends, locator.end64_offset)
        }
    };
    if ends.disk != 0 || ends.directory_disk != 0 || ends.entries_here != ends.entries {
        return Err(IntakeError::MultiDisk);
    }
    if ends.entries > limits.max_entries {
        return Err(IntakeError::TooManyEntries { limit: limits.max_entries });
    }
    if ends.directory_bytes > limits.max_central_directory_bytes {
        let limit_bytes = limits.max_central_directory_bytes;
        return Err(IntakeError::DirectoryTooLarge { bytes: ends.directory_bytes, limit_bytes });
    }
    // This also refuses data put before a zip whose offsets were not shifted, and digital signatures (4.3.13).
    if ends.directory_offset.checked_add(ends.directory_bytes) != Some(directory_end) {
        return Err(IntakeError::DirectoryPlace);
    }
    if ends.entries.saturating_mul(record::CENTRAL_BYTES as u64) > ends.directory_bytes {
        return Err(IntakeError::EntryCount { listed: ends.entries });
    }
    Ok(Place { offset: ends.directory_offset, bytes: ends.directory_bytes, entries: ends.entries })
}

/// Where in `tail` the one end record is.
fn position(tail: &Bytes) -> Result<usize, IntakeError> {
    let mut exact = None;
    let mut inexact = None;
    for (at, window) in tail.windows(record::END.len()).enumerate() {
        if window != record::END {
            continue;
        }
        if exact.is_some() {
            // It lies in the comment of the one found before.
            return Err(IntakeError::AmbiguousEnd);
        }
        let Some(record) = tail.get(at..).filter(|record| record.len() >= record::END_BYTES) else { continue };
        let Some(&[low, high]) = record.get(20..22) else { continue };
        let behind = record.len().saturating_sub(record::END_BYTES);
        match behind.checked_sub(usize::from(u16::from_le_bytes([low, high]))) {
            Some(0) => exact = Some(at),
            Some(extra) => inexact = Some(extra),
            None => {}
        }
    }
    match (exact, inexact) {
        (Some(at), _) => Ok(at),
        (None, Some(extra)) => Err(IntakeError::BytesAfterEnd { extra_bytes: extra as u64 }),
        (None, None) => Err(IntakeError::NoDirectoryEnd),
    }
}

fn end_fields(mut fields: Fields<'_>) -> Option<Ends> {
    fields.signature(record::END)?;
    Some(Ends {
        disk: fields.u16()?.into(),
        directory_disk: fields.u16()?.into(),
        entries_here: fields.u16()?.into(),
        entries: fields.u16()?.into(),
        directory_bytes: fields.u32()?.into(),
        directory_offset: fields.u32()?.into(),
    })
}

#[derive(Debug, Clone, Copy)]
struct Locator {
    disk: u32,
    end64_offset: u64,
    disks: u32,
}

/// The locator, if there is one right before the end record.
fn locator(tail: &Bytes, start: usize) -> Option<Locator> {
    let mut fields = Fields(tail.get(start..)?);
    fields.signature(record::LOCATOR64)?;
    Some(Locator { disk: fields.u32()?, end64_offset: fields.u64()?, disks: fields.u32()? })
}

async fn end64<P: PackSource>(pack: &P, locator: Locator, end_offset: u64) -> Result<Ends, IntakeError> {
    if locator.disk != 0 || locator.disks > 1 {
        return Err(IntakeError::MultiDisk);
    }
    let locator_offset = end_offset.saturating_sub(record::LOCATOR64_BYTES as u64);
    let mut cursor = Cursor::new(pack, locator.end64_offset, locator_offset);
    let bytes = cursor.take(record::END64_BYTES).await?.ok_or(IntakeError::Zip64End)?;
    let (ends, record_len) = end64_fields(Fields(&bytes)).ok_or(IntakeError::Zip64End)?;
    // 4.3.14.1: the size leaves out the first 12 bytes. The record must reach to the locator.
    let record_end = locator.end64_offset.checked_add(12).and_then(|start| start.checked_add(record_len));
    if record_end == Some(locator_offset) { Ok(ends) } else { Err(IntakeError::Zip64End) }
}

fn end64_fields(mut fields: Fields<'_>) -> Option<(Ends, u64)> {
    fields.signature(record::END64)?;
    let record_len = fields.u64()?;
    let _versions = fields.u32()?;
    let ends = Ends {
        disk: fields.u32()?,
        directory_disk: fields.u32()?,
        entries_here: fields.u64()?,
        entries: fields.u64()?,
        directory_bytes: fields.u64()?,
        directory_offset: fields.u64()?,
    };
    Some((ends, record_len))
}

/// Each field of the end record is saturated, or says what the zip64 end record says (4.4.1.4).
fn agrees(short: Ends, long: Ends) -> bool {
    let same = |short: u64, long: u64, saturated: u64| short == saturated || short == long;
    let (u16_max, u32_max) = (u16::MAX.into(), u32::MAX.into());
    same(short.disk.into(), long.disk.into(), u16_max)
        && same(short.directory_disk.into(), long.directory_disk.into(), u16_max)
        && same(short.entries_here, long.entries_here, u16_max)
        && same(short.entries, long.entries, u16_max)
        && same(short.directory_bytes, long.directory_bytes, u32_max)
        && same(short.directory_offset, long.directory_offset, u32_max)
}
