//! Files come out of the archive as they went into the quarantine, however many and however large.

use narthex_tests::{Api, MULTIPART, Noise, Packing, Service, multipart, zip_files};

use super::{TRIAGE, approved, send, service};

const DEST: &str = "/data/projects/P1/resources/R";

fn bytes(number: usize) -> Vec<u8> {
    format!("file {number} ").repeat(number % 7 + 1).into_bytes()
}

/// Compares a folder's list and files, approves it, and compares the resource.
fn approve_and_compare(api: &Api, service: &Service, folder: &str, count: usize) {
    let list = api.table(&format!("{TRIAGE}/resources/{folder}"));
    assert_eq!(list.rows.len(), count);
    assert_eq!(api.table(TRIAGE).rows.len(), count);
    for number in [0, count / 2, count - 1] {
        let row = list.row("Name", &format!("{number:04}.txt"));
        assert_eq!(api.bytes(row.get("URI")), bytes(number));
    }
    let chunks = service.stores().chunks();
    approved(api, &format!("{TRIAGE}/resources/{folder}"), DEST);
    assert_eq!(service.stores().chunks(), chunks, "no bytes are moved");
    assert!(api.table(TRIAGE).rows.is_empty());
    let files = api.table(&format!("{DEST}/files"));
    assert_eq!(files.rows.len(), count);
    for number in 0..count {
        assert_eq!(api.bytes(&format!("{DEST}/files/d/{number:04}.txt")), bytes(number));
    }
}

#[test]
fn one_file_and_a_thousand_as_a_zip() {
    for count in [1, 1_000] {
        let (service, api) = service();
        let zip = zip_files((0..count).map(|number| (format!("{number:04}.txt"), bytes(number))), Packing::Deflated);
        let path = format!("{TRIAGE}/resources/Z/files/d/all.zip?extract=true&target={DEST}");
        let sent = send(&api, "POST", &path, "application/zip", &zip);
        assert_eq!((sent.status, sent.text().as_str()), (200, ""));
        approve_and_compare(&api, &service, "Z", count);
        // All of one pack; it goes with the last of them.
        assert_eq!(api.client.delete(DEST).unwrap().status, 200);
    }
}

#[test]
fn a_thousand_files_of_one_form() {
    let (service, api) = service();
    let files: Vec<(String, Vec<u8>)> = (0..1_000).map(|number| (format!("{number:04}.txt"), bytes(number))).collect();
    let parts: Vec<(&str, Option<&str>, &[u8])> =
        files.iter().map(|(name, bytes)| ("f", Some(name.as_str()), bytes.as_slice())).collect();
    let path = format!("{TRIAGE}/resources/F/files?target={DEST}");
    let sent = send(&api, "POST", &path, MULTIPART, &multipart(&parts));
    assert_eq!((sent.status, sent.text().as_str()), (200, ""));
    let list = api.table(&format!("{TRIAGE}/resources/F"));
    assert_eq!(list.rows.len(), 1_000);
    approved(&api, &format!("{TRIAGE}/resources/F"), DEST);
    for (name, bytes) in files.iter().step_by(37) {
        assert_eq!(&api.bytes(&format!("{DEST}/files/{name}")), bytes);
    }
    assert_eq!(api.table(&format!("{DEST}/files")).rows.len(), 1_000);
    drop(service);
}

#[test]
fn a_large_file() {
    let (service, api) = service();
    let mut noise = Noise::new(17);
    let bytes: Vec<u8> = (0..8 << 20).flat_map(|_| noise.below(u64::MAX).to_le_bytes()).collect();
    let file = format!("{TRIAGE}/resources/L/files/large.bin");
    let sent = send(&api, "PUT", &format!("{file}?target={DEST}"), "application/octet-stream", &bytes);
    assert_eq!(sent.status, 200, "{}", sent.text());
    assert!(api.bytes(&file) == bytes);
    let chunks = service.stores().chunks();
    approved(&api, &format!("{TRIAGE}/resources/L"), DEST);
    assert_eq!(service.stores().chunks(), chunks);
    assert!(api.bytes(&format!("{DEST}/files/large.bin")) == bytes);
}
