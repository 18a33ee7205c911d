//! The shapes of an upload: archives of all sorts, single files, ways to send them.

use std::io::{Cursor, Write};

use narthex_tests::{Modality, Packing, Service, Study, Table, zip_files, zip_study};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

fn study() -> Study {
    Study::new(Modality::Ct, 11).patient("SHAPE", "SHAPE^SUBJECT").slices(5)
}

fn files() -> Vec<(String, Vec<u8>)> {
    study().files().map(|file| (format!("a/b/{}", file.name), file.bytes)).collect()
}

/// Uploads a body into a fresh service and checks that the study of this module is in it, and nothing else.
#[track_caller]
fn holds_the_study(content_type: &str, body: &[u8]) {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let response = api.send("dest=/prearchive/projects/P1", content_type, body);
    assert_eq!(response.status, 200, "{}", response.text());
    api.assert_holds(response.text().trim(), &study());
}

#[test]
fn deflated_zips() {
    holds_the_study("application/zip", &zip_study(&study()));
}

#[test]
fn stored_zips() {
    holds_the_study("application/zip", &zip_files(files(), Packing::Stored));
}

#[test]
fn zips_with_data_descriptors() {
    let mut zip = Vec::new();
    narthex_generator::write_zip(files(), Packing::Deflated, &mut zip).unwrap();
    holds_the_study("application/zip", &zip);
}

#[test]
fn zip64() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).large_file(true);
    for (name, bytes) in files() {
        writer.start_file(name, options).unwrap();
        writer.write_all(&bytes).unwrap();
    }
    holds_the_study("application/zip", &writer.finish().unwrap().into_inner());
}

#[test]
fn zips_with_folders_and_a_comment() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.set_comment("made by a test").unwrap();
    writer.add_directory("a/", SimpleFileOptions::default()).unwrap();
    writer.add_directory("a/b/", SimpleFileOptions::default()).unwrap();
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, bytes) in files() {
        writer.start_file(name, options).unwrap();
        writer.write_all(&bytes).unwrap();
    }
    holds_the_study("application/zip", &writer.finish().unwrap().into_inner());
}

#[test]
fn any_media_type_that_stands_for_a_file() {
    for content_type in ["application/zip", "application/octet-stream", "application/x-zip-compressed; x=1"] {
        let service = Service::start();
        let api = service.api();
        api.project("P1");
        let response = api.send("inbody=true&dest=/prearchive/projects/P1", content_type, &zip_study(&study()));
        assert_eq!(response.status, 200, "{content_type}: {}", response.text());
    }
}

#[test]
fn a_single_dicom_file() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let single = Study::new(Modality::Mr, 12).slices(1);
    let file = single.files().next().unwrap();
    for content_type in ["application/dicom", "application/octet-stream"] {
        let response = api.send("project=P1&session=ONE", content_type, &file.bytes);
        assert_eq!(response.status, 200, "{content_type}: {}", response.text());
        api.assert_holds(response.text().trim(), &single);
    }
}

#[test]
fn a_chunked_body() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let zip = zip_study(&study());
    let response = api
        .client
        .request("POST", "/data/services/import?import-handler=SI&dest=/prearchive/projects/P1")
        .header("Content-Type", "application/zip")
        .send_streamed(|body| zip.chunks(1000).try_for_each(|chunk| body.write_all(chunk)))
        .unwrap();
    assert_eq!(response.status, 200, "{}", response.text());
    api.assert_holds(response.text().trim(), &study());
}

#[test]
fn the_answer_is_a_uri_list_whatever_is_accepted() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    for (number, query) in ["format=json", "format=xml", ""].iter().enumerate() {
        let study = Study::new(Modality::Ct, 100 + number as u64);
        let uris = api.import_zip(&format!("dest=/prearchive/projects/P1&{query}"), &zip_study(&study));
        assert_eq!(uris.len(), 1, "{query}");
    }
    let study = Study::new(Modality::Ct, 200);
    let text = api.send("dest=/prearchive/projects/P1&format=txt", "application/zip", &zip_study(&study)).text();
    assert!(text.starts_with("/data/prearchive/") && !text.ends_with('\n'), "{text:?}");
}

#[test]
fn names_are_kept_and_made_different_where_they_are_equal() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let files: Vec<(String, Vec<u8>)> =
        study().files().enumerate().map(|(number, file)| (format!("{number}/same.dcm"), file.bytes)).collect();
    let uris = api.import_zip("dest=/prearchive/projects/P1", &zip_files(files, Packing::Deflated));
    let names = Table::of(&api.get(&format!("{}/scans/1/resources/DICOM/files?format=json", uris[0])));
    let mut names = names.column("Name");
    names.sort_unstable();
    assert_eq!(names, ["same.dcm", "same.dcm_1", "same.dcm_2", "same.dcm_3", "same.dcm_4"]);
    api.assert_holds(&uris[0], &study());
}

#[test]
fn texts_beside_the_images_do_no_harm() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let mut with_texts = files();
    with_texts.push(("README.txt".to_owned(), b"Scans of a phantom.".to_vec()));
    with_texts.push(("a/.DS_Store".to_owned(), vec![0; 100]));
    let response =
        api.send("dest=/prearchive/projects/P1", "application/zip", &zip_files(with_texts, Packing::Deflated));
    assert_eq!(response.status, 200, "{}", response.text());
    api.assert_holds(response.text().trim(), &study());
}
