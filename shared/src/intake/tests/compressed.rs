//! Compressed bodies: right ones, damaged ones and bombs.

use std::io::Write;

use flate2::{GzBuilder, write::GzEncoder};

use super::harness::{Random, noise};
use super::xz_samples::*;
use crate::intake::decode::{Compression, Decoder, OUTPUT_BYTES};
use crate::intake::{BodyKind, IntakeError};
use crate::limits::Limits;

use Compression::{Bzip2, Gzip, Xz};

/// All that comes out, and how it ends.
fn decode_with(format: Compression, body: &[u8], chunk: usize, limits: &Limits) -> (Vec<u8>, Result<(), IntakeError>) {
    let mut decoder = Decoder::new(format, limits);
    let mut all = Vec::new();
    for mut input in body.chunks(chunk) {
        loop {
            match decoder.step(&mut input) {
                Ok([]) => break,
                Ok(piece) => {
                    assert!(piece.len() <= OUTPUT_BYTES);
                    all.extend_from_slice(piece);
                }
                Err(error) => {
                    assert!(decoder.step(&mut &b""[..]).is_err() && decoder.finish().is_err());
                    return (all, Err(error));
                }
            }
        }
        assert!(input.is_empty());
    }
    assert_eq!((decoder.taken_bytes(), decoder.made_bytes()), (body.len() as u64, all.len() as u64));
    (all, decoder.finish())
}

fn decode(format: Compression, body: &[u8], chunk: usize) -> Result<Vec<u8>, IntakeError> {
    let (all, end) = decode_with(format, body, chunk, &Limits::default());
    end.map(|()| all)
}

#[track_caller]
fn gives(format: Compression, body: &[u8], data: &[u8]) {
    for chunk in [1, 7, 511, 512, 513, 64 << 10, usize::MAX] {
        let all = decode(format, body, chunk).unwrap_or_else(|error| panic!("{chunk}: {error}"));
        assert!(all == data, "{chunk}");
    }
}

#[track_caller]
fn refuses(format: Compression, body: &[u8], code: &str) {
    for chunk in [1, 7, usize::MAX] {
        let error = decode(format, body, chunk).unwrap_err();
        assert_eq!(error.code(), code, "{chunk}: {error}");
        assert!(error.is_client_fault());
    }
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn bzip2(data: &[u8]) -> Vec<u8> {
    let mut encoder = ::bzip2::write::BzEncoder::new(Vec::new(), ::bzip2::Compression::new(1));
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn gzip_is_decoded_with_every_field_its_header_may_have() {
    let data = noise(400_000, 1);
    let builder = GzBuilder::new().mtime(5).extra(&b"ab\x02\0xx"[..]).filename("IM1.dcm").comment("a comment");
    let mut encoder = builder.write(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(&data).unwrap();
    let mut body = encoder.finish().unwrap();
    assert_eq!(BodyKind::of(&body).compression(), Some(Gzip));
    gives(Gzip, &body, &data);
    // With the CRC-16 of its header too.
    let header_len = body.windows(10).position(|found| found == b"a comment\0").unwrap() + 10;
    body[3] |= 2;
    let crc = crc32fast::hash(&body[..header_len]) as u16;
    body.splice(header_len..header_len, crc.to_le_bytes());
    gives(Gzip, &body, &data);
    body[header_len] ^= 1;
    refuses(Gzip, &body, "compressed.damaged");
}

#[test]
fn streams_behind_each_other_are_one_file() {
    let parts = [noise(70_000, 1), Vec::new(), noise(10, 2)];
    let (first, all) = (&parts[0], parts.concat());
    gives(Gzip, &parts.iter().flat_map(|part| gzip(part)).collect::<Vec<_>>(), &all);
    gives(Bzip2, &parts.iter().flat_map(|part| bzip2(part)).collect::<Vec<_>>(), &all);
    gives(Gzip, &[gzip(first), vec![0; 1_000]].concat(), first);
    let xz = [unhex(XZ_CRC64), vec![0; 8], unhex(XZ_EMPTY), unhex(XZ_SHA256), vec![0; 4]].concat();
    gives(Xz, &xz, &DATA.repeat(2));
}

#[test]
fn xz_is_decoded_with_every_check_and_with_many_blocks() {
    for sample in [XZ_NONE, XZ_CRC32, XZ_CRC64, XZ_SHA256, XZ_BLOCKS] {
        let body = unhex(sample);
        assert_eq!(BodyKind::of(&body).compression(), Some(Xz));
        gives(Xz, &body, DATA);
    }
    gives(Xz, &unhex(XZ_EMPTY), b"");
    gives(Xz, &unhex(XZ_ZEROS), &vec![0; 1 << 20]);
}

#[test]
fn bzip2_is_decoded() {
    let data = noise(250_000, 1);
    let body = bzip2(&data);
    assert_eq!(BodyKind::of(&body).compression(), Some(Bzip2));
    gives(Bzip2, &body, &data);
    gives(Bzip2, &bzip2(b""), b"");
}

#[test]
fn whatever_follows_the_end_is_refused() {
    for (format, body) in [(Gzip, gzip(b"x")), (Bzip2, bzip2(b"x")), (Xz, unhex(XZ_CRC32))] {
        for behind in [&b"garbage"[..], b"\xff", b"\0\0\0\0x"] {
            refuses(format, &[&body[..], behind].concat(), "compressed.bytes_after_end");
        }
    }
    refuses(Bzip2, &[&bzip2(b"x")[..], &[0; 4]].concat(), "compressed.bytes_after_end");
    refuses(Gzip, &[&gzip(b"x")[..], &[0; 4], &gzip(b"x")[..]].concat(), "compressed.bytes_after_end");
    let xz = unhex(XZ_CRC32);
    refuses(Xz, &[&xz[..], &[0; 3]].concat(), "compressed.cut_off");
    refuses(Xz, &[&xz[..], &[0; 3], &xz[..]].concat(), "compressed.bytes_after_end");
}

#[test]
fn xz_that_asks_for_too_much_or_for_other_filters_is_refused() {
    refuses(Xz, &unhex(XZ_DELTA), "compressed.xz_feature");
    refuses(Xz, &unhex(XZ_BIG_DICTIONARY), "compressed.dictionary");
    let limits = Limits { max_dictionary_bytes: 128 << 20, ..Limits::default() };
    let (all, end) = decode_with(Xz, &unhex(XZ_BIG_DICTIONARY), 7, &limits);
    assert!(end.is_ok() && all == DATA);
    let mut unknown_check = unhex(XZ_CRC64);
    unknown_check[7] = 2;
    let crc = crc32fast::hash(&unknown_check[6..8]).to_le_bytes();
    unknown_check[8..12].copy_from_slice(&crc);
    refuses(Xz, &unknown_check, "compressed.xz_feature");
}

#[test]
fn bombs_are_refused_beyond_their_allowance() {
    let free = 256 << 10;
    let zeros = vec![0; 1 << 20];
    for (format, body) in [(Gzip, gzip(&zeros)), (Bzip2, bzip2(&zeros)), (Xz, unhex(XZ_ZEROS))] {
        let ratio = Limits { max_ratio: 5, ratio_free_decompressed_bytes: free as u64, ..Limits::default() };
        let size = Limits { max_inflated_bytes: free as u64, ..Limits::default() };
        for (limits, code) in [(ratio, "zip.ratio"), (size, "zip.inflated_too_large")] {
            for chunk in [1, 100, usize::MAX] {
                let (all, end) = decode_with(format, &body, chunk, &limits);
                let error = end.unwrap_err();
                assert!(error.code() == code && error.is_too_large(), "{format}, {chunk}: {error}");
                assert!(all.len() <= free + 5 * body.len(), "{format}, {chunk}: {}", all.len());
            }
        }
        assert!(decode(format, &body, 100).unwrap() == zeros);
    }
}

#[test]
fn very_many_streams_of_nothing_are_refused() {
    for (format, body) in [(Gzip, gzip(b"")), (Bzip2, bzip2(b"")), (Xz, unhex(XZ_EMPTY))] {
        assert!(decode(format, &body.repeat(1 + 1_024), usize::MAX).unwrap().is_empty());
        let error = decode(format, &body.repeat(2 + 1_024), usize::MAX).unwrap_err();
        assert_eq!(error.code(), "compressed.too_many_streams", "{format}");
    }
    let large = gzip(&vec![0; 33 << 10]);
    assert!(decode(Gzip, &large.repeat(3_000), usize::MAX).is_ok());
}

#[test]
fn streams_of_nothing_are_counted_over_all_files_of_an_upload() {
    for (format, nothing, large) in [
        (Gzip, gzip(b""), gzip(&vec![0; 1 << 20])),
        (Bzip2, bzip2(b""), bzip2(&vec![0; 1 << 20])),
        (Xz, unhex(XZ_EMPTY), unhex(XZ_ZEROS)),
    ] {
        let mut spent = 0;
        let mut decode = |body: Vec<u8>| {
            let mut decoder = Decoder::new(format, &Limits::default()).behind(spent);
            let mut input = &body[..];
            while !decoder.step(&mut input)?.is_empty() {}
            spent = decoder.spent_streams();
            decoder.finish().map(|()| spent)
        };
        // The first stream of each file is free.
        for _ in 0..2_000 {
            assert_eq!(decode(nothing.clone()).unwrap(), 0, "{format}");
        }
        assert_eq!(decode(nothing.repeat(1_001)).unwrap(), 1_000, "{format}");
        // What has made bytes pays for itself.
        assert_eq!(decode([nothing.repeat(20), large].concat()).unwrap(), 1_000, "{format}");
        assert_eq!(decode(nothing.repeat(25)).unwrap(), 1_024, "{format}");
        assert_eq!(decode(nothing.repeat(2)).unwrap_err().code(), "compressed.too_many_streams", "{format}");
    }
}

#[test]
fn tiny_blocks_of_xz_count_as_streams() {
    let body = unhex(XZ_BLOCKS);
    let mut decoder = Decoder::new(Xz, &Limits::default());
    let mut input = &body[..];
    while !decoder.step(&mut input).unwrap().is_empty() {}
    assert!(decoder.spent_streams() > 0);
}

#[test]
fn a_stream_of_bzip2_without_blocks_must_be_right() {
    let body = bzip2(b"");
    assert_eq!(body.len(), 14);
    for level in 1..=9 {
        let mut body = body.clone();
        body[3] = b'0' + level;
        gives(Bzip2, &body, b"");
        gives(Bzip2, &[&body[..], &bzip2(b"x"), &body].concat(), b"x");
    }
    for (at, byte) in [(0, b'b'), (2, b'0'), (3, b'0'), (3, b':'), (4, 0x16), (9, 0x91), (10, 1), (13, 1)] {
        let mut damaged = body.clone();
        damaged[at] = byte;
        refuses(Bzip2, &damaged, "compressed.damaged");
    }
}

fn small() -> Vec<(Compression, Vec<u8>)> {
    let mut all = vec![(Gzip, gzip(DATA)), (Bzip2, bzip2(DATA))];
    all.extend([XZ_CRC32, XZ_CRC64, XZ_SHA256, XZ_BLOCKS, XZ_EMPTY].map(|sample| (Xz, unhex(sample))));
    all
}

#[test]
fn data_cut_off_anywhere_are_refused() {
    for (format, body) in small() {
        for len in 0..body.len() {
            for chunk in [1, usize::MAX] {
                let error = decode(format, &body[..len], chunk).unwrap_err();
                assert_eq!(error.code(), "compressed.cut_off", "{format}, cut at {len}: {error}");
            }
        }
    }
}

#[test]
fn any_flipped_bit_is_refused_or_harmless() {
    for (format, body) in small() {
        for at in 0..body.len() {
            for bit in 0..8 {
                let mut damaged = body.clone();
                damaged[at] ^= 1 << bit;
                let verdicts = [1, usize::MAX].map(|chunk| decode(format, &damaged, chunk));
                let taken = verdicts.iter().filter(|verdict| verdict.is_ok()).count();
                assert!(taken == 0 || taken == 2, "{format}, byte {at}, bit {bit}");
                for data in verdicts.into_iter().flatten() {
                    // gzip's header says things that its data do not depend on, and deflate and bzip2 end within a
                    // byte. In xz everything is checked.
                    assert!(format != Xz && data == DATA, "{format}, byte {at}, bit {bit}");
                }
            }
        }
    }
}

#[test]
fn random_damage_is_judged_alike_however_the_data_arrive() {
    let mut random = Random(9);
    let larger = [(Gzip, gzip(&noise(3_000, 1))), (Bzip2, bzip2(&noise(3_000, 1))), (Xz, unhex(XZ_ZEROS))];
    // Whatever damage comes behind the checksums that would find it first.
    let unchecked = (Xz, unhex(XZ_NONE));
    for (format, body) in small().into_iter().chain(larger).chain([unchecked]) {
        for _ in 0..400 {
            let mut damaged = body.clone();
            for _ in 0..=random.below(4) {
                let at = random.below(damaged.len());
                match random.below(3) {
                    0 => damaged[at] = random.next() as u8,
                    1 => damaged.insert(at, random.next() as u8),
                    _ => drop(damaged.remove(at)),
                }
            }
            let limits = Limits { max_inflated_bytes: 2 << 20, ..Limits::default() };
            let [one, other] = [1 + random.below(40), usize::MAX].map(|chunk| {
                let (all, end) = decode_with(format, &damaged, chunk, &limits);
                end.map(|()| all).map_err(|error| error.code())
            });
            assert_eq!(one.is_ok(), other.is_ok(), "{format}");
            assert!(one.is_err() || one == other, "{format}");
        }
    }
}
