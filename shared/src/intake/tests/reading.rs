//! Reading back by extent, and bodies that are one file.

use bytes::Bytes;
use futures::TryStreamExt;
use futures::executor::block_on;

use super::builder::deflate;
use super::harness::{Keep, Memory, memory, noise, read_back};
use crate::intake::{EntryName, Extent, ExtentError, ExtentReader, Method, PackReadError, PackSource, SingleScanner};
use crate::limits::Limits;

/// A pack with the data behind some other bytes, and the extent.
fn pack(data: &[u8], method: Method) -> (Memory, Extent) {
    let stored = if method == Method::Deflated { deflate(data) } else { data.to_vec() };
    let extent = Extent { offset: 5, stored_len: stored.len() as u64, len: data.len() as u64, method };
    (memory(&[b"abcde", &stored[..], b"behind"].concat(), 1000), extent)
}

fn range(pack: &Memory, extent: Extent, crc32: u32, range: std::ops::Range<u64>) -> Result<Vec<u8>, ExtentError> {
    let stream = ExtentReader::new(pack, extent, crc32, range)?.into_stream();
    let pieces: Vec<Bytes> = block_on(stream.try_collect())?;
    assert!(pieces.iter().all(|piece| !piece.is_empty()));
    Ok(pieces.concat())
}

#[test]
fn any_range_of_a_file_is_read_back() {
    let data = noise(300_000, 3);
    let crc32 = crc32fast::hash(&data);
    for method in [Method::Stored, Method::Deflated] {
        let (pack, extent) = pack(&data, method);
        for (start, end) in
            [(0, 300_000), (0, 0), (0, 1), (299_999, 300_000), (300_000, 300_000), (131_072, 131_073), (5, 290_000)]
        {
            assert!(range(&pack, extent, crc32, start..end).unwrap() == data[start as usize..end as usize], "{start}");
        }
        for (start, end) in [(0, 300_001), (300_001, 300_001), (u64::MAX - 1, u64::MAX), (2, 1)] {
            assert!(matches!(range(&pack, extent, crc32, start..end), Err(ExtentError::Range { .. })));
        }
    }
}

#[test]
fn an_empty_file_is_read_back_as_nothing() {
    for method in [Method::Stored, Method::Deflated] {
        let (pack, extent) = pack(b"", method);
        assert_eq!(read_back(&pack, extent, 0), b"");
    }
}

#[test]
fn damage_is_found_when_a_file_is_read_to_its_end() {
    let data = noise(300_000, 3);
    let crc32 = crc32fast::hash(&data);
    for method in [Method::Stored, Method::Deflated] {
        let (pack, extent) = pack(&data, method);
        assert!(matches!(range(&pack, extent, crc32 ^ 1, 0..300_000), Err(ExtentError::Damaged)));
        // Not when only part of it is read.
        assert!(range(&pack, extent, crc32 ^ 1, 0..1000).is_ok());
        for (len, stored_len) in [(300_001, extent.stored_len), (299_999, extent.stored_len), (300_000, 100)] {
            let extent = Extent { len, stored_len, ..extent };
            assert!(matches!(range(&pack, extent, crc32, 0..len), Err(ExtentError::Damaged)), "{len} {stored_len}");
        }
    }
    let (mut pack, extent) = pack(&data, Method::Deflated);
    let mut bytes = pack.bytes.to_vec();
    bytes[1000] ^= 0x10;
    pack.bytes = bytes.into();
    assert!(matches!(range(&pack, extent, crc32, 0..300_000), Err(ExtentError::Damaged)));
}

#[test]
fn a_pack_that_is_too_short_is_the_fault_of_the_store() {
    let data = noise(3_000, 3);
    let (mut pack, extent) = pack(&data, Method::Stored);
    pack.bytes.truncate(2_000);
    assert!(matches!(range(&pack, extent, 0, 0..3_000), Err(ExtentError::Pack(PackReadError::Short { end: 3_005 }))));
}

#[test]
fn a_failing_store_is_not_the_clients_fault() {
    struct Broken;
    impl PackSource for Broken {
        async fn read(&self, offset: u64, _: usize) -> Result<Bytes, PackReadError> {
            Err(PackReadError::Store { offset, source: "no answer".into() })
        }
        fn len(&self) -> u64 {
            1000
        }
    }
    let error = block_on(crate::intake::directory::read(&Broken, &Limits::default())).unwrap_err();
    assert_eq!((error.code(), error.is_client_fault()), ("pack.read", false));
}

#[test]
fn extents_have_short_names_in_json() {
    let extent = Extent { offset: 1, stored_len: 2, len: 3, method: Method::Deflated };
    let json = serde_json::to_string(&extent).unwrap();
    assert_eq!(json, r#"{"o":1,"s":2,"l":3,"m":"d"}"#);
    assert_eq!(serde_json::from_str::<Extent>(&json).unwrap(), extent);
}

#[test]
fn a_body_that_is_one_file_is_one_stored_extent() {
    let data = noise(10_000, 4);
    let name = || EntryName::parse("IM1.dcm", &Limits::default()).unwrap();
    for chunk in [1, 7, 4096, usize::MAX] {
        let mut single = SingleScanner::new(Limits::default(), name(), Keep::default());
        data.chunks(chunk).for_each(|chunk| single.push(chunk).unwrap());
        let entry = single.finish().unwrap();
        assert_eq!((entry.extent.offset, entry.extent.len, entry.extent.method), (0, 10_000, Method::Stored));
        assert!(entry.result == data && read_back(&memory(&data, 99), entry.extent, entry.crc32) == data);
    }
    let empty = SingleScanner::new(Limits::default(), name(), Keep::default());
    assert_eq!(empty.finish().unwrap_err().code(), "upload.empty");
    let limits = Limits { max_upload_bytes: 100, ..Limits::default() };
    let error = SingleScanner::new(limits, name(), Keep::default()).push(&data).unwrap_err();
    assert_eq!(error.code(), "upload.too_large");
    let limits = Limits { max_entry_bytes: 100, ..Limits::default() };
    let error = SingleScanner::new(limits, name(), Keep::default()).push(&data).unwrap_err();
    assert_eq!(error.code(), "zip.entry.too_large");
}
