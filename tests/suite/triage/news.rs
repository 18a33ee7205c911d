//! Who is told: the history of the target and of the project, and webhooks.

use std::time::Duration;

use narthex_tests::{Receiver, Service, eventually, form};
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
