//! The shapes of an upload: archives of all sorts, single files, ways to send them.

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use narthex_tests::{Modality, Packing, Service, Study, Table, md5, zip_files, zip_study};
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

fn tar(files: Vec<(String, Vec<u8>)>) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, bytes.as_slice()).unwrap();
    }
    builder.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zip_of(name: &str, bytes: Vec<u8>) -> Vec<u8> {
    zip_files([(name.to_owned(), bytes)], Packing::Stored)
}

#[test]
fn tars_plain_and_compressed_whatever_they_are_said_to_be() {
    let tar = tar(files());
    for content_type in ["application/x-tar", "application/zip", "application/octet-stream", "application/dicom"] {
        holds_the_study(content_type, &tar);
        holds_the_study(content_type, &gzip(&tar));
    }
    // Two streams of gzip, one behind the other, are one file (RFC 1952, section 2.2).
    let (start, rest) = tar.split_at(1000);
    holds_the_study("application/x-gtar", &[gzip(start), gzip(rest)].concat());
}

#[test]
fn archives_inside_archives() {
    holds_the_study("application/zip", &zip_of("inner.zip", zip_study(&study())));
    holds_the_study("application/zip", &zip_of("inner.tar.gz", gzip(&tar(files()))));
    holds_the_study("application/zip", &zip_of("a/inner.dcm", tar(files())));
    holds_the_study("application/x-tar", &tar(vec![("inner.zip".to_owned(), zip_study(&study()))]));
    holds_the_study("application/zip", &zip_of("1.zip", zip_of("2.zip", zip_study(&study()))));
    let each = files().into_iter().map(|(name, bytes)| (format!("{name}.gz"), gzip(&bytes)));
    holds_the_study("application/zip", &zip_files(each, Packing::Stored));
}

#[test]
fn a_compressed_object_is_stored_decompressed_under_its_own_name() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let single = Study::new(Modality::Mr, 12).slices(1);
    let file = single.files().next().unwrap();
    for (session, body) in [("ALONE", gzip(&file.bytes)), ("INSIDE", zip_of("image.dcm.gz", gzip(&file.bytes)))] {
        let path = format!("/data/services/import/image.dcm.gz?import-handler=SI&project=P1&session={session}");
        let response = api.client.post(&path, "application/gzip", &body).unwrap();
        assert_eq!(response.status, 200, "{session}: {}", response.text());
        let uri = response.text().trim().to_owned();
        api.assert_holds(&uri, &single);
        let names: Vec<String> = api.content(&uri).into_keys().map(|(_, _, path)| path).collect();
        assert_eq!(names, ["image.dcm"], "{session}");
    }
}

/// What Python's `tarfile` makes of one small file `image.dcm` with bzip2 and xz.
const TAR_BZ2: &str = "\
    425a6839314159265359f22a74360000d2ff82fcc3455040017fe01c268e846ea21e00002000083000ba909449a9ea191a069a36a340340f\
    51a34f50c000d1a68032680d064068091429a68d0000340000020fc5dfc369019a5ca6808452d21106b4531324638c95c2547ad170933b82\
    9a86f8a26a754afaaf3e81f3b11043a2cca7559c5b1830b0141b19ca06cc469dc524e9815019219b88a678d33541a2755a023ac0249c52e0\
    10498503494cca17181b30d58a9db4d1d2eb6e8224160d15cc0483adc3f2d8fdba48cb1830440fe2ee48a70a121e454e86c0\
    ";
const TAR_XZ: &str = "\
    fd377a585a000004e6d6b4460200210116000000742fe5a3e027ff00bf5d00349b484757098f52714c38b339d49a99484829472b94b457f2\
    45f0435d3a25ea5333ba1085c79ec3450de9d63c985168d2f89600696a15e85b76ba237344be234fcfc4374ec4382b99fb0cb8c058f785b8\
    ceec37c35fff285a62687443c6344274d933641a5a951b1aa9899ebbf33cc188d43c18d1b8c783a0bd1cdf4a9fdda51820e1a05500a5006a\
    e80804784c3befff067237a86a1c3c5adad3464192101f90889bf094cb28a29250749a0fb89d73e25d190f11e67ba575d84de66540000000\
    24a4896a970697580001db01805000000a892907b1c467fb020000000004595a\
    ";

#[test]
fn tars_compressed_with_bzip2_and_xz() {
    let unhex = |digits: &str| -> Vec<u8> {
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        digits.as_bytes().chunks(2).map(byte).collect()
    };
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    for (session, digits) in [("BZ2", TAR_BZ2), ("XZ", TAR_XZ)] {
        for content_type in ["application/x-bzip2", "application/zip"] {
            let query = format!("project=P1&session={session}{}", content_type.len());
            let response = api.send(&query, content_type, &unhex(digits));
            assert_eq!(response.status, 200, "{session}: {}", response.text());
            let content = api.content(response.text().trim());
            let files: Vec<_> = content.iter().map(|((_, _, path), bytes)| (path.as_str(), md5(bytes))).collect();
            assert_eq!(files, [("image.dcm", "2d01f02f076afe7ba807815704ac35a3".to_owned())], "{session}");
        }
    }
}
