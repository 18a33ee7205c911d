//! DICOM files that lie or explode.

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use narthex_tests::{Packing, zip_files};

use super::dicom_bytes::{before_pixels, element, file, in_syntax, item_head, long_head, number, unfinished};
use super::{ALL, Hostile, OF_ARCHIVES, two_files};

const UNDEFINED: u32 = 0xFFFF_FFFF;
const DEFLATED: &str = "1.2.840.10008.1.2.1.99";
const IMPLICIT: &str = "1.2.840.10008.1.2";

/// A kind of single file comes alone, and as the only file of a zip.
fn both(kind: &str, body: Vec<u8>) -> [Hostile; 2] {
    let zip = zip_files([("bad.dcm".to_owned(), body.clone())], Packing::Deflated);
    [
        Hostile::body(format!("DICOM: {kind}"), ALL, body),
        Hostile::body(format!("DICOM in a zip: {kind}"), OF_ARCHIVES, zip).names("bad.dcm"),
    ]
}

pub(super) fn sound() -> Vec<Hostile> {
    let pixels = [before_pixels("1.2.3.71"), long_head(0x7FE0, 0x0010, *b"OB", 4), vec![1; 4]].concat();
    let study = [element(0x0008, 0x0060, *b"CS", b"OT"), ids("1.2.3.72")].concat();
    let nested = [unfinished(), nested(5), ids("1.2.3.73")].concat();
    let deep = [unfinished(), nested_with_lengths(3_000), ids("1.2.3.74")].concat();
    let large = [long_head(0x0009, 0x1001, *b"OB", 17 << 20), vec![0; 17 << 20]].concat();
    let late = [unfinished(), large, ids("1.2.3.75")].concat();
    vec![
        Hostile::body("a file written element by element", ALL, pixels),
        Hostile::body("a deflated file", ALL, in_syntax(DEFLATED, &deflate(&study))),
        Hostile::body("a sequence nested a little", ALL, nested),
        // What has a length is passed over without being entered.
        Hostile::body("sequences with lengths nested 3,000 deep", ALL, deep),
        Hostile::body("17 MiB before the study is named", ALL, late),
    ]
}

/// What says which study a file belongs to.
fn ids(study_uid: &str) -> Vec<u8> {
    [element(0x0020, 0x000D, *b"UI", study_uid.as_bytes()), element(0x0020, 0x000E, *b"UI", b"1.2.3.8")].concat()
}

pub(super) fn kinds() -> Vec<Hostile> {
    [nesting(), lengths(), deflated(), uids(), cut_off(), texts()].into_iter().flatten().collect()
}

/// Sequences in sequences: open to the end (`8` bytes a sequence head, item head), all of undefined length.
fn opened(depth: usize) -> Vec<u8> {
    let one = [long_head(0x0008, 0x1140, *b"SQ", UNDEFINED), item_head(UNDEFINED)].concat();
    one.repeat(depth)
}

/// The same, closed.
fn nested(depth: usize) -> Vec<u8> {
    let ends = [&[0xFE, 0xFF, 0x0D, 0xE0, 0, 0, 0, 0][..], &[0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]].concat();
    [opened(depth), ends.repeat(depth)].concat()
}

/// The same with lengths, which are the truth.
fn nested_with_lengths(depth: usize) -> Vec<u8> {
    let mut heads = Vec::new();
    for level in (0..depth).rev() {
        // Below an item lie the heads of `level` more sequences with their items.
        let below = level * 20;
        heads.push([long_head(0x0008, 0x1140, *b"SQ", number(below + 8)), item_head(number(below))].concat());
    }
    heads.concat()
}

fn nesting() -> Vec<Hostile> {
    let with = |sequence: Vec<u8>| [unfinished(), sequence, ids("1.2.3.4")].concat();
    let implicit_one = [&[0x08, 0x00, 0x40, 0x11][..], &UNDEFINED.to_le_bytes(), &item_head(UNDEFINED)].concat();
    let implicit = in_syntax(IMPLICIT, &implicit_one.repeat(10_000));
    [
        both("sequences nested 10,000 deep", with(nested(10_000))),
        both("sequences nested 10,000 deep that never end", with(opened(10_000))),
        both("implicit sequences nested 10,000 deep", implicit),
        both("items in a sequence without end", with(many_items(400_000))),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// One sequence of very many empty items that never ends.
fn many_items(count: usize) -> Vec<u8> {
    [long_head(0x0008, 0x1140, *b"SQ", UNDEFINED), item_head(0).repeat(count)].concat()
}

fn lengths() -> Vec<Hostile> {
    let with = |tail: Vec<u8>| [unfinished(), tail].concat();
    let mut meta = before_pixels("1.2.3.4");
    // The length of the meta group, behind preamble, magic word and the element's head.
    meta[140..144].copy_from_slice(&0xFFFF_FFF0_u32.to_le_bytes());
    let implicit = [&[0x08, 0x00, 0x05, 0x00][..], &0x7FFF_FFFE_u32.to_le_bytes(), b"ISO_IR 100"].concat();
    [
        both("a value of 4 GiB", with([long_head(0x0009, 0x1001, *b"UN", 0xFFFF_FFFE), vec![1; 64]].concat())),
        both("a text of 2 GiB", with([long_head(0x0009, 0x1001, *b"UT", 0x7FFF_FFFE), vec![b'a'; 64]].concat())),
        both("an implicit value of 2 GiB", in_syntax(IMPLICIT, &implicit)),
        both("a meta group of 4 GiB", meta[..400.min(meta.len())].to_vec()),
        both("a sequence longer than the file", with(long_head(0x0008, 0x1140, *b"SQ", 0x1000_0000))),
        both(
            "a text of undefined length",
            with([long_head(0x0009, 0x1001, *b"UT", UNDEFINED), ids("1.2.3.4")].concat()),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("writing into memory")
}

fn deflated() -> Vec<Hostile> {
    let bomb = [long_head(0x0009, 0x1001, *b"OB", 900 << 20), vec![0; 64 << 20]].concat();
    let data = deflate(&[element(0x0008, 0x0060, *b"CS", b"OT"), ids("1.2.3.4")].concat());
    [
        both("deflated, a bomb", in_syntax(DEFLATED, &deflate(&bomb))),
        both("deflated, nested 10,000 deep", in_syntax(DEFLATED, &deflate(&nested(10_000)))),
        both("deflated, but it is not", in_syntax(DEFLATED, &[0xFF; 600])),
        both("deflated, cut off", in_syntax(DEFLATED, &data[..10])),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn uids() -> Vec<Hostile> {
    let long = "1".repeat(300);
    [
        ("a parent path", "../../../etc/passwd"),
        ("a slash", "1.2/3.4"),
        ("a backslash and a drive", "C:\\1.2"),
        ("a command", "1.2;reboot"),
        ("markup", "<script>alert(1)</script>"),
        ("a line break", "1.2\r\nX: y"),
        ("a zero byte", "1.2\x001.3"),
        ("300 digits", &long),
        ("letters", "study"),
        ("nothing", ""),
    ]
    .into_iter()
    .flat_map(|(what, uid)| {
        let study = both(&format!("{what} for a study's UID"), file(uid, "1.2.3.8", "1.2.3.9"));
        let series = both(&format!("{what} for a series' UID"), file("1.2.3.4", uid, "1.2.3.9"));
        study.into_iter().chain(series)
    })
    .collect()
}

fn cut_off() -> Vec<Hostile> {
    let (one, _) = two_files();
    [("in the preamble", 100), ("behind the magic word", 132), ("in the meta group", 160), ("in the header", 420)]
        .into_iter()
        .flat_map(|(place, length)| both(&format!("cut off {place}"), one[..length].to_vec()))
        .collect()
}

fn texts() -> Vec<Hostile> {
    [("a page of HTML", &b"<html><script>alert(1)</script></html>"[..]), ("a program", b"MZ\x90\0\x03\0\0\0\x04\0\0\0")]
        .into_iter()
        .flat_map(|(what, bytes)| both(&format!("{what} instead"), bytes.to_vec()))
        .collect()
}
