//! Writing a zip for a download out of stored bytes, without compressing anything again and without going back: sizes
//! and CRC-32 are known beforehand, so there are no data descriptors and the length of the whole is known too.
//!
//! (`zip` 9 has a raw copy, but only from its own reader and onto a blocking `Write`.)

use crate::intake::extent::{Extent, Method};
use crate::intake::name::EntryName;
use crate::intake::record;

/// A time in MS-DOS form (4.4.6): local time, two seconds fine, from 1980 to 2107.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DosTime {
    date: u16,
    time: u16,
}

impl DosTime {
    /// The first moment there is.
    pub const EARLIEST: Self = Self { date: (1 << 5) | 1, time: 0 };

    /// From a date and time of the calendar; what does not fit is moved to the nearest that does.
    pub fn new(year: u16, month: u8, day: u8, hour: u8, minute: u8, second: u8) -> Self {
        let years = year.clamp(1980, 2107).saturating_sub(1980);
        let (month, day) = (u16::from(month.clamp(1, 12)), u16::from(day.clamp(1, 31)));
        let (hour, minute) = (u16::from(hour.min(23)), u16::from(minute.min(59)));
        let second = u16::from(second.min(59)) / 2;
        Self { date: (years << 9) | (month << 5) | day, time: (hour << 11) | (minute << 5) | second }
    }
}

/// Needs zip64 (4.4.3.2), else 2.0 for deflate.
const VERSION_ZIP64: u16 = 45;
const VERSION_DEFLATE: u16 = 20;
/// Made by: unix, so that readers take the mode (4.4.2).
const MADE_BY: u16 = (3 << 8) | VERSION_ZIP64;
/// A regular file, `rw-r--r--`.
const MODE: u32 = 0o100_644 << 16;
/// Bytes of a zip64 extra field with both sizes.
const LOCAL_EXTRA_BYTES: u16 = 4 + 16;

/// Writes everything but the files' bytes. For each file: send [`ZipWriter::local_header`], then its stored bytes
/// ([`crate::intake::ExtentReader::raw`]); at last send [`ZipWriter::finish`].
pub struct ZipWriter {
    modified: DosTime,
    directory: Vec<u8>,
    entries: u64,
    position: u64,
}

impl ZipWriter {
    /// Before the first file; `modified` is given to all of them.
    pub fn new(modified: DosTime) -> Self {
        Self { modified, directory: Vec::new(), entries: 0, position: 0 }
    }

    /// The header of the next file (4.3.7). The caller sees to it that no name comes twice, and sends exactly
    /// `extent.stored_len` bytes after it.
    pub fn local_header(&mut self, name: &EntryName, extent: &Extent, crc32: u32) -> Vec<u8> {
        let offset = self.position;
        let zip64 = needs_zip64(extent);
        let mut header = Vec::with_capacity(usize::try_from(local_len(name, extent)).unwrap_or(0));
        header.extend_from_slice(&record::LOCAL);
        put16(&mut header, version(zip64));
        self.put_common(&mut header, extent, crc32, zip64);
        put16(&mut header, name_len(name));
        put16(&mut header, if zip64 { LOCAL_EXTRA_BYTES } else { 0 });
        header.extend_from_slice(name.as_str().as_bytes());
        if zip64 {
            put_zip64(&mut header, &[extent.len, extent.stored_len]);
        }
        self.put_central(name, extent, crc32, offset);
        self.entries = self.entries.saturating_add(1);
        self.position = offset.saturating_add(header.len() as u64).saturating_add(extent.stored_len);
        header
    }

    /// The central directory and its end (4.3.12 to 4.3.16).
    pub fn finish(self) -> Vec<u8> {
        let Self { mut directory, entries, position, .. } = self;
        let bytes = directory.len() as u64;
        let out = &mut directory;
        if needs_end64(entries, bytes, position) {
            out.extend_from_slice(&record::END64);
            // 4.3.14.1: without the first 12 bytes.
            put64(out, (record::END64_BYTES as u64).saturating_sub(12));
            put16(out, MADE_BY);
            put16(out, VERSION_ZIP64);
            put32(out, 0);
            put32(out, 0);
            put64(out, entries);
            put64(out, entries);
            put64(out, bytes);
            put64(out, position);
            out.extend_from_slice(&record::LOCATOR64);
            put32(out, 0);
            put64(out, position.saturating_add(bytes));
            put32(out, 1);
        }
        out.extend_from_slice(&record::END);
        put16(out, 0);
        put16(out, 0);
        put16(out, narrow16(entries));
        put16(out, narrow16(entries));
        put32(out, narrow(bytes));
        put32(out, narrow(position));
        put16(out, 0);
        directory
    }

    /// Flags to uncompressed size, which both headers have alike.
    fn put_common(&self, out: &mut Vec<u8>, extent: &Extent, crc32: u32, zip64: bool) {
        put16(out, record::FLAG_UTF8);
        put16(
            out,
            match extent.method {
                Method::Stored => 0,
                Method::Deflated => 8,
            },
        );
        put16(out, self.modified.time);
        put16(out, self.modified.date);
        put32(out, crc32);
        // 4.5.3: in a local header both sizes are in the zip64 field or none; the same is done in the directory.
        put32(out, if zip64 { u32::MAX } else { narrow(extent.stored_len) });
        put32(out, if zip64 { u32::MAX } else { narrow(extent.len) });
    }

    fn put_central(&mut self, name: &EntryName, extent: &Extent, crc32: u32, offset: u64) {
        let zip64 = needs_zip64(extent);
        let mut wide = Vec::new();
        if zip64 {
            wide.extend_from_slice(&[extent.len, extent.stored_len]);
        }
        if is_wide(offset) {
            wide.push(offset);
        }
        let mut header = Vec::with_capacity(record::CENTRAL_BYTES);
        header.extend_from_slice(&record::CENTRAL);
        put16(&mut header, MADE_BY);
        put16(&mut header, version(!wide.is_empty()));
        self.put_common(&mut header, extent, crc32, zip64);
        put16(&mut header, name_len(name));
        put16(&mut header, extra_len(wide.len()));
        // Comment length, disk, internal attributes.
        header.extend_from_slice(&[0; 6]);
        put32(&mut header, MODE);
        put32(&mut header, narrow(offset));
        self.directory.extend_from_slice(&header);
        self.directory.extend_from_slice(name.as_str().as_bytes());
        if !wide.is_empty() {
            put_zip64(&mut self.directory, &wide);
        }
    }
}

/// Bytes of the whole zip of these files, in this order, for a `Content-Length`.
pub fn total_len<'a>(files: impl IntoIterator<Item = (&'a EntryName, &'a Extent)>) -> u64 {
    let (mut position, mut directory, mut entries) = (0_u64, 0_u64, 0_u64);
    for (name, extent) in files {
        let wide = usize::from(needs_zip64(extent)) * 2 + usize::from(is_wide(position));
        let central = record::CENTRAL_BYTES as u64 + name.as_str().len() as u64 + u64::from(extra_len(wide));
        directory = directory.saturating_add(central);
        position = position.saturating_add(local_len(name, extent)).saturating_add(extent.stored_len);
        entries = entries.saturating_add(1);
    }
    let end = if needs_end64(entries, directory, position) {
        record::END_BYTES + record::END64_BYTES + record::LOCATOR64_BYTES
    } else {
        record::END_BYTES
    };
    position.saturating_add(directory).saturating_add(end as u64)
}

/// A value that 32 bits cannot hold, or that would mean "see zip64" (4.4.1.4).
fn is_wide(value: u64) -> bool {
    value >= u64::from(u32::MAX)
}

fn needs_zip64(extent: &Extent) -> bool {
    is_wide(extent.len) || is_wide(extent.stored_len)
}

fn needs_end64(entries: u64, directory_bytes: u64, directory_offset: u64) -> bool {
    entries >= u64::from(u16::MAX) || is_wide(directory_bytes) || is_wide(directory_offset)
}

fn local_len(name: &EntryName, extent: &Extent) -> u64 {
    let extra = if needs_zip64(extent) { u64::from(LOCAL_EXTRA_BYTES) } else { 0 };
    record::LOCAL_BYTES as u64 + name.as_str().len() as u64 + extra
}

/// Bytes of a zip64 extra field with so many values, at most three.
fn extra_len(values: usize) -> u16 {
    match values {
        0 => 0,
        1 => 12,
        2 => 20,
        _ => 28,
    }
}

fn version(zip64: bool) -> u16 {
    if zip64 { VERSION_ZIP64 } else { VERSION_DEFLATE }
}

/// Never saturates: an [`EntryName`] has at most 65,535 bytes.
fn name_len(name: &EntryName) -> u16 {
    narrow16(name.as_str().len() as u64)
}

fn narrow(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn narrow16(value: u64) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
}

fn put_zip64(out: &mut Vec<u8>, values: &[u64]) {
    put16(out, 1);
    put16(out, extra_len(values.len()).saturating_sub(4));
    for &value in values {
        put64(out, value);
    }
}

fn put16(out: &mut Vec<u8>, value: u16) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn put32(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn put64(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(&value.to_le_bytes());
}
