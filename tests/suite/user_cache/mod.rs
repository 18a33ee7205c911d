//! The user cache: `/data/user/cache/resources`.

mod downloads;
mod files;
mod hostile;
mod limits;
mod owners;

use narthex_tests::{Api, Response};

/// The address of everybody's cache.
const CACHE: &str = "/data/user/cache/resources";

/// The content type of [`form`].
const FORM: &str = "multipart/form-data; boundary=BOUND";

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

/// A form: name, file name and bytes of each part.
fn form(parts: &[(&str, Option<&str>, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, filename, bytes) in parts {
        let filename = filename.map(|name| format!("; filename=\"{name}\"")).unwrap_or_default();
        let head = format!("--BOUND\r\nContent-Disposition: form-data; name=\"{name}\"{filename}\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--BOUND--\r\n");
    body
}
