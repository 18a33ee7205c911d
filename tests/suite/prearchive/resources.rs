//! The resources of a session itself.

use narthex_tests::{Api, MULTIPART, Modality, Response, Service, Study, encode, multipart, sentence};

fn study() -> Study {
    Study::new(Modality::Mr, 71).patient("S71_MR1", "S71").slices(2)
}

/// A service with a session in it, and the session's address.
fn session() -> (Service, String) {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let uri = api.import("P1", &study());
    (service, uri)
}

#[track_caller]
fn put(api: &Api, path: &str, content_type: &str, body: &[u8]) -> Response {
    let request = api.client.request("PUT", path).header("Content-Type", content_type);
    request.send_bytes(body).unwrap_or_else(|error| panic!("PUT {path}: {error}"))
}

#[track_caller]
fn put_file(api: &Api, path: &str, body: &[u8]) {
    let response = put(api, path, "application/octet-stream", body);
    assert_eq!((response.status, response.text().as_str()), (200, ""), "PUT {path}");
}

#[test]
fn a_file_is_put_listed_read_and_removed() {
    let (service, uri) = session();
    let api = service.api();
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|number| (number % 253) as u8).collect();
    let path = format!("{uri}/resources/NOTES/files/run%201/b%C3%A4.bin");
    put_file(&api, &path, &bytes);
    assert!(api.bytes(&path) == bytes);

    let files = api.table(&format!("{uri}/resources/NOTES/files"));
    assert_eq!(files.only().columns(), ["Name", "Size", "URI"]);
    assert_eq!((files.only().get("Name"), files.only().get("Size")), ("bä.bin", "3000000"));
    assert_eq!(files.only().get("URI"), path);

    let resources = api.table(&format!("{uri}/resources"));
    assert_eq!(resources.rows.len(), 2);
    let row = resources.row("label", "NOTES");
    assert_eq!((row.get("category"), row.get("cat_id")), ("resources", ""));
    assert_eq!((row.get("file_count"), row.get("file_size")), ("1", "3000000"));
    assert_eq!(resources.row("label", "DICOM").get("category"), "scans");

    let range = api.client.request("GET", &path).header("Range", "bytes=2999990-").send().unwrap();
    assert_eq!((range.status, range.body.as_slice()), (206, &bytes[2_999_990..]));
    let head = api.client.request("HEAD", &path).send().unwrap();
    assert_eq!((head.status, head.header("content-length")), (200, Some("3000000")));
    let etag = head.header("etag").unwrap().to_owned();
    let same = api.client.request("GET", &path).header("If-None-Match", &etag).send().unwrap();
    assert_eq!(same.status, 304);

    assert_eq!(api.client.delete(&path).unwrap().status, 200);
    assert_eq!(api.client.delete(&path).unwrap().status, 404);
    assert_eq!(api.get(&path).status, 404);
    // The last file takes the resource with it.
    assert_eq!(api.get(&format!("{uri}/resources/NOTES/files")).status, 404);
    assert_eq!(api.table(&format!("{uri}/resources")).rows.len(), 1);
    api.assert_holds(&uri, &study());
}

#[test]
fn a_file_that_is_there_is_kept_unless_it_is_to_be_overwritten() {
    let (service, uri) = session();
    let api = service.api();
    let path = format!("{uri}/resources/NOTES/files/a/b.txt");
    put_file(&api, &path, b"one");
    let kept = put(&api, &path, "text/plain", b"two");
    assert_eq!((kept.status, kept.text().as_str()), (200, r#"{"duplicates":["a/b.txt"]}"#));
    assert_eq!(api.bytes(&path), b"one");
    put_file(&api, &format!("{path}?overwrite=true"), b"three");
    assert_eq!(api.bytes(&path), b"three");
    assert_eq!(api.bytes(&path.replace("/data/", "/REST/")), b"three");
}

#[test]
fn a_resource_is_removed_whole() {
    let (service, uri) = session();
    let api = service.api();
    for name in ["a", "b", "c/d"] {
        put_file(&api, &format!("{uri}/resources/NOTES/files/{name}"), name.as_bytes());
    }
    let resource = format!("{uri}/resources/NOTES");
    assert_eq!(api.client.delete(&resource).unwrap().status, 200);
    assert_eq!(api.get(&format!("{resource}/files/a")).status, 404);
    assert_eq!(api.client.delete(&resource).unwrap().status, 404);
    put_file(&api, &format!("{resource}/files/a"), b"again");
    assert_eq!(api.table(&format!("{resource}/files")).column("Name"), ["a"]);
}

#[test]
fn forms_may_have_several_files_and_parameters() {
    let (service, uri) = session();
    let api = service.api();
    let large: Vec<u8> = (0..700_000_u32).map(|number| (number % 241) as u8).collect();
    let body = multipart(&[
        ("overwrite", None, b"true"),
        ("one", Some("C:\\My Files\\a b.txt"), b"hello"),
        ("two", Some("x/large.bin"), &large),
        ("three", Some("empty"), b""),
    ]);
    for _ in 0..2 {
        let sent = put(&api, &format!("{uri}/resources/NOTES/files"), MULTIPART, &body);
        assert_eq!((sent.status, sent.text().as_str()), (200, ""));
    }
    let files = api.table(&format!("{uri}/resources/NOTES/files"));
    assert_eq!(files.column("Name"), ["a b.txt", "empty", "large.bin"]);
    assert!(api.bytes(files.row("Name", "large.bin").get("URI")) == large);
    assert_eq!(api.bytes(files.row("Name", "a b.txt").get("URI")), b"hello");
    assert_eq!(api.bytes(files.row("Name", "empty").get("URI")), b"");

    // One file takes the name that the address gives it; of several none does.
    let one = multipart(&[("f", Some("x"), b"named")]);
    assert_eq!(put(&api, &format!("{uri}/resources/OTHER/files/d/y"), MULTIPART, &one).status, 200);
    assert_eq!(api.bytes(&format!("{uri}/resources/OTHER/files/d/y")), b"named");
    assert_eq!(put(&api, &format!("{uri}/resources/OTHER/files/z"), MULTIPART, &body).status, 400);
    assert_eq!(api.table(&format!("{uri}/resources/OTHER/files")).rows.len(), 1);
}

#[test]
fn bodies_are_files_by_their_media_type_or_because_the_client_says_so() {
    let (service, uri) = session();
    let api = service.api();
    let files = format!("{uri}/resources/R/files");
    assert_eq!(put(&api, &files, "text/plain", b"text").status, 200);
    assert_eq!(put(&api, &format!("{files}?inbody=true"), "application/x-strange", b"s").status, 200);
    let posted = api.client.post(&format!("{files}/json?inbody=true"), "application/json", b"[1]").unwrap();
    assert_eq!(posted.status, 200);
    assert_eq!(api.table(&files).column("Name"), ["json", "upload.txt", "upload.unsupported"]);
    let both = put(&api, &format!("{files}/x?inbody=true"), MULTIPART, &multipart(&[("f", Some("x"), b"y")]));
    assert_eq!(both.status, 406);
    let chunked = api.client.request("PUT", &format!("{files}/chunked")).header("Content-Type", "text/plain");
    assert_eq!(chunked.send_streamed(|out| out.write_all(b"in chunks")).unwrap().status, 200);
    assert_eq!(api.bytes(&format!("{files}/chunked")), b"in chunks");
}

#[test]
fn what_cannot_be_taken_is_refused_with_a_sentence_and_leaves_nothing() {
    let (service, uri) = session();
    let api = service.api();
    let files = format!("{uri}/resources/R/files");
    let long = "a".repeat(256);
    let bytes = "application/octet-stream";
    for (path, content_type, body, status) in [
        (format!("{files}/a"), bytes, &b""[..], 400),
        (format!("{files}/a"), "application/x-www-form-urlencoded", b"a=b", 400),
        (format!("{files}/a"), MULTIPART, b"no form at all", 400),
        (
            format!("{files}/a"),
            MULTIPART,
            b"--BOUND\r\nContent-Disposition: form-data; name=\"a\"; filename=\"a\"\r\n\r\nx",
            400,
        ),
        (format!("{files}/a"), MULTIPART, b"--BOUND--\r\n", 400),
        (format!("{files}/a?extract=true"), bytes, b"PK\x03\x04x", 400),
        (format!("{files}/a?async=true"), bytes, b"x", 501),
        (format!("{files}/a?reference=/etc/passwd"), bytes, b"x", 400),
        (format!("{files}/../x"), bytes, b"x", 400),
        (format!("{files}/%2e%2e/x"), bytes, b"x", 400),
        (format!("{files}/a%00b"), bytes, b"x", 400),
        (format!("{files}/a%5Cb"), bytes, b"x", 400),
        (format!("{files}/C:x"), bytes, b"x", 400),
        (format!("{files}/{long}"), bytes, b"x", 400),
        (format!("{files}/a?format={}", "f".repeat(100)), bytes, b"x", 400),
        (format!("{uri}/resources/{}/files/a", encode("a:b")), bytes, b"x", 400),
        (format!("{uri}/resources/.hidden/files/a"), bytes, b"x", 400),
        (format!("{uri}x/resources/R/files/a"), bytes, b"x", 404),
        (format!("{uri}/scans/1/resources/R/files/a"), bytes, b"x", 405),
    ] {
        let response = put(&api, &path, content_type, body);
        assert_eq!(response.status, status, "{path}: {}", response.text());
        assert!(!sentence(&response).is_empty());
    }
    let hostile = multipart(&[("f", Some("good"), b"x"), ("f", Some(".."), b"x")]);
    assert_eq!(put(&api, &files, MULTIPART, &hostile).status, 400);
    let many = multipart(&vec![("f", Some("a"), &b"x"[..]); 1_001]);
    assert_eq!(put(&api, &files, MULTIPART, &many).status, 413);
    assert_eq!(api.get(&files).status, 404);
    assert_eq!(api.table(&format!("{uri}/resources")).rows.len(), 1);
}

#[test]
fn a_file_is_no_folder() {
    let (service, uri) = session();
    let api = service.api();
    let files = format!("{uri}/resources/R/files");
    put_file(&api, &format!("{files}/a/b"), b"x");
    for path in ["a", "a/b/c"] {
        let refused = put(&api, &format!("{files}/{path}?overwrite=true"), "text/plain", b"y");
        assert_eq!(refused.status, 400, "{path}");
    }
    assert_eq!(api.table(&files).rows.len(), 1);
}

#[test]
fn the_archive_has_the_files_as_they_were() {
    let (service, uri) = session();
    let api = service.api();
    let path = format!("{uri}/resources/NOTES/files/a/b.txt?format=TXT&content=doc&tags=x,y");
    put_file(&api, &path, b"hello");
    put_file(&api, &format!("{uri}/resources/OTHER/files/c"), b"five!");
    api.archive(&uri.replacen("/data", "", 1));
    let experiment = "/data/projects/P1/experiments/S71_MR1";

    let resources = api.table(&format!("{experiment}/resources"));
    assert_eq!(resources.column("label"), ["NOTES", "OTHER"]);
    let notes = resources.row("label", "NOTES");
    assert_eq!((notes.get("category"), notes.get("format"), notes.get("content")), ("resources", "TXT", "doc"));
    assert_eq!((notes.get("file_count"), notes.get("file_size"), notes.get("tags")), ("1", "5", "x,y"));
    let number = notes.get("xnat_abstractresource_id");
    assert!(number.parse::<u64>().unwrap() > 0);

    let files = api.table(&format!("{experiment}/resources/{number}/files"));
    let file = files.only();
    assert_eq!((file.get("Name"), file.get("collection"), file.get("cat_ID")), ("b.txt", "NOTES", number));
    assert_eq!((file.get("file_format"), file.get("file_content"), file.get("file_tags")), ("TXT", "doc", "x,y"));
    assert_eq!(file.get("digest"), narthex_tests::md5(b"hello"));
    assert_eq!(api.bytes(file.get("URI")), b"hello");
    assert_eq!(api.bytes(&format!("{experiment}/resources/NOTES/files/a/b.txt")), b"hello");

    assert_eq!(api.table(&format!("{experiment}/files")).rows.len(), 4);
    assert_eq!(api.table(&format!("{experiment}/scans/ALL/files")).rows.len(), 2);
    let catalog = api.get(&format!("{experiment}/resources/NOTES?format=json"));
    assert!(
        catalog.text().starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<cat:Catalog"),
        "{}",
        catalog.text()
    );
    assert!(catalog.text().contains("URI=\"a/b.txt\""));
    let document = api.get(&format!("{experiment}?format=xml")).text();
    assert!(document.contains("label=\"NOTES\""), "{document}");
    api.assert_holds(experiment, &study());
}

#[test]
fn sixteen_clients_who_add_files_at_once_lose_none() {
    let (service, uri) = session();
    let api = service.api();
    std::thread::scope(|scope| {
        for client in 0..16 {
            let (api, uri) = (service.api(), &uri);
            scope.spawn(move || {
                for number in 0..3 {
                    put_file(
                        &api,
                        &format!("{uri}/resources/R/files/{client}-{number}"),
                        format!("{client}").as_bytes(),
                    );
                }
            });
        }
    });
    assert_eq!(api.table(&format!("{uri}/resources/R/files")).rows.len(), 48);
}
