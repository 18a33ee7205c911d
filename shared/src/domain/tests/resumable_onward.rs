//! Resumable uploads that are to be archived, whose workers die between the import and the end.

use futures::executor::block_on;

use super::crash::{doomed, recover};
use super::*;
use crate::domain::archive::Wish;
use crate::domain::prearchive::onward::{Brought, Onward, Way};
use crate::domain::prearchive::upload::Receiver;
use crate::domain::resumable::{NewUpload, Progress, ResumableUpload};

type Failure = Box<dyn std::error::Error>;

fn onward(way: Way) -> Onward {
    let wish = Wish { names_archive: true, ..Wish::default() };
    Onward { way, by: "ann".to_owned(), to_archive: Some(true), wish, ..Onward::default() }
}

/// What the service does with a request that brings bytes.
async fn append(core: &Core, id: &str, bytes: &[u8], way: Way) -> Result<ResumableUpload, Failure> {
    let mut held = core.hold_resumable("admin", id).await?;
    if held.upload.progress == Progress::Receiving {
        let mut pieces = bytes.chunks(400_000);
        let next = async || -> Result<_, Failure> { Ok(pieces.next().map(Bytes::copy_from_slice)) };
        core.append_resumable(&mut held, next).await?;
    }
    if held.upload.progress == Progress::Importing {
        let uris = if core.was_imported(&held.upload).await? {
            core.finish_resumable(&held).await?.0
        } else {
            core.intend_resumable(&mut held, &onward(way)).await?;
            let mut receiver = Receiver::new(core, UploadRules::default());
            let taken = receiver.borrow(&held.upload.name, held.upload.shape()).await;
            let upload = receiver.settle::<UploadError>(taken).await?;
            let request = ImportRequest { is_gradual: way == Way::Committed, ..request() };
            let sessions = core.import(upload, &request).await?.sessions;
            let brought = core.bring_on(sessions, &onward(way)).await?;
            brought.iter().map(Brought::uri).collect()
        };
        core.conclude_resumable(&mut held, Progress::Imported { uris }).await?;
    }
    let upload = held.upload.clone();
    core.let_go_resumable(held).await?;
    Ok(upload)
}

const URI: &str = "/data/archive/projects/DEMO/subjects/S01/experiments/S01_MR1";

/// An upload whose worker dies after so many steps behind the last byte but one; gives its identifier.
async fn died(site: &Site, zip: &[u8], way: Way, steps: u64) -> (String, bool) {
    let core = site.core();
    let new = NewUpload { login: "admin".to_owned(), bytes: zip.len() as u64, ..NewUpload::default() };
    let id = core.begin_resumable(new).await.unwrap().id;
    let (most, last) = zip.split_at(zip.len() - 1);
    append(&core, &id, most, way).await.unwrap();
    let (doomed, mortal) = doomed(site, steps);
    let outcome = append(&doomed, &id, last, way).await;
    (id, outcome.is_ok() && !mortal.is_dead())
}

#[track_caller]
fn assert_imported(upload: &ResumableUpload, what: &str) {
    match &upload.progress {
        Progress::Imported { uris } => assert_eq!(uris, &[URI], "{what}"),
        other => panic!("{what}: {other:?}"),
    }
}

async fn assert_archived(core: &Core, what: &str) {
    let found = core.experiment_by_label("DEMO", "S01_MR1").await.unwrap();
    let found = found.unwrap_or_else(|| panic!("{what}: not archived"));
    assert!(contents(core, &found.manifest).await == sent(&study(1)), "{what}");
    assert!(staged(core, "DEMO").await.is_empty(), "{what}: something is left in the prearchive");
    assert_eq!(core.list_experiments("DEMO").await.unwrap().len(), 1, "{what}");
}

#[test]
fn the_wish_to_archive_outlives_the_worker_whoever_comes_next() {
    let zip = zip_study(&study(1));
    for way in [Way::Built, Way::Committed] {
        let (mut steps, mut by_sweep) = (0, 0);
        while !block_on(async {
            let what = format!("{way:?}, step {steps}");
            let site = Site::new().with_project().await;
            let (id, is_done) = died(&site, &zip, way, steps).await;
            let core = recover(&site).await;
            let mut upload = core.resumable_upload("admin", &id).await.unwrap();
            if !upload.is_open() {
                // For whoever sees an upload come to its end, all is done.
                assert_imported(&upload, &what);
                assert_archived(&core, &what).await;
                by_sweep += 1;
            } else {
                for _ in 0..4 {
                    let offset = usize::try_from(upload.received()).unwrap();
                    match append(&core, &id, &zip[offset..], way).await {
                        Ok(done) => upload = done,
                        Err(error) => match error.downcast_ref() {
                            Some(DomainError::Busy { .. }) => site.clock.advance(4_000),
                            _ => panic!("{what}: {error}"),
                        },
                    }
                }
                assert_imported(&upload, &what);
                assert_archived(&recover(&site).await, &what).await;
            }
            is_done
        }) {
            steps += 1;
        }
        assert!(steps > 20 && by_sweep > 5, "{way:?}: {steps} steps, {by_sweep} finished by the sweep");
    }
}

#[test]
fn what_could_not_be_archived_is_refused_also_by_whoever_comes_next() {
    let zip = zip_study(&study(1));
    let mut steps = 0;
    while !block_on(async {
        let site = Site::new().with_project().await;
        // A session of the same label is in the archive, and may not be added to.
        let first = import(&site.core(), &study(1)).await.unwrap();
        site.core().archive(&first, &archive_request()).await.unwrap();
        site.core().empty_trash_of(&first.id).await.unwrap();
        let (id, _) = died(&site, &zip, Way::Built, steps).await;
        let core = recover(&site).await;
        let upload = core.resumable_upload("admin", &id).await.unwrap();
        let is_refused = matches!(&upload.progress, Progress::Refused { reason } if reason.contains("already exists"));
        assert!(is_refused || upload.is_open(), "step {steps}: {:?}", upload.progress);
        steps > 60 || is_refused
    }) {
        steps += 1;
    }
    assert!(steps < 60, "it never came to the point");
}
