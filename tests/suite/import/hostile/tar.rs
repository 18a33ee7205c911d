//! Tars that lie or explode, plain and compressed.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::tar_bytes::{Member, file, member, members, pax, tar};
use super::{Hostile, OF_ARCHIVES, two_files};

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("writing into memory")
}

pub(super) fn sound() -> Vec<Hostile> {
    let (one, two) = two_files();
    let tar = tar(&[
        member("s/", b'5', b""),
        file("s/a.dcm", &one),
        pax(b'x', &[("path", "s/b.dcm")]),
        file("short", &two),
        pax(b'g', &[("comment", "made by a test")]),
    ]);
    vec![Hostile::body("a sound tar.gz", OF_ARCHIVES, gzip(&tar)), Hostile::body("a sound tar", OF_ARCHIVES, tar)]
}

pub(super) fn kinds() -> Vec<Hostile> {
    let (one, two) = two_files();
    let mut kinds = Vec::new();
    let mut add = |kind: &str, word: &'static str, body: Vec<u8>| {
        // The same inside gzip: what is wrong shows only behind it.
        kinds.push(Hostile::body(format!("tar.gz: {kind}"), OF_ARCHIVES, gzip(&body)).names(word));
        kinds.push(Hostile::body(format!("tar: {kind}"), OF_ARCHIVES, body).names(word));
    };
    for (kind, word, parts) in entries(&two) {
        add(kind, word, tar(&[vec![file("good.dcm", &one)], parts].concat()));
    }
    let whole = tar(&[file("good.dcm", &one), file("bad.dcm", &two)]);
    let second = 512 + one.len().next_multiple_of(512);
    for (kind, length) in [
        ("cut off in the first header", 300),
        ("cut off in the first file", 700),
        ("cut off between two files", second),
        ("cut off in the second header", second + 100),
        ("without its end", whole.len() - 1024),
        ("with half of its end", whole.len() - 512),
    ] {
        add(kind, "", whole[..length].to_vec());
    }
    add("garbage behind its end", "", [&whole[..], b"garbage"].concat());
    add("another tar behind its end", "", [&whole[..], &whole].concat());
    add("an empty block between two files", "", {
        [&members(&[file("good.dcm", &one)])[..], &[0; 512], &tar(&[file("bad.dcm", &two)])].concat()
    });
    add("a size of 2^60 bytes", "bad.dcm", members(&[file("good.dcm", &one), file("bad.dcm", b"").wide_size(1 << 60)]));
    add("of 100,001 empty files", "100000", tar(&many(100_001)));
    add("of texts", "a.txt", tar(&[file("a.txt", b"nothing here")]));
    kinds
}

fn many(count: usize) -> Vec<Member> {
    (0..count).map(|number| file(&number.to_string(), b"")).collect()
}

/// What follows one sound entry.
fn entries(two: &[u8]) -> Vec<(&'static str, &'static str, Vec<Member>)> {
    let links_to = |flag| vec![member("bad.dcm", flag, b"").set(157, b"/etc/passwd")];
    let named = |name: &str| vec![file(name, two)];
    let size = two.len().to_string();
    let larger = (two.len() + 512).to_string();
    vec![
        ("a parent path", "bad.dcm", named("../bad.dcm")),
        ("a parent path in the middle", "bad.dcm", named("a/../../bad.dcm")),
        ("an absolute path", "bad.dcm", named("/bad.dcm")),
        ("a drive letter", "bad.dcm", named("C:bad.dcm")),
        ("a line break in a name", "bad.dcm", named("a\r\nSet-Cookie: bad.dcm")),
        ("a parent path in a ustar prefix", "bad.dcm", vec![file("bad.dcm", two).set(345, b"../..")]),
        ("a parent path by PAX", "bad.dcm", vec![pax(b'x', &[("path", "../bad.dcm")]), file("short", two)]),
        ("a symbolic link", "bad.dcm", links_to(b'2')),
        ("a hard link", "bad.dcm", links_to(b'1')),
        ("a character device", "bad.dcm", vec![member("bad.dcm", b'3', b"")]),
        ("a block device", "bad.dcm", vec![member("bad.dcm", b'4', b"")]),
        ("a pipe", "bad.dcm", vec![member("bad.dcm", b'6', b"")]),
        ("a sparse file", "bad.dcm", vec![member("bad.dcm", b'S', b"")]),
        ("a type that no one knows", "bad.dcm", vec![member("bad.dcm", b'Z', b"")]),
        ("the same name twice", "good.dcm", named("good.dcm")),
        ("a file that is also a folder", "good.dcm", named("good.dcm/bad.dcm")),
        ("PAX and ustar sizes that differ", "bad.dcm", vec![pax(b'x', &[("size", &larger)]), file("bad.dcm", two)]),
        (
            "a PAX size for an empty header",
            "bad.dcm",
            vec![pax(b'x', &[("size", &size)]), file("bad.dcm", two).set(124, b"00000000001\0")],
        ),
        ("two paths in one PAX header", "", vec![pax(b'x', &[("path", "a"), ("path", "b")]), file("c", two)]),
        (
            "two PAX headers for one entry",
            "",
            vec![pax(b'x', &[("path", "a")]), pax(b'x', &[("path", "b")]), file("c", two)],
        ),
        ("a global PAX path", "", vec![pax(b'g', &[("path", "bad.dcm")]), file("a", two), file("b", two)]),
        ("a global PAX size", "", vec![pax(b'g', &[("size", "1")]), file("a", two)]),
        ("a PAX header that nothing follows", "", vec![pax(b'x', &[("path", "a")])]),
        ("a PAX header of a TiB", "", vec![pax(b'x', &[("path", "a")]).wide_size(1 << 40)]),
        ("a PAX record with a length that lies", "", vec![member("x", b'x', b"99 path=a\n"), file("c", two)]),
        ("a magic word that is wrong", "", vec![file("bad.dcm", two).set(257, b"USTAR")]),
        ("a size that is no number", "", vec![file("bad.dcm", two).set(124, b"12345678x\0\0\0")]),
        ("a negative size", "", vec![file("bad.dcm", two).set(124, &[0xFF; 12])]),
    ]
}
