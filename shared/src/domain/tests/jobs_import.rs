//! Imports of stored files in the background.

use futures::executor::block_on;

use super::crash::{doomed, recover};
use super::*;
use crate::accounts::{Account, Login, Role};
use crate::domain::ids::random_id;
use crate::domain::jobs::{Job, JobItem, JobKind, MessageKind, NewJob, StoredImport};
use crate::domain::prearchive::onward::{Onward, Way};
use crate::domain::prearchive::upload_files::{file_name, receive_file};

/// A site with a user who has put files into the cache.
async fn site(files: &[(&str, Vec<u8>)]) -> Site {
    let site = Site::new().with_project().await;
    let core = site.core();
    let login = Login::parse("anna").unwrap();
    let account = Account::with_hash(&core.records, login.clone(), Role::User, String::new(), 1).await.unwrap();
    account.save(&core.records).await.unwrap();
    for (path, bytes) in files {
        let body = arriving(&core, vec![Ok(Bytes::from(bytes.clone()))]);
        let name = file_name(path, &core.settings.limits).unwrap();
        let received = receive_file(&core, body, name).await.unwrap();
        core.add_cache_files(&login, "UP", vec![received]).await.unwrap();
    }
    site
}

async fn submit(core: &Core, files: &[&str], to_archive: bool) -> Result<Job, DomainError> {
    let onward = Onward { way: Way::Built, by: "anna".to_owned(), to_archive: Some(to_archive), ..Onward::default() };
    let import = StoredImport {
        files: files.iter().map(|path| ("UP".to_owned(), (*path).to_owned())).collect(),
        rules: UploadRules::default(),
        request: request(),
        onward,
        sessions: None,
    };
    let item = JobItem { session: String::new(), uri: "a file".to_owned() };
    let kind = Some(JobKind::Import { import: Box::new(import) });
    let key = Some("key".to_owned());
    core.make_job(NewJob { id: random_id()?, login: "anna".to_owned(), key, kind, items: vec![item] }).await
}

async fn outcome(core: &Core) -> (Option<bool>, MessageKind, String) {
    let job = core.job_of("anna", "key").await.unwrap().unwrap();
    let last = job.messages.last().unwrap().clone();
    (job.succeeded(), last.kind, last.text)
}

#[test]
fn stored_files_are_imported_and_what_is_refused_is_told() {
    block_on(async {
        let site = site(&[("a.zip", zip_study(&study(1))), ("b.txt", b"no image".to_vec())]).await;
        let core = site.core();
        let job = submit(&core, &["a.zip"], false).await.unwrap();
        assert!(core.run_job(&job.id).await.unwrap());
        let session = staged(&core, "DEMO").await.remove(0);
        assert_eq!(contents(&core, session.manifest.as_ref().unwrap()).await, sent(&study(1)));
        let told = format!("Prearchive:{}", session.place.uri());
        assert_eq!(outcome(&core).await, (Some(true), MessageKind::Completed, told));
        for (files, word) in [(["b.txt"], "neither an archive nor a DICOM file"), (["c.zip"], "Unknown src file.")] {
            let job = submit(&core, &files, false).await.unwrap();
            core.run_job(&job.id).await.unwrap();
            let (succeeded, kind, text) = outcome(&core).await;
            assert_eq!((succeeded, kind), (Some(false), MessageKind::Failed));
            assert!(text.contains(word), "{text}");
            let messages = core.job_of("anna", "key").await.unwrap().unwrap().messages;
            assert_eq!(messages.iter().filter(|message| message.text.contains(word)).count(), 1, "{messages:?}");
        }
        assert_eq!(staged(&core, "DEMO").await.len(), 1);
    });
}

#[test]
fn an_import_whose_worker_dies_at_any_step_is_done_by_the_next() {
    block_on(async {
        for to_archive in [false, true] {
            let mut steps = 0;
            loop {
                let site = site(&[("a.zip", zip_study(&study(1)))]).await;
                let (doomed, mortal) = doomed(&site, steps);
                let submitted = submit(&doomed, &["a.zip"], to_archive).await;
                if let Ok(job) = &submitted {
                    let _ = doomed.run_job(&job.id).await;
                }
                let core = recover(&site).await;
                for _ in 0..3 {
                    site.clock.advance(10_000);
                    core.sweep().await.unwrap();
                }
                let (staged, archived) = (staged(&core, "DEMO").await, core.list_experiments("DEMO").await.unwrap());
                if submitted.is_err() {
                    assert!(staged.len() + archived.len() <= 1, "step {steps}");
                } else {
                    let (succeeded, kind, text) = outcome(&core).await;
                    let messages = core.job_of("anna", "key").await.unwrap().unwrap().messages;
                    let is_well = (succeeded, kind) == (Some(true), MessageKind::Completed);
                    assert!(is_well, "step {steps}: {text}: {messages:?}");
                    let counts = if to_archive { (0, 1) } else { (1, 0) };
                    assert_eq!((staged.len(), archived.len()), counts, "step {steps}: {text}");
                    let manifest = match archived.first() {
                        Some(experiment) => experiment.manifest.clone(),
                        None => staged[0].manifest.clone().unwrap(),
                    };
                    assert_eq!(contents(&core, &manifest).await, sent(&study(1)), "step {steps}");
                }
                if !mortal.is_dead() {
                    break;
                }
                steps += 1;
            }
            assert!(steps > 15, "{steps}");
        }
    });
}
