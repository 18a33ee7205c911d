//! Resources of projects, subjects, experiments and scans.

use narthex_tests::{Api, MULTIPART, Response, multipart, sentence};

use super::{archived, study};

#[track_caller]
pub fn send(api: &Api, method: &str, path: &str, body: &[u8]) -> Response {
    let request = api.client.request(method, path).header("Content-Type", "application/octet-stream");
    request.send_bytes(body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
}

#[track_caller]
pub fn put_file(api: &Api, path: &str, body: &[u8]) {
    let response = send(api, "PUT", path, body);
    assert_eq!((response.status, response.text().as_str()), (200, ""), "PUT {path}");
}

/// Addresses of items, with what the address of a file below begins with in lists.
const PARENTS: [(&str, &str); 8] = [
    ("/data/projects/P1", "/data/projects/P1"),
    ("/data/projects/P1/subjects/S41", "/data/projects/P1/subjects/XNAT_S00001"),
    ("/data/subjects/XNAT_S00001", "/data/projects/P1/subjects/XNAT_S00001"),
    ("/data/projects/P1/subjects/S41/experiments/S41_MR1", "/data/experiments/XNAT_E00001"),
    ("/data/archive/projects/P1/experiments/S41_MR1", "/data/experiments/XNAT_E00001"),
    ("/REST/experiments/XNAT_E00001", "/data/experiments/XNAT_E00001"),
    ("/data/experiments/XNAT_E00001/scans/2", "/data/experiments/XNAT_E00001/scans/2"),
    ("/data/projects/P1/subjects/S41/experiments/S41_MR1/scans/2", "/data/experiments/XNAT_E00001/scans/2"),
];

#[test]
fn a_resource_is_made_filled_read_and_removed_at_every_address() {
    let (_service, api) = archived();
    for (parent, address) in PARENTS {
        let resource = format!("{parent}/resources/NOTES");
        let made = api.put(&format!("{resource}?format=TXT&content=doc&description=d&tags=a,b"));
        assert_eq!((made.status, made.text().as_str()), (200, ""), "{resource}: {}", made.text());
        let again = api.put(&resource);
        assert_eq!((again.status, sentence(&again).as_str()), (409, "Specified resource already exists."));
        let list = api.table(&format!("{parent}/resources"));
        let row = list.row("label", "NOTES");
        assert_eq!((row.get("file_count"), row.get("file_size"), row.get("format")), ("0", "0", "TXT"), "{parent}");
        assert_eq!((row.get("content"), row.get("tags")), ("doc", "a,b"));
        let number = row.get("xnat_abstractresource_id").to_owned();
        assert!(number.parse::<u64>().is_ok_and(|number| number > 0), "{number:?}");

        put_file(&api, &format!("{resource}/files/a/b%C3%A4.txt?format=TXT&content=doc"), b"hello");
        let there = send(&api, "POST", &format!("{parent}/resources/{number}/files/a/b%C3%A4.txt?inbody=true"), b"x");
        assert_eq!((there.status, there.text().as_str()), (200, r#"{"duplicates":["a/bä.txt"]}"#));
        put_file(
            &api,
            &format!("{resource}/files/a/b%C3%A4.txt?overwrite=true&format=TXT&content=doc"),
            b"hello, again",
        );
        let files = api.table(&format!("{resource}/files"));
        let row = files.only();
        assert_eq!((row.get("Name"), row.get("Size"), row.get("collection")), ("bä.txt", "12", "NOTES"));
        assert_eq!(
            (row.get("file_format"), row.get("file_content"), row.get("cat_ID")),
            ("TXT", "doc", number.as_str())
        );
        assert_eq!(row.get("digest"), narthex_tests::md5(b"hello, again"));
        let uri = format!("{address}/resources/{number}/files/a/b%C3%A4.txt");
        assert_eq!(row.get("URI"), uri);
        assert_eq!(api.bytes(&uri), b"hello, again");
        let range = api.client.request("GET", &uri).header("Range", "bytes=7-").send().unwrap();
        assert_eq!((range.status, range.body.as_slice()), (206, &b"again"[..]));
        let head = api.client.request("HEAD", &uri).send().unwrap();
        assert_eq!((head.status, head.header("content-length")), (200, Some("12")));
        assert!(head.header("etag").is_some());

        let catalog = api.get(&format!("{resource}?format=json"));
        let start = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<cat:Catalog ";
        assert!(catalog.text().starts_with(start), "{}", catalog.text());
        assert!(catalog.text().contains("<cat:metaField name=\"SIZE\">12</cat:metaField>"));
        for format in ["zip", "tar", "tar.gz"] {
            let archive = api.get(&format!("{resource}/files?format={format}"));
            assert_eq!(archive.status, 200, "{format}");
            assert!(archive.body.len() > 20);
        }
        assert_eq!(
            api.table(&format!("{parent}/files")).rows.iter().filter(|row| row.get("collection") == "NOTES").count(),
            1
        );

        let gone = send(&api, "DELETE", &format!("{resource}/files/none"), b"");
        assert_eq!((gone.status, sentence(&gone).as_str()), (404, "No matched files"));
        let gone = api.client.delete(&format!("{resource}/files/none?accept-not-found=true")).unwrap();
        assert_eq!(gone.status, 204);
        assert_eq!(api.client.delete(&uri).unwrap().status, 200);
        assert_eq!(api.get(&uri).status, 404);
        assert_eq!(api.table(&format!("{parent}/resources")).row("label", "NOTES").get("file_count"), "0");
        assert_eq!(api.client.delete(&resource).unwrap().status, 200);
        assert_eq!(api.client.delete(&resource).unwrap().status, 404);
        assert_eq!(api.get(&resource).status, 404);
    }
    api.assert_holds("/data/experiments/XNAT_E00001", &study());
}

#[test]
fn forms_make_a_resource_and_what_cannot_be_is_refused() {
    let (_service, api) = archived();
    let parent = "/data/experiments/XNAT_E00001";
    let body = multipart(&[("overwrite", None, b"true"), ("a", Some("one.txt"), b"1"), ("b", Some("two.txt"), b"2")]);
    for _ in 0..2 {
        let request =
            api.client.request("PUT", &format!("{parent}/resources/R/files")).header("Content-Type", MULTIPART);
        assert_eq!(request.send_bytes(&body).unwrap().status, 200);
    }
    assert_eq!(api.table(&format!("{parent}/resources/R/files")).column("Name"), ["one.txt", "two.txt"]);
    for (method, path, body, status) in [
        ("PUT", "resources/..%2Fx", &b""[..], 400),
        ("PUT", "resources/.x", b"", 400),
        ("PUT", "resources/NEW", b"not wanted", 400),
        ("PUT", "resources/NEW/files/a", b"", 400),
        ("PUT", "resources/NEW/files/a?reference=/etc/passwd", b"x", 400),
        ("PUT", "resources/NEW/files/a?async=true", b"x", 501),
        ("PUT", "resources/NEW/files/..%2Fa", b"x", 400),
        ("PUT", "files/a", b"x", 400),
        ("PUT", "resources", b"x", 405),
        ("POST", "resources/NEW", b"x", 405),
        ("DELETE", "resources/R/files", b"", 405),
        ("PUT", "nothing/at/all", b"x", 404),
        ("PUT", "scans/77/resources/R/files/a", b"x", 404),
        ("PUT", "projects/P9", b"", 404),
    ] {
        let response = send(&api, method, &format!("{parent}/{path}"), body);
        assert_eq!(response.status, status, "{method} {path}: {}", response.text());
        assert!(!sentence(&response).is_empty());
    }
    assert_eq!(api.get(&format!("{parent}/resources/R/surplus")).status, 400);
    assert_eq!(api.table(&format!("{parent}/resources")).rows.len(), 1);
    assert_eq!(send(&api, "PUT", "/data/experiments/XNAT_E00009/resources/R", b"").status, 404);
}

#[test]
fn images_that_are_changed_keep_their_number_and_their_catalog() {
    let (_service, api) = archived();
    let scan = "/data/experiments/XNAT_E00001/scans/2";
    let before = api.table(&format!("{scan}/resources"));
    let number = before.only().get("xnat_abstractresource_id").to_owned();
    let files = api.table(&format!("{scan}/resources/DICOM/files"));
    let first = files.rows[0].get("URI").to_owned();
    let bytes = api.bytes(&first);
    put_file(&api, &format!("{scan}/resources/DICOM/files/notes.txt"), b"beside");
    let after = api.table(&format!("{scan}/resources"));
    assert_eq!(after.only().get("xnat_abstractresource_id"), number);
    assert_eq!((after.only().get("label"), after.only().get("file_count")), ("DICOM", "6"));
    assert_eq!((after.only().get("format"), after.only().get("content")), ("DICOM", "RAW"));
    assert!(api.bytes(&first) == bytes);
    let catalog = api.get(&format!("{scan}/resources/DICOM")).text();
    assert!(catalog.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<cat:DCMCatalog "), "{catalog}");
    assert_eq!((catalog.matches("cat:dcmEntry").count(), catalog.matches("<cat:entry ").count()), (5, 6));
    assert!(catalog.contains("<cat:dimensions "));
    let json = api.get("/data/experiments/XNAT_E00001?format=json").text();
    assert!(json.contains("\"file_count\":6"), "{json}");
    assert_eq!(api.client.delete(&format!("{scan}/resources/DICOM/files/notes.txt")).unwrap().status, 200);
    api.assert_holds("/data/experiments/XNAT_E00001", &study());
    assert_eq!(api.client.delete(&first).unwrap().status, 200);
    assert_eq!(api.get(&first).status, 404);
    assert_eq!(api.table(&format!("{scan}/resources/DICOM/files")).rows.len(), 4);
    assert_eq!(api.table("/data/experiments/XNAT_E00001/scans/ALL/files").rows.len(), study().file_count() - 1);
    assert_eq!(api.client.delete(&format!("{scan}/resources/DICOM")).unwrap().status, 200);
    assert!(api.table(&format!("{scan}/resources")).rows.is_empty());
    assert_eq!(api.table("/data/experiments/XNAT_E00001/scans").rows.len(), 3);
}
