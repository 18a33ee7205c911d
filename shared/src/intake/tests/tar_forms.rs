//! Tars that are right, in every format.

use super::harness::noise;
use super::tar_builder::{file, folder, long_name, member, pax, raw_pax, record, tar};
use super::tar_harness::accepts_tar;
use crate::intake::archiveout::{ArchiveKind, ArchiveWriter};
use crate::intake::{BodyKind, EntryName, Extent, Method};
use crate::limits::Limits;

#[test]
fn files_and_folders_of_ustar_are_taken() {
    let (a, b, c) = (noise(70_000, 1), noise(512, 2), noise(513, 3));
    let body = tar(&[folder("s/"), file("s/é", &a), file("empty", b""), file("b", &b), member("c", b'7', &c)]);
    let summary = accepts_tar(&body, &[("s/é", &a), ("empty", b""), ("b", &b), ("c", &c)]);
    assert_eq!((summary.files, summary.folders, summary.reread, summary.unlisted), (4, 1, 0, 0));
    assert_eq!(summary.bytes, 71_025);
}

#[test]
fn a_prefix_is_part_of_the_name_in_ustar_only() {
    accepts_tar(&tar(&[file("name", b"x").set(345, b"a/prefix")]), &[("a/prefix/name", b"x")]);
    accepts_tar(&tar(&[file("name", b"x").gnu().set(345, b"12345670123")]), &[("name", b"x")]);
    let long = ("p".repeat(155), "n".repeat(100));
    accepts_tar(&tar(&[file(&long.1, b"x").set(345, long.0.as_bytes())]), &[(&format!("{}/{}", long.0, long.1), b"x")]);
}

#[test]
fn tars_of_the_seventh_edition_are_taken() {
    let body = tar(&[member("s/", 0, b"").v7(), member("s/a", 0, b"x").v7(), member("b", b'0', b"y").v7()]);
    assert_eq!(accepts_tar(&body, &[("s/a", b"x"), ("b", b"y")]).folders, 1);
    assert_eq!(BodyKind::of(&body), BodyKind::Tar);
    let mut other = body;
    other[0] ^= 1;
    assert_ne!(BodyKind::of(&other), BodyKind::Tar);
}

#[test]
fn a_checksum_over_signed_bytes_is_taken() {
    let mut part = file("é", b"x");
    part.header[148..156].fill(b' ');
    let sum: i32 = part.header.iter().map(|&byte| i32::from(byte as i8)).sum();
    part.has_checksum = false;
    accepts_tar(&tar(&[part.set(148, format!("{sum:06o}\0 ").as_bytes())]), &[("é", b"x")]);
}

#[test]
fn names_and_sizes_of_pax_count() {
    let name = format!("{}/é", "long/".repeat(60).trim_end_matches('/'));
    let a = noise(1_000, 1);
    let parts = [
        raw_pax(b'g', record("comment", "a revision").as_bytes()),
        pax(&[("path", &name), ("mtime", "1.5"), ("size", "1000"), ("hdrcharset", "BINARY")]),
        file("short", &a).size(b"00000000000\0"),
        pax(&[("size", "1")]),
        file("same", b"x"),
        pax(&[]),
        file("other", b""),
        pax(&[("path", "folder/")]),
        folder("f/"),
    ];
    let summary = accepts_tar(&tar(&parts), &[(&name, &a), ("same", b"x"), ("other", b"")]);
    assert_eq!((summary.files, summary.folders), (3, 1));
}

#[test]
fn long_names_and_large_numbers_of_gnu_are_taken() {
    let name = "long/".repeat(60) + "x";
    let a = noise(600, 1);
    let body = tar(&[long_name(&name), file("long/long", &a).gnu().wide_size(600), file("b", b"").gnu()]);
    accepts_tar(&body, &[(&name, &a), ("b", b"")]);
}

#[test]
fn a_tar_of_the_current_folder_is_taken_without_its_dots() {
    let body = tar(&[folder("./"), folder("./s/"), file("./s/a", b"x"), file("./b", b"")]);
    let summary = accepts_tar(&body, &[("s/a", b"x"), ("b", b"")]);
    assert_eq!((summary.files, summary.folders), (2, 2));
}

#[test]
fn a_volume_label_is_no_file() {
    for size in [&[0; 12], b"00000000000\0"] {
        let label = member("a label", b'V', b"").gnu().size(size);
        accepts_tar(&tar(&[label, file("a", b"x"), file("b", b"")]), &[("a", b"x"), ("b", b"")]);
    }
}

#[test]
fn the_folder_that_all_names_are_in_may_have_no_name() {
    // So Python's tarfile writes it for `arcname=""`; whoever unpacks it makes nothing of it.
    let body = tar(&[folder("/"), folder("s/"), file("s/a", b"x"), file("b", b"")]);
    let summary = accepts_tar(&body, &[("s/a", b"x"), ("b", b"")]);
    assert_eq!((summary.files, summary.folders), (2, 2));
}

#[test]
fn a_tar_may_be_empty_and_its_end_long() {
    assert_eq!(accepts_tar(&tar(&[]), &[]).files, 0);
    let mut body = tar(&[file("a", b"x")]);
    body.resize(10_240 + 3, 0);
    accepts_tar(&body, &[("a", b"x")]);
}

#[test]
fn tars_of_the_crate_are_taken() {
    let (long, a) = ("d/".repeat(80) + "a", noise(5_000, 1));
    let mut builder = tar::Builder::new(Vec::new());
    for (mut header, path, data) in [
        (tar::Header::new_gnu(), &long[..], &a[..]),
        (tar::Header::new_ustar(), "b", b"y"),
        (tar::Header::new_old(), "c", b""),
    ] {
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(data.len() as u64);
        builder.append_data(&mut header, path, data).unwrap();
    }
    accepts_tar(&builder.into_inner().unwrap(), &[(&long, &a), ("b", b"y"), ("c", b"")]);
}

#[test]
fn a_tar_written_for_a_download_is_taken() {
    let (limits, data) = (Limits::default(), noise(700, 1));
    let extent = Extent { offset: 0, stored_len: 700, len: 700, method: Method::Stored };
    let mut writer = ArchiveWriter::new(ArchiveKind::Tar);
    let mut body = Vec::new();
    let long = "n/".repeat(200) + "c";
    for name in ["a/b", &long] {
        let name = EntryName::parse(name, &limits).unwrap();
        body.extend(writer.begin(&name, &extent, crc32fast::hash(&data)).unwrap());
        body.extend(writer.data(data.clone().into()).unwrap());
        body.extend(writer.end(&extent).unwrap());
    }
    body.extend(writer.finish().unwrap());
    accepts_tar(&body, &[("a/b", &data), (&long, &data)]);
}
