//! Objects that come one by one, from many clients at once, while others work on the session.

use futures::executor::block_on;
use futures::future::{join, join_all};

use super::early::SlowStore;
use super::*;
use crate::domain::prearchive::Status;
use crate::domain::prearchive::import::Imported;
use crate::domain::prearchive::upload::{Formats, Naming, Others};
use crate::storage::memory::give_way;

pub(super) fn gradual() -> ImportRequest {
    ImportRequest { is_gradual: true, source: String::new(), ..request() }
}

fn rules(rename: bool) -> UploadRules {
    UploadRules {
        naming: Naming::Gradual { rename },
        replaces: true,
        others: Others::Refused,
        formats: Formats::Dicom,
        is_one_image: true,
        wants_verdicts: false,
    }
}

pub(super) async fn send(
    core: &Core,
    name: &str,
    bytes: &[u8],
    request: &ImportRequest,
) -> Result<Imported, Box<dyn std::error::Error>> {
    let body = arriving(core, vec![Ok(Bytes::copy_from_slice(bytes))]);
    let upload = upload::receive(core, rules(false), body, name).await?;
    Ok(core.import(upload, request).await?)
}

pub(super) fn base(name: &str) -> &str {
    name.rsplit('/').next().unwrap()
}

async fn archived_contents(core: &Core) -> Vec<(String, String, Vec<u8>)> {
    let mut all = Vec::new();
    for row in core.list_experiments("DEMO").await.unwrap() {
        let experiment = core.experiment_by_id(&row.id).await.unwrap().unwrap();
        all.extend(contents(core, &experiment.manifest).await);
    }
    all
}

#[test]
fn clients_that_send_one_study_at_once_make_one_session() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let study = study(1);
        let files: Vec<_> = study.files().collect();
        let wanted = gradual();
        // Each object twice, from different clients.
        let twice = files.iter().chain(&files).map(|file| send(&core, base(&file.name), &file.bytes, &wanted));
        for sent in join_all(twice).await {
            let imported = sent.unwrap();
            assert_eq!(imported.sessions[0].status, Status::Receiving);
        }
        let sessions = staged(&core, "DEMO").await;
        assert_eq!(sessions.len(), 1);
        assert_eq!((sessions[0].status, sessions[0].name.as_str()), (Status::Receiving, "S01_MR1"));
        let mut held = core.hold_session(&sessions[0].id).await.unwrap();
        core.build(&mut held).await.unwrap();
        let manifest = held.session.manifest.clone().unwrap();
        core.let_go(held).await.unwrap();
        assert_eq!(contents(&core, &manifest).await, sent(&study));
    });
}

#[test]
fn a_name_that_is_taken_by_another_object_gives_way_to_the_template() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let study = study(2);
        for file in study.files() {
            send(&core, "same.dcm", &file.bytes, &gradual()).await.unwrap();
        }
        let session = staged(&core, "DEMO").await.remove(0);
        let mut held = core.hold_session(&session.id).await.unwrap();
        core.build(&mut held).await.unwrap();
        let names: Vec<_> = contents(&core, held.session.manifest.as_ref().unwrap())
            .await
            .into_iter()
            .map(|(_, name, _)| name)
            .collect();
        assert_eq!(names.len(), study.files().count());
        assert_eq!(names.iter().filter(|name| *name == "same.dcm").count(), 2, "one in each scan: {names:?}");
        assert!(names.iter().filter(|name| name.starts_with(&study.study_uid())).count() == names.len() - 2);
    });
}

#[test]
fn an_object_that_arrives_while_its_session_is_archived_or_deleted_is_kept() {
    let study = study(3);
    let files: Vec<_> = study.files().collect();
    let (last, first) = files.split_last().unwrap();
    for (archives, turns) in [(true, 0), (true, 50), (false, 0), (false, 50)] {
        let (mut with_it, mut beside_it) = (0, 0);
        for delay in 0..120 {
            block_on(async {
                let site = Site::new().with_project().await;
                let core = site.core();
                for file in first {
                    send(&core, base(&file.name), &file.bytes, &gradual()).await.unwrap();
                }
                let session = staged(&core, "DEMO").await.remove(0);
                let wanted = gradual();
                let slow = SlowStore { inner: site.blobs.clone().into(), turns };
                let slow = site.core_on(site.records.clone(), slow);
                let upload = async {
                    for _ in 0..delay {
                        give_way().await;
                    }
                    send(&slow, base(&last.name), &last.bytes, &wanted).await.is_ok()
                };
                let work = async {
                    if archives {
                        let archived = core.archive(&session, &archive_request()).await.is_ok();
                        core.empty_trash_of(&session.id).await.unwrap();
                        return archived;
                    }
                    let deleted = match core.hold_found(&session).await {
                        Ok(held) => core.delete_session(held).await.is_ok(),
                        Err(_) => false,
                    };
                    core.empty_trash_of(&session.id).await.unwrap();
                    deleted
                };
                let (is_taken, is_gone) = join(upload, work).await;
                assert!(is_taken || !is_gone, "{delay}");
                let mut kept = archived_contents(&core).await;
                let is_archived = !kept.is_empty();
                for session in staged(&core, "DEMO").await {
                    let mut held = core.hold_session(&session.id).await.unwrap();
                    core.build(&mut held).await.unwrap();
                    kept.extend(contents(&core, held.session.manifest.as_ref().unwrap()).await);
                    core.let_go(held).await.unwrap();
                }
                kept.sort();
                if archives {
                    assert_eq!(kept.len(), files.len(), "{delay}: each is there once");
                    assert_eq!(kept, sent(&study), "{delay}");
                    assert!(is_archived || !is_gone);
                }
                match kept.iter().any(|(_, name, _)| name == base(&last.name)) {
                    true => with_it += 1,
                    false => beside_it += 1,
                }
                // Nothing stays of what is not used.
                site.clock.advance(10 * 3_600_000);
                core.sweep().await.unwrap();
                site.clock.advance(10 * 3_600_000);
                core.sweep().await.unwrap();
                assert_eq!(site.blobs.keys().len(), kept.len(), "{delay}");
            });
        }
        if !archives && turns == 0 {
            assert!(with_it > 0 && beside_it > 0, "deletion is met from both sides: {with_it} {beside_it}");
        }
    }
}
