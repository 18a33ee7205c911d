//! Tars that lie, and how they are refused.

use super::harness::{Random, noise};
use super::tar_builder::{Member, file, folder, long_name, member, members, pax, raw_pax, record, tar};
use super::tar_harness::{CHUNKS, refuses_tar, take_tar};
use crate::limits::Limits;

fn beside(parts: &[Member]) -> Vec<u8> {
    tar(&[&[file("good", b"good")], parts, &[file("last", b"last")]].concat())
}

#[test]
fn names_that_leave_their_folder_are_refused() {
    for (name, code) in [
        (&b"../x"[..], "zip.entry.name.parent"),
        (b"./../x", "zip.entry.name.parent"),
        (b"/etc/passwd", "zip.entry.name.absolute"),
        (b".//etc/passwd", "zip.entry.name.absolute"),
        (b"c:x", "zip.entry.name.drive"),
        (b"a\\..\\x", "zip.entry.name.backslash"),
        (b"a//x", "zip.entry.name.empty_component"),
        (b"a/", "zip.entry.name.empty_component"),
        (b"././x", "zip.entry.name.current_folder"),
        (b".", "zip.entry.name.current_folder"),
        (b"./", "zip.entry.name.empty"),
        (b"a\r\nSet-Cookie: x", "zip.entry.name.control"),
        (b"", "zip.entry.name.empty"),
        (b"a\xff", "zip.entry.name.not_utf8"),
    ] {
        refuses_tar(&beside(&[file(name, b"x")]), code);
        if !name.is_empty() {
            refuses_tar(&beside(&[long_name(name), file("short", b"x").gnu()]), code);
        }
    }
    refuses_tar(&beside(&[pax(&[("path", "../x")]), file("short", b"x")]), "zip.entry.name.parent");
    refuses_tar(&beside(&[long_name("a\0b"), file("short", b"x")]), "zip.entry.name.control");
    refuses_tar(&beside(&[long_name("a/".repeat(1000) + "a"), file("short", b"x")]), "zip.entry.name.too_long");
    // Only the folder that all names are in may have none.
    refuses_tar(&beside(&[folder("//")]), "zip.entry.name.absolute");
    refuses_tar(&beside(&[folder("/etc/")]), "zip.entry.name.absolute");
    refuses_tar(&beside(&[folder("../")]), "zip.entry.name.parent");
}

#[test]
fn anything_but_files_and_folders_is_refused() {
    for (flag, code) in [
        (b'1', "tar.entry.hard_link"),
        (b'2', "zip.entry.symlink"),
        (b'3', "zip.entry.special_file"),
        (b'4', "zip.entry.special_file"),
        (b'6', "zip.entry.special_file"),
        (b'S', "tar.entry.sparse"),
        (b'M', "tar.entry.multi_volume"),
        (b'D', "tar.entry.type"),
        (b'X', "tar.entry.type"),
        (b'\x1b', "tar.entry.type"),
    ] {
        let message = refuses_tar(&beside(&[member("odd", flag, b"")]), code);
        assert!(message.contains("\"odd\"") && !message.contains('\x1b'), "{message}");
    }
    refuses_tar(&beside(&[member("label", b'V', b"data")]), "tar.entry.type");
    refuses_tar(&beside(&[long_name("a"), member("label", b'V', b""), file("b", b"")]), "tar.header.two_names");
    let link = [member("././@LongLink", b'K', b"/etc/passwd\0"), long_name("a"), member("a", b'2', b"").gnu()];
    refuses_tar(&beside(&link), "zip.entry.symlink");
    refuses_tar(&beside(&[pax(&[("linkpath", "/etc/passwd")]), member("a", b'2', b"")]), "zip.entry.symlink");
    for key in ["GNU.sparse.major", "GNU.sparse.map", "SCHILY.realsize", "SUN.holesdata"] {
        refuses_tar(&beside(&[pax(&[(key, "1")]), file("a", b"x")]), "tar.entry.sparse");
    }
    refuses_tar(&beside(&[member("f/", b'5', b"data")]), "zip.entry.folder_with_data");
    refuses_tar(&beside(&[member("f/", 0, b"data")]), "zip.entry.folder_with_data");
    refuses_tar(&beside(&[pax(&[("size", "4")]), folder("f/")]), "zip.entry.folder_with_data");
}

#[test]
fn names_that_exclude_each_other_are_refused() {
    refuses_tar(&tar(&[file("a", b"1"), file("b", b""), file("./a", b"2")]), "zip.entry.duplicate");
    refuses_tar(&tar(&[file("a/b", b"2"), file("a!", b""), file("a", b"1")]), "zip.entry.file_and_folder");
    refuses_tar(&tar(&[folder("a"), file("a", b"1")]), "zip.entry.file_and_folder");
}

#[test]
fn two_sizes_for_one_entry_are_refused() {
    // The data of the first reading hide an entry that the second reading shows.
    let hidden = members(&[file("hidden", b"x")]);
    let outer = file("outer", &hidden).size(b"00000000001\0");
    let message = refuses_tar(&beside(&[pax(&[("size", "1024")]), outer]), "tar.entry.two_sizes");
    assert!(message.contains("1024") && message.contains(" 1 "), "{message}");
}

#[test]
fn broken_headers_are_refused() {
    let mut part = file("a", b"x");
    part.has_checksum = false;
    for checksum in [b"\0\0\0\0\0\0\0\0", b"0000000\0", b"        ", b"-000001\0"] {
        refuses_tar(&beside(&[part.clone().set(148, checksum)]), "tar.header.checksum");
    }
    for magic in [b"ustar\x0001", b"ustar\0\0\0", b"ustar 00", b"USTAR\x0000", b"12345678"] {
        refuses_tar(&beside(&[file("a", b"x").set(257, magic)]), "tar.header.format");
    }
    for size in [&[0xff; 12], b"            ", b"0000000000x\0", b"-0000000001\0", b"00000000 01\0", &[0; 12]] {
        refuses_tar(&beside(&[file("a", b"x").size(size)]), "tar.header.size");
    }
    refuses_tar(&beside(&[file("a", b"x").wide_size(u64::MAX)]), "tar.header.size");
    let message = refuses_tar(&beside(&[file("a", b"x").set(257, b"x")]), "tar.header.format");
    assert!(message.contains("at byte 1024 "), "{message}");
}

#[test]
fn records_that_readers_take_differently_are_refused() {
    for records in [&b"path=a\n"[..], b"9 path=a", b"99 path=a\n", b"9 path=a\n\0\0", b"8 path=\n", b"9 size=x\n"] {
        refuses_tar(&beside(&[raw_pax(b'x', records), file("a", b"x")]), "tar.header.pax");
    }
    let twice = record("path", "a") + &record("path", "b");
    refuses_tar(&beside(&[raw_pax(b'x', twice.as_bytes()), file("a", b"x")]), "tar.header.pax_twice");
    for key in ["path", "size", "linkpath", "GNU.sparse.major"] {
        let global = raw_pax(b'g', record(key, "1").as_bytes());
        refuses_tar(&beside(&[global, file("a", b"x")]), "tar.header.global_pax");
    }
    let (records, name) = (pax(&[("path", "a")]), long_name("b"));
    for pair in [[&records, &records], [&name, &name], [&records, &name], [&name, &records]] {
        refuses_tar(&beside(&[pair[0].clone(), pair[1].clone(), file("c", b"x")]), "tar.header.two_names");
    }
    refuses_tar(&beside(&[records.clone(), raw_pax(b'g', b"")]), "tar.header.two_names");
    // Nothing follows that they could belong to.
    refuses_tar(&tar(&[records]), "tar.cut_off");
    refuses_tar(&tar(&[name]), "tar.cut_off");
}

#[test]
fn records_and_long_names_are_bounded() {
    let many: String = (0..8_000).map(|number| record(&format!("k{number}"), "value")).collect();
    refuses_tar(&beside(&[raw_pax(b'x', many.as_bytes()), file("a", b"x")]), "tar.header.too_long");
    let announced = long_name("a").wide_size(1 << 40);
    refuses_tar(&beside(&[announced]), "tar.header.too_long");
}

#[test]
fn what_follows_the_end_is_refused() {
    let body = tar(&[file("a", b"x")]);
    let message = refuses_tar(&[&body[..], b"x"].concat(), "tar.bytes_after_end");
    assert!(message.contains(&format!("byte {},", body.len())), "{message}");
    refuses_tar(&[&body[..], &body[..]].concat(), "tar.bytes_after_end");
    // One empty block between two entries, which some readers pass over.
    let split = [&members(&[file("a", b"x")])[..], &[0; 512], &tar(&[file("b", b"x")])[..]].concat();
    refuses_tar(&split, "tar.bytes_after_end");
}

#[test]
fn limits_are_met_while_counting() {
    let limits = Limits::default();
    let body = tar(&[folder("f"), file("a", b"12345"), file("b", b"12345")]);
    for (limits, code) in [
        (Limits { max_entries: 2, ..limits }, "zip.too_many_entries"),
        (Limits { max_entry_bytes: 4, ..limits }, "zip.entry.too_large"),
        (Limits { max_inflated_bytes: 9, ..limits }, "zip.inflated_too_large"),
        (Limits { max_upload_bytes: body.len() as u64 - 1, ..limits }, "upload.too_large"),
    ] {
        for chunk in CHUNKS {
            let error = take_tar(&body, chunk, limits).unwrap_err();
            assert!(error.code() == code && error.is_too_large(), "{chunk}: {error}");
        }
    }
    let enough = Limits {
        max_entries: 3,
        max_entry_bytes: 5,
        max_inflated_bytes: 10,
        max_upload_bytes: body.len() as u64,
        ..limits
    };
    assert!(take_tar(&body, 7, enough).is_ok());
    // An announced size is refused before its bytes come.
    let announced = members(&[file("a", b"").wide_size(1 << 50)]);
    assert_eq!(take_tar(&announced, 512, limits).unwrap_err().code(), "zip.entry.too_large");
}

fn sound() -> Vec<u8> {
    tar(&[
        folder("s/"),
        pax(&[("path", "s/one"), ("size", "700")]),
        file("one", &noise(700, 1)),
        long_name("s/two"),
        file("two", &noise(90, 2)).gnu(),
        member("s/three", 0, b"short").v7(),
    ])
}

#[test]
fn a_tar_cut_off_anywhere_is_refused() {
    let body = sound();
    assert!(take_tar(&body, 7, Limits::default()).is_ok());
    for len in 0..body.len() {
        for chunk in [7, 512, usize::MAX] {
            let error = take_tar(&body[..len], chunk, Limits::default()).unwrap_err();
            let expected = if len == 0 { "upload.empty" } else { "tar.cut_off" };
            assert_eq!(error.code(), expected, "cut at {len}: {error}");
        }
    }
}

#[test]
fn damage_is_refused_or_taken_alike_however_the_tar_arrives() {
    let body = sound();
    let mut random = Random(3);
    let verdict = |body: &[u8], chunk| {
        let taken = take_tar(body, chunk, Limits::default());
        taken.map(|(entries, _)| entries).map_err(|error| error.to_string())
    };
    for round in 0..2_000 {
        let mut damaged = body.clone();
        let at = if round % 3 == 0 { random.below(body.len()) } else { random.below(9) * 512 + random.below(512) };
        let at = at.min(body.len() - 1);
        match random.below(3) {
            0 => damaged[at] ^= 1 << random.below(8),
            1 => damaged[at] = random.next() as u8,
            _ => drop(damaged.remove(at)),
        }
        if round % 2 == 0 {
            mend_checksums(&mut damaged);
        }
        assert_eq!(verdict(&damaged, 13), verdict(&damaged, usize::MAX), "byte {at}");
    }
}

/// So that damage gets behind the checksum.
fn mend_checksums(body: &mut [u8]) {
    for block in body.chunks_exact_mut(512).filter(|block| block.get(257..262) == Some(b"ustar")) {
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
}
