//! Zips that lie or explode. Those that lie in one header each are [`narthex_tests::zips::hostile`].

use narthex_tests::zips::{self, Entry, raw};
use narthex_tests::{Modality, Packing, Study, zip_files};

use super::dicom_bytes::before_pixels;
use super::{ALL, DESTINATION, Hostile, OF_ARCHIVES, two_files};

/// More than one file may inflate to for nothing and for the bytes of such a bomb.
const BOMB_BYTES: usize = 700 << 20;

/// Studies of one upload, at most, and one more.
const TOO_MANY_STUDIES: u64 = 1_001;

pub(super) fn sound() -> Vec<Hostile> {
    let (one, two) = two_files();
    let zip = raw(&[Entry::deflated("a.dcm", &one), Entry::stored("b/c.dcm", &two)], None);
    vec![Hostile::body("a sound zip", OF_ARCHIVES, zip)]
}

pub(super) fn kinds() -> Vec<Hostile> {
    let (one, two) = two_files();
    let mut kinds: Vec<Hostile> = zips::hostile(&one, &two)
        .into_iter()
        .map(|lie| Hostile::body(format!("zip: {}", lie.kind), OF_ARCHIVES, lie.zip).names(lie.names))
        .collect();
    kinds.extend(truncated(&one, &two));
    kinds.extend(odd(&one));
    kinds.extend(bombs(&one));
    kinds
}

/// Cut off behind or within each structure.
fn truncated(one: &[u8], two: &[u8]) -> Vec<Hostile> {
    let zip = raw(&[Entry::deflated("a.dcm", one), Entry::deflated("b.dcm", two)], None);
    let central = position(&zip, b"PK\x01\x02");
    let end = position(&zip, b"PK\x05\x06");
    [
        ("in its first signature", 3),
        ("in the first local header", 20),
        ("in the first name", 32),
        ("behind the first local header", 35),
        ("in the data of the first entry", 100),
        ("before the table of contents", central),
        ("in the table of contents", central + 40),
        ("before the end record", end),
        ("in the end record", end + 21),
    ]
    .into_iter()
    .map(|(place, length)| Hostile::body(format!("zip: cut off {place}"), OF_ARCHIVES, zip[..length].to_vec()))
    .collect()
}

fn position(bytes: &[u8], word: &[u8]) -> usize {
    bytes.windows(word.len()).position(|window| window == word).expect("the zip has it")
}

fn odd(one: &[u8]) -> Vec<Hostile> {
    let zip = raw(&[Entry::deflated("a.dcm", one)], None);
    let mut commented = zip.clone();
    let comment_length = commented.len() - 2;
    commented[comment_length..].copy_from_slice(&40_u16.to_le_bytes());
    commented.extend(b"too short");
    let two_ends = [&zip[..], &zip[position(&zip, b"PK\x05\x06")..]].concat();
    let texts = zip_files([("a.txt".to_owned(), b"nothing here".to_vec())], Packing::Deflated);
    let long = zip_files([(format!("{}.dcm", "x".repeat(300)), one.to_vec())], Packing::Stored);
    let deep = zip_files([(format!("{}a.dcm", "d/".repeat(700)), one.to_vec())], Packing::Stored);
    let named = |kind: &str, name: &str| Hostile::body(kind, OF_ARCHIVES, raw(&[Entry::deflated(name, one)], None));
    vec![
        Hostile::body("zip: before another zip", OF_ARCHIVES, [&zip[..], &zip].concat()),
        Hostile::body("zip: two ends", OF_ARCHIVES, two_ends),
        Hostile::body("zip: a comment that is cut off", OF_ARCHIVES, commented),
        Hostile::body("zip: of nothing", OF_ARCHIVES, zip_files([], Packing::Stored)),
        Hostile::body("zip: of texts", OF_ARCHIVES, texts),
        Hostile::body("zip: a name of 300 letters", OF_ARCHIVES, long).names("xxx"),
        Hostile::body("zip: a path of 700 folders", OF_ARCHIVES, deep).names("d/d/"),
        named("zip: a line break in a name", "a\r\nSet-Cookie: x=y").names("Set-Cookie"),
        named("zip: markup in a name with a parent path", "../<script>alert(1)</script>.dcm").names("alert"),
        named("zip: a parent path at the end", "a/.."),
        named("zip: an empty name", ""),
        named("zip: a share of Windows", "\\\\server\\share\\a.dcm").names("share"),
        Hostile::body("zip: for a handler of single objects", &["gradual-DICOM"], zip.clone()),
        Hostile::body("zip: pretending to be DICOM behind its start", ALL, zip_with_magic()),
        Hostile::body("zip: of 1,001 studies", OF_ARCHIVES, many_studies()).names("1000"),
    ]
}

/// Begins like a zip, and has DICOM's magic word where it belongs.
fn zip_with_magic() -> Vec<u8> {
    let mut body = b"PK\x03\x04".to_vec();
    body.resize(128, 0);
    body.extend(b"DICM");
    body.extend(before_pixels("1.2.3.4"));
    body
}

fn many_studies() -> Vec<u8> {
    let files = (0..TOO_MANY_STUDIES).map(|seed| {
        let study = Study::new(Modality::Ct, 10_000 + seed).slices(1).matrix(4);
        (format!("{seed}.dcm"), study.files().next().expect("a file").bytes)
    });
    zip_files(files, Packing::Stored)
}

fn bombs(one: &[u8]) -> Vec<Hostile> {
    let mut large = one.to_vec();
    large.resize(BOMB_BYTES, 0);
    let bomb = Entry::deflated("bomb.dcm", &large);
    let half = Entry::deflated("bomb.dcm", &large[..BOMB_BYTES * 7 / 10]);
    drop(large);
    let zip = raw(std::slice::from_ref(&bomb), None);
    let several = ["a/bomb.dcm", "b/bomb.dcm", "c/bomb.dcm"].map(|name| half.renamed(name));
    let nested = Entry::stored("inner.zip", &zip);
    let deeper = Entry::stored("outer.zip", &raw(std::slice::from_ref(&nested), None));
    let by_count = zip_files((0..100_001).map(|number| (number.to_string(), Vec::new())), Packing::Stored);
    let archives = zip_files(
        (0..1_001).map(|number| (format!("{number}.zip"), zip_files([], Packing::Stored))),
        Packing::Deflated,
    );
    let same = Entry::deflated("0", &vec![0; 1 << 20]);
    let quoted: Vec<Entry> = (0..600).map(|number| same.renamed(&number.to_string()).at(0)).collect();
    vec![
        Hostile::body("zip bomb: by the ratio of one file", OF_ARCHIVES, zip).names("bomb.dcm"),
        Hostile::body("zip bomb: by the ratio of all files", OF_ARCHIVES, raw(&several, None)),
        Hostile::body("zip bomb: of 100,001 empty files", OF_ARCHIVES, by_count).names("100000"),
        Hostile::body("zip bomb: of 1,001 zips", OF_ARCHIVES, archives).query(DESTINATION),
        Hostile::body(
            "zip bomb: of one entry listed 600 times",
            OF_ARCHIVES,
            raw(&[vec![same], quoted].concat(), None),
        ),
        Hostile::body("zip bomb: in a zip", OF_ARCHIVES, raw(&[nested], None)),
        Hostile::body("zip bomb: in a zip in a zip", OF_ARCHIVES, raw(&[deeper], None)),
        Hostile::body("zip bomb: zips nested 60 deep", OF_ARCHIVES, nest(60)),
    ]
}

/// A zip in a zip in a zip ...
fn nest(depth: usize) -> Vec<u8> {
    let (one, _) = two_files();
    let inner = raw(&[Entry::deflated("a.dcm", &one)], None);
    (0..depth).fold(inner, |zip, _| raw(&[Entry::stored("deeper.zip", &zip)], None))
}
