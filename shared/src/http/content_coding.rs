//! How a body was compressed for the transport.

use ::http::HeaderMap;
use ::http::header::CONTENT_ENCODING;

use super::error::ClientError;
use crate::domain::prearchive::upload::ContentCoding;

/// What `Content-Encoding` says (RFC 9110, section 8.4).
///
/// # Errors
/// 415 for a coding that is not known here, or more than one.
pub fn content_coding(headers: &HeaderMap) -> Result<ContentCoding, ClientError> {
    let mut coding = ContentCoding::Identity;
    for value in headers.get_all(CONTENT_ENCODING) {
        for word in value.to_str().unwrap_or("?").split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let is_gzip = ["gzip", "x-gzip"].iter().any(|known| word.eq_ignore_ascii_case(known));
            coding = match coding {
                coding if word.eq_ignore_ascii_case("identity") => coding,
                ContentCoding::Identity if is_gzip => ContentCoding::Gzip,
                _ => return Err(ClientError::unsupported_coding()),
            };
        }
    }
    Ok(coding)
}
