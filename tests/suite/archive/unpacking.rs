//! `extract=true`: archives whose content is stored in their stead.

use std::io::Write;

use narthex_tests::{Api, Modality, Packing, Service, Study, zip_files};

use super::archived;
use super::shelves::{put_file, send};

const NAMES: [&str; 3] = ["a.txt", "d/b.txt", "d/e/c.txt"];

fn zip() -> Vec<u8> {
    zip_files(NAMES.map(|name| (name.to_owned(), name.as_bytes().repeat(100))), Packing::Deflated)
}

fn tgz() -> Vec<u8> {
    let mut tar = Vec::new();
    for name in NAMES {
        let data = name.as_bytes().repeat(100);
        let mut header = vec![0_u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[100..107].copy_from_slice(b"0000644");
        header[124..135].copy_from_slice(format!("{:011o}", data.len()).as_bytes());
        header[148..156].fill(b' ');
        header[156] = b'0';
        header[257..263].copy_from_slice(b"ustar\0");
        header[263..265].copy_from_slice(b"00");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        tar.extend_from_slice(&header);
        tar.extend_from_slice(&data);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&tar).unwrap();
    encoder.finish().unwrap()
}

#[track_caller]
fn assert_unpacked(api: &Api, files: &str) {
    let list = api.table(files);
    assert_eq!(list.rows.len(), NAMES.len(), "{files}");
    for name in NAMES {
        assert_eq!(api.bytes(&format!("{files}/{name}")), name.as_bytes().repeat(100), "{files}/{name}");
    }
}

#[test]
fn archives_are_unpacked_wherever_files_can_be_put() {
    let (_service, api) = archived();
    let staged = api.import("P1", &Study::new(Modality::Ct, 52).patient("S52_CT1", "S52").slices(1).matrix(8));
    for parent in [
        "/data/projects/P1",
        "/data/experiments/XNAT_E00001",
        "/data/experiments/XNAT_E00001/scans/1",
        staged.as_str(),
        "/data/user/cache",
    ] {
        for (label, name, body) in [("ZIP", "upload.zip", zip()), ("TGZ", "upload.tar.gz", tgz())] {
            let files = format!("{parent}/resources/{label}/files");
            put_file(&api, &format!("{files}/{name}?extract=true"), &body);
            assert_unpacked(&api, &files);
            let broken = send(
                &api,
                "PUT",
                &format!("{parent}/resources/BROKEN/files/{name}?extract=true"),
                &body[..body.len() - 9],
            );
            assert_eq!(broken.status, 400, "{parent} {name}: {}", broken.text());
            assert_eq!(api.get(&format!("{parent}/resources/BROKEN/files")).status, 404);
        }
    }
}

#[test]
fn what_an_archive_holds_is_given_back_with_the_last_of_it() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let files = "/data/projects/P1/resources/R/files";
    put_file(&api, &format!("{files}/sub/upload.zip?extract=true"), &zip());
    assert_eq!(service.stores().chunks(), 1, "no copy is made");
    let names: Vec<String> = api.table(files).rows.iter().map(|row| row.get("URI").to_owned()).collect();
    assert!(names.iter().all(|uri| uri.contains("/files/sub/")), "{names:?}");
    for uri in &names {
        assert_eq!(service.stores().chunks(), 1);
        assert_eq!(api.client.delete(uri).unwrap().status, 200);
    }
    assert_eq!(service.stores().chunks(), 0);
    put_file(&api, &format!("{files}/plain.txt?extract=true"), b"no archive");
    assert_eq!(api.bytes(&format!("{files}/plain.txt")), b"no archive");
}
