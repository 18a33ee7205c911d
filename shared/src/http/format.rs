//! Which format the answer has: `format=` beats `Accept`, and a handler's first variant is its default.

use ::http::HeaderMap;
use ::http::header::ACCEPT;

/// No more of an `Accept` header is looked at.
const MAX_ACCEPT_BYTES: usize = 4 * 1024;
/// No more media ranges of an `Accept` header are looked at.
const MAX_ACCEPT_RANGES: usize = 32;

/// A format of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Format {
    /// `application/json`
    Json,
    /// `text/xml`
    Xml,
    /// `text/csv`
    Csv,
    /// `text/html`
    Html,
    /// `text/plain`
    Text,
    /// `application/zip`
    Zip,
    /// `application/x-gtar`: a gzipped tar
    TarGz,
    /// `application/x-tar`
    Tar,
    /// A table for embedding
    Xlist,
    /// A catalog for the old download client
    Xcat,
    /// `application/xar`
    Xar,
    /// Any other word or media type, in lower case
    Other(String),
}

/// None of the handler's variants is acceptable to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("The answer is not available in any of the formats that the request accepts.")]
pub struct NotAcceptable;

impl Format {
    /// Reads the value of `format=`: a short word or a full media type, in any case.
    pub fn parse(word: &str) -> Self {
        let word = word.trim().to_ascii_lowercase();
        match word.as_str() {
            "json" | "application/json" => Self::Json,
            "xml" | "text/xml" | "application/xml" => Self::Xml,
            "csv" | "text/csv" => Self::Csv,
            "html" | "text/html" => Self::Html,
            "txt" | "text" | "text/plain" => Self::Text,
            "zip" | "application/zip" => Self::Zip,
            "tar.gz" | "tgz" | "gzip" | "application/x-gtar" | "application/gzip" | "application/x-gzip" => Self::TarGz,
            "tar" | "application/x-tar" => Self::Tar,
            "xlist" => Self::Xlist,
            "xcat" => Self::Xcat,
            "xar" | "application/xar" => Self::Xar,
            _ => Self::Other(word),
        }
    }

    /// The media types that mean this format; the first is the one that answers carry.
    pub fn media_types(&self) -> &'static [&'static str] {
        match self {
            Self::Json => &["application/json"],
            Self::Xml | Self::Xcat => &["text/xml", "application/xml"],
            Self::Csv => &["text/csv"],
            Self::Html | Self::Xlist => &["text/html"],
            Self::Text => &["text/plain"],
            Self::Zip => &["application/zip"],
            Self::TarGz => &["application/x-gtar", "application/gzip", "application/x-gzip"],
            Self::Tar => &["application/x-tar"],
            Self::Xar => &["application/xar"],
            Self::Other(_) => &[],
        }
    }

    /// The value of `Content-Type` for an answer of this format.
    pub fn content_type(&self) -> &'static str {
        match self {
            Self::Xml | Self::Xcat => "text/xml; charset=utf-8",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Html | Self::Xlist => "text/html; charset=utf-8",
            Self::Text => "text/plain; charset=utf-8",
            other => other.media_types().first().copied().unwrap_or("application/octet-stream"),
        }
    }

    /// The format in which a table can answer: tables fall back to HTML for words they do not know.
    pub fn for_table(self) -> Self {
        match self {
            Self::Json | Self::Xml | Self::Csv | Self::Html | Self::Xlist => self,
            _ => Self::Html,
        }
    }
}

/// Chooses the format: `format=` if given, whatever the variants are; else what `Accept` prefers among the variants;
/// else the first variant.
///
/// # Errors
/// [`NotAcceptable`] if `Accept` excludes every variant.
pub fn choose(word: Option<&str>, headers: &HeaderMap, variants: &[Format]) -> Result<Format, NotAcceptable> {
    if let Some(word) = word.filter(|word| !word.trim().is_empty()) {
        return Ok(Format::parse(word));
    }
    Accept::of(headers).prefer(variants).cloned().ok_or(NotAcceptable)
}

/// Chooses the format of the services that do not negotiate: `format=` if given, else the default.
pub fn choose_without_accept(word: Option<&str>, default: Format) -> Format {
    word.filter(|word| !word.trim().is_empty()).map_or(default, Format::parse)
}

/// What the client accepts.
#[derive(Debug, Clone, Default)]
pub struct Accept {
    ranges: Vec<Range>,
}

#[derive(Debug, Clone)]
struct Range {
    /// In lower case; empty for `*`.
    kind: String,
    /// In lower case; empty for `*`.
    subkind: String,
    quality_thousandths: u16,
}

impl Range {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let range = parts.next()?.to_ascii_lowercase();
        // Java's URL connections send a bare `*`.
        let (kind, subkind) = if range == "*" { ("*", "*") } else { range.split_once('/')? };
        if kind.is_empty() || subkind.is_empty() || (kind == "*" && subkind != "*") {
            return None;
        }
        let star = |word: &str| if word == "*" { String::new() } else { word.to_owned() };
        let (kind, subkind) = (star(kind), star(subkind));
        let mut quality_thousandths = 1000;
        for part in parts {
            if let Some(value) = part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")) {
                quality_thousandths = quality(value.trim())?;
            }
        }
        Some(Self { kind, subkind, quality_thousandths })
    }

    /// How exactly this range names the media type, if it does.
    fn matches(&self, media_type: &str) -> Option<u8> {
        let (kind, subkind) = media_type.split_once('/')?;
        match (self.kind.as_str(), self.subkind.as_str()) {
            ("", _) => Some(0),
            (own, "") if own == kind => Some(1),
            (own, own_sub) if own == kind && own_sub == subkind => Some(2),
            _ => None,
        }
    }
}

/// A weight between 0 and 1, also as `.2`.
fn quality(text: &str) -> Option<u16> {
    if text.len() > 8 || !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return None;
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    match whole {
        "" | "0" => {}
        "1" if fraction.bytes().all(|byte| byte == b'0') => return Some(1000),
        _ => return None,
    }
    let mut digits = fraction.bytes().map(|byte| u16::from(byte.saturating_sub(b'0')));
    let mut next = || digits.next().unwrap_or(0);
    Some(next() * 100 + next() * 10 + next())
}

impl Accept {
    /// Reads all `Accept` headers; what is malformed or beyond the limits is passed over.
    pub fn of(headers: &HeaderMap) -> Self {
        let mut ranges = Vec::new();
        let mut left_bytes = MAX_ACCEPT_BYTES;
        for value in headers.get_all(ACCEPT) {
            let Ok(text) = value.to_str() else { continue };
            if text.len() > left_bytes {
                break;
            }
            left_bytes -= text.len();
            ranges.extend(text.split(',').take(MAX_ACCEPT_RANGES).filter_map(Range::parse));
            ranges.truncate(MAX_ACCEPT_RANGES);
        }
        Self { ranges }
    }

    /// The variant that the client prefers: by weight, then by how exactly it is named, then by the handler's order.
    /// Without anything readable in `Accept`, the first.
    pub fn prefer<'a>(&self, variants: &'a [Format]) -> Option<&'a Format> {
        if self.ranges.is_empty() {
            return variants.first();
        }
        let mut best: Option<((u16, u8), &Format)> = None;
        for variant in variants {
            let score = self.score(variant);
            if score.0 > 0 && best.as_ref().is_none_or(|(found, _)| score > *found) {
                best = Some((score, variant));
            }
        }
        best.map(|(_, variant)| variant)
    }

    /// Weight and exactness of the range that names the format most exactly.
    fn score(&self, format: &Format) -> (u16, u8) {
        let mut best: Option<(u8, u16)> = None;
        for media_type in format.media_types() {
            for range in &self.ranges {
                if let Some(exactness) = range.matches(media_type) {
                    let found = (exactness, range.quality_thousandths);
                    best = Some(best.map_or(found, |known| known.max(found)));
                }
            }
        }
        best.map_or((0, 0), |(exactness, quality)| (quality, exactness))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::http::HeaderValue;

    const LIST: [Format; 3] = [Format::Json, Format::Html, Format::Xml];
    const ITEM: [Format; 2] = [Format::Html, Format::Xml];

    fn accept(value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_str(value).unwrap());
        headers
    }

    #[test]
    fn the_first_variant_is_the_default() {
        assert_eq!(choose(None, &HeaderMap::new(), &LIST), Ok(Format::Json));
        for value in ["*/*", "*", "", "garbage", "*/xml", "text/html;q=x"] {
            assert_eq!(choose(None, &accept(value), &LIST), Ok(Format::Json), "{value:?}");
            assert_eq!(choose(Some(" "), &accept(value), &ITEM), Ok(Format::Html), "{value:?}");
        }
    }

    #[test]
    fn format_beats_accept_and_unknown_words_do_not_fail() {
        for (word, expected) in [
            ("JSON", Format::Json),
            ("csv", Format::Csv),
            ("xList", Format::Xlist),
            ("tar.gz", Format::TarGz),
            ("application/json", Format::Json),
            ("image/JPEG", Format::Other("image/jpeg".into())),
            ("single", Format::Other("single".into())),
        ] {
            assert_eq!(choose(Some(word), &accept("text/xml"), &LIST), Ok(expected), "{word}");
        }
        assert_eq!(Format::parse("single").for_table(), Format::Html);
        assert_eq!(Format::parse("zip").for_table(), Format::Html);
    }

    #[test]
    fn accept_is_negotiated_by_weight_exactness_and_order() {
        for (value, expected) in [
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Format::Html),
            ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", Format::Html),
            ("text/html;q=0.5, application/json;q=0.6", Format::Json),
            ("text/*", Format::Html),
            ("application/xml", Format::Xml),
            ("TEXT/XML", Format::Xml),
            ("*/*, text/xml", Format::Xml),
            ("application/json;q=0, */*", Format::Html),
            ("text/html;q=0.1, text/*;q=0.9", Format::Xml),
        ] {
            assert_eq!(choose(None, &accept(value), &LIST), Ok(expected), "{value}");
        }
        assert_eq!(choose(None, &accept("image/png"), &LIST), Err(NotAcceptable));
        assert_eq!(choose(None, &accept("*/*;q=0"), &LIST), Err(NotAcceptable));
    }

    #[test]
    fn services_do_not_negotiate() {
        assert_eq!(choose_without_accept(None, Format::Xml), Format::Xml);
        assert_eq!(choose_without_accept(Some("csv"), Format::Xml), Format::Csv);
    }

    #[test]
    fn a_long_accept_header_is_not_read_without_end() {
        let value = vec!["text/xml"; 10_000].join(",");
        assert_eq!(choose(None, &accept(&value), &LIST), Ok(Format::Json));
    }
}
