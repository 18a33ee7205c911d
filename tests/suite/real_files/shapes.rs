//! Every file by every handler that takes it, alone and in archives of each kind.

use std::collections::BTreeMap;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use narthex_tests::{Api, Packing, RealFile, Service, ecat_file, real_files, sentence, zip_files};

use super::python::compressed_tar;

const SHAPES: [&str; 7] = ["alone", "gz", "zip", "tar", "tar.gz", "tar.bz2", "tar.xz"];

/// A file in a shape.
fn shaped(shape: &str, file: &RealFile) -> Vec<u8> {
    match shape {
        "alone" => file.bytes.clone(),
        "gz" => gzip(&file.bytes),
        "zip" => zip_files([(file.name.clone(), file.bytes.clone())], Packing::Deflated),
        "tar" => tar(file),
        "tar.gz" => gzip(&tar(file)),
        "tar.bz2" => compressed_tar("bz2", &file.name, &file.bytes),
        _ => compressed_tar("xz", &file.name, &file.bytes),
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("writing into memory")
}

fn tar(file: &RealFile) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(file.bytes.len() as u64);
    header.set_mode(0o644);
    builder.append_data(&mut header, &file.name, file.bytes.as_slice()).expect("writing into memory");
    builder.into_inner().expect("writing into memory")
}

/// What became of an upload of one file.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Stored,
    Refused(String),
}

/// Sends a file, reads it back, and removes its session again.
#[track_caller]
fn send(api: &Api, handler: &str, what: &str, file: &RealFile, body: &[u8]) -> Outcome {
    let path = format!(
        "/data/services/import?import-handler={handler}&dest=/prearchive/projects/REAL&inbody=true&Ignore-Unparsable=true"
    );
    let response = api.client.post(&path, "application/octet-stream", body).unwrap();
    if response.status == 400 {
        return Outcome::Refused(sentence(&response));
    }
    assert_eq!(response.status, 200, "{what}: {}", response.text());
    let uri = response.text().trim().to_owned();
    if handler == "gradual-DICOM" {
        let built = api.client.post(&format!("{uri}?action=build"), "", b"").unwrap();
        assert_eq!(built.status, 200, "{what}: {}", built.text());
    }
    let content: Vec<Vec<u8>> = api.content(&uri).into_values().collect();
    assert_eq!(content.len(), 1, "{what}: one file was sent");
    assert!(content[0] == file.bytes, "{what}: it came back altered");
    let removed = api.client.delete(&uri).unwrap();
    assert_eq!(removed.status, 200, "{what}: {}", removed.text());
    Outcome::Stored
}

/// Sends all files in all shapes by one handler. Gives what became of each file; it must be the same in each shape.
fn all_by(handler: &str, shapes: &[&str], files: &[RealFile]) -> BTreeMap<String, bool> {
    let service = Service::start();
    let api = service.api();
    api.project("REAL");
    let mut outcomes = BTreeMap::new();
    println!("{:<60} {:<14} {:<8} outcome", "file", "handler", "shape");
    for file in files {
        for shape in shapes {
            let what = format!("{} by {handler} as {shape}", file.name);
            let body = shaped(shape, file);
            let outcome = send(&api, handler, &what, file, &body);
            let said = match &outcome {
                Outcome::Stored => "stored and read back".to_owned(),
                Outcome::Refused(reason) => format!("refused: {reason}"),
            };
            println!("{:<60} {handler:<14} {shape:<8} {said}", file.name);
            let is_stored = outcome == Outcome::Stored;
            let first = *outcomes.entry(file.name.clone()).or_insert(is_stored);
            assert_eq!(first, is_stored, "{what}: {said}, but not so as {}", shapes[0]);
        }
    }
    assert!(api.sessions("REAL").rows.is_empty(), "what is refused or removed leaves nothing");
    outcomes
}

/// Most are images, and those that are none are the same for each handler.
fn assert_most(outcomes: &BTreeMap<String, bool>) {
    let refused: Vec<&String> = outcomes.iter().filter(|(_, is_stored)| !**is_stored).map(|(name, _)| name).collect();
    println!("{} files, {} refused: {refused:#?}", outcomes.len(), refused.len());
    assert!(refused.len() * 5 < outcomes.len(), "most real files are images, refused: {refused:#?}");
}

#[test]
fn by_the_session_importer() {
    assert_most(&all_by("SI", &SHAPES, &real_files()));
}

#[test]
fn by_the_importer_of_zips() {
    assert_most(&all_by("DICOM-zip", &["alone", "zip", "tar", "tar.gz"], &real_files()));
}

#[test]
fn by_the_importer_of_single_objects_which_takes_the_same_ones() {
    let outcomes = all_by("gradual-DICOM", &["alone"], &real_files());
    assert_most(&outcomes);
    assert_eq!(outcomes, all_by("SI", &["alone"], &real_files()));
}

#[test]
fn archives_are_refused_by_the_importer_of_single_objects() {
    let files = real_files();
    let file: Vec<RealFile> = files.into_iter().filter(|file| file.name.ends_with("/CT_small.dcm")).collect();
    assert_eq!(file.len(), 1);
    let outcomes = all_by("gradual-DICOM", &SHAPES[1..], &file);
    assert!(outcomes.values().all(|is_stored| !is_stored), "{outcomes:?}");
}

#[test]
fn ecat_by_the_session_importer_only() {
    let file = [ecat_file()];
    assert!(all_by("SI", &SHAPES, &file).values().all(|is_stored| *is_stored));
    for handler in ["DICOM-zip", "gradual-DICOM"] {
        assert!(all_by(handler, &["alone"], &file).values().all(|is_stored| !*is_stored), "{handler}");
    }
}
