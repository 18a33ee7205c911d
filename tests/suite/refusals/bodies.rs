//! Bodies that are not what an import takes.

use narthex_tests::{Modality, Packing, Study, zip_files, zip_study};

use super::{assert_nothing_left, assert_refused, service};

const IMPORT: &str = "/data/services/import?import-handler=SI&dest=/prearchive/projects/P1";

#[test]
fn without_a_login() {
    let (service, api) = service(&[]);
    let before = service.stores().chunks();
    let zip = zip_study(&Study::new(Modality::Ct, 1));
    for client in [api.client.anonymous(), api.client.login("admin", "wrong")] {
        let response = client.post(IMPORT, "application/zip", &zip).unwrap();
        assert_eq!(response.status, 401);
    }
    assert_nothing_left("without a login", &service, &api, before);
}

#[test]
fn an_unknown_project_or_handler() {
    let (service, api) = service(&[]);
    let before = service.stores().chunks();
    let zip = zip_study(&Study::new(Modality::Ct, 1));
    let response = api.send("dest=/prearchive/projects/NONE", "application/zip", &zip);
    assert_refused("unknown project", &response, &[404], "NONE");
    let path = "/data/services/import?import-handler=NONE&dest=/prearchive/projects/P1";
    let response = api.client.post(path, "application/zip", &zip).unwrap();
    assert_refused("unknown handler", &response, &[404], "NONE");
    for dest in ["nonsense", "/nowhere", "/prearchive/projects/P1/a/b/c/d", "/prearchive/projects/..%2F..", "http:"] {
        let response = api.send(&format!("dest={dest}"), "application/zip", &zip);
        assert_refused(dest, &response, &[400, 404], "");
    }
    assert_nothing_left("unknown names", &service, &api, before);
}

#[test]
fn empty_and_meaningless_bodies() {
    let (service, api) = service(&[]);
    let before = service.stores().chunks();
    let text = b"This is no image. ".repeat(5000);
    let texts =
        zip_files([("a.txt".to_owned(), text.clone()), ("b/c.txt".to_owned(), text.clone())], Packing::Deflated);
    let no_files = zip_files([], Packing::Deflated);
    let only_magic = [&[0; 128][..], b"DICM"].concat();
    let mut cut_dicom = Study::new(Modality::Ct, 1).files().next().unwrap().bytes;
    cut_dicom.truncate(200);
    for (what, body) in [
        ("empty", &b""[..]),
        ("text", &text),
        ("a zip of texts", &texts),
        ("a zip of nothing", &no_files),
        ("nothing behind the magic word", &only_magic),
        ("a file cut off in its head", &cut_dicom),
        ("four bytes of a zip", b"PK\x03\x04"),
        ("zeros", &[0; 70_000]),
    ] {
        let response = api.send("dest=/prearchive/projects/P1", "application/zip", body);
        assert_refused(what, &response, &[400], "");
        assert_nothing_left(what, &service, &api, before);
    }
}

#[test]
fn a_body_that_is_cut_off() {
    let (service, api) = service(&[]);
    let before = service.stores().chunks();
    let zip = zip_study(&Study::new(Modality::Ct, 1).slices(40).matrix(400));
    assert!(zip.len() > 2_500_000, "several chunks");
    for part in [0, 1, 1000, zip.len() / 2, zip.len() - 1] {
        let request = api.client.request("POST", IMPORT).header("Content-Type", "application/zip");
        request.clone().send_cut_off(zip.len() as u64, &zip[..part]).unwrap();
        assert_nothing_left(&format!("cut off after {part} bytes"), &service, &api, before);
        if let Some(response) = request.send_half(zip.len() as u64, &zip[..part]).unwrap() {
            assert!((400..500).contains(&response.status), "{part}: {}", response.status);
        }
        assert_nothing_left(&format!("half closed after {part} bytes"), &service, &api, before);
    }
}

#[test]
fn methods_that_an_import_has_not() {
    let (_service, api) = service(&[]);
    for method in ["GET", "PUT", "DELETE"] {
        let response = api.client.request(method, "/data/services/import").send_bytes(b"").unwrap();
        assert_eq!(response.status, 405, "{method}");
    }
}

#[test]
fn bytes_that_are_no_http() {
    let (_service, api) = service(&[]);
    for bytes in
        [&b"\x16\x03\x01\x02\x00\x01"[..], b"GET\r\n\r\n", b"POST /data HTTP/1.1\r\nContent-Length: -1\r\n\r\n"]
    {
        let answer = api.client.raw(bytes).unwrap_or_default();
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&answer));
    }
    assert_eq!(api.get("/data/projects").status, 200, "the service goes on");
}

#[test]
fn are_told_in_the_form_that_accept_prefers() {
    let (_service, api) = service(&[]);
    for path in ["/data/projects/NONE", "/data/projects/a%2Fb"] {
        for (accept, start) in [("*/*", "<html>"), ("application/json", "{\"error\":{\"status\":4"), ("text/plain", "")]
        {
            let response = api.client.request("GET", path).header("Accept", accept).send().unwrap();
            assert!((400..500).contains(&response.status), "{path} {accept}: {}", response.status);
            let text = response.text();
            assert!(text.starts_with(start), "{path} {accept}: {text}");
            assert_eq!(text.contains('<'), accept == "*/*", "{path} {accept}: {text}");
        }
    }
}
