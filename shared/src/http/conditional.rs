//! Conditional requests and byte ranges (RFC 9110, sections 13 and 14).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ::http::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, ETAG, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE,
    IF_UNMODIFIED_SINCE, LAST_MODIFIED, RANGE,
};
use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use super::download::DownloadError;

/// The last second that an HTTP date can name: the end of the year 9999.
const MAX_HTTP_DATE_SECONDS: u64 = 253_402_300_799;
/// More tags in `If-Match` or `If-None-Match` are not looked at.
const MAX_TAGS: usize = 64;

/// A strong entity tag: same tag, same bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ETag(String);

impl ETag {
    /// A tag of what identifies the bytes, such as a digest; characters that a tag cannot have are dropped.
    pub fn strong(identity: &str) -> Self {
        let allowed = |character: &char| character.is_ascii_graphic() && !matches!(character, '"' | ',');
        Self(format!("\"{}\"", identity.chars().filter(allowed).collect::<String>()))
    }

    /// The tag with its quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is known of a file before it is read.
#[derive(Debug, Clone)]
pub struct Representation {
    /// Its length.
    pub length_bytes: u64,
    /// Its tag.
    pub etag: Option<ETag>,
    /// When it was last changed, in milliseconds since the epoch.
    pub modified_ms: Option<u64>,
}

/// What is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// 200 with everything.
    Whole,
    /// 206 with a part.
    Part {
        /// The first byte.
        first: u64,
        /// The last byte, which is sent too.
        last: u64,
    },
    /// 304 without a body.
    NotModified,
}

impl Plan {
    /// Decides by the request's headers. Ranges count for GET alone; several ranges at once are answered with the
    /// whole, as the standard allows.
    ///
    /// # Errors
    /// A [`DownloadError`] for 412 and 416.
    pub fn decide(method: &Method, headers: &HeaderMap, file: &Representation) -> Result<Self, DownloadError> {
        let modified = file.modified_ms.map(|ms| ms / 1000);
        if headers.contains_key(IF_MATCH) {
            if !any_tag(headers, &IF_MATCH, file.etag.as_ref(), Weakness::Differs) {
                return Err(DownloadError::PreconditionFailed);
            }
        } else if let (Some(date), Some(modified)) = (date(headers, &IF_UNMODIFIED_SINCE), modified)
            && modified > date
        {
            return Err(DownloadError::PreconditionFailed);
        }
        let reads = *method == Method::GET || *method == Method::HEAD;
        if headers.contains_key(IF_NONE_MATCH) {
            if any_tag(headers, &IF_NONE_MATCH, file.etag.as_ref(), Weakness::Ignored) {
                return if reads { Ok(Self::NotModified) } else { Err(DownloadError::PreconditionFailed) };
            }
        } else if let (true, Some(date), Some(modified)) = (reads, date(headers, &IF_MODIFIED_SINCE), modified)
            && modified <= date
        {
            return Ok(Self::NotModified);
        }
        if *method != Method::GET || !if_range_holds(headers, file, modified) {
            return Ok(Self::Whole);
        }
        let mut ranges = headers.get_all(RANGE).iter();
        match (ranges.next().and_then(|range| range.to_str().ok()), ranges.next()) {
            (Some(range), None) => part_of(range, file.length_bytes),
            _ => Ok(Self::Whole),
        }
    }

    /// The status of the answer.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Whole => StatusCode::OK,
            Self::Part { .. } => StatusCode::PARTIAL_CONTENT,
            Self::NotModified => StatusCode::NOT_MODIFIED,
        }
    }

    /// The bytes to be sent, as offset and length; `None` without a body.
    pub fn extent(self, file: &Representation) -> Option<(u64, u64)> {
        match self {
            Self::Whole => Some((0, file.length_bytes)),
            Self::Part { first, last } => Some((first, last.saturating_sub(first).saturating_add(1))),
            Self::NotModified => None,
        }
    }

    /// Sets `ETag`, `Last-Modified`, `Accept-Ranges`, `Content-Length` and `Content-Range`.
    pub fn describe(self, file: &Representation, headers: &mut HeaderMap) {
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        if let Some(value) = file.etag.as_ref().and_then(|tag| HeaderValue::from_str(tag.as_str()).ok()) {
            headers.insert(ETAG, value);
        }
        if let Some(value) = file.modified_ms.and_then(http_date) {
            headers.insert(LAST_MODIFIED, value);
        }
        match self.extent(file) {
            Some((_, length)) => headers.insert(CONTENT_LENGTH, length.into()),
            None => headers.remove(CONTENT_LENGTH),
        };
        if let Self::Part { first, last } = self
            && let Ok(value) = HeaderValue::from_str(&format!("bytes {first}-{last}/{}", file.length_bytes))
        {
            headers.insert(CONTENT_RANGE, value);
        }
    }
}

/// A time as HTTP writes it; `None` beyond the year 9999.
pub fn http_date(ms: u64) -> Option<HeaderValue> {
    let seconds = ms / 1000;
    if seconds > MAX_HTTP_DATE_SECONDS {
        return None;
    }
    let time = UNIX_EPOCH.checked_add(Duration::from_secs(seconds))?;
    HeaderValue::from_str(&httpdate::fmt_http_date(time)).ok()
}

fn parse_date(text: &str) -> Option<u64> {
    let time: SystemTime = httpdate::parse_http_date(text.trim()).ok()?;
    time.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
}

fn date(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    parse_date(headers.get(name)?.to_str().ok()?)
}

/// How weak tags compare.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Weakness {
    Ignored,
    Differs,
}

fn any_tag(headers: &HeaderMap, name: &HeaderName, own: Option<&ETag>, weakness: Weakness) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    // Our tags hold no comma, so that a comma always ends one.
    values.flat_map(|value| value.split(',')).map(str::trim).take(MAX_TAGS).any(|tag| {
        let tag = if weakness == Weakness::Ignored { tag.strip_prefix("W/").unwrap_or(tag) } else { tag };
        tag == "*" || own.is_some_and(|own| own.as_str() == tag)
    })
}

fn if_range_holds(headers: &HeaderMap, file: &Representation, modified: Option<u64>) -> bool {
    let Some(value) = headers.get(IF_RANGE) else { return true };
    let Ok(text) = value.to_str().map(str::trim) else { return false };
    if text.starts_with('"') || text.starts_with("W/") {
        return file.etag.as_ref().is_some_and(|own| own.as_str() == text);
    }
    parse_date(text).is_some_and(|date| Some(date) == modified)
}

/// One range of bytes; what is malformed or of another unit is passed over.
fn part_of(range: &str, length: u64) -> Result<Plan, DownloadError> {
    let Some((unit, set)) = range.split_once('=') else { return Ok(Plan::Whole) };
    let Some((first, last)) = set.trim().split_once('-') else { return Ok(Plan::Whole) };
    if !unit.trim().eq_ignore_ascii_case("bytes") || set.contains(',') {
        return Ok(Plan::Whole);
    }
    let outside = Err(DownloadError::RangeNotSatisfiable { length_bytes: length });
    match (position(first), position(last)) {
        (Position::None, Position::At(0)) => outside,
        (Position::None, Position::At(_)) if length == 0 => outside,
        (Position::None, Position::At(suffix)) => {
            Ok(Plan::Part { first: length.saturating_sub(suffix), last: length.saturating_sub(1) })
        }
        (Position::At(first), Position::At(last)) if last < first => Ok(Plan::Whole),
        (Position::At(first), Position::At(_) | Position::None) if first >= length => outside,
        (Position::At(first), Position::None) => Ok(Plan::Part { first, last: length.saturating_sub(1) }),
        (Position::At(first), Position::At(last)) => Ok(Plan::Part { first, last: last.min(length.saturating_sub(1)) }),
        _ => Ok(Plan::Whole),
    }
}

enum Position {
    None,
    At(u64),
    Malformed,
}

fn position(text: &str) -> Position {
    let text = text.trim();
    if text.is_empty() {
        Position::None
    } else if text.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number beyond all files is behind the end of each.
        Position::At(text.parse().unwrap_or(u64::MAX))
    } else {
        Position::Malformed
    }
}

#[cfg(test)]
#[path = "conditional_tests.rs"]
mod tests;
