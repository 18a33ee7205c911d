//! Who is told: the history of the target and of the project, and webhooks.

use std::time::Duration;

use narthex_tests::{Api, Receiver, Service, eventually, form};
use serde_json::Value;

use super::{TRIAGE, approve, send};
use crate::access::user;

const DEST: &str = "/data/projects/P1/subjects/S1/resources/R";

#[test]
fn uploads_approvals_and_refusals_are_told() {
    let service = Service::with(&[("webhook_hosts", "http://127.0.0.1:*")]);
    let api = service.api();
    api.project("P1");
    assert_eq!(api.put("/data/projects/P1/subjects/S1").status, 201);
    let mary = user(&api.client, "mary");
    assert_eq!(api.put("/data/projects/P1/users/member/mary").status, 200);
    let receiver = Receiver::start(&[]);
    let url = form(&[("url", &receiver.url("/hook"))]);
    let hooks = "/data/projects/P1/webhooks";
    assert_eq!(api.client.post(hooks, "application/x-www-form-urlencoded", url.as_bytes()).unwrap().status, 201);
    for name in ["a", "b"] {
        let path = format!("{TRIAGE}/resources/X%201/files/{name}?target={DEST}&event_reason=to+be+seen");
        let request = mary.request("POST", &path).header("Content-Type", "text/plain");
        assert_eq!(request.send_bytes(b"x").unwrap().status, 200);
    }
    let refused = send(&api, "DELETE", &format!("{TRIAGE}/resources/X%201/files/b?event_reason=no"), "text/plain", b"");
    assert_eq!(refused.status, 200, "{}", refused.text());
    let src = format!("{TRIAGE}/resources/X%201");
    assert_eq!(approve(&api, &[("src", &src), ("dest", DEST), ("event_reason", "yes")]).status, 201);
    for log in ["/data/projects/P1/history", "/data/projects/P1/subjects/S1/history"] {
        let history = api.table(log);
        let told: Vec<[&str; 3]> = history
            .rows
            .iter()
            .filter(|row| ["Quarantined", "Approved", "Rejected"].contains(&row.get("action")))
            .map(|row| ["action", "user", "event_reason"].map(|name| row.get(name)))
            .collect();
        let expected = [
            ["Approved", "admin", "yes"],
            ["Rejected", "admin", "no"],
            ["Quarantined", "mary", "to be seen"],
            ["Quarantined", "mary", "to be seen"],
        ];
        assert_eq!(told, expected, "{log}");
        assert!(history.rows.iter().any(|row| row.get("details").contains("folder X 1")), "{log}");
    }
    let messages = eventually(Duration::from_secs(30), "all messages arrive", || {
        Some(receiver.messages()).filter(|messages| messages.len() == 4)
    });
    let mut kinds: Vec<String> = Vec::new();
    for message in &messages {
        let document: Value = serde_json::from_slice(&message.body).unwrap();
        assert_eq!(document["subject"], src);
        assert_eq!(document["data"]["uploader"], "mary");
        assert_eq!(document["data"]["subject_label"], "S1");
        assert_eq!(document["data"]["TARGET"], "/data/archive/projects/P1/subjects/S1/resources/R/files");
        kinds.push(document["type"].as_str().unwrap().to_owned());
    }
    kinds.sort();
    let expected =
        ["approved", "quarantined", "quarantined", "rejected"].map(|kind| format!("org.narthex.files.{kind}"));
    assert_eq!(kinds, expected);
}

/// What the history of an item says of the quarantine, newest first: action and details.
fn told(api: &Api, item: &str) -> Vec<[String; 2]> {
    let history = api.table(&format!("{item}/history"));
    let of_quarantine = history.rows.iter().filter(|row| ["Quarantined", "Approved"].contains(&row.get("action")));
    of_quarantine.map(|row| ["action", "details"].map(|name| row.get(name).to_owned())).collect()
}

#[test]
fn who_has_heard_of_an_upload_hears_that_it_went_elsewhere() {
    let service = Service::with(&[("webhook_hosts", "http://127.0.0.1:*")]);
    let api = service.api();
    let receivers = ["P1", "P2"].map(|project| {
        api.project(project);
        let receiver = Receiver::start(&[]);
        let url = form(&[("url", &receiver.url("/hook"))]);
        let hooks = format!("/data/projects/{project}/webhooks");
        assert_eq!(api.client.post(&hooks, "application/x-www-form-urlencoded", url.as_bytes()).unwrap().status, 201);
        receiver
    });
    for subject in ["P1/subjects/S1", "P1/subjects/S2", "P2/subjects/S3"] {
        assert_eq!(api.put(&format!("/data/projects/{subject}")).status, 201);
    }
    let dests =
        ["P1/subjects/S1/resources/R", "P1/subjects/S2/resources/R", "P2/subjects/S3/resources/R", "P1/resources/R"];
    for (number, dest) in dests.into_iter().enumerate() {
        super::put(&api, &format!("X{number}/files/{number}"), DEST, b"x");
        super::approved(&api, &format!("{TRIAGE}/resources/X{number}"), &format!("/data/projects/{dest}"));
    }
    let actions = |item: &str| told(&api, item).into_iter().map(|[action, _]| action).collect::<Vec<_>>();
    let each = ["Approved", "Quarantined"].repeat(dests.len());
    // The target's item and its project hear once of each, wherever it went.
    assert_eq!(actions("/data/projects/P1/subjects/S1"), each);
    assert_eq!(actions("/data/projects/P1"), each);
    assert_eq!(actions("/data/projects/P1/subjects/S2"), ["Approved"]);
    assert_eq!(
        (actions("/data/projects/P2/subjects/S3"), actions("/data/projects/P2")),
        (vec!["Approved".into()], vec!["Approved".into()])
    );
    let details = &told(&api, "/data/projects/P1/subjects/S1")[2][1];
    assert!(
        details.contains("went elsewhere, to /data/archive/projects/P2/subjects/S3/resources/R/files"),
        "{details}"
    );
    assert!(!told(&api, "/data/projects/P1/subjects/S2")[0][1].contains("elsewhere"));

    let of = |receiver: &Receiver, kind: &str| -> Vec<[String; 2]> {
        let documents =
            receiver.messages().into_iter().map(|message| serde_json::from_slice::<Value>(&message.body).unwrap());
        let kind = format!("org.narthex.files.{kind}");
        let wanted = documents.filter(|document| document["type"] == kind.as_str());
        let mut found: Vec<[String; 2]> = wanted
            .map(|document| ["project", "TARGET"].map(|name| document["data"][name].as_str().unwrap().to_owned()))
            .collect();
        found.sort();
        found
    };
    let [first, second] = &receivers;
    eventually(Duration::from_secs(30), "all messages arrive", || {
        let counts = [of(first, "quarantined"), of(first, "approved"), of(second, "approved")].map(|told| told.len());
        (counts == [4, 4, 1]).then_some(())
    });
    let mut expected = dests.map(|dest| ["P1".to_owned(), format!("/data/archive/projects/{dest}/files")]);
    expected.sort();
    assert_eq!(of(first, "approved"), expected);
    assert_eq!(of(second, "approved"), [["P2".to_owned(), format!("/data/archive/projects/{}/files", dests[2])]]);
    assert!(of(second, "quarantined").is_empty());
}
