//! The user cache: `/data/user/cache/resources`.

mod downloads;
mod files;
mod hostile;
mod limits;
mod owners;

use narthex_tests::{Api, Response};

/// The address of everybody's cache.
const CACHE: &str = "/data/user/cache/resources";

#[track_caller]
fn send(api: &Api, method: &str, path: &str, content_type: &str, body: &[u8]) -> Response {
    let request = api.client.request(method, path).header("Content-Type", content_type);
    request.send_bytes(body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
}

/// Puts a file.
#[track_caller]
fn put(api: &Api, path: &str, body: &[u8]) {
    let response = send(api, "PUT", &format!("{CACHE}/{path}"), "application/octet-stream", body);
    assert_eq!((response.status, response.text().as_str()), (200, ""), "PUT {path}");
}

#[track_caller]
fn delete(api: &Api, path: &str) -> Response {
    api.client.delete(&format!("{CACHE}/{path}")).unwrap_or_else(|error| panic!("DELETE {path}: {error}"))
}
