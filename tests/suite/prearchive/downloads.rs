//! Sessions, scans and resources as archives.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use flate2::read::GzDecoder;
use narthex_tests::{Api, Modality, Service, Study, sentence};

type Members = BTreeMap<String, Vec<u8>>;

fn study() -> Study {
    Study::new(Modality::Mr, 72).patient("S72_MR1", "S72").slices(3).and_series(2, "t1", Modality::Mr, 2)
}

/// A service with a session that has a resource of its own, and the session's address.
fn session() -> (Service, String) {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let uri = api.import("P1", &study());
    for (path, bytes) in own() {
        let path = format!("{uri}/resources/NOTES/files/{path}");
        let sent = api.client.request("PUT", &path).header("Content-Type", "text/plain").send_bytes(&bytes).unwrap();
        assert_eq!(sent.status, 200, "{}", sent.text());
    }
    (service, uri)
}

/// The files of that resource: one with a name longer than a tar's header holds.
fn own() -> [(String, Vec<u8>); 2] {
    [("a/b.txt".to_owned(), b"hello".to_vec()), (format!("{0}/{0}/c", "long-folder".repeat(15)), vec![7; 70_000])]
}

fn scan_files(series: Option<u32>, prefix: impl Fn(u32) -> String) -> Members {
    let study = study();
    let files = study.files().filter(move |file| series.is_none_or(|series| file.series == series));
    files
        .map(|file| {
            let name = file.name.rsplit('/').next().unwrap().to_owned();
            (format!("{}{name}", prefix(file.series)), file.bytes)
        })
        .collect()
}

fn own_files(prefix: &str) -> Members {
    own().into_iter().map(|(path, bytes)| (format!("{prefix}{path}"), bytes)).collect()
}

#[track_caller]
fn members(api: &Api, path: &str, format: &str) -> Members {
    let response = api.get(&format!("{path}?format={format}"));
    assert_eq!(response.status, 200, "{}", response.text());
    let disposition = response.header("content-disposition").unwrap_or_default();
    assert!(disposition.starts_with("attachment; ") && disposition.contains(&format!(".{format}\"")), "{disposition}");
    let media_type = response.header("content-type").unwrap_or_default().to_owned();
    match format {
        "zip" => {
            assert_eq!(media_type, "application/zip");
            let mut zip = zip::ZipArchive::new(Cursor::new(response.body)).expect("a zip");
            (0..zip.len())
                .map(|index| {
                    let mut file = zip.by_index(index).expect("an entry");
                    let mut bytes = Vec::new();
                    file.read_to_end(&mut bytes).expect("its bytes, with the right CRC-32");
                    (file.name().expect("its name").into_owned(), bytes)
                })
                .collect()
        }
        "tar" => {
            assert_eq!(media_type, "application/x-tar");
            untar(response.body.as_slice())
        }
        _ => {
            assert_eq!(media_type, "application/x-gtar");
            untar(GzDecoder::new(response.body.as_slice()))
        }
    }
}

fn untar(tar: impl Read) -> Members {
    let mut archive = tar::Archive::new(tar);
    let entries = archive.entries().expect("a tar").map(|entry| {
        let mut entry = entry.expect("an entry");
        let name = entry.path().expect("its name").to_string_lossy().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).expect("its bytes");
        (name, bytes)
    });
    entries.collect()
}

const FORMATS: [&str; 3] = ["zip", "tar", "tar.gz"];

#[test]
fn a_session_is_its_folder_in_every_kind_of_archive() {
    let (service, uri) = session();
    let api = service.api();
    let mut expected = scan_files(None, |series| format!("S72_MR1/SCANS/{series}/DICOM/"));
    expected.extend(own_files("S72_MR1/RESOURCES/NOTES/"));
    for format in FORMATS {
        assert!(members(&api, &uri, format) == expected, "{format}");
    }
    let head = api.client.request("HEAD", &format!("{uri}?format=tar")).send().unwrap();
    assert_eq!((head.status, head.header("content-type")), (200, Some("application/x-tar")));
}

#[test]
fn a_scan_and_each_resource_can_be_had_alone() {
    let (service, uri) = session();
    let api = service.api();
    let scan = scan_files(Some(2), |_| "S72_MR1/SCANS/2/DICOM/".to_owned());
    assert_eq!(scan.len(), 2);
    for format in FORMATS {
        assert!(members(&api, &format!("{uri}/scans/2"), format) == scan, "{format}");
        assert!(members(&api, &format!("{uri}/scans/2/resources/DICOM"), format) == scan, "{format}");
        let own = own_files("S72_MR1/RESOURCES/NOTES/");
        assert!(members(&api, &format!("{uri}/resources/NOTES"), format) == own, "{format}");
    }
}

#[test]
fn other_formats_are_400_and_unknown_things_404() {
    let (service, uri) = session();
    let api = service.api();
    for (path, status) in [
        (format!("{uri}/scans/2"), 400),
        (format!("{uri}/scans/2?format=json"), 400),
        (format!("{uri}/scans/2/resources/DICOM?format=xml"), 400),
        (format!("{uri}/resources/NOTES?format=csv"), 400),
        (format!("{uri}?format=csv"), 400),
        (format!("{uri}/scans/99?format=zip"), 404),
        (format!("{uri}/scans/2/resources/NONE?format=zip"), 404),
        (format!("{uri}/resources/NONE?format=tar"), 404),
        (format!("{uri}x?format=zip"), 404),
    ] {
        let response = api.get(&path);
        assert_eq!(response.status, status, "{path}");
        assert!(!sentence(&response).is_empty());
    }
}

#[test]
fn the_archive_gives_the_same_files_under_its_own_names() {
    let (service, uri) = session();
    let api = service.api();
    api.archive(&uri.replacen("/data", "", 1));
    let experiment = "/data/projects/P1/experiments/S72_MR1";
    let label = |series: u32| {
        let kind = api.table(&format!("{experiment}/scans")).row("ID", &series.to_string()).get("type").to_owned();
        format!("S72_MR1/scans/{series}-{}/resources/DICOM/files/", kind.replace(' ', "_"))
    };
    let scans = scan_files(None, label);
    let own = own_files("S72_MR1/resources/NOTES/files/");
    let mut all = scans.clone();
    all.extend(own.clone());
    for format in FORMATS {
        assert!(members(&api, &format!("{experiment}/scans/ALL/files"), format) == scans, "{format}");
        assert!(members(&api, &format!("{experiment}/resources/NOTES/files"), format) == own, "{format}");
        assert!(members(&api, &format!("{experiment}/files"), format) == all, "{format}");
    }
}

#[test]
fn accept_chooses_the_kind_of_archive() {
    let (service, uri) = session();
    let api = service.api();
    let archived = api.archive(&api.import("P1", &Study::new(Modality::Mr, 73).patient("S73", "S73").slices(1)));
    let gzip = ["application/gzip", "application/x-gzip", "application/x-gtar"].map(|accept| (accept, "tar.gz"));
    let others = [("application/zip", "zip"), ("application/x-tar", "tar"), ("text/xml;q=0.1, application/zip", "zip")];
    for (accept, ending) in gzip.into_iter().chain(others) {
        for path in [
            uri.clone(),
            format!("{uri}/scans/1"),
            format!("{uri}/resources/NOTES"),
            archived.clone(),
            format!("{archived}/scans/ALL/files"),
        ] {
            let answer = api.client.request("GET", &path).header("Accept", accept).send().unwrap();
            assert_eq!(answer.status, 200, "{accept} {path}: {}", answer.text());
            let disposition = answer.header("content-disposition").unwrap_or_default();
            assert!(disposition.contains(&format!(".{ending}\"")), "{accept} {path}: {disposition}");
        }
    }
    for (accept, expected) in
        [("*/*", "text/xml"), ("text/html", "text/html"), ("application/json", "application/json")]
    {
        let answer = api.client.request("GET", &uri).header("Accept", accept).send().unwrap();
        assert!(answer.header("content-type").unwrap_or_default().starts_with(expected), "{accept}");
    }
}

#[test]
fn no_pictures_are_made_and_those_that_are_there_are_served() {
    let (service, uri) = session();
    let api = service.api();
    let put = |path: &str| {
        let sent = api.client.request("PUT", path).header("Content-Type", "image/jpeg").send_bytes(b"jpeg").unwrap();
        assert_eq!(sent.status, 200, "{path}: {}", sent.text());
    };
    put(&format!("{uri}/resources/NOTES/files/a.jpg"));
    let archived = api.archive(&api.import("P1", &Study::new(Modality::Mr, 74).patient("S74", "S74").slices(1)));
    put(&format!("{archived}/resources/NOTES/files/a.jpg"));
    put("/data/user/cache/resources/X/files/a.jpg");
    let images = [&uri, &archived].map(|session| format!("{session}/scans/1/resources/DICOM/files"));
    let notes = [&uri, &archived].map(|session| format!("{session}/resources/NOTES/files"));
    let mut refused: Vec<(String, &str)> = Vec::new();
    for list in &images {
        let file = api.table(list).rows[0].get("URI").to_owned();
        assert_eq!(api.get(&format!("{file}?format=single")).status, 200, "a word that says nothing");
        refused.extend([(file.clone(), "image/jpeg"), (file, "IMAGE/PNG"), (list.clone(), "image/jpeg")]);
    }
    for list in notes.iter().map(String::as_str).chain(["/data/user/cache/resources/X/files"]) {
        let file = format!("{list}/a.jpg");
        let picture = api.get(&format!("{file}?format=image/jpeg"));
        assert_eq!((picture.status, picture.header("content-type")), (200, Some("image/jpeg")), "{file}");
        refused.extend([(file, "image/gif"), (list.to_owned(), "image/jpeg")]);
    }
    for (path, format) in refused {
        let answer = api.get(&format!("{path}?format={format}"));
        assert_eq!(answer.status, 501, "{path} {format}");
        assert!(sentence(&answer).contains("pictures"), "{}", sentence(&answer));
    }
}
