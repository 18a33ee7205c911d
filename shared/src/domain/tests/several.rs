//! Several studies in one upload.

use futures::executor::block_on;
use narthex_generator::{Packing, zip_files};

use super::crash::{doomed, recover, settle};
use super::*;
use crate::domain::prearchive::place::ForcedPlace;

fn two() -> Vec<u8> {
    let files = [study(1), study(2)].into_iter().enumerate().flat_map(|(number, study)| {
        study.files().map(move |file| (format!("{number}/{}", file.name), file.bytes)).collect::<Vec<_>>()
    });
    zip_files(files, Packing::Stored)
}

/// Deletes every session, and lets all time pass; nothing may be left of their files.
async fn assert_all_can_go(site: &Site, core: &Core, what: &str) {
    for session in staged(core, "DEMO").await {
        let held = core.hold_session_patiently(&session.id).await.unwrap();
        core.delete_session(held).await.unwrap();
        core.empty_trash_of(&session.id).await.unwrap();
    }
    settle(site, core).await;
    assert!(site.blobs.keys().is_empty(), "{what}: {:?}", site.blobs.keys());
    let kinds = ["pack:", "pack-released:", "segment:"];
    let left: Vec<String> =
        site.records.keys().into_iter().filter(|key| kinds.iter().any(|kind| key.starts_with(kind))).collect();
    assert!(left.is_empty(), "{what}: {left:?}");
}

#[test]
fn who_dies_between_two_sessions_of_an_upload_leaves_nothing_that_cannot_be_deleted() {
    block_on(async {
        for is_gradual in [false, true] {
            let request = ImportRequest { is_gradual, ..request() };
            let mut steps = 0;
            loop {
                let site = Site::new().with_project().await;
                let (core, mortal) = doomed(&site, steps);
                if let Ok(upload) = receive(&core, &two()).await {
                    let _ = core.import(upload, &request).await;
                }
                let is_over = !mortal.is_dead();
                let core = recover(&site).await;
                // What one session has keeps the pack; what the other should have had does not.
                settle(&site, &core).await;
                assert_all_can_go(&site, &core, &format!("step {steps}, gradual: {is_gradual}")).await;
                if is_over {
                    break;
                }
                steps += 1;
            }
            assert!(steps > 10, "an upload of two studies has more steps than {steps}");
        }
    });
}

#[test]
fn a_session_that_is_refused_after_another_was_made_leaves_nothing() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let place = upload_place();
        let first = import(&core, &study(3)).await.unwrap();
        // Both studies want the folder, as whoever does not say that it is for one session may ask.
        let upload = receive(&core, &two()).await.unwrap();
        let refused = core.import(upload, &ImportRequest { place, ..request() }).await;
        assert!(matches!(refused, Err(DomainError::Exists { .. })), "{refused:?}");
        assert_eq!(staged(&core, "DEMO").await.len(), 2);
        assert!(staged(&core, "DEMO").await.iter().any(|session| session.id == first.id));
        for session in staged(&core, "DEMO").await {
            let held = core.hold_session(&session.id).await.unwrap();
            core.delete_session(held).await.unwrap();
            core.empty_trash_of(&session.id).await.unwrap();
        }
        // At once, and not only when the sweep has come.
        assert!(site.blobs.keys().is_empty(), "{:?}", site.blobs.keys());
    });
}

fn upload_place() -> ForcedPlace {
    ForcedPlace::new(Some("20240101_101010".into()), Some("ONE".into())).unwrap()
}
