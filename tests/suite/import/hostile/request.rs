//! Sound files with parameters that lie.

use narthex_tests::{encode, zip_study};

use super::{ALL, DESTINATION, Hostile, OF_ARCHIVES, SI, study};

pub(super) fn kinds() -> Vec<Hostile> {
    let zip = zip_study(&study());
    let with =
        |kind: &str, query: String| Hostile::body(format!("request: {kind}"), OF_ARCHIVES, zip.clone()).query(query);
    let dest = |kind: &str, dest: &str| with(&format!("dest {kind}"), format!("dest={dest}"));
    let also = |kind: &str, query: &str| with(kind, format!("{DESTINATION}&{query}"));
    vec![
        dest("with a parent path", "/prearchive/projects/../../etc"),
        dest("with an encoded parent path", "/prearchive/projects/%2e%2e/%2e%2e"),
        dest("with a parent path encoded twice", "/prearchive/projects/%252e%252e%252fP1"),
        dest("with an encoded slash", "/prearchive/projects/P1%2F..%2FP2"),
        dest("with a backslash", "/prearchive/projects/..%5C..%5CP1"),
        dest("with a line break", "/prearchive/projects/P1%0D%0ASet-Cookie:%20x"),
        dest("with a zero byte", "/prearchive/projects/P1%00.txt"),
        dest("with an escape character", "/prearchive/projects/P1%1B[31m"),
        dest("that is no UTF-8", "/prearchive/projects/P1%FF"),
        dest("with markup", &encode("/prearchive/projects/<script>alert(1)</script>")),
        dest("of another host", "http://example.org/prearchive/projects/P1"),
        dest("of the file system", "file:///etc/passwd"),
        dest("without a slash", "prearchive"),
        dest("that is nowhere", "/nowhere/at/all"),
        dest("that is too deep", "/prearchive/projects/P1/a/b/c/d/e"),
        dest("of 20,000 letters", &format!("/prearchive/projects/{}", "p".repeat(20_000))),
        dest("with a bad timestamp", "/prearchive/projects/P1/..%2F..%2Fx/S1"),
        dest("in a project that is not there", "/prearchive/projects/NONE"),
        with("a project that is a parent path", "project=../P1".to_owned()),
        with("an unknown project", "PROJECT_ID=NONE".to_owned()),
        with("a query of 40,000 bytes", format!("{DESTINATION}&x={}", "x".repeat(40_000))),
        with("15,000 parameters", format!("{DESTINATION}{}", "&a".repeat(20_000))),
        also("a parameter's name of 600 letters", &format!("{}=1", "n".repeat(600))),
        also("a file of the server's own", "reference=/etc/passwd"),
        also("a src outside of the cache", "src=/etc/passwd"),
        also("a src with a parent path", "src=/user/cache/resources/x/files/../../../../etc/passwd"),
        also("a src of another host", &format!("src={}", encode("http://169.254.169.254/latest/meta-data"))),
        also("an overwrite that is none", "overwrite=everything"),
        also("a listener without a name", "http-session-listener="),
        Hostile { handlers: &["NONE", "..%2FSI", "%3Cscript%3E"], ..also("an unknown handler", "") },
        Hostile { handlers: &[SI], ..also("an unknown reader", "prearc-importer=NONE") },
        Hostile::body("request: an empty body", ALL, Vec::new()),
        Hostile::body("request: one byte", ALL, vec![0]),
        Hostile::body("request: a MiB of zeros", ALL, vec![0; 1 << 20]),
        Hostile::body("request: a MiB of ones", ALL, vec![0xFF; 1 << 20]),
        Hostile::body("request: text", ALL, b"This is no image. ".repeat(5_000)),
        Hostile::body("request: XML with entities", ALL, ENTITIES.to_vec()).media_type("text/xml"),
        Hostile::body("request: JSON nested 100,000 deep", ALL, b"[".repeat(100_000)).media_type("application/json"),
        Hostile::body("request: a form for a file", ALL, b"a=1&b=2".to_vec())
            .media_type("application/x-www-form-urlencoded"),
    ]
}

/// What would grow without end in a reader that takes entities.
const ENTITIES: &[u8] = b"<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">\
    <!ENTITY c SYSTEM \"file:///etc/passwd\">]><x>&b;&c;</x>";
