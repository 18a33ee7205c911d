//! Reading single files in parts, whole resources as archives, and lists in every format.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use flate2::read::GzDecoder;
use narthex_tests::{MULTIPART, Service, multipart};

use super::{CACHE, put};

#[test]
fn parts_of_a_file_are_read_and_unchanged_ones_are_not_sent_again() {
    let service = Service::start();
    let api = service.api();
    let bytes: Vec<u8> = (0..2_000_000_u32).map(|number| (number % 251) as u8).collect();
    put(&api, "X/files/a/page.html", &bytes);
    let path = format!("{CACHE}/X/files/a/page.html");
    let get = |name: &str, value: &str| api.client.request("GET", &path).header(name, value).send().unwrap();

    let range = get("Range", "bytes=1048570-1048585");
    assert_eq!((range.status, range.body.as_slice()), (206, &bytes[1_048_570..1_048_586]));
    assert_eq!(range.header("content-range"), Some("bytes 1048570-1048585/2000000"));
    assert_eq!(get("Range", "bytes=-5").body, bytes[1_999_995..]);
    assert_eq!(get("Range", "bytes=2000000-").status, 416);

    let head = api.client.request("HEAD", &path).send().unwrap();
    assert_eq!((head.status, head.header("content-length")), (200, Some("2000000")));
    assert_eq!(head.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(head.header("content-disposition"), Some("attachment; filename=\"page.html\""));
    assert_eq!(head.header("x-content-type-options"), Some("nosniff"));
    assert!(head.header("content-security-policy").unwrap().contains("sandbox"));
    let etag = head.header("etag").unwrap();
    assert_eq!(get("If-None-Match", etag).status, 304);
    put(&api, "X/files/a/page.html", b"new");
    let changed = get("If-None-Match", etag);
    assert_eq!((changed.status, changed.body.as_slice()), (200, &b"new"[..]));
}

#[test]
fn a_resource_is_read_as_an_archive() {
    let service = Service::start();
    let api = service.api();
    let long = format!("{0}/{0}/c", "long-folder".repeat(15));
    let files: BTreeMap<String, Vec<u8>> =
        [("a b/ä.txt", b"hello".to_vec()), ("empty", vec![]), (&long, vec![7; 70_000])]
            .map(|(path, bytes)| (path.to_owned(), bytes))
            .into();
    for (path, bytes) in files.iter().filter(|(_, bytes)| !bytes.is_empty()) {
        let segments: Vec<String> = path.split('/').map(narthex_tests::encode).collect();
        put(&api, &format!("my%20set/files/{}", segments.join("/")), bytes);
    }
    let form = multipart(&[("f", Some("empty"), b"")]);
    assert_eq!(super::send(&api, "POST", &format!("{CACHE}/my%20set/files"), MULTIPART, &form).status, 201);

    for (path, format) in [("my%20set", "zip"), ("my%20set/files", "zip"), ("my%20set", "tar"), ("my%20set", "tar.gz")]
    {
        let response = api.get(&format!("{CACHE}/{path}?format={format}"));
        assert_eq!(response.status, 200, "{}", response.text());
        let disposition = response.header("content-disposition").unwrap_or_default();
        assert_eq!(disposition, format!("attachment; filename=\"my set.{format}\""));
        let found = match format {
            "zip" => zip_members(response.body),
            "tar" => tar_members(response.body.as_slice()),
            _ => tar_members(GzDecoder::new(response.body.as_slice())),
        };
        assert!(found == files, "{path} as {format}: {:?}", found.keys());
    }
    let accepted = api.client.request("GET", &format!("{CACHE}/my%20set")).header("Accept", "application/zip");
    assert!(zip_members(accepted.send().unwrap().body) == files);
    api.put(&format!("{CACHE}/nothing"));
    assert!(zip_members(api.bytes(&format!("{CACHE}/nothing?format=zip"))).is_empty());
}

fn zip_members(bytes: Vec<u8>) -> BTreeMap<String, Vec<u8>> {
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).expect("a zip");
    (0..zip.len())
        .map(|index| {
            let mut member = zip.by_index(index).expect("a member");
            let mut bytes = Vec::new();
            member.read_to_end(&mut bytes).expect("whole data with the right checksum");
            (member.name().expect("a name").into_owned(), bytes)
        })
        .collect()
}

fn tar_members(tar: impl Read) -> BTreeMap<String, Vec<u8>> {
    let mut archive = tar::Archive::new(tar);
    let members = archive.entries().expect("a tar").map(|member| {
        let mut member = member.expect("a member");
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).expect("whole data");
        (member.path().expect("a name").to_str().expect("text").to_owned(), bytes)
    });
    members.collect()
}

#[test]
fn lists_come_in_every_format() {
    let service = Service::start();
    let api = service.api();
    put(&api, "a%20%22b%22/files/x%2Cy", b"12345");
    let base = format!("{CACHE}/a%20%22b%22");
    let text = |path: &str| String::from_utf8(api.bytes(path)).unwrap();
    assert_eq!(text(&format!("{CACHE}?format=csv")), format!("Resource,URI\n\"a \"\"b\"\"\",{base}\n"));
    assert_eq!(text(&format!("{base}?format=csv")), format!("Name,Size,URI\n\"x,y\",5,\"{base}/files/x,y\"\n"));
    for path in [CACHE, base.as_str()] {
        let xml = api.get(&format!("{path}?format=xml"));
        assert_eq!(xml.header("content-type"), Some("text/xml; charset=utf-8"));
        let mut reader = quick_xml::Reader::from_str(std::str::from_utf8(&xml.body).unwrap());
        let mut cells = 0;
        loop {
            match reader.read_event().expect("sound XML") {
                quick_xml::events::Event::Start(tag) if tag.name().as_ref() == "cell" => cells += 1,
                quick_xml::events::Event::Eof => break,
                _ => {}
            }
        }
        assert!(cells >= 2, "{}", xml.text());
        let html = api.client.request("GET", path).header("Accept", "text/html").send().unwrap();
        assert!(html.header("content-type").unwrap().starts_with("text/html"));
        assert!(html.text().starts_with("<html ") && html.text().contains(&base), "{}", html.text());
        let head = api.client.request("HEAD", path).send().unwrap();
        assert_eq!((head.status, head.body.len()), (200, 0));
    }
    assert_eq!(api.client.request("GET", CACHE).header("Accept", "image/png").send().unwrap().status, 406);
}
