//! Messages to webhooks: each is sent until it is taken, whatever dies.

use std::cell::RefCell;

use futures::executor::block_on;

use super::Site;
use crate::domain::DomainError;
use crate::domain::webhooks::deliver::lease_name;
use crate::domain::webhooks::{DeliveryState, NewWebhook, Outgoing, Scope, Sender, SessionEvent, SessionEventKind};

/// Answers with what it was told, in turn, and keeps what it got.
struct Receiver {
    answers: RefCell<Vec<Result<u16, String>>>,
    got: RefCell<Vec<Outgoing>>,
}

impl Receiver {
    fn new(answers: impl IntoIterator<Item = Result<u16, String>>) -> Self {
        let mut answers: Vec<_> = answers.into_iter().collect();
        answers.reverse();
        Self { answers: RefCell::new(answers), got: RefCell::default() }
    }
}

impl Sender for Receiver {
    async fn send(&self, message: Outgoing) -> Result<u16, String> {
        self.got.borrow_mut().push(message);
        self.answers.borrow_mut().pop().unwrap_or(Ok(204))
    }
}

fn event(id: &str) -> SessionEvent {
    SessionEvent {
        id: id.to_owned(),
        kind: SessionEventKind::Archived,
        at_ms: 1_714_559_553_123,
        by: "anna".to_owned(),
        project: "DEMO".to_owned(),
        subject_id: "XNAT_S00001".to_owned(),
        subject_label: "S01".to_owned(),
        experiment: "XNAT_E00001".to_owned(),
        label: "S01_MR1".to_owned(),
        xsi_type: "xnat:mrSessionData".to_owned(),
        reason: None,
        quarantine: None,
    }
}

fn new(url: &str) -> NewWebhook {
    NewWebhook { url: url.to_owned(), by: "anna".to_owned(), ..NewWebhook::default() }
}

fn demo() -> Scope {
    Scope::Project("DEMO".to_owned())
}

#[test]
fn an_event_goes_once_to_each_webhook_of_the_project_and_the_site() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let own = core.add_webhook(&demo(), new("https://a.example/hook")).await.unwrap();
        core.add_webhook(&Scope::Site, new("https://b.example/hook")).await.unwrap();
        core.add_webhook(&Scope::Project("OTHER".to_owned()), new("https://c.example/hook")).await.unwrap();
        for _ in 0..2 {
            assert!(core.announce(&event("e1")).await.unwrap());
        }
        let receiver = Receiver::new([]);
        assert_eq!(core.deliver_due(&receiver).await.unwrap(), 2);
        assert_eq!(core.deliver_due(&receiver).await.unwrap(), 0);
        let got = receiver.got.take();
        let mut urls: Vec<&str> = got.iter().map(|message| message.url.as_str()).collect();
        urls.sort_unstable();
        assert_eq!(urls, ["https://a.example/hook", "https://b.example/hook"]);
        let document: serde_json::Value = serde_json::from_str(&got[0].body).unwrap();
        assert_eq!(document["specversion"], "1.0");
        assert_eq!(document["id"], "e1");
        assert_eq!(document["type"], "org.narthex.session.archived");
        assert_eq!(document["data"]["session_ID"], "XNAT_E00001");
        let log = core.deliveries(&own.id, 10).await.unwrap();
        assert_eq!(log.len(), 1);
        assert_eq!((log[0].state, log[0].attempts[0].outcome.as_str()), (DeliveryState::Delivered, "answered 204"));
    });
}

#[test]
fn messages_that_share_a_lease_are_sent_in_one_pass() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let hook = core.add_webhook(&demo(), new("https://a.example/hook")).await.unwrap();
        let lease_of = |number: u32| lease_name(&format!("e{number}-{}", hook.id));
        let alike: Vec<u32> = (0..2_000).filter(|number| lease_of(*number) == lease_of(0)).take(5).collect();
        for number in &alike {
            core.announce(&event(&format!("e{number}"))).await.unwrap();
        }
        assert_eq!((alike.len(), core.deliver_due(&Receiver::new([])).await.unwrap()), (5, 5));
    });
}

#[test]
fn what_is_not_taken_is_sent_again_later_and_given_up_in_the_end() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let hook = core.add_webhook(&demo(), new("https://a.example/hook")).await.unwrap();
        core.announce(&event("e1")).await.unwrap();
        let receiver = Receiver::new((0..100).map(|n| if n % 2 == 0 { Ok(503) } else { Err("refused".to_owned()) }));
        let mut tries = 0;
        for _ in 0..100 {
            core.deliver_due(&receiver).await.unwrap();
            assert_eq!(core.deliver_due(&receiver).await.unwrap(), 0, "it is not due at once");
            tries = receiver.got.borrow().len();
            site.clock.advance(25 * 3600 * 1000);
        }
        assert_eq!(tries, 10);
        let log = core.deliveries(&hook.id, 10).await.unwrap();
        assert_eq!(log[0].state, DeliveryState::Failed);
        assert_eq!(log[0].attempts[0].outcome, "answered 503");
        assert_eq!(log[0].attempts[1].outcome, "refused");
        core.forget_deliveries(&hook.id, false).await.unwrap();
        assert!(core.deliveries(&hook.id, 10).await.unwrap().is_empty(), "it ended long ago");
    });
}

#[test]
fn one_that_is_off_waits_and_one_that_is_gone_gets_nothing() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        let hook = core.add_webhook(&demo(), new("https://a.example/hook")).await.unwrap();
        core.announce(&event("e1")).await.unwrap();
        core.enable_webhook(&demo(), &hook.id, false).await.unwrap();
        assert!(!core.announce(&event("e2")).await.unwrap());
        let receiver = Receiver::new([]);
        assert_eq!(core.deliver_due(&receiver).await.unwrap(), 0);
        core.enable_webhook(&demo(), &hook.id, true).await.unwrap();
        assert_eq!(core.deliver_due(&receiver).await.unwrap(), 1);
        core.announce(&event("e3")).await.unwrap();
        core.remove_webhook(&demo(), &hook.id).await.unwrap();
        assert_eq!(core.deliver_due(&receiver).await.unwrap(), 0);
        assert_eq!(receiver.got.borrow().len(), 1);
        core.forget_deliveries(&hook.id, true).await.unwrap();
        assert!(core.deliveries(&hook.id, 10).await.unwrap().is_empty());
    });
}

#[test]
fn addresses_and_secrets_that_cannot_be_are_refused() {
    block_on(async {
        let site = Site::new().with_project().await;
        let core = site.core();
        for url in
            ["", "ftp://a/b", "https://", "//a/b", "https://u:p@a/b", "https://a/b#c", "javascript:alert(1)", "a b"]
        {
            let refused = core.add_webhook(&demo(), new(url)).await;
            assert!(matches!(refused, Err(DomainError::Invalid { .. })), "{url}");
        }
        let weak = NewWebhook { secret: "short".to_owned(), ..new("https://a.example/") };
        assert!(core.add_webhook(&demo(), weak).await.is_err());
        assert!(core.webhooks(&demo()).await.unwrap().is_empty());
    });
}
