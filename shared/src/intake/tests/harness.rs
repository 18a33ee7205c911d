//! Takes a zip in as the service does, in every way a body can be cut, and reads everything back.

use std::fmt::Debug;

use bytes::Bytes;
use futures::executor::block_on;

use crate::intake::{
    Entry, EntryName, EntrySink, EntryVisitor, Extent, ExtentReader, IntakeError, PackReadError, PackSource,
    SinkFactory, Summary, ZipScanner, zip,
};
use crate::limits::Limits;

/// A pack in memory, which answers with at most `piece` bytes.
pub struct Memory {
    pub bytes: Bytes,
    pub piece: usize,
}

impl PackSource for Memory {
    async fn read(&self, offset: u64, len: usize) -> Result<Bytes, PackReadError> {
        let start = usize::try_from(offset).unwrap().min(self.bytes.len());
        let end = self.bytes.len().min(start + len.min(self.piece));
        Ok(self.bytes.slice(start..end))
    }

    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }
}

/// Keeps all bytes.
#[derive(Default)]
pub struct Keep(Vec<u8>);

impl EntrySink for Keep {
    type Output = Vec<u8>;
    fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
    fn finish(self) -> Vec<u8> {
        self.0
    }
}

pub struct KeepAll;

impl SinkFactory for KeepAll {
    type Sink = Keep;
    fn open(&mut self, _: &EntryName) -> Keep {
        Keep::default()
    }
}

/// Keeps all entries.
pub struct Collect(pub Vec<Entry<Vec<u8>>>);

impl EntryVisitor<Vec<u8>> for Collect {
    type Error = IntakeError;
    fn entry(&mut self, entry: Entry<Vec<u8>>) -> Result<(), IntakeError> {
        self.0.push(entry);
        Ok(())
    }
}

/// How the body arrives: in chunks of so many bytes, or not at all before it is complete.
pub const WAYS: [Option<usize>; 6] = [Some(1), Some(7), Some(100), Some(4096), Some(usize::MAX), None];

pub type Taken = (Vec<Entry<Vec<u8>>>, Summary);

pub fn take_in(body: &[u8], chunk: Option<usize>, limits: Limits) -> Result<Taken, IntakeError> {
    let mut scanner = ZipScanner::new(limits, KeepAll);
    if let Some(chunk) = chunk {
        for chunk in body.chunks(chunk) {
            scanner.push(chunk)?;
        }
        assert_eq!(scanner.received_bytes(), body.len() as u64);
    }
    let pack = memory(body, chunk.unwrap_or(100));
    let mut collect = Collect(Vec::new());
    let summary = block_on(zip::finish(scanner, &pack, &mut collect))?;
    Ok((collect.0, summary))
}

pub fn memory(body: &[u8], piece: usize) -> Memory {
    Memory { bytes: Bytes::copy_from_slice(body), piece }
}

pub fn read_back(pack: &Memory, extent: Extent, crc32: u32) -> Vec<u8> {
    let mut reader = ExtentReader::whole(pack, extent, crc32).unwrap();
    let mut bytes = Vec::new();
    while let Some(piece) = block_on(reader.next()).unwrap() {
        assert!(!piece.is_empty());
        bytes.extend_from_slice(&piece);
    }
    bytes
}

/// The entries are these files, in this order, to the sinks and when read back. `way` says how the body arrived.
#[track_caller]
pub fn assert_entries(entries: &[Entry<Vec<u8>>], files: &[(&str, &[u8])], pack: &Memory, way: impl Debug) {
    let found: Vec<(&str, &[u8])> = entries.iter().map(|entry| (entry.name.as_str(), &entry.result[..])).collect();
    assert!(found == files, "{way:?}: {:?}", entries.iter().map(|entry| &entry.name).collect::<Vec<_>>());
    for entry in entries {
        assert!(read_back(pack, entry.extent, entry.crc32) == entry.result, "{way:?}: {}", entry.name);
    }
}

/// In every way the zip gives these files, in this order, to the sinks and when read back.
#[track_caller]
pub fn accepts(body: &[u8], files: &[(&str, &[u8])]) -> Summary {
    let mut first = None;
    for way in WAYS {
        let (entries, summary) =
            take_in(body, way, Limits::default()).unwrap_or_else(|error| panic!("{way:?}: {error}"));
        assert_entries(&entries, files, &memory(body, way.unwrap_or(1000)), way);
        if way.is_some() {
            assert_eq!(*first.get_or_insert(summary), summary, "{way:?}");
        }
    }
    first.unwrap()
}

/// In every way the zip is refused with this code.
#[track_caller]
pub fn refuses(body: &[u8], code: &str) -> String {
    refuses_as(body, &[code])
}

/// In every way the zip is refused with one of these codes: the scanner may stumble over something else first.
#[track_caller]
pub fn refuses_as(body: &[u8], codes: &[&str]) -> String {
    let mut message = String::new();
    for way in WAYS {
        match take_in(body, way, Limits::default()) {
            Ok(_) => panic!("{way:?}: accepted, but should be {codes:?}"),
            Err(error) => {
                assert!(codes.contains(&error.code()), "{way:?}: {} ({error}), not {codes:?}", error.code());
                assert!(error.is_client_fault());
                message = error.to_string();
            }
        }
    }
    message
}

/// Bytes that look like 16-bit image data: noisy, not wholly incompressible, the same for the same seed.
pub fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut random = Random(seed);
    (0..len).map(|at| if at % 2 == 0 { random.next() as u8 } else { 3 }).collect()
}

/// A small generator (splitmix64), so that every run tests the same.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}
