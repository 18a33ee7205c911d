//! Imports of every kind whose workers die at every step.

use futures::executor::block_on;
use narthex_generator::{Packing, zip_files};

use super::crash::{doomed, left, recover};
use super::*;
use crate::domain::prearchive::upload::{Formats, Naming, Others, Receiver};
use crate::domain::prearchive::upload_files::{file_name, receive_file};

type Failure = Box<dyn std::error::Error>;

fn gradual() -> ImportRequest {
    ImportRequest { is_gradual: true, source: String::new(), ..request() }
}

fn rules(is_one_image: bool) -> UploadRules {
    UploadRules {
        naming: Naming::Gradual { rename: false },
        replaces: true,
        others: Others::Refused,
        formats: Formats::Dicom,
        is_one_image,
        wants_verdicts: false,
    }
}

async fn send(core: &Core, name: &str, bytes: &[u8], is_one_image: bool) -> Result<usize, Failure> {
    let pieces = bytes.chunks(9_000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    let upload = upload::receive(core, rules(is_one_image), arriving(core, pieces), name).await?;
    Ok(core.import(upload, &gradual()).await?.sessions.len())
}

async fn sweep_late(site: &Site, core: &Core) {
    for _ in 0..3 {
        site.clock.advance(4_000_000);
        core.sweep().await.unwrap();
    }
}

/// Builds every session and gives what it holds, by the session's name.
async fn built(site: &Site, core: &Core) -> Vec<(String, Vec<(String, String, Vec<u8>)>)> {
    let mut all = Vec::new();
    for session in staged(core, "DEMO").await {
        site.clock.advance(4_000);
        let mut held = core.hold_session(&session.id).await.unwrap();
        core.build(&mut held).await.unwrap();
        let manifest = held.session.manifest.clone().unwrap();
        core.let_go(held).await.unwrap();
        all.push((session.name, contents(core, &manifest).await));
    }
    all.sort();
    all
}

#[track_caller]
fn assert_nothing_left(site: &Site, what: &str) {
    assert!(site.blobs.keys().is_empty(), "{what}: {:?}", site.blobs.keys());
    for kind in ["pack", "segment", "segment-page", "session"] {
        assert_eq!(left(site, kind), 0, "{what}: {kind}");
    }
}

#[test]
fn objects_that_were_acknowledged_one_by_one_are_in_the_session_whenever_the_worker_dies() {
    let study = study(1);
    let files: Vec<_> = study.files().collect();
    let mut steps = 0;
    while !block_on(async {
        let site = Site::new().with_project().await;
        let (doomed, mortal) = doomed(&site, steps);
        let mut acknowledged = 0;
        let mut is_ok = true;
        for file in &files {
            let name = file.name.rsplit('/').next().unwrap();
            is_ok = send(&doomed, name, &file.bytes, true).await.is_ok();
            if !is_ok {
                break;
            }
            acknowledged += 1;
        }
        let core = recover(&site).await;
        sweep_late(&site, &core).await;
        let mut wanted = sent(&study);
        let found = built(&site, &core).await;
        assert!(found.len() <= 1, "step {steps}: {} sessions", found.len());
        let found = found.into_iter().next().map(|(_, files)| files).unwrap_or_default();
        assert!(found.len() == acknowledged || found.len() == acknowledged + 1, "step {steps}: {acknowledged}");
        assert!(found.iter().all(|file| wanted.contains(file)), "step {steps}");
        for file in &files[..acknowledged] {
            assert!(found.iter().any(|(_, _, bytes)| *bytes == file.bytes), "step {steps}: {} is lost", file.name);
        }
        assert_eq!(site.blobs.keys().len(), found.len(), "step {steps}: one chunk for each");
        assert_eq!(left(&site, "pack"), found.len(), "step {steps}: one pack for each");
        if found.is_empty() {
            assert_nothing_left(&site, &format!("step {steps}"));
        }
        // Whoever sends it all again has each object once.
        for file in &files {
            send(&core, file.name.rsplit('/').next().unwrap(), &file.bytes, true).await.unwrap();
        }
        let found = built(&site, &core).await;
        wanted.sort();
        assert_eq!(found.len(), 1, "step {steps}");
        assert!(found[0].1 == wanted, "step {steps}");
        is_ok && !mortal.is_dead()
    }) {
        steps += 1;
    }
    assert!(steps > 20, "five objects have more steps than {steps}");
}

fn two_studies() -> [Study; 2] {
    [study(2), study(3).patient("S02_MR1", "S02")]
}

#[test]
fn a_zip_of_two_studies_makes_two_whole_sessions_whenever_the_worker_dies() {
    let studies = two_studies();
    let files = studies.iter().enumerate().flat_map(|(number, study)| {
        study.files().map(move |file| (format!("{number}/{}", file.name), file.bytes)).collect::<Vec<_>>()
    });
    let zip = zip_files(files, Packing::Deflated);
    let wanted: Vec<_> =
        ["S01_MR1", "S02_MR1"].iter().map(|name| (*name).to_owned()).zip(studies.iter().map(sent)).collect();
    let mut steps = 0;
    while !block_on(async {
        let site = Site::new().with_project().await;
        let (doomed, mortal) = doomed(&site, steps);
        let outcome = send(&doomed, "", &zip, false).await;
        let core = recover(&site).await;
        sweep_late(&site, &core).await;
        let found = built(&site, &core).await;
        assert!(outcome.is_err() || found.len() == 2, "step {steps}: acknowledged, but {} sessions", found.len());
        assert!(found.iter().all(|session| wanted.contains(session)), "step {steps}: half a session");
        if found.is_empty() {
            assert_nothing_left(&site, &format!("step {steps}"));
        }
        send(&core, "", &zip, false).await.unwrap();
        assert!(built(&site, &core).await == wanted, "step {steps}: again");
        is_done(&outcome, &mortal)
    }) {
        steps += 1;
    }
    assert!(steps > 12, "two sessions have more steps than {steps}");
}

fn is_done(outcome: &Result<usize, Failure>, mortal: &crate::storage::mortal::MortalStore) -> bool {
    outcome.is_ok() && !mortal.is_dead()
}

/// What a form does: its files are stored first, and looked at afterwards.
async fn send_form(core: &Core, zips: &[Vec<u8>]) -> Result<usize, Failure> {
    let mut files = Vec::new();
    for zip in zips {
        let body = arriving(core, vec![Ok(Bytes::copy_from_slice(zip))]);
        files.push(receive_file(core, body, file_name("a.zip", &core.settings.limits)?).await?);
    }
    let mut receiver = Receiver::new(core, UploadRules::default());
    let mut taken = Ok(());
    for file in files {
        taken = receiver.adopt_file(&file).await;
        if taken.is_err() {
            break;
        }
    }
    let upload = receiver.settle::<UploadError>(taken).await?;
    Ok(core.import(upload, &request()).await?.sessions.len())
}

#[test]
fn the_files_of_a_form_become_sessions_or_nothing_whenever_the_worker_dies() {
    let studies = two_studies();
    let more = study(2).and_series(9, "third", Modality::Mr, 1);
    let zips = [zip_study(&more), zip_study(&studies[1])];
    let wanted = [("S01_MR1".to_owned(), sent(&more)), ("S02_MR1".to_owned(), sent(&studies[1]))];
    let mut steps = 0;
    while !block_on(async {
        let site = Site::new().with_project().await;
        let (doomed, mortal) = doomed(&site, steps);
        let outcome = send_form(&doomed, &zips).await;
        let core = recover(&site).await;
        sweep_late(&site, &core).await;
        let found = built(&site, &core).await;
        assert!(outcome.is_err() || found.len() == 2, "step {steps}: acknowledged, but {} sessions", found.len());
        assert!(found.iter().all(|session| wanted.contains(session)), "step {steps}: half a session");
        assert_eq!(left(&site, "pack"), found.len(), "step {steps}: each session has a pack of its own");
        assert_eq!(site.blobs.keys().len(), found.len(), "step {steps}");
        if found.is_empty() {
            assert_nothing_left(&site, &format!("step {steps}"));
        }
        assert_eq!(send_form(&core, &zips).await.unwrap(), 2, "step {steps}");
        assert!(built(&site, &core).await == wanted, "step {steps}: again");
        is_done(&outcome, &mortal)
    }) {
        steps += 1;
    }
    assert!(steps > 12, "two sessions have more steps than {steps}");
}
