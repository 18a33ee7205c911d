use futures::StreamExt;
use futures::executor::block_on;

use super::crash::{doomed, left, recover};
use super::*;
use crate::domain::catalog::{CatalogCursor, FileNotes};
use crate::domain::contents::Folder;
use crate::domain::digests::ReadError;
use crate::domain::prearchive::resources::AddFiles;
use crate::domain::prearchive::upload_files::{self, FilesError, ReceivedFile, ReceivedForm, file_name, receive_file};
use crate::domain::resource::ItemResource;
use crate::intake::archiveout::ArchiveKind;

pub(super) async fn received(core: &Core, path: &str, bytes: &[u8]) -> Result<ReceivedFile, FilesError> {
    let pieces: Vec<Result<Bytes, String>> = bytes.chunks(7).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    receive_file(core, arriving(core, pieces), file_name(path, &core.settings.limits)?).await
}

pub(super) fn into(label: &str) -> AddFiles {
    AddFiles { label: label.to_owned(), by: "admin".to_owned(), overwrite: true, notes: FileNotes::default() }
}

pub(super) async fn add(
    core: &Core,
    session: &str,
    add: &AddFiles,
    path: &str,
    bytes: &[u8],
) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let file = received(core, path, bytes).await?;
    let found = core.session(session).await?.ok_or_else(|| DomainError::not_found("session", session))?;
    Ok(core.add_files(&found, add, vec![file]).await?)
}

/// Every file of some resources with its bytes.
pub(super) async fn resource_files(core: &Core, resources: &[ItemResource]) -> Vec<(String, String, Vec<u8>)> {
    let mut all = Vec::new();
    for counted in core.counted_resources(resources).await.unwrap() {
        let mut cursor = CatalogCursor::new(&counted.resource.catalog);
        let mut count = 0;
        while let Some(files) = core.next_files(&mut cursor).await.unwrap() {
            for file in files {
                let bytes = bytes_of(core, &file.file).await;
                all.push((counted.resource.label.clone(), file.file.name, bytes));
                count += 1;
            }
        }
        assert_eq!(counted.catalog.files, count);
    }
    all
}

pub(super) async fn session_files(core: &Core, session: &str) -> Vec<(String, String, Vec<u8>)> {
    let session = core.session(session).await.unwrap().unwrap();
    resource_files(core, &session.resources).await
}

pub(super) fn file(label: &str, path: &str, bytes: &[u8]) -> (String, String, Vec<u8>) {
    (label.to_owned(), path.to_owned(), bytes.to_vec())
}

#[test]
fn files_are_added_replaced_read_back_and_removed() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let id = import(&core, &study(1)).await.unwrap().id;
        let (before, blobs) = (left(&site, "pack"), site.blobs.keys().len());
        assert!(add(&core, &id, &into("NOTES"), "a/b.txt", b"one").await.unwrap().is_empty());
        assert!(add(&core, &id, &into("NOTES"), "a/b.txt", b"another one").await.unwrap().is_empty());
        let gentle = AddFiles { overwrite: false, ..into("NOTES") };
        assert_eq!(add(&core, &id, &gentle, "a/b.txt", b"three").await.unwrap(), ["a/b.txt"]);
        assert!(add(&core, &id, &gentle, "c", b"four").await.unwrap().is_empty());
        assert!(add(&core, &id, &into("OTHER"), "c", b"five").await.unwrap().is_empty());
        let expected =
            [file("NOTES", "a/b.txt", b"another one"), file("NOTES", "c", b"four"), file("OTHER", "c", b"five")];
        assert_eq!(session_files(&core, &id).await, expected);
        assert_eq!((left(&site, "pack"), site.blobs.keys().len()), (before + 3, blobs + 3));

        let session = core.session(&id).await.unwrap().unwrap();
        assert!(core.remove_session_file(&session, "NOTES", "x").await.is_err());
        core.remove_session_file(&session, "OTHER", "c").await.unwrap();
        let removed = core.remove_session_resource(&session, "NOTES").await.unwrap();
        assert!(session_files(&core, &id).await.is_empty());
        assert!(core.remove_session_resource(&session, "NOTES").await.is_err());
        core.finish_removal(&id, &removed).await.unwrap();
        assert!(core.session(&id).await.unwrap().unwrap().resources.is_empty());
        assert_eq!((left(&site, "pack"), site.blobs.keys().len()), (before, blobs));
        assert_eq!(left(&site, "catalog") + left(&site, "catalog-page"), 0);
    });
}

#[test]
fn what_cannot_be_a_file_leaves_nothing() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let id = import(&core, &study(1)).await.unwrap().id;
        let (records, blobs) = (site.records.keys(), site.blobs.keys());
        for (label, path) in [("..", "a"), ("A/B", "a"), ("OK", "../a"), ("OK", "a/../b"), ("OK", "/a"), ("OK", "a\0")]
        {
            assert!(add(&core, &id, &into(label), path, b"x").await.is_err(), "{label} {path}");
        }
        assert!(matches!(received(&core, "a", b"").await, Err(FilesError::NoFile)));
        let broken = arriving(&core, vec![Ok(Bytes::from_static(b"abc")), Err("gone".to_owned())]);
        let name = file_name("a", &core.settings.limits).unwrap();
        assert!(receive_file(&core, broken, name).await.is_err());
        assert_eq!(site.blobs.keys(), blobs);
        let fresh: Vec<_> = site.records.keys().into_iter().filter(|key| !records.contains(key)).collect();
        assert!(fresh.iter().all(|key| key.starts_with("lease")), "{fresh:?}");
    });
}

#[test]
fn a_deleted_session_takes_its_files_with_it() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let session = import(&core, &study(1)).await.unwrap();
        add(&core, &session.id, &into("NOTES"), "a", b"one").await.unwrap();
        let held = core.hold_session(&session.id).await.unwrap();
        core.delete_session(held).await.unwrap();
        core.empty_trash_of(&session.id).await.unwrap();
        assert!(site.blobs.keys().is_empty());
        assert_eq!(left(&site, "catalog") + left(&site, "catalog-page") + left(&site, "pack"), 0);
    });
}

#[test]
fn archiving_keeps_the_files_and_gives_resources_numbers() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let session = import(&core, &study(1)).await.unwrap();
        add(&core, &session.id, &into("NOTES"), "a", b"one").await.unwrap();
        let experiment = core.archive(&session, &archive_request()).await.unwrap();
        assert!(experiment.resources[0].number > 0);
        for _ in 0..3 {
            site.clock.advance(4_000_000);
            core.sweep().await.unwrap();
        }
        assert_eq!(resource_files(&core, &experiment.resources).await, [file("NOTES", "a", b"one")]);
        assert!(core.list_experiments("DEMO").await.unwrap()[0].resources.is_empty());
    });
}

#[test]
fn who_dies_at_any_step_of_adding_a_file_has_added_it_or_not() {
    block_on(async {
        // The first file of a resource, another, and one that takes another's place.
        for (known, path) in [(0, "new"), (1, "new"), (1, "0")] {
            let mut steps = 0;
            loop {
                let site = Site::new().with_project().await;
                let id = import(&site.core(), &study(1)).await.unwrap().id;
                for number in 0..known {
                    add(&site.core(), &id, &into("NOTES"), &number.to_string(), b"old").await.unwrap();
                }
                let before = session_files(&site.core(), &id).await;
                let (doomed, mortal) = doomed(&site, steps);
                let outcome = add(&doomed, &id, &into("NOTES"), path, b"new").await;
                let core = recover(&site).await;
                for _ in 0..2 {
                    site.clock.advance(4_000_000);
                    core.sweep().await.unwrap();
                }
                let found = session_files(&core, &id).await;
                let is_there = found.contains(&file("NOTES", path, b"new"));
                assert!(is_there || (outcome.is_err() && found == before), "step {steps}: {found:?}");
                // Whatever was left, the next change and the deletion find it.
                add(&core, &id, &into("NOTES"), path, b"newer").await.unwrap();
                assert!(session_files(&core, &id).await.contains(&file("NOTES", path, b"newer")), "step {steps}");
                let packs = 1 + session_files(&core, &id).await.len();
                assert_eq!(left(&site, "pack"), packs, "step {steps}");
                let held = core.hold_session(&id).await.unwrap();
                core.delete_session(held).await.unwrap();
                core.empty_trash_of(&id).await.unwrap();
                assert!(site.blobs.keys().is_empty(), "step {steps}: {:?}", site.blobs.keys());
                assert_eq!(left(&site, "catalog") + left(&site, "catalog-page"), 0, "step {steps}");
                if outcome.is_ok() && !mortal.is_dead() {
                    break;
                }
                steps += 1;
            }
            assert!(steps > 5, "adding has more steps than {steps}");
        }
    });
}

pub(super) fn form(parts: &[(&str, Option<&str>, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, filename, bytes) in parts {
        let filename = filename.map(|name| format!("; filename=\"{name}\"")).unwrap_or_default();
        let head = format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"{filename}\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--XX--\r\n");
    body
}

pub(super) async fn receive_form(core: &Core, body: &[u8], piece: usize) -> Result<ReceivedForm, FilesError> {
    let pieces: Vec<Result<Bytes, String>> =
        body.chunks(piece).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    upload_files::receive_form(core, arriving(core, pieces), "XX").await
}

#[test]
fn forms_are_read_in_pieces_of_any_size() {
    block_on(async {
        let large: Vec<u8> = (0..300_000_u32).map(|number| (number % 251) as u8).collect();
        let tricky = b"\r\n--X\r\n--XY\r\r\n-";
        let body = form(&[
            ("format", None, b"TXT"),
            ("one", Some("C:\\folder\\a.txt"), b"hello"),
            ("nothing", Some(""), b""),
            ("two", Some("x/b.bin"), &large),
            ("three", Some("c"), tricky),
            ("four", Some("empty"), b""),
        ]);
        for piece in [1, 3, 1_000, 70_000, body.len()] {
            let site = Site::new().with_project().await;
            let core = site.core();
            let id = import(&core, &study(1)).await.unwrap().id;
            let received = receive_form(&core, &body, piece).await.unwrap();
            assert_eq!(received.fields, [("format".to_owned(), "TXT".to_owned())]);
            core.add_files(&core.session(&id).await.unwrap().unwrap(), &into("R"), received.files).await.unwrap();
            let expected = [
                file("R", "a.txt", b"hello"),
                file("R", "b.bin", &large),
                file("R", "c", tricky),
                file("R", "empty", b""),
            ];
            assert_eq!(session_files(&core, &id).await, expected, "pieces of {piece}");
        }
    });
}

#[test]
fn broken_forms_leave_nothing() {
    block_on(async {
        let site = Site::new();
        let core = site.core();
        let whole = form(&[("one", Some("a"), b"hello"), ("two", Some("b"), b"hello again")]);
        let long_head = format!("--XX\r\nContent-Disposition: form-data; name=\"{}\"", "n".repeat(200_000));
        let many: Vec<(&str, Option<&str>, &[u8])> = vec![("f", Some("a"), b"x"); upload_files::MAX_FORM_FILES + 1];
        let large = vec![b'x'; 100_000];
        for (what, body) in [
            ("cut off in a file", whole[..whole.len() - 20].to_vec()),
            ("cut off between parts", whole[..70].to_vec()),
            ("no form", b"hello".to_vec()),
            ("empty", Vec::new()),
            ("without files", form(&[("a", None, b"b")])),
            ("endless headers", long_head.into_bytes()),
            ("too many files", form(&many)),
            ("a large field", form(&[("a", None, &large), ("b", Some("b"), b"x")])),
            ("a parent path", form(&[("one", Some("a"), b"x"), ("b", Some(".."), b"x")])),
        ] {
            assert!(receive_form(&core, &body, 1_000).await.is_err(), "{what}");
            assert!(site.blobs.keys().is_empty(), "{what}");
        }
    });
}

#[test]
fn a_tar_holds_scans_and_resources_byte_for_byte() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let session = import(&core, &study(1)).await.unwrap();
        let large: Vec<u8> = (0..3_000_000_u32).map(|number| (number % 251) as u8).collect();
        add(&core, &session.id, &into("R"), "a/large", &large).await.unwrap();
        add(&core, &session.id, &into("R"), &"n".repeat(250), b"x").await.unwrap();
        let session = core.session(&session.id).await.unwrap().unwrap();
        let manifest = core.manifest(session.manifest.as_ref().unwrap()).await.unwrap();
        let scans = core.scans(&manifest).await.unwrap();
        let mut folders =
            Folder::of_scans(manifest, scans, |scan, resource| format!("F/{}/{}/", scan.scan.id, resource.label));
        for counted in core.counted_resources(&session.resources).await.unwrap() {
            folders.push(Folder::of_resource(&counted, "F/R/".to_owned()));
        }
        let (sender, receiver) = futures::channel::mpsc::channel(2);
        let pieces = receiver.map(|piece: Result<Bytes, ReadError>| piece.unwrap()).collect::<Vec<_>>();
        let ((), pieces) = futures::future::join(core.send_archive(ArchiveKind::Tar, &folders, sender), pieces).await;
        assert!(pieces.iter().all(|piece| piece.len() <= 1_100_000), "a piece is larger than a chunk");
        let whole = pieces.concat();
        let mut archive = tar::Archive::new(whole.as_slice());
        let mut found: Vec<(String, Vec<u8>)> = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
            found.push((entry.path().unwrap().to_str().unwrap().to_owned(), bytes));
        }
        found.sort();
        let mut expected: Vec<_> =
            sent(&study(1)).into_iter().map(|(scan, name, bytes)| (format!("F/{scan}/DICOM/{name}"), bytes)).collect();
        expected.push(("F/R/a/large".to_owned(), large));
        expected.push((format!("F/R/{}", "n".repeat(250)), b"x".to_vec()));
        expected.sort();
        assert!(found == expected);
    });
}

#[test]
fn a_download_that_nobody_takes_ends() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let session = import(&core, &study(1)).await.unwrap();
        let manifest = core.manifest(session.manifest.as_ref().unwrap()).await.unwrap();
        let scans = core.scans(&manifest).await.unwrap();
        let folders = Folder::of_scans(manifest, scans, |_, _| String::new());
        let (sender, receiver) = futures::channel::mpsc::channel(1);
        drop(receiver);
        core.send_archive(ArchiveKind::TarGz, &folders, sender).await;
    });
}
