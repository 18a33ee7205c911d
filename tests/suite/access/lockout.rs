//! Too many wrong passwords.

use std::time::Duration;

use narthex_tests::{Service, eventually};
use serde_json::json;

use super::{USER_PASSWORD, open_session, send, user};

#[test]
fn wrong_passwords_lock_the_account_until_the_time_is_over_and_end_no_session() {
    let service = Service::with(&[("lock_after_failures", "3"), ("lock_seconds", "3")]);
    let admin = service.client();
    let ann = user(&admin, "ann");
    let (session, _) = open_session(&ann);
    for _ in 0..3 {
        assert_eq!(ann.login("ann", "wrong").get("/data/auth").unwrap().status, 401);
    }
    assert_eq!(ann.get("/data/auth").unwrap().status, 401, "locked, also for the right password");
    assert_eq!(ann.session(&session).get("/data/auth").unwrap().status, 200, "who is in stays in");
    assert_eq!(admin.get("/data/auth").unwrap().status, 200, "others are not locked");
    eventually(Duration::from_secs(20), "the account is open again", || {
        (ann.get("/data/auth").unwrap().status == 200).then_some(())
    });
}

#[test]
fn an_administrator_lets_a_locked_account_in_again() {
    let service = Service::with(&[("lock_after_failures", "2")]);
    let admin = service.client();
    let ann = user(&admin, "ann");
    let lock = || {
        for _ in 0..2 {
            assert_eq!(ann.login("ann", "wrong").get("/data/auth").unwrap().status, 401);
        }
        assert_eq!(ann.get("/data/auth").unwrap().status, 401, "locked");
    };
    lock();
    assert_eq!(admin.put("/xapi/users/ann/enabled/true").unwrap().status, 200);
    assert_eq!(ann.get("/data/auth").unwrap().status, 200);
    lock();
    assert_eq!(send(&admin, "PUT", "/xapi/users/ann", &json!({"password": USER_PASSWORD})).status, 200);
    assert_eq!(ann.get("/data/auth").unwrap().status, 200);
}

#[test]
fn locking_can_be_turned_off() {
    let service = Service::with(&[("lock_after_failures", "0")]);
    let ann = user(&service.client(), "ann");
    for _ in 0..25 {
        assert_eq!(ann.login("ann", "wrong").get("/data/auth").unwrap().status, 401);
    }
    assert_eq!(ann.get("/data/auth").unwrap().status, 200);
}
