//! What a reviewer does with a staged session.

use futures::executor::block_on;

use super::*;
use crate::domain::jobs::SessionWork;
use crate::domain::prearchive::commit::{CommitRequest, Committed, SessionChange};
use crate::domain::prearchive::status::Status;
use crate::domain::project::PrearchiveCode;
use crate::imaging::Field;

async fn scans(core: &Core, session: &PrearchiveSession) -> Vec<String> {
    let manifest = core.manifest(session.manifest.as_ref().unwrap()).await.unwrap();
    core.scans(&manifest).await.unwrap().into_iter().map(|stored| stored.scan.id).collect()
}

#[test]
fn a_deleted_scan_stays_away_when_the_session_is_built_and_comes_back_with_its_images() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let session = import(&core, &study(1)).await.unwrap();
        let bytes = site.blobs.keys().len();
        let mut held = core.hold_session(&session.id).await.unwrap();
        assert!(matches!(core.delete_scan(&mut held, "99").await, Err(DomainError::NotFound { .. })));
        core.delete_scan(&mut held, "5").await.unwrap();
        core.build(&mut held).await.unwrap();
        core.let_go(held).await.unwrap();
        core.release_unused_packs(&session.id).await.unwrap();
        let left = staged(&core, "DEMO").await.remove(0);
        assert_eq!(scans(&core, &left).await, ["1"]);
        assert_eq!(site.blobs.keys().len(), bytes, "the other scan lies in the same pack");
        assert_eq!(contents(&core, left.manifest.as_ref().unwrap()).await.len(), 3);
        let again = import(&core, &study(1)).await.unwrap();
        assert_eq!(scans(&core, &again).await, ["1", "5"]);
        assert_eq!(contents(&core, again.manifest.as_ref().unwrap()).await, sent(&study(1)));
        let held = core.hold_session(&session.id).await.unwrap();
        core.delete_session(held).await.unwrap();
        core.empty_trash_of(&session.id).await.unwrap();
        assert!(site.blobs.keys().is_empty());
        let prefixes = ["manifest", "segment", "pack:", "session"];
        let left: Vec<String> =
            site.records.keys().into_iter().filter(|key| prefixes.iter().any(|p| key.starts_with(p))).collect();
        assert!(left.is_empty(), "{left:?}");
    });
}

#[test]
fn the_bytes_of_a_deleted_scan_go_when_they_lie_alone() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let one = Study::new(Modality::Mr, 1).patient("S01_MR1", "S01").slices(3).matrix(16);
        import(&core, &one).await.unwrap();
        let before = site.blobs.keys();
        let more = zip_study(&study(1));
        let session = core.import(receive(&core, &more).await.unwrap(), &request()).await.unwrap().sessions.remove(0);
        // Files of the first series were taken over by the second upload, so its pack serves all.
        core.release_unused_packs(&session.id).await.unwrap();
        assert!(site.blobs.keys().iter().all(|key| !before.contains(key)), "the first upload is not needed any more");
        let found = staged(&core, "DEMO").await.remove(0);
        assert_eq!(contents(&core, found.manifest.as_ref().unwrap()).await, sent(&study(1)));
    });
}

#[test]
fn silence_completes_a_session_unless_its_sender_always_says_when_it_is_done() {
    block_on(async {
        for (source, prevent, wanted) in
            [("", false, "READY"), ("", true, "RECEIVING"), ("uploader", false, "RECEIVING")]
        {
            let site = Site::new().with_project().await;
            let core = site.core();
            let upload = receive(&core, &zip_study(&study(1))).await.unwrap();
            let request = ImportRequest { source: source.to_owned(), prevent_auto_commit: prevent, ..request() };
            let session = core.import(upload, &request).await.unwrap().sessions.remove(0);
            let mut held = core.hold_session(&session.id).await.unwrap();
            core.set_status(&mut held, Status::Receiving).await.unwrap();
            core.let_go(held).await.unwrap();
            site.clock.advance(299_000);
            assert!(!core.complete_idle(&session.id).await.unwrap(), "too early");
            assert_eq!(staged(&core, "DEMO").await[0].status.as_str(), "RECEIVING");
            site.clock.advance(2_000);
            core.sweep().await.unwrap();
            assert_eq!(staged(&core, "DEMO").await[0].status.as_str(), wanted, "{source} {prevent}");
        }
    });
}

#[test]
fn silence_archives_where_the_project_wants_it() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let upload = receive(&core, &zip_study(&study(1))).await.unwrap();
        let session = core.import(upload, &request()).await.unwrap().sessions.remove(0);
        core.set_prearchive_code("DEMO", PrearchiveCode::AutoArchive).await.unwrap();
        let mut held = core.hold_session(&session.id).await.unwrap();
        core.set_status(&mut held, Status::Receiving).await.unwrap();
        core.let_go(held).await.unwrap();
        site.clock.advance(301_000);
        assert!(core.complete_idle(&session.id).await.unwrap());
        assert!(staged(&core, "DEMO").await.is_empty());
        assert_eq!(core.list_experiments("DEMO").await.unwrap().len(), 1);
    });
}

#[test]
fn committing_follows_the_row_then_the_request() {
    block_on(async {
        use PrearchiveCode::{AutoArchive, Manual};
        for (code, wish, archived) in [
            (Manual, None, false),
            (Manual, Some(true), true),
            (Manual, Some(false), false),
            (AutoArchive, None, true),
            (AutoArchive, Some(false), true),
        ] {
            let site = Site::new().with_project().await;
            let core = site.core();
            core.set_prearchive_code("DEMO", code).await.unwrap();
            let session = import(&core, &study(1)).await.unwrap();
            let held = core.hold_session(&session.id).await.unwrap();
            let request = CommitRequest { by: "admin".into(), to_archive: wish, ..Default::default() };
            let committed = core.commit_held(held, &request).await.unwrap();
            assert_eq!(matches!(committed, Committed::Archived(_)), archived, "{code:?} {wish:?}");
        }
    });
}

#[test]
fn what_is_said_of_a_session_stays_with_it_in_the_archive() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let session = import(&core, &study(1)).await.unwrap();
        let change = SessionChange {
            visit: Some("V2".into()),
            fields: vec![Field::text("tracer/name", "FDG"), Field::text("tracer/name", "F18")],
            ..Default::default()
        };
        let mut held = core.hold_session(&session.id).await.unwrap();
        core.build_with(&mut held, &change).await.unwrap();
        let long = SessionChange { visit: Some("x".repeat(2_000)), ..Default::default() };
        assert!(matches!(core.build_with(&mut held, &long).await, Err(DomainError::Invalid { .. })));
        core.let_go(held).await.unwrap();
        let experiment = core.archive(&session, &archive_request()).await.unwrap();
        assert_eq!(experiment.visit, "V2");
        assert_eq!(experiment.fields, [Field::text("tracer/name", "F18")]);
    });
}

#[test]
fn states_of_work_cannot_be_set_by_hand() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let session = import(&core, &study(1)).await.unwrap();
        for status in Status::ALL {
            let mut held = core.hold_session(&session.id).await.unwrap();
            let set = core.set_status(&mut held, status).await;
            core.let_go(held).await.unwrap();
            let by_hand = !status.is_busy() && !status.is_queued();
            assert_eq!(set.is_ok(), by_hand, "{status:?}");
            if by_hand {
                assert_eq!(core.session(&session.id).await.unwrap().unwrap().status, status);
            }
        }
        core.queue_sessions(std::slice::from_ref(&session), "x", &SessionWork::Rebuild).await.unwrap();
        core.resync_sessions("DEMO").await.unwrap();
        assert_eq!(staged(&core, "DEMO").await[0].status, Status::Ready);
    });
}
