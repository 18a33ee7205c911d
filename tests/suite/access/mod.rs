//! Logging in, staying logged in, users, and what is open without a login.

mod connect;
mod csrf;
mod guests;
mod lockout;
mod logins;
mod matrix;
mod sessions;
mod tokens;
mod users;

use narthex_tests::{Client, Response};
use serde_json::Value;

/// The password of the users of these tests.
const USER_PASSWORD: &str = "a long password";

/// Sends JSON.
#[track_caller]
fn send(client: &Client, method: &str, path: &str, body: &Value) -> Response {
    let request = client.request(method, path).header("Content-Type", "application/json");
    request.send_bytes(body.to_string().as_bytes()).unwrap()
}

/// Makes a user and gives a client that is logged in as that user.
#[track_caller]
pub fn user(admin: &Client, name: &str) -> Client {
    let body = serde_json::json!({
        "username": name, "password": USER_PASSWORD, "firstName": "First", "lastName": name,
        "email": format!("{name}@example.org"),
    });
    let made = send(admin, "POST", "/xapi/users", &body);
    assert_eq!(made.status, 201, "{}", made.text());
    admin.login(name, USER_PASSWORD)
}

/// The JSON of a successful answer.
#[track_caller]
fn json(response: &Response) -> Value {
    assert!([200, 201].contains(&response.status), "{}: {}", response.status, response.text());
    assert_eq!(response.header("content-type"), Some("application/json"));
    serde_json::from_slice(&response.body).unwrap()
}

/// Opens a login session and gives its identifier and its own token.
#[track_caller]
fn open_session(client: &Client) -> (String, String) {
    let response = client.get("/data/JSESSION?CSRF=true").unwrap();
    assert_eq!(response.status, 200, "{}", response.text());
    let text = response.text();
    let (session, token) = text.split_once("; XNAT_CSRF=").expect("the session's own token");
    (session.to_owned(), token.to_owned())
}
