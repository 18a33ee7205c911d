//! What a client is told when something does not go well, in one place.

use std::borrow::Cow;

use ::http::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE,
};
use ::http::{HeaderMap, HeaderName, HeaderValue, Response};
use bytes::Bytes;

use super::download::DownloadError;
use super::escape::{markup, push_json_string};
use super::format::{Accept, Format, NotAcceptable};
use super::params::{Params, ParamsError};
use super::path::PathError;
use super::status::ErrorStatus;
use crate::accounts::{AccountError, AuthError};
use crate::storage::store::StoreError;

/// The header that carries the error's code.
pub const ERROR_HEADER: HeaderName = HeaderName::from_static("x-narthex-error");
/// No more of a sentence is told.
const MAX_SENTENCE_CHARACTERS: usize = 1000;

/// An error as clients see it: status, stable code, one sentence. The detail is for the log alone.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{status} {code}: {sentence}")]
pub struct ClientError {
    /// The status.
    pub status: ErrorStatus,
    /// For programs; never changes its meaning.
    pub code: Cow<'static, str>,
    /// For people.
    pub sentence: String,
    /// For the log.
    pub detail: Option<String>,
    /// Further headers, such as `WWW-Authenticate`.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

/// In what form an error is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorFormat {
    /// The small page out of whose `<h3>` clients read the sentence.
    Html,
    /// `{"error":{"status":..,"code":"..","message":".."}}`
    Json,
    /// The sentence alone.
    Text,
}

impl ErrorFormat {
    /// HTML as with XNAT, whatever `format=` says, unless `Accept` prefers JSON or plain text.
    pub fn choose(headers: &HeaderMap) -> Self {
        match Accept::of(headers).prefer(&[Format::Html, Format::Json, Format::Text]) {
            Some(Format::Json) => Self::Json,
            Some(Format::Text) => Self::Text,
            _ => Self::Html,
        }
    }
}

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident = $status:ident;)*) => {$(
        $(#[$doc])*
        pub fn $name(code: impl Into<Cow<'static, str>>, sentence: impl Into<String>) -> Self {
            Self::new(ErrorStatus::$status, code, sentence)
        }
    )*};
}

impl ClientError {
    /// An error of any status.
    pub fn new(status: ErrorStatus, code: impl Into<Cow<'static, str>>, sentence: impl Into<String>) -> Self {
        Self { status, code: code.into(), sentence: sentence.into(), detail: None, headers: Vec::new() }
    }

    constructors! {
        /// 400
        bad_request = BAD_REQUEST;
        /// 403
        forbidden = FORBIDDEN;
        /// 404
        not_found = NOT_FOUND;
        /// 406
        not_acceptable = NOT_ACCEPTABLE;
        /// 409
        conflict = CONFLICT;
        /// 412
        precondition_failed = PRECONDITION_FAILED;
        /// 413
        too_large = TOO_LARGE;
        /// 414
        uri_too_long = URI_TOO_LONG;
        /// 415
        unsupported_media_type = UNSUPPORTED_MEDIA_TYPE;
        /// 417
        expectation_failed = EXPECTATION_FAILED;
        /// 422
        unprocessable = UNPROCESSABLE;
        /// 423
        locked = LOCKED;
        /// 501
        not_implemented = NOT_IMPLEMENTED;
        /// 507
        insufficient_storage = INSUFFICIENT_STORAGE;
    }

    /// 401 with the realm, which clients need to know that they may try again.
    pub fn unauthorized(code: impl Into<Cow<'static, str>>, sentence: impl Into<String>) -> Self {
        let challenge = HeaderValue::from_static("Basic realm=\"Narthex\", charset=\"UTF-8\"");
        Self::new(ErrorStatus::UNAUTHORIZED, code, sentence).with_header(WWW_AUTHENTICATE, challenge)
    }

    /// 404 for an address that nothing stands behind.
    pub fn unknown_route() -> Self {
        Self::not_found("unknown-route", "The server has not found anything matching the request URI")
    }

    /// 405 with the methods that are allowed.
    pub fn method_not_allowed(allowed: &[::http::Method]) -> Self {
        let names: Vec<&str> = allowed.iter().map(::http::Method::as_str).collect();
        let error = Self::new(
            ErrorStatus::METHOD_NOT_ALLOWED,
            "method-not-allowed",
            "The method specified in the request is not allowed for the resource identified by the request URI",
        );
        match HeaderValue::from_str(&names.join(", ")) {
            Ok(value) => error.with_header(ALLOW, value),
            Err(_) => error,
        }
    }

    /// 429 with the time after which it may be tried again.
    pub fn too_many(code: impl Into<Cow<'static, str>>, sentence: impl Into<String>, retry_seconds: u32) -> Self {
        Self::new(ErrorStatus::TOO_MANY, code, sentence).with_header(RETRY_AFTER, retry_seconds.into())
    }

    /// 503 with the time after which it may be tried again.
    pub fn unavailable(code: impl Into<Cow<'static, str>>, sentence: impl Into<String>, retry_seconds: u32) -> Self {
        Self::new(ErrorStatus::UNAVAILABLE, code, sentence).with_header(RETRY_AFTER, retry_seconds.into())
    }

    /// Refuses parameters that XNAT has and this version cannot serve, so that nobody believes they were heard. Each
    /// stands with what it would do; `false` asks for nothing.
    ///
    /// # Errors
    /// 501 for the first that is given.
    pub fn refuse_unserved(params: &Params, unserved: &[(&str, &str)]) -> Result<(), Self> {
        for (name, what) in unserved {
            if params.get(name).is_some_and(|value| !value.eq_ignore_ascii_case("false")) {
                let sentence = format!("This version does not support {what} (parameter {name}) yet.");
                return Err(Self::not_implemented("not-implemented", sentence));
            }
        }
        Ok(())
    }

    /// Refuses `reference`, by which XNAT takes over files of the server's own.
    ///
    /// # Errors
    /// 400.
    pub fn refuse_reference(params: &Params) -> Result<(), Self> {
        if params.has("reference") {
            let sentence = "The parameter 'reference' is not supported: files must be sent in the request.";
            return Err(Self::bad_request("reference", sentence));
        }
        Ok(())
    }

    /// 415 for a body that was compressed in a way that is not known here.
    pub fn unsupported_coding() -> Self {
        let sentence = "The body's Content-Encoding is not supported; send it with gzip or as it is.";
        Self::unsupported_media_type("content-encoding", sentence)
            .with_header(ACCEPT_ENCODING, HeaderValue::from_static("gzip"))
    }

    /// 500; the detail goes to the log and nowhere else.
    pub fn internal(detail: impl Into<String>) -> Self {
        let sentence = "The server encountered an unexpected condition which prevented it from fulfilling the request";
        Self::new(ErrorStatus::INTERNAL, "internal", sentence).with_detail(detail)
    }

    /// With something for the log.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// With a further header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// One line for the log; nothing in it can begin another line.
    pub fn log_line(&self) -> String {
        let text = match &self.detail {
            Some(detail) => format!("{self} ({detail})"),
            None => self.to_string(),
        };
        text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
    }

    /// The answer.
    pub fn render(&self, format: ErrorFormat) -> Response<Bytes> {
        let sentence: String = self.sentence.chars().take(MAX_SENTENCE_CHARACTERS).collect();
        let (content_type, body) = match format {
            ErrorFormat::Html => ("text/html; charset=utf-8", page(&sentence)),
            ErrorFormat::Json => ("application/json", self.json(&sentence)),
            ErrorFormat::Text => ("text/plain; charset=utf-8", sentence.into_bytes()),
        };
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = self.status.code();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(CONTENT_LENGTH, body.len().into());
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let code = HeaderValue::from_str(&self.code).unwrap_or(HeaderValue::from_static("error"));
        headers.insert(ERROR_HEADER, code);
        add_security_headers(headers);
        for (name, value) in &self.headers {
            headers.append(name.clone(), value.clone());
        }
        *response.body_mut() = body.into();
        response
    }

    fn json(&self, sentence: &str) -> Vec<u8> {
        let mut out = format!("{{\"error\":{{\"status\":{},\"code\":", self.status).into_bytes();
        push_json_string(&mut out, &self.code);
        out.extend_from_slice(b",\"message\":");
        push_json_string(&mut out, sentence);
        out.extend_from_slice(b"}}");
        out
    }
}

/// Clients take a body that begins with `<html>` for an error and read the sentence out of its only `<h3>`.
///
/// The page is HTML and no XML, as XNAT's is: `pyxnat` reads pages that are XML with code that fails, and others right.
fn page(sentence: &str) -> Vec<u8> {
    let sentence = markup(sentence);
    let head = "<html>\n<head>\n   <title>Status page</title>\n</head>\n<body>\n";
    let way_on = "<p>Please continue your visit at our <a href=\"/\">home page</a>.<br>\n</p>";
    format!("{head}<h3>{sentence}</h3>{way_on}\n</body>\n</html>\n").into_bytes()
}

/// The headers that every answer made here carries, so that no browser runs or guesses at anything in it.
pub fn add_security_headers(headers: &mut HeaderMap) {
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
        ("referrer-policy", "no-referrer"),
    ] {
        headers.entry(HeaderName::from_static(name)).or_insert(HeaderValue::from_static(value));
    }
    // What is answered depends on who asks and in which format.
    headers.entry(::http::header::VARY).or_insert(HeaderValue::from_static("accept, authorization, cookie"));
}

impl From<PathError> for ClientError {
    fn from(error: PathError) -> Self {
        match error {
            PathError::TooLong => Self::uri_too_long("path-too-long", error.to_string()),
            _ => Self::bad_request("bad-path", error.to_string()),
        }
    }
}

impl From<ParamsError> for ClientError {
    fn from(error: ParamsError) -> Self {
        let sentence = error.to_string();
        match error {
            ParamsError::QueryTooLong => Self::uri_too_long("query-too-long", sentence),
            ParamsError::BodyTooLarge => Self::too_large("form-too-large", sentence),
            ParamsError::Reference => Self::bad_request("reference-refused", sentence),
            _ => Self::bad_request("bad-parameter", sentence),
        }
    }
}

impl From<NotAcceptable> for ClientError {
    fn from(error: NotAcceptable) -> Self {
        Self::not_acceptable("not-acceptable", error.to_string())
    }
}

impl From<DownloadError> for ClientError {
    fn from(error: DownloadError) -> Self {
        let sentence = error.to_string();
        match error {
            DownloadError::PreconditionFailed => Self::precondition_failed("precondition-failed", sentence),
            DownloadError::RangeNotSatisfiable { length_bytes } => {
                let error = Self::new(ErrorStatus::RANGE_NOT_SATISFIABLE, "range-not-satisfiable", sentence);
                match HeaderValue::from_str(&format!("bytes */{length_bytes}")) {
                    Ok(value) => error.with_header(::http::header::CONTENT_RANGE, value),
                    Err(_) => error,
                }
            }
        }
    }
}

impl From<StoreError> for ClientError {
    fn from(error: StoreError) -> Self {
        let detail = error.to_string();
        match error {
            StoreError::Unavailable { .. } | StoreError::Failed { .. } => Self::unavailable(
                "store-unavailable",
                "The server's storage does not answer at the moment; the request can be repeated.",
                5,
            )
            .with_detail(detail),
            StoreError::Corrupt { .. } | StoreError::TooLarge { .. } => Self::internal(detail),
        }
    }
}

impl From<AccountError> for ClientError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Store(error) => error.into(),
            AccountError::Login(error) => Self::bad_request("bad-login", error.to_string()),
            AccountError::Password(error) => Self::bad_request("bad-password", error.to_string()),
            AccountError::Random(_) => Self::internal(error.to_string()),
        }
    }
}

impl From<AuthError> for ClientError {
    fn from(error: AuthError) -> Self {
        let sentence = error.to_string();
        match error {
            AuthError::Required => Self::unauthorized("authentication-required", sentence),
            AuthError::Refused => Self::unauthorized("authentication-failed", sentence),
            AuthError::Malformed => Self::bad_request("bad-authorization", sentence),
            AuthError::UnsupportedScheme => Self::unauthorized("unsupported-scheme", sentence),
            AuthError::UnknownProvider => Self::unauthorized("unknown-provider", sentence),
            AuthError::Failed(error) => error.into(),
        }
    }
}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
