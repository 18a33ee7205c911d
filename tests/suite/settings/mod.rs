//! Projects and their settings.

mod codes;
mod config;
mod deletion;
mod lists;
mod members;
mod projects;

use narthex_tests::{Api, Client, Response};

/// The password of the users of these tests.
const USER_PASSWORD: &str = "a long password";

/// Makes a user and gives a client that is logged in as that user.
#[track_caller]
fn user(api: &Api, name: &str) -> Client {
    let body = serde_json::json!({
        "username": name, "password": USER_PASSWORD, "firstName": "First", "lastName": name,
        "email": format!("{name}@example.org"),
    });
    let request = api.client.request("POST", "/xapi/users").header("Content-Type", "application/json");
    let made = request.send_bytes(body.to_string().as_bytes()).unwrap();
    assert_eq!(made.status, 201, "{}", made.text());
    api.client.login(name, USER_PASSWORD)
}

/// PUT with a body.
#[track_caller]
fn send(client: &Client, method: &str, path: &str, content_type: &str, body: &str) -> Response {
    client.request(method, path).header("Content-Type", content_type).send_bytes(body.as_bytes()).unwrap()
}

/// A project's document.
fn document(attributes: &str, inner: &str) -> String {
    format!("<xnat:Project xmlns:xnat=\"http://nrg.wustl.edu/xnat\" {attributes}>{inner}</xnat:Project>")
}
