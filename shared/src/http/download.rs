//! Serving files so that no browser runs what users put in.

use ::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use ::http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Longer file names are cut in `Content-Disposition`.
const MAX_FILENAME_BYTES: usize = 255;
/// RFC 8187's `attr-char`.
const ATTRIBUTE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// Why a file is not served as it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DownloadError {
    /// `If-Match` or `If-Unmodified-Since` does not hold.
    #[error("The file is not the one that the request expects.")]
    PreconditionFailed,
    /// The range begins behind the file's end.
    #[error("The requested range lies outside the file.")]
    RangeNotSatisfiable {
        /// The file's length.
        length_bytes: u64,
    },
}

/// The media type of what no program is to make anything of by itself.
pub const BYTES: &str = "application/octet-stream";

/// The media type of a file by its name: XNAT's list, everything else is bytes.
pub fn media_type_of(name: &str) -> &'static str {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
    match extension.as_str() {
        "bmp" => "image/bmp",
        "gif" => "image/gif",
        "html" => "text/html; charset=utf-8",
        "jpg" | "jpeg" => "image/jpeg",
        "pdf" => "application/pdf",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "tiff" => "image/tiff",
        "txt" => "text/plain; charset=utf-8",
        "xml" => "text/xml",
        _ => BYTES,
    }
}

/// `Content-Disposition: attachment` with the file's name, whatever is in it (RFC 6266): an ASCII form for all, and
/// the true one where it differs.
pub fn attachment(name: &str) -> HeaderValue {
    let base = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let mut plain = String::new();
    let mut exact = String::new();
    for character in base.chars().filter(|character| !character.is_control()) {
        if exact.len() + character.len_utf8() > MAX_FILENAME_BYTES {
            break;
        }
        exact.push(character);
        // A percent sign is decoded by some browsers even here.
        let is_plain = (character.is_ascii_graphic() || character == ' ') && !matches!(character, '"' | '%');
        plain.push(if is_plain { character } else { '_' });
    }
    if matches!(exact.as_str(), "" | "." | "..") {
        return HeaderValue::from_static("attachment; filename=\"file\"");
    }
    let mut value = format!("attachment; filename=\"{plain}\"");
    if plain != exact {
        value.push_str("; filename*=UTF-8''");
        value.extend(utf8_percent_encode(&exact, ATTRIBUTE));
    }
    HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static("attachment"))
}

/// The headers of every download: always an attachment, never guessed at, and without any rights if shown all the same.
pub fn download_headers(name: &str, content_type: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CONTENT_DISPOSITION, attachment(name));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, must-revalidate"));
    let csp = "default-src 'none'; sandbox; frame-ancestors 'none'";
    headers.insert(HeaderName::from_static("content-security-policy"), HeaderValue::from_static(csp));
    super::error::add_security_headers(&mut headers);
    headers
}

/// The headers of a whole file of known length; see [`super::conditional`] for parts of one.
pub fn file_headers(name: &str, length_bytes: u64, media_type: &'static str) -> HeaderMap {
    let mut headers = download_headers(name, media_type);
    headers.insert(CONTENT_LENGTH, length_bytes.into());
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_stay_plain() {
        assert_eq!(attachment("scan 4.dcm"), "attachment; filename=\"scan 4.dcm\"");
        assert_eq!(attachment("a/b\\c.zip"), "attachment; filename=\"c.zip\"");
    }

    #[test]
    fn other_names_are_given_in_both_forms() {
        assert_eq!(attachment("ä%\"x.txt"), "attachment; filename=\"___x.txt\"; filename*=UTF-8''%C3%A4%25%22x.txt");
    }

    #[test]
    fn names_cannot_add_headers_or_parameters() {
        for hostile in ["a\r\nX: y", "a\"; filename=\"b.exe", "a\u{0}b", "a\u{85}b", "\u{202e}x"] {
            let value = attachment(hostile);
            let text = value.to_str().unwrap();
            assert!(!text.contains(['\r', '\n', '\0']), "{text}");
            assert_eq!(text.matches('"').count(), 2, "{text}");
            assert_eq!(text.split("filename*=").next().unwrap().matches("filename=\"").count(), 1, "{text}");
        }
        for nothing in ["", "..", ".", "a/", "\r\n"] {
            assert_eq!(attachment(nothing), "attachment; filename=\"file\"");
        }
        let long = attachment(&"ä".repeat(10_000));
        assert!(long.len() < 1200);
    }

    #[test]
    fn what_browsers_would_run_is_only_ever_an_attachment() {
        for name in ["a.html", "a.svg", "A.XML", "a.pdf", "a.dcm", "a", "a.htm"] {
            let headers = file_headers(name, 5, media_type_of(name));
            assert!(headers["content-disposition"].to_str().unwrap().starts_with("attachment"));
            assert_eq!(headers["x-content-type-options"], "nosniff");
            let csp = headers.get_all("content-security-policy").iter().collect::<Vec<_>>();
            assert!(matches!(csp[..], [one] if one.to_str().unwrap().contains("sandbox")));
            assert_eq!(headers["content-length"], "5");
        }
        assert_eq!(media_type_of("a.HTML"), "text/html; charset=utf-8");
        assert_eq!(media_type_of("a.dcm"), "application/octet-stream");
        assert_eq!(media_type_of("txt"), "application/octet-stream");
    }
}
