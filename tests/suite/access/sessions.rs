//! `JSESSIONID`.

use narthex_tests::{Service, eventually};
use std::time::Duration;

#[test]
fn a_session_is_given_used_and_ended() {
    let service = Service::start();
    let client = service.client();
    for method in ["GET", "POST"] {
        let response = client.request(method, "/data/JSESSION").send_bytes(b"").unwrap();
        assert_eq!(response.status, 200, "{method}");
        assert!(response.header("content-type").unwrap_or_default().starts_with("text/plain"));
        let session = response.text();
        assert!(!session.is_empty() && !session.contains(char::is_whitespace), "{session:?}");

        let with_cookie = client.session(&session);
        assert_eq!(with_cookie.get("/data/projects").unwrap().status, 200);
        assert_eq!(with_cookie.get("/data/JSESSION").unwrap().text(), session, "the session stays the same");
        assert_eq!(with_cookie.delete("/data/JSESSION").unwrap().status, 200);
        assert_eq!(with_cookie.get("/data/projects").unwrap().status, 401, "the session is over");
    }
}

#[test]
fn a_session_that_never_was_is_no_login() {
    let service = Service::start();
    for session in ["0123456789ABCDEF0123456789ABCDEF", "", "../..", "a;b"] {
        assert_eq!(service.client().session(session).get("/data/projects").unwrap().status, 401, "{session:?}");
    }
}

#[test]
fn sessions_differ() {
    let service = Service::start();
    let one = service.client().get("/data/JSESSION").unwrap().text();
    let other = service.client().get("/data/JSESSION").unwrap().text();
    assert_ne!(one, other);
}

#[test]
fn a_session_outlives_a_restart_of_the_service() {
    let mut service = Service::start();
    let session = service.client().get("/data/JSESSION").unwrap().text();
    service.restart();
    assert_eq!(service.client().session(&session).get("/data/projects").unwrap().status, 200);
}

#[test]
fn the_password_is_only_kept_as_a_hash() {
    let service = Service::start();
    assert_eq!(service.client().get("/data/projects").unwrap().status, 200);
    eventually(Duration::from_secs(10), "the account is written", || {
        service.stores().contains(b"$argon2id$").then_some(())
    });
    assert!(!service.stores().contains(narthex_tests::PASSWORD.as_bytes()), "the password stands in the store");
}
