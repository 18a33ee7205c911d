//! Zips stitched from stored bytes.

use super::builder::deflate;
use super::harness::{accepts, noise};
use super::real::python_reads;
use crate::intake::zipout::{DosTime, total_len};
use crate::intake::{EntryName, Extent, Method, ZipWriter};
use crate::limits::Limits;

fn name(name: &str) -> EntryName {
    EntryName::parse(name, &Limits::default()).unwrap()
}

struct File {
    name: EntryName,
    data: Vec<u8>,
    stored: Vec<u8>,
    extent: Extent,
}

fn file(path: &str, data: &[u8], method: Method) -> File {
    let stored = if method == Method::Deflated { deflate(data) } else { data.to_vec() };
    let extent = Extent { offset: 0, stored_len: stored.len() as u64, len: data.len() as u64, method };
    File { name: name(path), data: data.to_vec(), stored, extent }
}

fn stitch(files: &[File]) -> Vec<u8> {
    let mut writer = ZipWriter::new(DosTime::new(2026, 11, 23, 4, 30, 58));
    let mut body = Vec::new();
    for file in files {
        body.extend(writer.local_header(&file.name, &file.extent, crc32fast::hash(&file.data)));
        body.extend(&file.stored);
    }
    body.extend(writer.finish());
    assert_eq!(total_len(files.iter().map(|file| (&file.name, &file.extent))), body.len() as u64);
    body
}

#[test]
fn a_stitched_zip_can_be_taken_in_again_and_read_by_python() {
    let files = [
        file("SESSION/scans/1/é 1.dcm", &noise(200_000, 1), Method::Deflated),
        file("SESSION/scans/1/2.dcm", &noise(3_000, 2), Method::Stored),
        file("empty", b"", Method::Stored),
        file("empty deflated", b"", Method::Deflated),
    ];
    let body = stitch(&files);
    let expected: Vec<(&str, &[u8])> = files.iter().map(|file| (file.name.as_str(), &file.data[..])).collect();
    assert_eq!(accepts(&body, &expected).reread, 0);
    if let Some(listed) = python_reads(&body) {
        let names: Vec<String> = files.iter().map(|file| format!("{} {}", file.data.len(), file.name)).collect();
        assert_eq!(listed.lines().collect::<Vec<_>>(), names);
    }
    assert_eq!(accepts(&stitch(&[]), &[]).files, 0);
}

#[test]
fn more_than_65534_files_get_zip64_ends() {
    for count in [65_534, 65_535] {
        let files: Vec<File> = (0..count).map(|number| file(&format!("{number}"), b"", Method::Stored)).collect();
        let body = stitch(&files);
        assert_eq!(body.windows(4).any(|window| window == b"PK\x06\x06"), count > 65_534);
        let (entries, _) = super::harness::take_in(&body, Some(100_000), Limits::default()).unwrap();
        assert_eq!(entries.len(), count);
        if let Some(listed) = python_reads(&body) {
            assert_eq!(listed.lines().count(), count);
        }
    }
}

#[test]
fn sizes_and_offsets_over_32_bits_are_written_as_zip64() {
    let big = Extent { offset: 0, stored_len: u64::from(u32::MAX), len: 5 << 32, method: Method::Deflated };
    let small = Extent { offset: 0, stored_len: 1, len: 1, method: Method::Stored };
    let names = [name("big"), name("small"), name("other")];
    let mut writer = ZipWriter::new(DosTime::EARLIEST);
    let mut headers = 0;
    for (name, extent) in names.iter().zip([&big, &small, &big]) {
        headers += writer.local_header(name, extent, 7).len() as u64 + extent.stored_len;
    }
    let end = writer.finish();
    assert_eq!(total_len(names.iter().zip([&big, &small, &big])), headers + end.len() as u64);
    // "small" lies beyond 32 bits: its only wide value is the offset.
    let at = end.windows(5).position(|window| window == b"small").unwrap();
    let offset = u64::from(u32::MAX) + 30 + 3 + 20;
    assert_eq!(end[at + 5..at + 17], [&[1, 0, 8, 0][..], &offset.to_le_bytes()].concat());
    assert_eq!(end[at - 4..at], [0xff; 4]);
}

#[test]
fn times_that_do_not_fit_are_moved_to_the_nearest() {
    assert_eq!(DosTime::new(1970, 1, 1, 0, 0, 0), DosTime::EARLIEST);
    assert_eq!(DosTime::new(9999, 99, 99, 99, 99, 99), DosTime::new(2107, 12, 31, 23, 59, 59));
}
