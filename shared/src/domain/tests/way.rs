use futures::executor::block_on;
use narthex_generator::{Packing, zip_files};

use super::*;

#[test]
fn a_study_goes_in_is_listed_archived_and_read_back() {
    block_on(async {
        let site = Site::new().with_project().await;
        let (core, study) = (site.core(), study(1));
        let session = import(&core, &study).await.unwrap();
        assert_eq!((session.name.as_str(), session.subject.as_str()), ("S01_MR1", "S01"));
        assert_eq!(session.tag, study.study_uid());
        assert_eq!(core.list_sessions("DEMO").await.unwrap().len(), 1);
        assert_eq!(contents(&core, session.manifest.as_ref().unwrap()).await, sent(&study));

        let experiment = core.archive(&session, &archive_request()).await.unwrap();
        assert_eq!((experiment.id.as_str(), experiment.subject_id.as_str()), ("XNAT_E00001", "XNAT_S00001"));
        assert_eq!(contents(&core, &experiment.manifest).await, sent(&study));
        assert!(core.list_sessions("DEMO").await.unwrap().is_empty());
        assert_eq!(core.list_experiments("DEMO").await.unwrap().len(), 1);
        assert_eq!(core.list_subjects("DEMO").await.unwrap().len(), 1);
    });
}

#[test]
fn the_same_upload_again_changes_nothing() {
    block_on(async {
        let site = Site::new().with_project().await;
        let (core, study) = (site.core(), study(1));
        let first = import(&core, &study).await.unwrap();
        let again = import(&core, &study).await.unwrap();
        assert_eq!(first.place, again.place);
        assert_eq!(contents(&core, again.manifest.as_ref().unwrap()).await, sent(&study));
        assert_eq!(core.list_sessions("DEMO").await.unwrap().len(), 1);
    });
}

#[test]
fn the_bytes_of_a_repeated_upload_go_with_archiving() {
    block_on(async {
        let site = Site::new().with_project().await;
        let (core, study) = (site.core(), study(1));
        let session = import(&core, &study).await.unwrap();
        let once = site.blobs.keys().len();
        import(&core, &study).await.unwrap();
        assert!(site.blobs.keys().len() > once);
        let experiment = core.archive(&session, &archive_request()).await.unwrap();
        for _ in 0..2 {
            core.empty_trash_of(&session.id).await.unwrap();
        }
        assert_eq!(site.blobs.keys().len(), once);
        assert_eq!(contents(&core, &experiment.manifest).await, sent(&study));
    });
}

#[test]
fn two_first_uploads_of_one_study_make_one_session() {
    block_on(async {
        let site = Site::new().with_project().await;
        let (core, study) = (site.core(), study(1));
        let both = futures::future::join(import(&core, &study), import(&core, &study)).await;
        assert_eq!(both.0.unwrap().place, both.1.unwrap().place);
        assert_eq!(core.list_sessions("DEMO").await.unwrap().len(), 1);
    });
}

#[test]
fn archiving_twice_is_a_conflict_that_leaves_the_session() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let first = import(&core, &study(1)).await.unwrap();
        core.archive(&first, &archive_request()).await.unwrap();
        let second = import(&core, &study(2)).await.unwrap();
        let refused = core.archive(&second, &archive_request()).await;
        assert!(matches!(refused, Err(DomainError::Conflict { .. })), "{refused:?}");
        let left = core.session(&second.id).await.unwrap().unwrap();
        assert_eq!(left.status.as_str(), "CONFLICT");
        assert!(!left.log.is_empty());
        assert_eq!(contents(&core, left.manifest.as_ref().unwrap()).await, sent(&study(2)));
    });
}

#[test]
fn of_two_who_archive_one_session_one_wins() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let session = import(&core, &study(1)).await.unwrap();
        let request = archive_request();
        let (one, other) =
            futures::future::join(core.archive(&session, &request), core.archive(&session, &request)).await;
        assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
        assert_eq!(core.list_experiments("DEMO").await.unwrap().len(), 1);
    });
}

#[test]
fn deleting_leaves_nothing_but_counters() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let before = site.records.keys();
        let session = import(&core, &study(1)).await.unwrap();
        let held = core.hold_session(&session.id).await.unwrap();
        core.delete_session(held).await.unwrap();
        assert!(core.list_sessions("DEMO").await.unwrap().is_empty(), "it is gone before its bytes are");
        core.empty_trash_of(&session.id).await.unwrap();
        assert!(site.blobs.keys().is_empty(), "{:?}", site.blobs.keys());
        let left: Vec<String> = site.records.keys().into_iter().filter(|key| !before.contains(key)).collect();
        // The logs of lists are folded later, and the leases may be wanted again.
        let stays = ["roster-slot", "lease:study", "lease:places"];
        assert!(left.iter().all(|key| stays.iter().any(|prefix| key.starts_with(prefix))), "{left:?}");
    });
}

#[test]
fn refused_uploads_leave_nothing() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let before = site.records.keys();
        let text = zip_files([("a.txt".to_owned(), b"hello".to_vec())], Packing::Deflated);
        let broken = zip_study(&study(1));
        let broken = &broken[..broken.len() / 2];
        for (body, what) in
            [(&b""[..], "empty"), (b"hello, this is text", "text"), (&text, "zip of text"), (broken, "broken")]
        {
            assert!(receive(&core, body).await.is_err(), "{what}");
            assert!(site.blobs.keys().is_empty(), "{what}");
            assert_eq!(site.records.keys(), before, "{what}");
        }
    });
}
