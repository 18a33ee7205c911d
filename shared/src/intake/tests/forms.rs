//! Zips that are right, though some are odd.

use super::builder::{End, deflated, folder, stored, unicode_path, write_end, zip, zip_ordered, zip_with};
use super::harness::{accepts, noise};

#[test]
fn stored_and_deflated_entries_are_taken_without_reading_back() {
    let (a, b) = (noise(300_000, 1), noise(5_000, 2));
    let body = zip(&[deflated("s/a", &a), folder("s/"), stored("s/b", &b), stored("empty", b""), deflated("e2", b"")]);
    let summary = accepts(&body, &[("s/a", &a), ("s/b", &b), ("empty", b""), ("e2", b"")]);
    assert_eq!((summary.files, summary.folders, summary.reread, summary.unlisted), (4, 1, 0, 0));
    assert_eq!(summary.bytes, 305_000);
}

#[test]
fn an_empty_zip_has_no_files() {
    assert_eq!(accepts(&zip(&[]), &[]).files, 0);
}

#[test]
fn data_descriptors_in_all_four_forms_are_followed() {
    let (a, b) = (noise(70_000, 1), noise(10, 2));
    for signature in [true, false] {
        for wide in [true, false] {
            let body = zip(&[
                deflated("a", &a).described(signature, wide),
                deflated("none", b"").described(signature, wide),
                deflated("b", &b).described(signature, wide),
            ]);
            let summary = accepts(&body, &[("a", &a), ("none", b""), ("b", &b)]);
            assert_eq!(summary.reread, 0, "signature {signature}, wide {wide}");
        }
    }
}

#[test]
fn a_descriptor_whose_crc_looks_like_its_signature_is_followed() {
    // The CRC-32 of this is 0x08074b50, which is "PK\7\8".
    let data = data_with_crc(0x0807_4b50);
    for (signature, wide) in [(true, true), (true, false), (false, true), (false, false)] {
        let body = zip(&[deflated("a", &data).described(signature, wide), stored("b", b"b")]);
        assert_eq!(accepts(&body, &[("a", &data), ("b", b"b")]).reread, 0);
    }
}

/// Some bytes followed by the four that give this CRC-32, found by going backwards through the register.
fn data_with_crc(wanted: u32) -> Vec<u8> {
    let mut data = b"made to measure".to_vec();
    let mut register = !wanted;
    for _ in 0..32 {
        register = if register & (1 << 31) != 0 { (register ^ 0xedb8_8320) << 1 | 1 } else { register << 1 };
    }
    let before = !crc32fast::hash(&data);
    data.extend((register ^ before).to_le_bytes());
    assert_eq!(crc32fast::hash(&data), wanted);
    data
}

#[test]
fn stored_entries_with_descriptors_are_read_back() {
    let data = noise(9_000, 1);
    for signature in [true, false] {
        let body =
            zip(&[deflated("first", &data), stored("a", &data).described(signature, false), stored("PK", &data)]);
        let summary = accepts(&body, &[("first", &data), ("a", &data), ("PK", &data)]);
        assert_eq!(summary.reread, 2);
    }
}

#[test]
fn a_stored_entry_with_descriptor_and_size_needs_no_reading_back() {
    let data = noise(9_000, 1);
    let part = stored("a", &data).described(true, false).local(|head| head.stored_len = 9_000);
    assert_eq!(accepts(&zip(&[part, stored("b", b"b")]), &[("a", &data), ("b", b"b")]).reread, 0);
}

#[test]
fn a_folder_flagged_for_a_descriptor_without_one_is_dropped() {
    let part = folder("f/").both(|head| head.flags |= 8);
    assert_eq!(accepts(&zip(&[part, stored("f/b", b"b")]), &[("f/b", b"b")]).folders, 1);
}

#[test]
fn empty_entries_marked_deflated_but_without_data_are_empty() {
    let part = stored("a", b"").both(|head| head.method = 8);
    accepts(&zip(&[part, stored("b", b"b")]), &[("a", b""), ("b", b"b")]);
}

#[test]
fn zip64_sizes_offsets_and_ends_are_read() {
    let data = noise(5_000, 1);
    let parts = [
        deflated("local", &data).local(|head| head.zip64 = true),
        deflated("central", &data).central(|head| head.zip64 = true),
        deflated("both", &data).both(|head| head.zip64 = true),
        stored("stored", &data).both(|head| head.zip64 = true),
        deflated("streamed", &data).described(true, true).both(|head| head.zip64 = true),
    ];
    let files: [(&str, &[u8]); 5] =
        [("local", &data), ("central", &data), ("both", &data), ("stored", &data), ("streamed", &data)];
    assert_eq!(accepts(&zip(&parts), &files).reread, 0);
    assert_eq!(accepts(&zip_with(&parts, |end| end.zip64 = true), &files).reread, 0);
    accepts(&zip_with(&parts, |end| (end.zip64, end.saturated) = (true, false)), &files);
    accepts(&zip_with(&parts, |end| (end.zip64, end.locator_disks) = (true, 0)), &files);
}

#[test]
fn a_comment_is_passed_over_even_the_longest() {
    for len in [1, 22, 40_000, 65_535] {
        accepts(&zip_with(&[stored("a", b"b")], |end| end.comment = vec![b'c'; len]), &[("a", b"b")]);
    }
}

#[test]
fn entries_may_be_listed_in_another_order_than_they_lie() {
    let data = noise(1_000, 1);
    let parts = [deflated("c", &data), stored("a", b"a"), deflated("b", b"b")];
    let summary = accepts(&zip_ordered(&parts, &[1, 2, 0], |_| {}), &[("a", b"a"), ("b", b"b"), ("c", &data)]);
    assert_eq!(summary.reread, 0);
}

#[test]
fn what_lies_behind_a_gap_is_read_back() {
    let parts = [deflated("a", b"aaaa"), deflated("b", b"b").gap(b"gap"), stored("c", b"c").gap(&[0; 5000])];
    assert_eq!(accepts(&zip(&parts), &[("a", b"aaaa"), ("b", b"b"), ("c", b"c")]).reread, 2);
}

#[test]
fn data_before_the_zip_are_passed_over_if_the_offsets_know_of_them() {
    let parts = [deflated("a", b"aaaa").gap(b"#!/bin/sh\nPK\x03\x04"), stored("c", b"c")];
    assert_eq!(accepts(&zip(&parts), &[("a", b"aaaa"), ("c", b"c")]).reread, 2);
}

#[test]
fn entries_that_the_directory_does_not_list_do_not_count() {
    let mut deleted = deflated("deleted", b"gone");
    deleted.listed = false;
    let summary = accepts(&zip(&[stored("a", b"a"), deleted, stored("b", b"b")]), &[("a", b"a"), ("b", b"b")]);
    assert_eq!((summary.unlisted, summary.reread), (1, 0));
}

#[test]
fn a_zip_inside_a_zip_is_a_file() {
    let inner = zip_with(&[deflated("x", b"y"), stored("../evil", b"")], |end| end.comment = b"inner".to_vec());
    assert_eq!(
        accepts(&zip(&[stored("n.zip", &inner), deflated("a", b"a")]), &[("n.zip", &inner), ("a", b"a")]).reread,
        0
    );
    let plain = zip(&[deflated("x", b"y")]);
    accepts(&zip(&[deflated("n.zip", &plain), stored("m.zip", &plain)]), &[("n.zip", &plain), ("m.zip", &plain)]);
}

#[test]
fn names_in_code_page_437_are_decoded() {
    let part = |flags: u16, name: &[u8]| stored(name, b"").both(|head| head.flags |= flags);
    let body = zip(&[part(0, b"\x81ber/\x9a1"), part(0, "é".as_bytes()), part(1 << 11, "\u{fc}".as_bytes())]);
    accepts(&body, &[("über/Ü1", b""), ("é", b""), ("ü", b"")]);
}

#[test]
fn alike_but_different_names_are_different_files() {
    let body = zip(&[stored("IM1", b"1"), stored("im1", b"2"), stored("IM1!", b"3"), stored("IM1.d/x", b"4")]);
    accepts(&body, &[("IM1", b"1"), ("im1", b"2"), ("IM1!", b"3"), ("IM1.d/x", b"4")]);
}

#[test]
fn a_folder_may_be_listed_twice_and_known_only_by_its_mode() {
    let body = zip(&[folder("a/"), folder("a/"), folder("b"), stored("a/x", b"x"), stored("b/y", b"")]);
    assert_eq!(accepts(&body, &[("a/x", b"x"), ("b/y", b"")]).folders, 3);
}

#[test]
fn unknown_extra_fields_and_padding_are_passed_over() {
    let part = deflated("a", b"a").both(|head| head.extra = b"UT\x05\0\x01....\0\0\0".to_vec());
    accepts(&zip(&[part, stored("b", b"b")]), &[("a", b"a"), ("b", b"b")]);
}

#[test]
fn a_name_in_utf8_that_says_the_same_or_is_void_is_passed_over() {
    let named = |raw: &[u8], extra: Vec<u8>| deflated(raw, b"a").both(|head| head.extra = extra.clone());
    let mut other_version = unicode_path(b"a", b"b");
    other_version[4] = 2;
    for extra in [
        unicode_path(b"a", b"a"),
        unicode_path(b"c", b"../x"),
        other_version,
        b"\x75\x70\x02\0\x01\0".to_vec(),
        [unicode_path(b"a", b"a"), unicode_path(b"b", b"b")].concat(),
    ] {
        accepts(&zip(&[named(b"a", extra), stored("b", b"b")]), &[("a", b"a"), ("b", b"b")]);
    }
    // The header's in code page 437.
    let extra = unicode_path(b"\x81.dcm", "ü.dcm".as_bytes());
    accepts(&zip(&[named(b"\x81.dcm", extra), stored("b", b"b")]), &[("ü.dcm", b"a"), ("b", b"b")]);
    // The header's in code page 866, which it does not say.
    let extra = unicode_path(b"\xE1\xAD.dcm", "сн.dcm".as_bytes());
    accepts(&zip(&[named(b"\xE1\xAD.dcm", extra), stored("b", b"b")]), &[("ß¡.dcm", b"a"), ("b", b"b")]);
}

#[test]
fn an_end_signature_inside_data_is_not_an_end() {
    let mut fake = Vec::new();
    write_end(&mut fake, &End::default());
    let body = zip(&[
        stored("a", &fake),
        stored("b", b"PK\x05\x06"),
        stored(b"PK", &[b"PK\x01\x02".to_vec(), fake.clone()].concat()),
    ]);
    accepts(&body, &[("a", &fake), ("b", b"PK\x05\x06"), ("PK", &[b"PK\x01\x02".to_vec(), fake.clone()].concat())]);
}

#[test]
fn a_sink_that_wants_no_more_gets_no_more_but_the_crc_is_still_checked() {
    use crate::intake::{EntryName, EntrySink, IntakeError, SinkFactory, ZipScanner};
    struct Head(usize);
    impl EntrySink for Head {
        type Output = usize;
        fn push(&mut self, bytes: &[u8]) {
            self.0 += bytes.len();
        }
        fn wants_more(&self) -> bool {
            self.0 < 10
        }
        fn finish(self) -> usize {
            self.0
        }
    }
    struct Heads;
    impl SinkFactory for Heads {
        type Sink = Head;
        fn open(&mut self, name: &EntryName) -> Head {
            Head(if name.file_name() == "skipped" { 10 } else { 0 })
        }
    }
    let data = noise(1_000, 1);
    let take = |parts: &[super::builder::Part]| -> Result<Vec<Option<usize>>, IntakeError> {
        let mut scanner = ZipScanner::new(crate::limits::Limits::default(), Heads);
        zip(parts).chunks(40).try_for_each(|chunk| scanner.push(chunk))?;
        Ok(scanner.end().seen.into_iter().map(|seen| seen.unwrap().result).collect())
    };
    let found = take(&[stored("a", &data), stored("s/skipped", &data), folder("f/")]).unwrap();
    assert!(found[0].is_some_and(|bytes| (10..=49).contains(&bytes)));
    assert_eq!(found[1..], [Some(10), None]);
    let damaged = stored("a", &data).both(|head| head.crc32 ^= 1);
    assert_eq!(take(&[damaged]).unwrap_err().code(), "zip.entry.crc");
}
