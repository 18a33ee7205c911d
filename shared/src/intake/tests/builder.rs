//! Builds zips of which every field can be a lie.

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;

/// The fields of a header; some exist only in one of the two.
#[derive(Clone)]
pub struct Head {
    pub flags: u16,
    pub method: u16,
    pub crc32: u32,
    pub stored_len: u64,
    pub len: u64,
    pub name: Vec<u8>,
    pub extra: Vec<u8>,
    pub external: u32,
    pub made_by: u16,
    pub disk: u16,
    /// Saturate the sizes and put them into a zip64 field.
    pub zip64: bool,
}

#[derive(Clone)]
pub struct Part {
    pub gap: Vec<u8>,
    pub local: Head,
    pub stored: Vec<u8>,
    pub descriptor: Vec<u8>,
    pub central: Head,
    /// Said of the local header's offset, if not the truth.
    pub offset: Option<u64>,
    pub listed: bool,
    pub present: bool,
}

/// The end records, as they will be written.
#[derive(Clone, Debug, Default)]
pub struct End {
    pub disk: u16,
    pub directory_disk: u16,
    pub entries_here: u64,
    pub entries: u64,
    pub directory_bytes: u64,
    pub directory_offset: u64,
    pub comment: Vec<u8>,
    pub zip64: bool,
    /// Whether the short record is saturated when there is a zip64 one.
    pub saturated: bool,
    pub record_len: u64,
    pub locator_offset: u64,
    pub locator_disks: u32,
}

pub fn deflate(data: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

pub fn part(name: impl AsRef<[u8]>, data: &[u8], method: u16) -> Part {
    let stored = if method == 8 { deflate(data) } else { data.to_vec() };
    let head = Head {
        flags: 0,
        method,
        crc32: crc32fast::hash(data),
        stored_len: stored.len() as u64,
        len: data.len() as u64,
        name: name.as_ref().to_vec(),
        extra: Vec::new(),
        external: 0o100_644 << 16,
        made_by: 0x031e,
        disk: 0,
        zip64: false,
    };
    Part {
        gap: Vec::new(),
        local: head.clone(),
        stored,
        descriptor: Vec::new(),
        central: head,
        offset: None,
        listed: true,
        present: true,
    }
}

pub fn stored(name: impl AsRef<[u8]>, data: &[u8]) -> Part {
    part(name, data, 0)
}

pub fn deflated(name: impl AsRef<[u8]>, data: &[u8]) -> Part {
    part(name, data, 8)
}

pub fn folder(name: &str) -> Part {
    stored(name, b"").external(0o040_755 << 16 | 0x10)
}

impl Part {
    pub fn both(mut self, change: impl Fn(&mut Head)) -> Self {
        change(&mut self.local);
        change(&mut self.central);
        self
    }

    pub fn local(mut self, change: impl Fn(&mut Head)) -> Self {
        change(&mut self.local);
        self
    }

    pub fn central(mut self, change: impl Fn(&mut Head)) -> Self {
        change(&mut self.central);
        self
    }

    pub fn external(self, external: u32) -> Self {
        self.both(|head| head.external = external)
    }

    pub fn gap(mut self, bytes: &[u8]) -> Self {
        self.gap = bytes.to_vec();
        self
    }

    /// Moves sizes and CRC-32 behind the data, as a streaming writer does.
    pub fn described(mut self, signature: bool, wide: bool) -> Self {
        let Head { crc32, stored_len, len, .. } = self.central;
        let mut bytes = if signature { b"PK\x07\x08".to_vec() } else { Vec::new() };
        bytes.extend(crc32.to_le_bytes());
        for size in [stored_len, len] {
            let size = size.to_le_bytes();
            bytes.extend(if wide { &size[..] } else { &size[..4] });
        }
        self.descriptor = bytes;
        self.local(|head| (head.crc32, head.stored_len, head.len) = (0, 0, 0)).both(|head| head.flags |= 8)
    }
}

/// The extra field that gives `name` in UTF-8 for the name `of` a header.
pub fn unicode_path(of: &[u8], name: &[u8]) -> Vec<u8> {
    let mut extra = 0x7075_u16.to_le_bytes().to_vec();
    extra.extend((name.len() as u16 + 5).to_le_bytes());
    extra.push(1);
    extra.extend(crc32fast::hash(of).to_le_bytes());
    extra.extend(name);
    extra
}

fn zip64_extra(head: &Head, offset: Option<u64>) -> Vec<u8> {
    let mut values = if head.zip64 { vec![head.len, head.stored_len] } else { Vec::new() };
    values.extend(offset);
    let mut extra = Vec::new();
    if !values.is_empty() {
        extra.extend(1_u16.to_le_bytes());
        extra.extend((values.len() as u16 * 8).to_le_bytes());
        values.iter().for_each(|value| extra.extend(value.to_le_bytes()));
    }
    extra.extend(&head.extra);
    extra
}

fn common(out: &mut Vec<u8>, head: &Head, extra_len: usize) {
    out.extend(head.flags.to_le_bytes());
    out.extend(head.method.to_le_bytes());
    out.extend([0, 0, 0x21, 0]);
    out.extend(head.crc32.to_le_bytes());
    for size in [head.stored_len, head.len] {
        out.extend(if head.zip64 { u32::MAX } else { size as u32 }.to_le_bytes());
    }
    out.extend((head.name.len() as u16).to_le_bytes());
    out.extend((extra_len as u16).to_le_bytes());
}

/// The zip of these parts.
pub fn zip(parts: &[Part]) -> Vec<u8> {
    zip_with(parts, |_| {})
}

/// The zip of these parts, with the end changed.
pub fn zip_with(parts: &[Part], change: impl Fn(&mut End)) -> Vec<u8> {
    zip_ordered(parts, &(0..parts.len()).collect::<Vec<_>>(), change)
}

/// The zip of these parts, listed in the order given.
pub fn zip_ordered(parts: &[Part], order: &[usize], change: impl Fn(&mut End)) -> Vec<u8> {
    let mut out = Vec::new();
    let mut offsets = Vec::new();
    for part in parts {
        out.extend(&part.gap);
        offsets.push(out.len() as u64);
        if part.present {
            let extra = zip64_extra(&part.local, None);
            out.extend(b"PK\x03\x04\x14\0");
            common(&mut out, &part.local, extra.len());
            out.extend(&part.local.name);
            out.extend(extra);
            out.extend(&part.stored);
            out.extend(&part.descriptor);
        }
    }
    let directory_offset = out.len();
    let mut entries = 0;
    for &index in order {
        let part = &parts[index];
        if !part.listed {
            continue;
        }
        entries += 1;
        let head = &part.central;
        let offset = part.offset.unwrap_or(offsets[index]);
        // The offset too goes into the zip64 field if the sizes do.
        let extra = zip64_extra(head, head.zip64.then_some(offset));
        out.extend(b"PK\x01\x02");
        out.extend(head.made_by.to_le_bytes());
        out.extend([20, 0]);
        common(&mut out, head, extra.len());
        out.extend([0, 0]);
        out.extend(head.disk.to_le_bytes());
        out.extend([0, 0]);
        out.extend(head.external.to_le_bytes());
        out.extend(if head.zip64 { u32::MAX } else { offset as u32 }.to_le_bytes());
        out.extend(&head.name);
        out.extend(extra);
    }
    let mut end = End {
        entries_here: entries,
        entries,
        directory_bytes: (out.len() - directory_offset) as u64,
        directory_offset: directory_offset as u64,
        saturated: true,
        record_len: 44,
        locator_offset: out.len() as u64,
        locator_disks: 1,
        ..End::default()
    };
    change(&mut end);
    write_end(&mut out, &end);
    out
}

pub fn write_end(out: &mut Vec<u8>, end: &End) {
    if end.zip64 {
        out.extend(b"PK\x06\x06");
        out.extend(end.record_len.to_le_bytes());
        out.extend([45, 0, 45, 0]);
        out.extend(u32::from(end.disk).to_le_bytes());
        out.extend(u32::from(end.directory_disk).to_le_bytes());
        for value in [end.entries_here, end.entries, end.directory_bytes, end.directory_offset] {
            out.extend(value.to_le_bytes());
        }
        out.extend(b"PK\x06\x07\0\0\0\0");
        out.extend(end.locator_offset.to_le_bytes());
        out.extend(end.locator_disks.to_le_bytes());
    }
    let saturated = end.zip64 && end.saturated;
    out.extend(b"PK\x05\x06");
    out.extend(end.disk.to_le_bytes());
    out.extend(end.directory_disk.to_le_bytes());
    for value in [end.entries_here, end.entries] {
        out.extend(if saturated { u16::MAX } else { value as u16 }.to_le_bytes());
    }
    for value in [end.directory_bytes, end.directory_offset] {
        out.extend(if saturated { u32::MAX } else { value as u32 }.to_le_bytes());
    }
    out.extend((end.comment.len() as u16).to_le_bytes());
    out.extend(&end.comment);
}
