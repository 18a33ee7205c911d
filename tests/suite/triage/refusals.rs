//! What is refused, and leaves nothing.

use std::time::Duration;

use narthex_tests::{MULTIPART, eventually, multipart, sentence, zips};

use super::{TRIAGE, put, send, service};

const TARGET: &str = "target=/data/projects/P1/resources/R";

#[test]
fn what_cannot_be_taken_is_refused_with_a_sentence_and_leaves_nothing() {
    let (service, api) = service();
    let before = service.stores().chunks();
    let files = format!("{TRIAGE}/resources/X/files");
    let bytes = "application/octet-stream";
    for (path, content_type, body, status) in [
        (format!("{files}/a?{TARGET}"), bytes, &b""[..], 400),
        (format!("{files}/a?{TARGET}"), "application/x-www-form-urlencoded", b"a=b", 400),
        (format!("{files}/a?{TARGET}"), "application/json", b"{}", 400),
        (format!("{files}/a?{TARGET}"), MULTIPART, b"no form at all", 400),
        (format!("{files}/a?{TARGET}&inbody=true"), MULTIPART, b"--BOUND--", 406),
        (format!("{files}/a?{TARGET}&reference=/etc/passwd"), bytes, b"x", 400),
        (format!("{files}/a?{TARGET}&async=true"), bytes, b"x", 501),
        (format!("{files}/a?{TARGET}&_onSuccessReturnHTML=x"), bytes, b"x", 400),
        (format!("{files}/a?{TARGET}&format={}", "f".repeat(300)), bytes, b"x", 400),
        (format!("{files}/a?{TARGET}&event_reason={}", "r".repeat(2_000)), bytes, b"x", 400),
        (format!("{files}/a?{TARGET}&event_reason=a%01b"), bytes, b"x", 400),
        (format!("{files}/..?{TARGET}"), bytes, b"x", 400),
        (format!("{files}/a%2Fb?{TARGET}"), bytes, b"x", 400),
        (format!("{files}/a%0d%0ab?{TARGET}"), bytes, b"x", 400),
        (format!("{files}/C:x?{TARGET}"), bytes, b"x", 400),
        (format!("{TRIAGE}/resources/%2e%2e/files/a?{TARGET}"), bytes, b"x", 400),
        (format!("{TRIAGE}/resources/a%00/files/a?{TARGET}"), bytes, b"x", 400),
        (format!("{TRIAGE}/resources/{}/files/a?{TARGET}", "l".repeat(129)), bytes, b"x", 400),
        (format!("{TRIAGE}/resources/{}", "l".repeat(129)), bytes, b"", 400),
        (format!("{TRIAGE}/resources/NEW"), bytes, b"not wanted", 400),
        (format!("{TRIAGE}/other/X"), bytes, b"x", 404),
    ] {
        let response = send(&api, "PUT", &path, content_type, body);
        assert_eq!(response.status, status, "{path}: {}", response.text());
        sentence(&response);
    }
    let script = multipart(&[
        ("target", None, b"/data/projects/P1/resources/R"),
        ("_onFailureReturnJS", None, b"alert(1)"),
        ("f", Some("a"), b"x"),
    ]);
    assert_eq!(send(&api, "POST", &files, MULTIPART, &script).status, 400);
    for (method, path) in [("DELETE", files.clone()), ("DELETE", TRIAGE.to_owned()), ("POST", TRIAGE.to_owned())] {
        assert_eq!(send(&api, method, &path, bytes, b"").status, 405, "{method} {path}");
    }
    assert!(api.table(TRIAGE).rows.is_empty());
    eventually(Duration::from_secs(30), "nothing is left", || (service.stores().chunks() == before).then_some(()));
}

#[test]
fn hostile_archives_are_refused_as_everywhere_and_leave_nothing() {
    let (service, api) = service();
    let before = service.stores().chunks();
    let [one, two] = [7, 11].map(|step| (0..3_000_u32).map(|n| (n * step % 251) as u8).collect::<Vec<u8>>());
    for hostile in zips::hostile(&one, &two) {
        let path = format!("{TRIAGE}/resources/X/files/a.zip?extract=true&{TARGET}");
        let refused = send(&api, "POST", &path, "application/zip", &hostile.zip);
        assert!([400, 413].contains(&refused.status), "{}: {}", hostile.kind, refused.status);
        assert!(sentence(&refused).contains(hostile.names), "{}: {}", hostile.kind, sentence(&refused));
        assert!(api.table(TRIAGE).rows.is_empty(), "{}", hostile.kind);
    }
    eventually(Duration::from_secs(30), "nothing is left", || (service.stores().chunks() == before).then_some(()));
}

#[test]
fn the_limits_of_archives_and_of_the_quarantine_hold() {
    let service = narthex_tests::Service::with(&[
        ("max_entries", "3"),
        ("max_entry_bytes", "1000"),
        ("max_triage_folders", "2"),
        ("max_triage_files", "3"),
    ]);
    let api = service.api();
    api.project("P1");
    let zip = |count: usize, bytes: usize| {
        let files = (0..count).map(|number| (format!("{number}.txt"), vec![b'x'; bytes]));
        narthex_tests::zip_files(files, narthex_tests::Packing::Deflated)
    };
    let extract = |folder: &str, zip: &[u8]| {
        let path = format!("{TRIAGE}/resources/{folder}/files/a.zip?extract=true&{TARGET}");
        send(&api, "POST", &path, "application/zip", zip).status
    };
    assert_eq!((extract("X", &zip(4, 1)), extract("X", &zip(1, 2_000))), (413, 413));
    assert_eq!(extract("X", &zip(3, 1)), 200);
    let full = send(&api, "POST", &format!("{TRIAGE}/resources/X/files/b?{TARGET}"), "text/plain", b"b");
    assert_eq!(full.status, 507);
    assert!(sentence(&full).contains("another folder"), "{}", sentence(&full));
    put(&api, "Y/files/a", "/data/projects/P1/resources/R", b"a");
    let third = send(&api, "POST", &format!("{TRIAGE}/resources/Z/files/b?{TARGET}"), "text/plain", b"b");
    assert_eq!(third.status, 507);
    assert_eq!(api.client.delete(&format!("{TRIAGE}/resources/Y")).unwrap().status, 200);
    put(&api, "Z/files/b", "/data/projects/P1/resources/R", b"b");
}
