//! Resumable uploads whose workers die at every step.

use std::cell::RefCell;

use futures::executor::block_on;
use narthex_generator::{Noise, Packing, zip_files};

use super::crash::{left, recover};
use super::*;
use crate::domain::prearchive::upload::Receiver;
use crate::domain::resumable::{NewUpload, Progress, ResumableUpload};
use crate::storage::mortal::MortalStore;
use crate::storage::pack::{CHUNK_BYTES, PackReader};

const RETENTION_MS: u64 = 3_600_000;

type Failure = Box<dyn std::error::Error>;

/// What a client has been told.
#[derive(Default)]
struct Told {
    id: Option<String>,
    offset: usize,
    is_done: bool,
}

fn new(bytes: usize) -> NewUpload {
    NewUpload { login: "admin".to_owned(), name: "a.zip".to_owned(), bytes: bytes as u64, ..NewUpload::default() }
}

/// One request with some bytes, in pieces; and the import, where they are the last.
async fn append(core: &Core, id: &str, bytes: &[u8], imports: bool) -> Result<ResumableUpload, Failure> {
    let mut held = core.hold_resumable("admin", id).await?;
    if held.upload.progress == Progress::Receiving {
        let mut pieces = bytes.chunks(400_000);
        let next = async || -> Result<_, Failure> { Ok(pieces.next().map(Bytes::copy_from_slice)) };
        core.append_resumable(&mut held, next).await?;
    }
    if imports && core.was_imported(&held.upload).await? {
        let (uris, _) = core.finish_resumable(&held).await?;
        core.conclude_resumable(&mut held, Progress::Imported { uris }).await?;
    } else if imports && held.upload.progress == Progress::Importing {
        let mut receiver = Receiver::new(core, UploadRules::default());
        let taken = receiver.borrow(&held.upload.name, held.upload.shape()).await;
        let progress = match receiver.settle::<UploadError>(taken).await {
            Ok(upload) => {
                let uris = core.import(upload, &request()).await?.sessions;
                let uris = uris.iter().map(|session| format!("/data{}", session.place.uri())).collect();
                Progress::Imported { uris }
            }
            Err(UploadError::Store(error)) => return Err(error.into()),
            Err(error) => Progress::Refused { reason: error.to_string() },
        };
        core.conclude_resumable(&mut held, progress).await?;
    }
    let upload = held.upload.clone();
    core.let_go_resumable(held).await?;
    Ok(upload)
}

/// Begins and appends in requests of `step` bytes, and remembers what was told.
async fn send(core: &Core, bytes: &[u8], step: usize, imports: bool, told: &RefCell<Told>) -> Result<(), Failure> {
    let id = core.begin_resumable(new(bytes.len())).await?.id;
    told.borrow_mut().id = Some(id.clone());
    for piece in bytes.chunks(step) {
        let upload = append(core, &id, piece, imports).await?;
        let mut told = told.borrow_mut();
        told.offset = usize::try_from(upload.received()).unwrap();
        told.is_done = !upload.is_open();
    }
    Ok(())
}

/// What a client does that comes back: it asks for the offset and sends the rest, and waits while the upload is held.
async fn go_on(site: &Site, id: &str, bytes: &[u8], imports: bool) -> ResumableUpload {
    let core = site.core();
    for _ in 0..3 {
        let offset = core.resumable_upload("admin", id).await.unwrap().received();
        match append(&core, id, &bytes[usize::try_from(offset).unwrap()..], imports).await {
            Ok(upload) => return upload,
            Err(error) => match error.downcast_ref() {
                Some(DomainError::Busy { .. }) => site.clock.advance(4_000),
                _ => panic!("{error}"),
            },
        }
    }
    panic!("the upload stays busy");
}

/// A core that dies after so many changes of the records, or of the blobs.
pub(super) fn doomed_in(site: &Site, steps: u64, in_blobs: bool) -> (Core, MortalStore) {
    let (of_records, of_blobs) = if in_blobs { (u64::MAX, steps) } else { (steps, u64::MAX) };
    let records = MortalStore::new(site.records.clone(), of_records);
    let blobs = MortalStore::new(site.blobs.clone(), of_blobs);
    let mortal = if in_blobs { blobs.clone() } else { records.clone() };
    (site.core_on(records, blobs), mortal)
}

async fn sweep_late(site: &Site, core: &Core) {
    for _ in 0..3 {
        site.clock.advance(RETENTION_MS + 400_000);
        core.sweep().await.unwrap();
    }
}

#[track_caller]
fn assert_nothing_left(site: &Site, what: &str) {
    assert!(site.blobs.keys().is_empty(), "{what}: {:?}", site.blobs.keys());
    for kind in ["resumable", "pack", "segment", "segment-page", "session"] {
        assert_eq!(left(site, kind), 0, "{what}: {kind}");
    }
}

/// Nobody will ever ask for these again.
fn leases_of_uploads(site: &Site) -> usize {
    site.records.keys().iter().filter(|key| key.contains("lease") && key.contains("resumable")).count()
}

async fn bytes_in_pack(core: &Core, upload: &ResumableUpload) -> Vec<u8> {
    let reader = PackReader::new(core.blobs.clone(), upload.shape());
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < upload.bytes {
        bytes.extend_from_slice(&reader.read(bytes.len() as u64, usize::MAX).await.unwrap());
    }
    bytes
}

#[test]
fn what_was_told_to_be_safe_is_there_whenever_the_worker_dies() {
    let bytes = Noise::new(1).bytes(2 * CHUNK_BYTES + CHUNK_BYTES / 2);
    // Requests that end in the middle of a chunk, and at its end.
    for step in [700_000, CHUNK_BYTES] {
        for in_blobs in [false, true] {
            let mut steps = 0;
            while !block_on(async {
                let site = Site::new();
                let (doomed, mortal) = doomed_in(&site, steps, in_blobs);
                let told = RefCell::default();
                let outcome = send(&doomed, &bytes, step, false, &told).await;
                let told = told.into_inner();
                let core = recover(&site).await;
                if let Some(id) = &told.id {
                    let offset = core.resumable_upload("admin", id).await.unwrap().offset;
                    assert!(offset >= told.offset as u64, "step {steps}: told {}, has {offset}", told.offset);
                    let upload = go_on(&site, id, &bytes, false).await;
                    assert_eq!(upload.progress, Progress::Importing, "step {steps}");
                    assert!(bytes_in_pack(&core, &upload).await == bytes, "step {steps}");
                }
                sweep_late(&site, &core).await;
                assert_nothing_left(&site, &format!("step {steps}"));
                assert_eq!(leases_of_uploads(&site), 0, "step {steps}");
                outcome.is_ok() && !mortal.is_dead()
            }) {
                steps += 1;
            }
            assert!(steps >= 3, "an upload has more steps than {steps}");
        }
    }
}

#[test]
fn an_upload_whose_worker_dies_at_any_step_is_imported_once_and_whole() {
    let zip = zip_study(&study(1));
    for in_blobs in [false, true] {
        let mut steps = 0;
        while !block_on(async {
            let site = Site::new().with_project().await;
            let (doomed, mortal) = doomed_in(&site, steps, in_blobs);
            let told = RefCell::default();
            let outcome = send(&doomed, &zip, zip.len() / 3 + 1, true, &told).await;
            let told = told.into_inner();
            let core = recover(&site).await;
            if let Some(id) = &told.id {
                let offset = core.resumable_upload("admin", id).await.unwrap().received();
                assert!(offset >= told.offset as u64, "step {steps}: told {}, has {offset}", told.offset);
                let upload = go_on(&site, id, &zip, true).await;
                let session = {
                    let mut sessions = staged(&core, "DEMO").await;
                    assert_eq!(sessions.len(), 1, "step {steps}");
                    sessions.remove(0)
                };
                let uris = vec![format!("/data{}", session.place.uri())];
                assert_eq!(upload.progress, Progress::Imported { uris }, "step {steps}");
                let manifest = session.manifest.unwrap();
                assert_eq!(contents(&core, &manifest).await, sent(&study(1)), "step {steps}");
                // The record goes, the session stays.
                sweep_late(&site, &core).await;
                assert_eq!(contents(&core, &manifest).await, sent(&study(1)), "step {steps}: after the sweep");
                assert_eq!((left(&site, "resumable"), left(&site, "pack")), (0, 1), "step {steps}");
                assert_eq!(site.blobs.keys().len(), 1, "step {steps}");
            } else {
                sweep_late(&site, &core).await;
                assert_nothing_left(&site, &format!("step {steps}"));
            }
            assert_eq!(told.is_done, outcome.is_ok(), "step {steps}");
            outcome.is_ok() && !mortal.is_dead()
        }) {
            steps += 1;
        }
        assert!(steps >= 3, "an upload has more steps than {steps}");
    }
}

#[test]
fn an_upload_that_nobody_goes_on_with_leaves_nothing_but_what_was_imported() {
    let zip = zip_study(&study(2));
    let mut steps = 0;
    while !block_on(async {
        let site = Site::new().with_project().await;
        let (doomed, mortal) = doomed_in(&site, steps, false);
        let told = RefCell::default();
        let outcome = send(&doomed, &zip, zip.len() / 2, true, &told).await;
        let core = recover(&site).await;
        sweep_late(&site, &core).await;
        match staged(&core, "DEMO").await.as_slice() {
            [] => {
                assert!(!told.borrow().is_done, "step {steps}");
                assert_nothing_left(&site, &format!("step {steps}"));
            }
            [session] => {
                let manifest = session.manifest.clone().unwrap();
                assert_eq!(contents(&core, &manifest).await, sent(&study(2)), "step {steps}");
                assert_eq!((left(&site, "resumable"), left(&site, "pack")), (0, 1), "step {steps}");
            }
            more => panic!("step {steps}: {} sessions", more.len()),
        }
        outcome.is_ok() && !mortal.is_dead()
    }) {
        steps += 1;
    }
}

#[test]
fn an_upload_that_is_refused_tells_why_and_leaves_nothing_whenever_its_worker_dies() {
    let text = b"This is no archive of images. ".repeat(100);
    let mut steps = 0;
    while !block_on(async {
        let site = Site::new().with_project().await;
        let (doomed, mortal) = doomed_in(&site, steps, false);
        let told = RefCell::default();
        let outcome = send(&doomed, &text, 1_100, true, &told).await;
        let core = recover(&site).await;
        if let Some(id) = told.into_inner().id {
            let upload = go_on(&site, &id, &text, true).await;
            let Progress::Refused { reason } = &upload.progress else { panic!("step {steps}: {upload:?}") };
            assert!(reason.contains("neither an archive nor a DICOM file"), "{reason}");
            if outcome.is_ok() {
                assert!(
                    site.blobs.keys().is_empty(),
                    "step {steps}: the bytes of a refused upload are removed at once"
                );
            }
            let kept = core.resumable_upload("admin", &id).await.unwrap();
            assert_eq!(kept.progress, upload.progress, "step {steps}");
        }
        sweep_late(&site, &core).await;
        assert_nothing_left(&site, &format!("step {steps}"));
        outcome.is_ok() && !mortal.is_dead()
    }) {
        steps += 1;
    }
}

#[test]
fn a_removal_that_dies_at_any_step_leaves_the_upload_or_nothing() {
    let zip = zip_study(&study(3));
    for in_blobs in [false, true] {
        let mut steps = 0;
        while !block_on(async {
            let site = Site::new().with_project().await;
            let core = site.core();
            let id = core.begin_resumable(new(zip.len())).await.unwrap().id;
            append(&core, &id, &zip[..zip.len() / 2], true).await.unwrap();
            let (doomed, mortal) = doomed_in(&site, steps, in_blobs);
            let outcome = async {
                let held = doomed.hold_resumable("admin", &id).await?;
                doomed.remove_resumable(held).await
            }
            .await;
            let core = recover(&site).await;
            match core.resumable_upload("admin", &id).await {
                Ok(upload) => {
                    assert!(outcome.is_err(), "step {steps}");
                    assert_eq!(upload.offset as usize, zip.len() / 2, "step {steps}");
                    let upload = go_on(&site, &id, &zip, true).await;
                    assert!(matches!(upload.progress, Progress::Imported { .. }), "step {steps}: {upload:?}");
                }
                Err(DomainError::NotFound { .. }) => {
                    if outcome.is_ok() {
                        assert!(site.blobs.keys().is_empty(), "step {steps}");
                    }
                    sweep_late(&site, &core).await;
                    assert_nothing_left(&site, &format!("step {steps}"));
                    // Whoever dies between the record and its lease leaves the latter.
                    assert!(outcome.is_err() || leases_of_uploads(&site) == 0, "step {steps}");
                }
                Err(error) => panic!("step {steps}: {error}"),
            }
            outcome.is_ok() && !mortal.is_dead()
        }) {
            steps += 1;
        }
    }
}

#[test]
fn an_upload_at_which_somebody_is_survives_the_sweep_for_as_long_as_it_takes() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let zip = zip_study(&study(4));
        let id = core.begin_resumable(new(zip.len())).await.unwrap().id;
        let idle = core.begin_resumable(new(zip.len())).await.unwrap().id;
        for piece in zip.chunks(zip.len() / 5) {
            append(&core, &id, piece, true).await.unwrap();
            for _ in 0..4 {
                site.clock.advance(RETENTION_MS / 5);
                core.sweep().await.unwrap();
            }
        }
        assert!(core.resumable_upload("admin", &idle).await.is_err());
        let upload = core.resumable_upload("admin", &id).await.unwrap();
        assert!(matches!(upload.progress, Progress::Imported { .. }), "{upload:?}");
        let session = staged(&core, "DEMO").await.remove(0);
        assert_eq!(contents(&core, &session.manifest.unwrap()).await, sent(&study(4)));
    });
}

#[test]
fn a_session_of_a_half_done_import_keeps_its_files_whatever_becomes_of_the_rest() {
    let studies = [study(5), study(6).patient("S02_MR1", "S02")];
    let files = studies.iter().enumerate().flat_map(|(number, study)| {
        study.files().map(move |file| (format!("{number}/{}", file.name), file.bytes)).collect::<Vec<_>>()
    });
    let zip = zip_files(files, Packing::Deflated);
    let (mut steps, mut halves) = (0, 0);
    while !block_on(async {
        let site = Site::new().with_project().await;
        let (doomed, mortal) = doomed_in(&site, steps, false);
        let told = RefCell::default();
        let outcome = send(&doomed, &zip, zip.len(), true, &told).await;
        let core = recover(&site).await;
        let sessions = staged(&core, "DEMO").await;
        if let (Err(_), [half]) = (&outcome, sessions.as_slice()) {
            halves += 1;
            let experiment = core.archive(half, &archive_request()).await.unwrap();
            core.empty_trash_of(&half.id).await.unwrap();
            let kept = contents(&core, &experiment.manifest).await;
            assert_eq!(kept, sent(&studies[0]), "step {steps}");
            let id = told.into_inner().id.unwrap();
            go_on(&site, &id, &zip, true).await;
            for session in staged(&core, "DEMO").await {
                let held = core.hold_session(&session.id).await.unwrap();
                core.delete_session(held).await.unwrap();
                core.empty_trash_of(&session.id).await.unwrap();
            }
            sweep_late(&site, &core).await;
            assert_eq!(contents(&core, &experiment.manifest).await, kept, "step {steps}");
        }
        outcome.is_ok() && !mortal.is_dead()
    }) {
        steps += 1;
    }
    assert!(halves > 0, "no worker died between the two sessions");
}

#[test]
fn a_body_that_is_cut_off_or_too_long_keeps_what_came_before() {
    block_on(async {
        let site = Site::new();
        let core = site.core();
        let bytes = Noise::new(2).bytes(CHUNK_BYTES + 10);
        let id = core.begin_resumable(new(bytes.len())).await.unwrap().id;
        let mut held = core.hold_resumable("admin", &id).await.unwrap();
        assert!(matches!(core.hold_resumable("admin", &id).await, Err(DomainError::Busy { .. })));
        let mut pieces =
            vec![Err("the line is dead".into()), Ok(Some(Bytes::copy_from_slice(&bytes[..CHUNK_BYTES + 1])))];
        let next = async || -> Result<Option<Bytes>, Failure> { pieces.pop().unwrap() };
        assert!(core.append_resumable(&mut held, next).await.is_err());
        assert_eq!(held.upload.offset as usize, CHUNK_BYTES + 1);
        let mut pieces = vec![
            Bytes::from([&bytes[CHUNK_BYTES + 4..], b"more than is missing"].concat()),
            Bytes::copy_from_slice(&bytes[CHUNK_BYTES + 1..CHUNK_BYTES + 4]),
        ];
        let next = async || -> Result<Option<Bytes>, Failure> { Ok(pieces.pop()) };
        assert!(core.append_resumable(&mut held, next).await.is_err());
        // All that belongs there but the last byte, with which whoever goes on has it imported.
        assert_eq!(held.upload.offset as usize, CHUNK_BYTES + 9);
        assert_eq!(held.upload.progress, Progress::Receiving);
        core.let_go_resumable(held).await.unwrap();
        assert!(core.resumable_upload("somebody", &id).await.is_err());
        let upload = go_on(&site, &id, &bytes, false).await;
        assert!(bytes_in_pack(&core, &upload).await == bytes);
    });
}
