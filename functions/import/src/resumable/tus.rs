//! The headers of tus 1.0.0: its version, the methods that clients name, and answers.

use http::{HeaderName, HeaderValue, Method, StatusCode};
use narthex::http::ClientError;
use narthex::service::{Call, Reply, ReplyBody};

/// The protocol's version.
pub(super) const VERSION: &str = "1.0.0";

/// The header that names it.
const RESUMABLE_HEADER: &str = "tus-resumable";

/// The media type of bytes that are added.
pub(super) const OFFSET_TYPE: &str = "application/offset+octet-stream";

/// Adds what every answer of the protocol has, also one that says why there is none.
pub fn with_version(mut reply: Reply) -> Reply {
    reply.headers_mut().insert(HeaderName::from_static(RESUMABLE_HEADER), HeaderValue::from_static(VERSION));
    reply
}

/// Takes the method that a client names that cannot send it (tus 1.0.0, `X-HTTP-Method-Override`).
///
/// Only with `POST`: what a browser may do unasked must not become anything else.
pub fn override_method(call: &mut Call) -> Result<(), ClientError> {
    let Some(named) = call.context.headers.get("x-http-method-override") else { return Ok(()) };
    if call.context.method != Method::POST {
        let sentence = "X-HTTP-Method-Override may only come with a POST.";
        return Err(ClientError::bad_request("bad-method", sentence));
    }
    call.context.method = match named.as_bytes() {
        b"POST" => Method::POST,
        b"PATCH" => Method::PATCH,
        b"DELETE" => Method::DELETE,
        b"HEAD" => Method::HEAD,
        b"GET" => Method::GET,
        b"OPTIONS" => Method::OPTIONS,
        _ => {
            let sentence = "X-HTTP-Method-Override may be POST, PATCH, DELETE, HEAD, GET or OPTIONS.";
            return Err(ClientError::bad_request("bad-method", sentence));
        }
    };
    Ok(())
}

/// Adds headers to an answer.
pub(super) fn with_headers(mut reply: Reply, headers: &[(&'static str, String)]) -> Reply {
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            reply.headers_mut().append(HeaderName::from_static(name), value);
        }
    }
    reply
}

/// An answer without a body.
pub(super) fn empty(status: StatusCode, headers: &[(&'static str, String)]) -> Reply {
    let mut reply = ReplyBody::nothing();
    *reply.status_mut() = status;
    reply.headers_mut().remove(http::header::CONTENT_TYPE);
    if status == StatusCode::NO_CONTENT {
        reply.headers_mut().remove(http::header::CONTENT_LENGTH);
    }
    with_headers(reply, headers)
}

/// Headers of extensions that are not among ours, and why they cannot be passed over.
const UNSERVED: [(&str, &str); 3] = [
    ("upload-checksum", "Checksums of single requests are not checked here; leave Upload-Checksum out."),
    ("upload-concat", "Uploads are not put together from parts here; leave Upload-Concat out."),
    ("upload-defer-length", "The length of an upload cannot be told later; send Upload-Length."),
];

/// Refuses a client that speaks another version, or relies on an extension that is not served.
pub(super) fn demand_version(call: &Call) -> Result<(), ClientError> {
    for (name, sentence) in UNSERVED {
        if call.context.headers.contains_key(name) {
            return Err(ClientError::bad_request("not-served", sentence));
        }
    }
    match call.context.headers.contains_key(RESUMABLE_HEADER) {
        true => demand_version_if_named(call),
        false => Err(other_version()),
    }
}

/// Refuses a client that speaks another version. One that only looks may be none of the protocol's.
pub(super) fn demand_version_if_named(call: &Call) -> Result<(), ClientError> {
    match call.context.headers.get(RESUMABLE_HEADER).map(HeaderValue::as_bytes) {
        Some(version) if version != VERSION.as_bytes() => Err(other_version()),
        _ => Ok(()),
    }
}

fn other_version() -> ClientError {
    let sentence = format!("Resumable uploads need the header Tus-Resumable: {VERSION}.");
    let error = ClientError::precondition_failed("tus-version", sentence);
    error.with_header(HeaderName::from_static("tus-version"), HeaderValue::from_static(VERSION))
}

/// The whole number of bytes that a header says, if it is there.
pub(super) fn number(call: &Call, name: &str) -> Result<Option<u64>, ClientError> {
    let Some(value) = call.context.headers.get(name) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    let number = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    number.map(Some).ok_or_else(|| {
        ClientError::bad_request("bad-header", format!("The header {name} must be a whole number of bytes."))
    })
}
