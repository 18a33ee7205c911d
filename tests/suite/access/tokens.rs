//! Alias tokens.

use std::time::Duration;

use narthex_tests::{Service, eventually, sentence};
use serde_json::{Value, json};

use super::{json as body, open_session, send, user};

fn issue(client: &narthex_tests::Client) -> (Value, String, String) {
    let token = body(&client.get("/data/services/tokens/issue").unwrap());
    let text = |member: &str| token[member].as_str().unwrap().to_owned();
    let (alias, secret) = (text("alias"), text("secret"));
    (token, alias, secret)
}

#[test]
fn a_token_logs_in_as_its_user_and_shows_its_secret_once() {
    let service = Service::start();
    let ann = user(&service.client(), "ann");
    let (token, alias, secret) = issue(&ann);
    let groups: Vec<usize> = alias.split('-').map(str::len).collect();
    assert_eq!((groups.as_slice(), secret.len()), (&[8, 4, 4, 4, 12][..], 64), "{token}");
    assert!(secret.chars().all(|character| character.is_ascii_alphanumeric()));
    assert_eq!((&token["xdatUserId"], &token["singleUse"]), (&json!("ann"), &json!(false)));
    assert!(token["estimatedExpirationTime"].as_u64() > token["created"].as_u64());
    let with_token = ann.login(&alias, &secret);
    assert_eq!(with_token.get("/data/auth").unwrap().text(), "User 'ann' is logged in");
    assert_eq!(ann.login(&alias, "wrong").get("/data/auth").unwrap().status, 401);
    // How xnatpy logs in with a token.
    let home = with_token.get("/").unwrap();
    let cookie = home.all("set-cookie").find_map(|cookie| cookie.strip_prefix("JSESSIONID=")).unwrap().to_owned();
    let session = cookie.split(';').next().unwrap();
    assert_eq!(ann.session(session).get("/data/auth").unwrap().text(), "User 'ann' is logged in");
    let shown = body(&ann.get("/data/services/tokens/show").unwrap());
    assert_eq!((&shown[0]["alias"], shown.as_array().unwrap().len()), (&json!(alias), 1));
    assert!(!shown.to_string().contains(&secret));
    assert!(!service.stores().contains(secret.as_bytes()), "the secret stands in the store");
}

#[test]
fn a_token_can_neither_make_another_nor_take_the_account_over() {
    let service = Service::start();
    let ann = user(&service.client(), "ann");
    let (_, alias, secret) = issue(&ann);
    let with_token = ann.login(&alias, &secret);
    let (session, _) = open_session(&with_token);
    for client in [with_token, ann.session(&session)] {
        let refused = client.get("/data/services/tokens/issue").unwrap();
        assert_eq!(refused.status, 403);
        sentence(&refused);
        assert_eq!(send(&client, "PUT", "/xapi/users/ann", &json!({"password": "mine from now on"})).status, 403);
        assert_eq!(send(&client, "PUT", "/xapi/users/ann", &json!({"lastName": "Token"})).status, 200);
    }
}

#[test]
fn validating_says_for_whom_and_invalidating_ends_the_sessions_too() {
    let service = Service::start();
    let ann = user(&service.client(), "ann");
    let bob = user(&service.client(), "bob");
    let (_, alias, secret) = issue(&ann);
    let validate = format!("/data/services/tokens/validate/{alias}/{secret}");
    assert_eq!(body(&bob.get(&validate).unwrap()), json!({"valid": "ann"}));
    let wrong = format!("/data/services/tokens/validate/{alias}/wrong");
    assert_eq!(body(&bob.get(&wrong).unwrap()), json!({"valid": null}));
    let (session, _) = open_session(&ann.login(&alias, &secret));
    let invalidate = format!("/data/services/tokens/invalidate/{alias}");
    assert_eq!(bob.get(&invalidate).unwrap().status, 404, "another user's token");
    assert_eq!(ann.get(&format!("{invalidate}/wrong")).unwrap().status, 404);
    assert_eq!(body(&ann.get(&format!("{invalidate}/{secret}")).unwrap()), json!({"result": "OK"}));
    assert_eq!(ann.get(&invalidate).unwrap().status, 404);
    assert_eq!(ann.login(&alias, &secret).get("/data/auth").unwrap().status, 401);
    assert_eq!(ann.session(&session).get("/data/auth").unwrap().status, 401);
    assert_eq!(body(&bob.get(&validate).unwrap()), json!({"valid": null}));
    assert_eq!(body(&ann.get("/data/services/tokens/show").unwrap()), json!([]));
}

#[test]
fn administrators_issue_show_and_end_the_tokens_of_others() {
    let service = Service::start();
    let admin = service.client();
    let ann = user(&admin, "ann");
    let token = body(&admin.get("/data/services/tokens/issue/user/ann").unwrap());
    assert_eq!(token["xdatUserId"], json!("ann"));
    let alias = token["alias"].as_str().unwrap();
    assert_eq!(body(&admin.get("/data/services/tokens/show/user/ann").unwrap())[0]["alias"], json!(alias));
    assert_eq!(body(&admin.get("/data/services/tokens/show").unwrap()), json!([]));
    for path in ["issue/user/admin", "show/user/admin", "issue/user/nobody"] {
        assert_eq!(ann.get(&format!("/data/services/tokens/{path}")).unwrap().status, 403, "{path}");
    }
    assert_eq!(admin.get("/data/services/tokens/issue/user/nobody").unwrap().status, 404);
    assert_eq!(admin.get(&format!("/data/services/tokens/invalidate/{alias}")).unwrap().status, 200);
    assert_eq!(admin.put("/xapi/users/ann/enabled/false").unwrap().status, 200);
    assert_eq!(admin.get("/data/services/tokens/issue/user/ann").unwrap().status, 409);
}

#[test]
fn a_token_ends_with_the_account_the_password_and_its_time() {
    let service = Service::with(&[("alias_token_seconds", "3")]);
    let admin = service.client();
    let ann = user(&admin, "ann");
    let (_, alias, secret) = issue(&ann);
    assert_eq!(admin.put("/xapi/users/ann/enabled/false").unwrap().status, 200);
    assert_eq!(admin.put("/xapi/users/ann/enabled/true").unwrap().status, 200);
    assert_eq!(ann.login(&alias, &secret).get("/data/auth").unwrap().status, 401);
    let (_, alias, secret) = issue(&ann);
    assert_eq!(send(&admin, "PUT", "/xapi/users/ann", &json!({"password": "another password"})).status, 200);
    assert_eq!(ann.login(&alias, &secret).get("/data/auth").unwrap().status, 401);
    let ann = ann.login("ann", "another password");
    let (_, alias, secret) = issue(&ann);
    eventually(Duration::from_secs(20), "the token's time is over", || {
        (ann.login(&alias, &secret).get("/data/auth").unwrap().status == 401).then_some(())
    });
    assert_eq!(ann.get("/data/auth").unwrap().status, 200);
}

#[test]
fn other_operations_and_methods_are_refused() {
    let service = Service::start();
    let admin = service.client();
    for path in ["", "/", "/renew", "/issue/for/ann", "/validate/x"] {
        let response = admin.get(&format!("/data/services/tokens{path}")).unwrap();
        assert_eq!(response.status, 400, "{path}: {}", response.text());
        sentence(&response);
    }
    assert_eq!(admin.put("/data/services/tokens/issue").unwrap().status, 405);
    assert_eq!(admin.anonymous().get("/data/services/tokens/issue").unwrap().status, 401);
    let guests = Service::with(&[("require_login", "false")]);
    assert_eq!(guests.client().anonymous().get("/data/services/tokens/issue").unwrap().status, 403);
}
