//! What is refused, and leaves nothing.

use narthex_tests::{MULTIPART, Service, multipart, sentence};

use super::{CACHE, send};

#[test]
fn what_cannot_be_taken_is_refused_with_a_sentence_and_leaves_nothing() {
    let service = Service::start();
    let api = service.api();
    let files = format!("{CACHE}/R/files");
    let bytes = "application/octet-stream";
    let cut_off = b"--BOUND\r\nContent-Disposition: form-data; name=\"a\"; filename=\"a\"\r\n\r\nx";
    for (path, content_type, body, status) in [
        (format!("{files}/a"), bytes, &b""[..], 400),
        (format!("{files}/a"), "application/x-www-form-urlencoded", b"a=b", 400),
        (format!("{files}/a"), "application/json", b"{}", 400),
        (format!("{files}/a"), MULTIPART, b"no form at all", 400),
        (format!("{files}/a"), MULTIPART, cut_off, 400),
        (format!("{files}/a"), MULTIPART, b"--BOUND--\r\n", 400),
        (format!("{files}/a"), "multipart/form-data", b"--BOUND--\r\n", 400),
        (format!("{files}/a.zip?extract=true"), "application/zip", b"PK\x03\x04", 400),
        (format!("{files}/a?reference=/etc/passwd"), bytes, b"x", 400),
        (format!("{files}/../x"), bytes, b"x", 400),
        (format!("{files}/%2e%2e/x"), bytes, b"x", 400),
        (format!("{files}/a%2F..%2Fb"), bytes, b"x", 400),
        (format!("{files}/a%2Fb"), bytes, b"x", 400),
        (format!("{files}/a%5Cb"), bytes, b"x", 400),
        (format!("{files}/a%00b"), bytes, b"x", 400),
        (format!("{files}/a%0d%0ab"), bytes, b"x", 400),
        (format!("{files}/a%ff"), bytes, b"x", 400),
        (format!("{files}//a"), bytes, b"x", 400),
        (format!("{files}/C:x"), bytes, b"x", 400),
        (format!("{files}/{}", "a".repeat(256)), bytes, b"x", 400),
        (format!("{CACHE}/%2e%2e/files/a"), bytes, b"x", 400),
        (format!("{CACHE}/a%2Fb/files/a"), bytes, b"x", 400),
        (format!("{CACHE}/C:/files/a"), bytes, b"x", 400),
        (format!("{CACHE}/{}/files/a", "l".repeat(129)), bytes, b"x", 400),
        (format!("{CACHE}/R/other/a"), bytes, b"x", 404),
        (format!("{CACHE}/{}", "l".repeat(129)), bytes, b"", 400),
    ] {
        let response = send(&api, "PUT", &path, content_type, body);
        assert_eq!(response.status, status, "{path}: {}", response.text());
        sentence(&response);
    }
    let extract = multipart(&[("extract", None, b"true"), ("f", Some("a.zip"), b"PK\x03\x04")]);
    let reference = multipart(&[("reference", None, b"/etc/passwd"), ("f", Some("a"), b"x")]);
    let parent = multipart(&[("f", Some("good"), b"x"), ("f", Some(".."), b"x")]);
    let many = multipart(&vec![("f", Some("a"), &b"x"[..]); 1_001]);
    for (body, status) in [(extract, 400), (reference, 400), (parent, 400), (many, 413)] {
        let response = send(&api, "POST", &files, MULTIPART, &body);
        assert_eq!(response.status, status, "{}", response.text());
        sentence(&response);
    }
    for (method, path) in [("DELETE", CACHE.to_owned()), ("DELETE", files), ("POST", format!("{CACHE}/R"))] {
        assert_eq!(send(&api, method, &path, bytes, b"x").status, 405, "{method} {path}");
    }
    assert!(api.table(CACHE).rows.is_empty());
    assert_eq!(service.stores().chunks(), 0);
}

#[test]
fn a_file_is_no_folder() {
    let service = Service::start();
    let api = service.api();
    super::put(&api, "R/files/a/b", b"x");
    for path in ["a", "a/b/c"] {
        let refused = send(&api, "PUT", &format!("{CACHE}/R/files/{path}"), "text/plain", b"y");
        assert_eq!(refused.status, 400, "{path}");
    }
    for path in ["a", "a/b/"] {
        let found = api.get(&format!("{CACHE}/R/files/{path}"));
        assert_eq!(found.status, if path == "a" { 404 } else { 200 }, "{path}");
    }
    assert_eq!(api.table(&format!("{CACHE}/R")).rows.len(), 1);
}
