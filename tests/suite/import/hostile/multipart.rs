//! Forms that lie.

use narthex_tests::zip_study;

use super::{Hostile, OF_ARCHIVES, study};

const BOUNDARY: &str = "a-boundary";

pub(super) fn media_type() -> String {
    format!("multipart/form-data; boundary={BOUNDARY}")
}

/// A part with these header lines.
fn part(head: &str, body: &[u8]) -> Vec<u8> {
    [format!("--{BOUNDARY}\r\n{head}\r\n\r\n").as_bytes(), body, b"\r\n"].concat()
}

fn file(name: &str, body: &[u8]) -> Vec<u8> {
    part(&format!("Content-Disposition: form-data; name=\"file\"; filename=\"{name}\""), body)
}

fn field(name: &str, value: &str) -> Vec<u8> {
    part(&format!("Content-Disposition: form-data; name=\"{name}\""), value.as_bytes())
}

fn whole(parts: &[Vec<u8>]) -> Vec<u8> {
    [&parts.concat()[..], format!("--{BOUNDARY}--\r\n").as_bytes()].concat()
}

fn form(kind: &str, body: Vec<u8>) -> Hostile {
    Hostile::body(format!("form: {kind}"), OF_ARCHIVES, body).media_type(media_type())
}

pub(super) fn sound() -> Vec<Hostile> {
    let zip = zip_study(&study());
    // A browser of old sends the whole path; only the name counts, and that of an archive is not used at all.
    let names = ["study.zip", "C:\\scans\\study.zip", "../../study.zip", "/etc/study.zip"];
    names.iter().map(|name| form(name, whole(&[file(name, &zip)]))).collect()
}

pub(super) fn kinds() -> Vec<Hostile> {
    let zip = zip_study(&study());
    let sound = whole(&[file("a.zip", &zip)]);
    let with_type = |kind: &str, media_type: &str| form(kind, sound.clone()).media_type(media_type);
    let long_head =
        format!("X-Long: {}\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a\"", "x".repeat(100_000));
    let long_name = format!("{}.zip", "n".repeat(60_000));
    let many_heads =
        format!("{}Content-Disposition: form-data; name=\"f\"; filename=\"a\"", "X-H: y\r\n".repeat(5_000));
    vec![
        with_type("no boundary", "multipart/form-data"),
        with_type("an empty boundary", "multipart/form-data; boundary="),
        with_type("a boundary of 5,000 letters", &format!("multipart/form-data; boundary={}", "b".repeat(5_000))),
        with_type("a boundary that never comes", "multipart/form-data; boundary=other"),
        with_type("a multipart type that is no form", "multipart/x-nonsense"),
        form("nothing at all", Vec::new()),
        form("nothing but its end", format!("--{BOUNDARY}--\r\n").into_bytes()),
        form("two dashes without end", b"--".repeat(50_000)),
        form("boundaries without end", format!("--{BOUNDARY}\r\n").repeat(20_000).into_bytes()),
        form("no end", file("a.zip", &zip)),
        form("cut off in a header", sound[..40].to_vec()),
        form("cut off in a file", sound[..sound.len() / 2].to_vec()),
        form("cut off in its last boundary", sound[..sound.len() - 6].to_vec()),
        form("a header line of 100,000 bytes", whole(&[part(&long_head, &zip)])),
        form("5,000 header lines", whole(&[part(&many_heads, &zip)])),
        form("a file name of 60,000 letters", whole(&[file(&long_name, &zip)])),
        form("a header without end", [format!("--{BOUNDARY}\r\nX: ").into_bytes(), vec![b'x'; 3 << 20]].concat()),
        form("a part without headers", whole(&[part("", &zip)])),
        form("a part without a name", whole(&[part("Content-Disposition: form-data", &zip)])),
        form("2,001 fields", whole(&vec![field("session", "x"); 2_001])),
        form("1,001 files", whole(&vec![file("a.dcm", b"x"); 1_001])),
        form("a field of 3 MiB", whole(&[field("session", &"x".repeat(3 << 20)), file("a.zip", &zip)])),
        form("a field name of 10,000 letters", whole(&[field(&"n".repeat(10_000), "x"), file("a.zip", &zip)])),
        form("a file of the server's own", whole(&[field("reference", "/etc/passwd"), file("a.zip", &zip)])),
        form("no file", whole(&[field("session", "x")])),
        form("an empty file", whole(&[file("a.zip", b"")])),
        form("a text for a file", whole(&[file("a.zip", b"nothing here")])),
        form("a sound file and a broken one", whole(&[file("a.zip", &zip), file("b.zip", &zip[..zip.len() - 9])])),
        form("a field behind the file that forbids it", {
            whole(&[file("a.zip", &zip), field("dest", "/prearchive/projects/../../etc")])
        })
        .query(""),
        form("a form in a form's place", sound.clone()).query("inbody=true&dest=/prearchive/projects/P1"),
    ]
}
