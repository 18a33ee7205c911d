//! Zips that lie, and how they are refused.

use super::builder::{
    End, Part, deflate, deflated, folder, stored, unicode_path, write_end, zip, zip_ordered, zip_with,
};
use super::harness::{noise, refuses, refuses_as};

fn beside(part: Part) -> Vec<u8> {
    zip(&[deflated("good", b"good"), part, stored("last", b"last")])
}

#[test]
fn names_that_leave_their_folder_are_refused() {
    for (name, code) in [
        (&b"../x"[..], "zip.entry.name.parent"),
        (b"a/../../x", "zip.entry.name.parent"),
        (b"/etc/passwd", "zip.entry.name.absolute"),
        (b"C:/x", "zip.entry.name.drive"),
        (b"c:x", "zip.entry.name.drive"),
        (b"a\\..\\x", "zip.entry.name.backslash"),
        (b"a//x", "zip.entry.name.empty_component"),
        (b"././x", "zip.entry.name.current_folder"),
        (b"./../x", "zip.entry.name.parent"),
        (b".//etc/passwd", "zip.entry.name.absolute"),
        (b"a\0.dcm", "zip.entry.name.control"),
        (b"a\r\nSet-Cookie: x", "zip.entry.name.control"),
        (b"", "zip.entry.name.empty"),
        (b"/", "zip.entry.name.empty"),
        (&[b'a'; 300], "zip.entry.name.component_too_long"),
    ] {
        refuses(&beside(deflated(name, b"x")), code);
    }
    refuses(&beside(deflated("a/".repeat(1000), b"")), "zip.entry.name.too_long");
    refuses(&beside(folder("../")), "zip.entry.name.parent");
    refuses(&beside(stored(b"a\xff", b"").both(|head| head.flags |= 1 << 11)), "zip.entry.name.not_utf8");
}

#[test]
fn a_second_name_in_the_extra_fields_is_refused_in_either_header() {
    let other = |name: &[u8]| unicode_path(b"a.dcm", name);
    for extra in [
        other(b"../x.a"),
        other(b"b.dcm"),
        other(b""),
        other(b"a.dcm\xff"),
        [other(b"a.dcm"), other(b"b.dcm")].concat(),
        [unicode_path(b"b.dcm", b"c"), other(b"b.dcm")].concat(),
    ] {
        let part = deflated("a.dcm", b"x");
        for part in [
            part.clone().both(|head| head.extra = extra.clone()),
            part.clone().local(|head| head.extra = extra.clone()),
            part.central(|head| head.extra = extra.clone()),
        ] {
            let message = refuses(&beside(part), "zip.entry.two_names");
            assert!(message.contains("a.dcm"), "{message}");
        }
    }
    // Of a header in a code page that is not known, the ASCII counts.
    let extra = unicode_path(b"\xE1.dcm", "../с.dcm".as_bytes());
    refuses(&beside(deflated(b"\xE1.dcm", b"x").both(|head| head.extra = extra.clone())), "zip.entry.two_names");
}

#[test]
fn an_error_names_the_entry_escaped_and_bounded() {
    let message = refuses(&beside(stored(b"\x1b[31m\x9b..", b"")), "zip.entry.name.control");
    assert!(message.contains("\"\\u{1b}[31m") && !message.contains('\x1b'), "{message}");
    let message = refuses(&beside(stored(vec![b'\n'; 60_000], b"")), "zip.entry.name.too_long");
    assert!(message.len() < 500, "{message}");
}

#[test]
fn anything_but_files_and_folders_is_refused() {
    refuses(&beside(stored("link", b"/etc/passwd").external(0o120_777 << 16)), "zip.entry.symlink");
    // Whatever system the writer claims.
    let link = stored("link", b"x").external(0o120_777 << 16).both(|head| head.made_by = 20);
    refuses(&beside(link), "zip.entry.symlink");
    for mode in [0o060_000, 0o020_000, 0o010_000, 0o140_000, 0o150_000] {
        refuses(&beside(stored("dev", b"").external(mode << 16)), "zip.entry.special_file");
    }
    refuses(&beside(stored("f/", b"data")), "zip.entry.folder_with_data");
    refuses(&beside(stored("f", b"data").external(0o040_755 << 16)), "zip.entry.folder_with_data");
}

#[test]
fn encrypted_entries_are_refused() {
    for flag in [1, 1 << 6, 1 << 13] {
        refuses(&beside(deflated("a", b"x").both(|head| head.flags |= flag)), "zip.entry.encrypted");
        // In the local header alone.
        refuses(&beside(deflated("a", b"x").local(|head| head.flags |= flag)), "zip.entry.encrypted");
    }
    refuses(&beside(deflated("a", b"x").both(|head| head.method = 99)), "zip.entry.encrypted");
}

#[test]
fn other_methods_are_refused_by_name() {
    for (method, name) in [(9, "Deflate64"), (12, "BZIP2"), (14, "LZMA"), (93, "Zstandard"), (95, "XZ"), (77, "77")] {
        let message = refuses(&beside(deflated("a", b"x").both(|head| head.method = method)), "zip.entry.method");
        assert!(message.contains(name) && message.contains("deflate"), "{message}");
    }
    refuses(&beside(deflated("a", b"x").both(|head| head.flags |= 1 << 5)), "zip.entry.method");
}

#[test]
fn a_name_twice_is_refused() {
    let data = noise(100, 1);
    refuses(&zip(&[stored("a", &data), stored("b", b""), deflated("a", &data)]), "zip.entry.duplicate");
    refuses(&zip(&[stored("a", b"1"), stored("a/b", b"2")]), "zip.entry.file_and_folder");
    refuses(&zip(&[stored("a/b/c", b"2"), stored("a!", b""), stored("a", b"1")]), "zip.entry.file_and_folder");
    refuses(&zip(&[folder("a/"), stored("a", b"1")]), "zip.entry.file_and_folder");
    // The same text in code page 437 and in UTF-8.
    refuses(&zip(&[stored(b"\x81", b""), stored("ü", b"")]), "zip.entry.duplicate");
    refuses(&zip(&[stored("a", b""), stored("./a", b"")]), "zip.entry.duplicate");
}

#[test]
fn entries_that_share_bytes_are_refused() {
    // The same local header listed under two names is the cheapest bomb.
    let mut again = deflated("a", b"x");
    (again.present, again.offset) = (false, Some(0));
    refuses(&zip(&[deflated("a", b"x"), again.clone().central(|head| head.name = b"b".to_vec())]), "zip.entry.overlap");
    // A header inside the data of another entry.
    let inner = zip(&[stored("inner", b"x")]);
    let mut inside = stored("inner", b"x");
    (inside.present, inside.offset) = (false, Some(30 + 5));
    refuses(&zip(&[stored("outer", &inner), inside]), "zip.entry.overlap");
    // Data that reach over the next header, in both headers alike.
    let long = stored("a", b"xxxx").both(|head| (head.stored_len, head.len) = (60, 60));
    refuses_as(&zip(&[long, stored("b", b"b")]), &["zip.entry.overlap", "zip.entry.crc"]);
    // Data that reach into the directory.
    let long = stored("a", b"xxxx").both(|head| (head.stored_len, head.len) = (30, 30));
    refuses_as(&zip(&[long]), &["zip.entry.overlap", "zip.entry.crc"]);
}

#[test]
fn a_local_header_larger_than_the_room_for_it_is_refused() {
    // The directory's lower bound for the header passes, the real one with its extra field does not.
    let mut body = zip(&[stored("a", b"1234567890"), stored("b", b"b")]);
    body[28] = 200;
    refuses_as(&body, &["zip.entry.no_local_header", "zip.entry.overlap", "zip.entry.extra"]);
}

#[test]
fn a_descriptor_that_shares_bytes_with_the_next_entry_is_refused() {
    let mut part = deflated("a", b"aaaa").described(true, false);
    part.descriptor.truncate(12);
    refuses(&zip(&[part, stored("b", b"b")]), "zip.entry.descriptor");
}

#[test]
fn entries_outside_of_the_file_are_refused() {
    let mut part = stored("a", b"x");
    part.offset = Some(1 << 20);
    refuses(&zip(&[stored("b", b"b"), part]), "zip.entry.out_of_range");
    let mut part = stored("a", b"x").central(|head| head.zip64 = true);
    part.offset = Some(u64::MAX - 5);
    refuses(&zip(&[part]), "zip.entry.out_of_range");
    let part = stored("a", b"x").central(|head| (head.zip64, head.stored_len, head.len) = (true, 1 << 33, 1 << 33));
    refuses(&zip(&[part]), "zip.entry.out_of_range");
}

#[test]
fn a_place_without_a_local_header_is_refused() {
    let mut part = stored("a", b"12345678");
    part.offset = Some(1);
    refuses(&zip(&[part]), "zip.entry.overlap");
    let mut part = stored("a", b"");
    (part.present, part.offset) = (false, None);
    refuses(&zip(&[part.gap(&[7; 64])]), "zip.entry.overlap");
    let mut part = stored("a", b"");
    (part.present, part.offset) = (false, Some(10));
    refuses(&zip(&[part.gap(&[7; 64])]), "zip.entry.no_local_header");
}

#[test]
fn headers_that_contradict_each_other_are_refused() {
    let part = || deflated("a", b"some data");
    let cases: [(Part, &[&str]); 6] = [
        (part().central(|head| head.name = b"b".to_vec()), &["zip.entry.disagree"]),
        (part().central(|head| head.crc32 ^= 1), &["zip.entry.disagree"]),
        (part().local(|head| head.crc32 ^= 1), &["zip.entry.disagree", "zip.entry.crc"]),
        (part().local(|head| head.len += 1), &["zip.entry.disagree", "zip.entry.length"]),
        (part().local(|head| head.len -= 1), &["zip.entry.disagree", "zip.entry.length"]),
        (part().local(|head| head.stored_len -= 1), &["zip.entry.disagree", "zip.entry.stored_length"]),
    ];
    for (part, codes) in cases {
        refuses_as(&beside(part), codes);
    }
    refuses(&beside(stored("a", b"x").central(|head| head.method = 8)), "zip.entry.disagree");
    // With a descriptor, the local fields are zero or right.
    let part = deflated("a", b"x").described(true, false).local(|head| head.len = 7);
    refuses(&beside(part), "zip.entry.disagree");
    refuses(&beside(deflated("a", b"x").central(|head| head.len += 1)), "zip.entry.disagree");
    refuses(&beside(stored("a", b"x").central(|head| head.len += 1)), "zip.entry.length");
}

#[test]
fn headers_that_agree_on_a_lie_are_refused() {
    let part = || deflated("a", &noise(1000, 1));
    refuses(&beside(part().both(|head| head.crc32 ^= 1)), "zip.entry.crc");
    refuses(&beside(part().both(|head| head.len += 1)), "zip.entry.length");
    refuses(&beside(part().both(|head| head.len -= 1)), "zip.entry.length");
    refuses(&beside(stored("a", b"data").both(|head| head.crc32 ^= 1)), "zip.entry.crc");
    refuses(&beside(part().both(|head| head.stored_len -= 1)), "zip.entry.stored_length");
    let mut padded = part().both(|head| head.stored_len += 3);
    padded.stored.extend(b"...");
    refuses(&beside(padded), "zip.entry.stored_length");
}

#[test]
fn a_descriptor_that_lies_is_refused() {
    let data = noise(1000, 1);
    for (signature, wide) in [(true, true), (true, false), (false, true), (false, false)] {
        for at in [if signature { 4 } else { 0 }, if signature { 8 } else { 4 }] {
            let mut part = deflated("a", &data).described(signature, wide);
            part.descriptor[at] ^= 1;
            refuses(&beside(part), "zip.entry.descriptor");
        }
        let mut part = stored("a", &data).described(signature, wide);
        part.descriptor.clear();
        refuses(&beside(part), "zip.entry.descriptor");
    }
    // The directory lies, the descriptor does not.
    let part = deflated("a", &data).described(true, false).central(|head| head.crc32 ^= 1);
    refuses_as(&beside(part), &["zip.entry.disagree", "zip.entry.crc"]);
}

#[test]
fn damaged_deflate_streams_are_refused() {
    let mut part = deflated("a", &noise(1000, 1));
    part.stored[0] |= 6;
    refuses(&beside(part), "zip.entry.deflate");
}

#[test]
fn broken_extra_fields_are_refused() {
    let part = deflated("a", b"x").both(|head| head.extra = b"UT\xff\xff....".to_vec());
    refuses_as(&beside(part), &["zip.entry.extra"]);
    let part = deflated("a", b"x").local(|head| head.extra = b"UT\xff\xff....".to_vec());
    refuses(&beside(part), "zip.entry.no_local_header");
    let twice = [1, 0, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0].repeat(2);
    refuses(&beside(deflated("a", b"x").central(|head| head.extra = twice.clone())), "zip.entry.extra");
    let part = stored("a", b"x").central(|head| head.len = u32::MAX.into());
    refuses(&beside(part), "zip.entry.zip64");
}

#[test]
fn bytes_after_the_end_are_refused() {
    let body = zip(&[deflated("a", b"x")]);
    let message = refuses(&[&body[..], b"trailing garbage"].concat(), "zip.directory.bytes_after_end");
    assert!(message.contains(" 16 bytes"), "{message}");
    refuses(&[&body[..], b"\0"].concat(), "zip.directory.bytes_after_end");
    refuses(&[&body[..], &[0; 100_000]].concat(), "zip.directory.no_end");
}

#[test]
fn a_comment_with_another_end_is_refused() {
    let fake = |comment: &[u8]| {
        let mut fake = Vec::new();
        write_end(&mut fake, &End { comment: comment.to_vec(), ..End::default() });
        fake
    };
    for comment in
        [fake(b""), [&b"text"[..], &fake(b"more")].concat(), [fake(b""), b"not at the end".to_vec()].concat()]
    {
        let body = zip_with(&[stored("a", b"x")], |end| end.comment = comment.clone());
        refuses(&body, "zip.directory.ambiguous_end");
    }
    refuses(&zip_with(&[], |end| end.comment = b"PK\x05\x06".to_vec()), "zip.directory.ambiguous_end");
}

#[test]
fn two_zips_in_one_file_are_refused() {
    let (a, b) = (zip(&[stored("a", b"a")]), zip(&[stored("b", b"bb"), stored("c", b"")]));
    refuses(&[&a[..], &b].concat(), "zip.directory.place");
    refuses(&[&b"#!/bin/sh\n"[..], &a].concat(), "zip.directory.place");
    refuses(&zip_with(&[], |end| end.comment = a.clone()), "zip.directory.ambiguous_end");
}

#[test]
fn ends_that_lie_about_the_directory_are_refused() {
    let parts = [stored("a", b"a"), stored("b", b"b")];
    refuses(&zip_with(&parts, |end| (end.entries, end.entries_here) = (1, 1)), "zip.directory.entry_count");
    refuses(&zip_with(&parts, |end| (end.entries, end.entries_here) = (3, 3)), "zip.directory.entry_count");
    refuses(&zip_with(&parts, |end| (end.entries, end.entries_here) = (0, 0)), "zip.directory.entry_count");
    refuses(&zip_with(&parts, |end| end.entries_here = 1), "zip.directory.multi_disk");
    refuses(&zip_with(&parts, |end| end.disk = 1), "zip.directory.multi_disk");
    refuses(&zip_with(&parts, |end| end.directory_disk = 1), "zip.directory.multi_disk");
    refuses(&zip_with(&parts, |end| end.directory_offset += 1), "zip.directory.place");
    refuses(&zip_with(&parts, |end| end.directory_bytes -= 1), "zip.directory.place");
    refuses(&beside(stored("a", b"x").central(|head| head.disk = 1)), "zip.directory.multi_disk");
    let moved = |end: &mut End| {
        (end.directory_offset, end.directory_bytes) = (end.directory_offset + 1, end.directory_bytes - 1)
    };
    refuses(&zip_with(&parts, |end| moved(end)), "zip.directory.record");
    // One entry hidden from whoever trusts the count, by order.
    refuses(&zip_ordered(&parts, &[1, 0], |end| (end.entries, end.entries_here) = (1, 1)), "zip.directory.entry_count");
}

#[test]
fn zip64_ends_that_lie_are_refused() {
    let parts = [stored("a", b"a")];
    let with = |change: fn(&mut End)| {
        zip_with(&parts, move |end| {
            end.zip64 = true;
            change(end);
        })
    };
    refuses(&with(|end| end.locator_offset += 1), "zip.directory.zip64");
    refuses(&with(|end| end.locator_offset = u64::MAX - 3), "zip.directory.zip64");
    refuses(&with(|end| end.locator_offset = 0), "zip.directory.zip64");
    refuses(&with(|end| end.record_len += 1), "zip.directory.zip64");
    refuses(&with(|end| end.record_len = u64::MAX), "zip.directory.zip64");
    refuses(&with(|end| end.locator_disks = 2), "zip.directory.multi_disk");
    refuses(&with(|end| end.disk = 1), "zip.directory.multi_disk");
    refuses(&with(|end| end.directory_offset = u64::MAX), "zip.directory.place");
    refuses(&with(|end| end.directory_bytes = u64::MAX), "zip.directory.too_large");
    refuses(&with(|end| (end.entries, end.entries_here) = (u64::MAX, u64::MAX)), "zip.too_many_entries");
    refuses(&with(|end| (end.entries, end.entries_here) = (99_999, 99_999)), "zip.directory.entry_count");
    // The short end says something else than the long one: two readers, two archives.
    let mut body = with(|end| end.saturated = false);
    let at = body.len() - 22 + 16;
    body[at] ^= 1;
    refuses(&body, "zip.directory.zip64");
}

#[test]
fn what_is_no_zip_is_refused() {
    refuses(b"PK\x03\x04", "zip.directory.no_end");
    refuses(b"PK\x05\x06", "zip.directory.no_end");
    refuses(b"text", "zip.directory.no_end");
    refuses(b"", "upload.empty");
    refuses(&deflate(b"x"), "zip.directory.no_end");
}
