//! Small files of one form lie in one pack.

use futures::executor::block_on;
use narthex_generator::zip_study;

use super::crash::left;
use super::files::{file, form, into, receive_form, session_files};
use super::*;
use crate::domain::prearchive::resources::AddFiles;
use crate::domain::prearchive::upload::Receiver;

#[test]
fn small_files_share_a_pack_and_large_ones_and_archives_have_their_own() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let id = import(&core, &study(1)).await.unwrap().id;
        let (packs, blobs) = (left(&site, "pack"), site.blobs.keys().len());
        let large: Vec<u8> = (0..1_500_000_u32).map(|number| (number % 251) as u8).collect();
        let zip = zip_study(&study(2));
        let body = form(&[
            ("a", Some("a"), b"one"),
            ("b", Some("b"), &large),
            ("c", Some("c"), b"three"),
            ("d", Some("d.zip"), &zip),
            ("e", Some("e"), b""),
        ]);
        let received = receive_form(&core, &body, 50_000).await.unwrap().files;
        let ids: Vec<u64> = received.iter().map(|file| file.shape.id.number()).collect();
        assert!(ids[0] == ids[2] && ids[0] == ids[4] && ids[0] != ids[1] && ids[1] != ids[3], "{ids:?}");
        let numbers: Vec<u32> = received.iter().map(|file| file.ordinal).collect();
        assert_eq!(numbers, [0, 0, 1, 0, 2]);
        let session = core.session(&id).await.unwrap().unwrap();
        core.add_files(&session, &into("R"), received).await.unwrap();
        let expected = [
            file("R", "a", b"one"),
            file("R", "b", &large),
            file("R", "c", b"three"),
            file("R", "d.zip", &zip),
            file("R", "e", b""),
        ];
        assert!(session_files(&core, &id).await == expected);
        assert_eq!(left(&site, "pack"), packs + 3);
        // The pack goes with the last of its files.
        let session = core.session(&id).await.unwrap().unwrap();
        for (path, left_packs) in [("b", 2), ("a", 2), ("d.zip", 1), ("e", 1), ("c", 0)] {
            core.remove_session_file(&session, "R", path).await.unwrap();
            assert_eq!(left(&site, "pack"), packs + left_packs, "{path}");
        }
        assert_eq!(site.blobs.keys().len(), blobs);
    });
}

#[test]
fn of_files_of_the_same_name_the_first_or_the_last_stays_as_before() {
    block_on(async {
        for (overwrite, stays) in [(false, &b"first"[..]), (true, &b"last"[..])] {
            let site = Site::new().with_project().await;
            let core = site.core();
            let id = import(&core, &study(1)).await.unwrap().id;
            let body = form(&[("1", Some("a"), b"first"), ("2", Some("b"), b"other"), ("3", Some("a"), b"last")]);
            let received = receive_form(&core, &body, 1_000).await.unwrap().files;
            let session = core.session(&id).await.unwrap().unwrap();
            let add = AddFiles { overwrite, ..into("R") };
            let duplicates = core.add_files(&session, &add, received).await.unwrap();
            assert_eq!(duplicates.len(), usize::from(!overwrite));
            assert_eq!(session_files(&core, &id).await, [file("R", "a", stays), file("R", "b", b"other")]);
            // What was there already leaves nothing of the next form.
            let (packs, blobs) = (left(&site, "pack"), site.blobs.keys().len());
            let received = receive_form(&core, &body, 1_000).await.unwrap().files;
            let session = core.session(&id).await.unwrap().unwrap();
            let gentle = AddFiles { overwrite: false, ..into("R") };
            assert_eq!(core.add_files(&session, &gentle, received).await.unwrap(), ["a", "b", "a"]);
            assert_eq!((left(&site, "pack"), site.blobs.keys().len()), (packs, blobs));
        }
    });
}

#[test]
fn images_of_a_form_become_sessions_from_a_shared_pack() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let files: Vec<_> = study(1).files().chain(study(2).files()).collect();
        let names: Vec<String> = files.iter().map(|file| file.name.clone()).collect();
        let parts: Vec<(&str, Option<&str>, &[u8])> =
            names.iter().zip(&files).map(|(name, file)| ("f", Some(name.as_str()), file.bytes.as_slice())).collect();
        let take = async |parts: &[(&str, Option<&str>, &[u8])]| {
            let received = receive_form(&core, &form(parts), 9_999).await.unwrap().files;
            let mut receiver = Receiver::new(&core, UploadRules::default());
            let mut taken = Ok(());
            for file in &received {
                taken = receiver.adopt_file(file).await;
                if taken.is_err() {
                    break;
                }
            }
            receiver.settle::<UploadError>(taken).await
        };
        let sessions = core.import(take(&parts).await.unwrap(), &request()).await.unwrap().sessions;
        assert_eq!(sessions.len(), 2);
        for (session, study) in sessions.iter().zip([study(1), study(2)]) {
            assert!(contents(&core, session.manifest.as_ref().unwrap()).await == sent(&study));
        }
        assert_eq!(left(&site, "pack"), 1);
        // One that is no image refuses them all, as it does alone.
        let chunks = site.blobs.keys().len();
        let mut bad = parts.clone();
        bad.insert(1, ("f", Some("notes.txt"), b"plain text"));
        assert!(matches!(take(&bad).await, Err(UploadError::Unsupported { .. })));
        bad[1] = ("f", Some("empty"), b"");
        assert!(matches!(take(&bad).await, Err(UploadError::Empty)));
        assert_eq!(site.blobs.keys().len(), chunks);
    });
}
