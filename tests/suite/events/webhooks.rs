//! Webhooks: made, tried, told of what is archived.

use std::time::Duration;

use narthex_tests::{Api, Message, Modality, Receiver, Service, Study, eventually, form};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(30);

/// Receivers on this machine may be called.
fn service() -> (Service, Api) {
    let service = Service::with(&[("webhook_hosts", "http://127.0.0.1:*")]);
    let api = service.api();
    api.project("P1");
    (service, api)
}

/// Makes a webhook and gives its address here.
fn make(api: &Api, below: &str, url: &str) -> (String, Value) {
    let body = form(&[("url", url)]);
    let made = api.client.post(below, "application/x-www-form-urlencoded", body.as_bytes()).unwrap();
    assert_eq!(made.status, 201, "{}", made.text());
    let made: Value = serde_json::from_str(&made.text()).unwrap();
    (format!("{below}/{}", made["ID"].as_str().unwrap()), made)
}

fn post(api: &Api, path: &str) -> u16 {
    api.client.post(path, "application/x-www-form-urlencoded", b"").unwrap().status
}

fn document(message: &Message) -> Value {
    serde_json::from_slice(&message.body).unwrap()
}

#[test]
fn a_webhook_is_made_tried_switched_off_and_removed() {
    let (_service, api) = service();
    let receiver = Receiver::start(&[500]);
    let (hook, made) = make(&api, "/data/projects/P1/webhooks", &receiver.url("/hook"));
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
    assert!(!api.get(&hook).text().contains("whsec_"), "the secret is shown once");
    assert_eq!(post(&api, &format!("{hook}/test")), 202);
    // The first answer is an error, so that it comes a second time.
    let messages = eventually(SOON, "the message arrives twice", || {
        Some(receiver.messages()).filter(|messages| messages.len() == 2)
    });
    let (first, second) = (&messages[0], &messages[1]);
    assert_eq!(first.request, "POST /hook");
    assert_eq!(first.headers["content-type"], "application/cloudevents+json; charset=UTF-8");
    assert!(first.headers["webhook-signature"].starts_with("v1,"));
    assert_eq!(first.headers["webhook-id"], second.headers["webhook-id"]);
    assert_eq!(first.body, second.body);
    assert_eq!(document(first)["type"], "org.narthex.webhook.test");
    let log = eventually(SOON, "the log says that it was delivered", || {
        let log = api.table(&format!("{hook}/deliveries"));
        (log.only().get("status") == "delivered").then_some(log)
    });
    assert_eq!((log.only().get("attempts"), log.only().get("last_outcome")), ("2", "answered 204"));

    assert_eq!(api.put(&format!("{hook}?enabled=false")).status, 200);
    assert_eq!(api.table("/data/projects/P1/webhooks").only().get("enabled"), "false");
    assert_eq!(api.put(&hook).status, 400);
    assert_eq!(api.client.delete(&hook).unwrap().status, 200);
    assert_eq!(api.get(&hook).status, 404);
    assert!(api.table("/data/projects/P1/webhooks").rows.is_empty());
}

#[test]
fn receivers_that_the_operator_has_not_allowed_are_not_called() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let receiver = Receiver::start(&[]);
    let (hook, _) = make(&api, "/data/projects/P1/webhooks", &receiver.url("/hook"));
    assert_eq!(post(&api, &format!("{hook}/test")), 202);
    let log = eventually(SOON, "the log says that it failed", || {
        let log = api.table(&format!("{hook}/deliveries"));
        (log.only().get("attempts") != "0").then_some(log)
    });
    assert_eq!(log.only().get("status"), "waiting");
    assert!(log.only().get("last_outcome").starts_with("there was no answer"), "{:?}", log.only());
    assert!(receiver.messages().is_empty());
}

#[test]
fn what_is_no_webhook_is_refused() {
    let (_service, api) = service();
    for (what, body) in [
        ("no url", String::new()),
        ("another scheme", form(&[("url", "ftp://127.0.0.1/")])),
        ("a password in it", form(&[("url", "http://a:b@127.0.0.1/")])),
        ("a weak secret", form(&[("url", "http://127.0.0.1/"), ("secret", "x")])),
    ] {
        let path = "/data/projects/P1/webhooks";
        let refused = api.client.post(path, "application/x-www-form-urlencoded", body.as_bytes()).unwrap();
        assert_eq!(refused.status, 400, "{what}: {}", refused.text());
    }
    assert!(api.table("/data/projects/P1/webhooks").rows.is_empty());
}

#[test]
fn what_is_archived_is_told_to_the_project_and_the_site() {
    let (_service, api) = service();
    let (own, all) = (Receiver::start(&[]), Receiver::start(&[]));
    make(&api, "/data/projects/P1/webhooks", &own.url("/own"));
    make(&api, "/data/webhooks", &all.url("/all"));
    let staged = api.import("P1", &Study::new(Modality::Mr, 81).patient("S1_MR1", "S1"));
    let archived = api.archive(&staged);
    for receiver in [&own, &all] {
        let messages = eventually(SOON, "the message arrives", || {
            Some(receiver.messages()).filter(|messages| !messages.is_empty())
        });
        let document = document(&messages[0]);
        assert_eq!(document["type"], "org.narthex.session.archived");
        assert_eq!(document["data"]["URI"].as_str(), Some(archived.as_str()));
        assert_eq!(
            (&document["data"]["project"], &document["data"]["session_label"]),
            (&"P1".into(), &"S1_MR1".into())
        );
    }
    // Nobody is told where that is not wanted.
    let staged = api.import("P1", &Study::new(Modality::Mr, 82).patient("S2_MR1", "S2"));
    let body = form(&[("src", &staged), ("triggerPipelines", "false")]);
    let archived =
        api.client.post("/data/services/archive", "application/x-www-form-urlencoded", body.as_bytes()).unwrap();
    assert_eq!(archived.status, 200, "{}", archived.text());
    let staged = api.import("P1", &Study::new(Modality::Mr, 83).patient("S3_MR1", "S3"));
    api.archive(&staged);
    let messages =
        eventually(SOON, "the third session is told", || Some(own.messages()).filter(|messages| messages.len() >= 2));
    assert_eq!(document(&messages[1])["data"]["session_label"], "S3_MR1");
}

#[test]
fn sessions_that_wait_for_a_review_are_told_and_what_becomes_of_them() {
    let (_service, api) = service();
    let receiver = Receiver::start(&[]);
    make(&api, "/data/projects/P1/webhooks", &receiver.url("/review"));
    assert_eq!(api.put("/data/projects/P1/quarantine_code/1").status, 200);
    let staged = api.import("P1", &Study::new(Modality::Mr, 84).patient("S4_MR1", "S4"));
    let uri = api.archive(&staged);
    let next = |count: usize| {
        let messages = eventually(SOON, "the message arrives", || {
            Some(receiver.messages()).filter(|messages| messages.len() >= count)
        });
        messages.iter().map(document).collect::<Vec<_>>()
    };
    let types = |messages: &[Value]| {
        let mut types: Vec<String> = messages.iter().map(|one| one["type"].as_str().unwrap().to_owned()).collect();
        types.sort();
        types
    };
    let first = next(2);
    assert_eq!(types(&first), ["org.narthex.session.archived", "org.narthex.session.quarantined"]);
    assert!(first.iter().all(|one| one["data"]["URI"] == uri.as_str()));
    assert_eq!(api.put(&format!("{uri}?activate=true&event_reason=fine")).status, 200);
    let released = next(3).pop().unwrap();
    assert_eq!(released["type"], "org.narthex.session.released");
    assert_eq!((&released["data"]["event_reason"], &released["data"]["user"]), (&"fine".into(), &"admin".into()));
    assert_eq!(released["data"]["session_label"], "S4_MR1");
    assert_eq!(api.put(&format!("{uri}?quarantine=true&event_reason=doubt")).status, 200);
    assert_eq!(next(4).pop().unwrap()["type"], "org.narthex.session.quarantined");
    assert_eq!(api.client.delete(&format!("{uri}?event_reason=bad")).unwrap().status, 200);
    let rejected = next(5).pop().unwrap();
    assert_eq!(
        (&rejected["type"], &rejected["data"]["event_reason"]),
        (&"org.narthex.session.rejected".into(), &"bad".into())
    );
    let actions = api.table("/data/projects/P1/history");
    let actions: Vec<&str> = actions.column("action").into_iter().filter(|action| action.ends_with("ed")).collect();
    assert!(actions.starts_with(&["Rejected", "Quarantined", "Released", "Quarantined"]), "{actions:?}");
}
