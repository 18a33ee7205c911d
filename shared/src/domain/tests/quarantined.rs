//! What is told of sessions that come into quarantine and leave it.

use std::cell::RefCell;

use futures::executor::block_on;
use serde_json::Value;

use super::crash::doomed;
use super::*;
use crate::domain::archive::{Experiment, ExperimentChange, Reviewer, StatusChange};
use crate::domain::history::{Cause, ItemKind};
use crate::domain::webhooks::{NewWebhook, Outgoing, Scope, Sender};

/// Takes every message.
#[derive(Default)]
struct Receiver(RefCell<Vec<Value>>);

impl Sender for Receiver {
    async fn send(&self, message: Outgoing) -> Result<u16, String> {
        self.0.borrow_mut().push(serde_json::from_str(&message.body).unwrap());
        Ok(204)
    }
}

/// The types, users and reasons of what is told since the last call.
async fn told(core: &Core) -> Vec<(String, String, String)> {
    let receiver = Receiver::default();
    core.deliver_due(&receiver).await.unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut told: Vec<_> = receiver
        .0
        .take()
        .iter()
        .map(|message| {
            let word = text(&message["type"]).replace("org.narthex.session.", "");
            (word, text(&message["data"]["user"]), text(&message["data"]["event_reason"]))
        })
        .collect();
    told.sort();
    told
}

fn one(word: &str, by: &str, reason: &str) -> (String, String, String) {
    (word.to_owned(), by.to_owned(), reason.to_owned())
}

async fn listening() -> Site {
    let site = Site::new().with_project().await;
    let hook = NewWebhook { url: "https://a.example/".to_owned(), by: "admin".to_owned(), ..NewWebhook::default() };
    site.core().add_webhook(&Scope::Project("DEMO".to_owned()), hook).await.unwrap();
    site
}

async fn quarantined(core: &Core, is_silent: bool) -> Experiment {
    let session = import(core, &study(1)).await.unwrap();
    let cause = Cause { reason: "new".to_owned(), ..Cause::default() };
    let request = ArchiveRequest { quarantine: Some(true), is_silent, cause, ..archive_request() };
    let experiment = core.archive(&session, &request).await.unwrap();
    core.empty_trash_of(&session.id).await.unwrap();
    experiment
}

fn to(status: StatusChange, reason: &str) -> ExperimentChange {
    let reviewer = Reviewer { by: "olga".to_owned(), reason: reason.to_owned() };
    ExperimentChange { status: Some(status), reviewer, ..ExperimentChange::default() }
}

async fn actions(core: &Core, id: &str) -> Vec<String> {
    let log = core.history(ItemKind::Experiment, id, 0, 100).await.unwrap();
    log.into_iter().map(|event| event.action).collect()
}

#[test]
fn what_waits_for_a_review_is_told_when_it_comes_and_when_it_leaves() {
    block_on(async {
        let site = listening().await;
        let core = site.core();
        let experiment = quarantined(&core, false).await;
        assert_eq!(told(&core).await, [one("archived", "admin", ""), one("quarantined", "admin", "new")]);
        assert_eq!(actions(&core, &experiment.id).await, ["Quarantined", "Transfer"]);
        // What changes nothing of it is not told.
        core.change_experiment(&experiment.id, &to(StatusChange::Quarantine, "again")).await.unwrap();
        assert_eq!(told(&core).await, []);
        core.change_experiment(&experiment.id, &to(StatusChange::Activate, "fine")).await.unwrap();
        core.change_experiment(&experiment.id, &to(StatusChange::Activate, "fine")).await.unwrap();
        assert_eq!(told(&core).await, [one("released", "olga", "fine")]);
        site.clock.advance(1_000);
        core.change_experiment(&experiment.id, &to(StatusChange::Quarantine, "doubt")).await.unwrap();
        assert_eq!(told(&core).await, [one("quarantined", "olga", "doubt")]);
        site.clock.advance(1_000);
        core.change_experiment(&experiment.id, &to(StatusChange::Lock, "sure")).await.unwrap();
        assert_eq!(told(&core).await, [one("released", "olga", "sure")]);
        // What is refused is not told.
        assert!(core.change_experiment(&experiment.id, &to(StatusChange::Quarantine, "x")).await.is_err());
        assert!(core.delete_unlocked_experiment(&experiment.id, &Reviewer::default()).await.is_err());
        core.change_experiment(&experiment.id, &to(StatusChange::Unlock, "")).await.unwrap();
        core.delete_unlocked_experiment(&experiment.id, &Reviewer::default()).await.unwrap();
        assert_eq!(told(&core).await, []);
    });
}

#[test]
fn deleting_what_waits_rejects_it_and_who_uploads_cannot_keep_it_from_reviewers() {
    block_on(async {
        let site = listening().await;
        let core = site.core();
        let experiment = quarantined(&core, true).await;
        assert_eq!(told(&core).await, [one("quarantined", "admin", "new")]);
        let reviewer = Reviewer { by: "olga".to_owned(), reason: "bad".to_owned() };
        core.delete_unlocked_experiment(&experiment.id, &reviewer).await.unwrap();
        assert_eq!(told(&core).await, [one("rejected", "olga", "bad")]);
        let experiment = quarantined(&core, true).await;
        let subject = core.subject_by_id(&experiment.subject_id).await.unwrap().unwrap();
        core.delete_subject_with(&subject, true, &reviewer).await.unwrap();
        assert_eq!(told(&core).await, [one("quarantined", "admin", "new"), one("rejected", "olga", "bad")]);
    });
}

#[test]
fn a_release_that_dies_at_any_step_is_told_once_if_it_was_done() {
    block_on(async {
        let mut steps = 0;
        loop {
            let site = listening().await;
            let experiment = quarantined(&site.core(), false).await;
            told(&site.core()).await;
            let (doomed, mortal) = doomed(&site, steps);
            let outcome = doomed.change_experiment(&experiment.id, &to(StatusChange::Activate, "fine")).await;
            site.clock.advance(10_000);
            let core = site.core();
            core.change_experiment(&experiment.id, &to(StatusChange::Activate, "fine")).await.unwrap();
            // A message whose worker died on the way may wait for the next sweep.
            core.sweep().await.unwrap();
            site.clock.advance(100_000);
            assert_eq!(told(&core).await, [one("released", "olga", "fine")], "step {steps}");
            if outcome.is_ok() && !mortal.is_dead() {
                break;
            }
            steps += 1;
        }
        assert!(steps > 4, "there are more steps than {steps}");
    });
}
