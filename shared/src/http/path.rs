//! The path of a request, checked and decoded once.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Longer paths are refused. A file's path inside a resource is the longest thing that XNAT puts there.
pub const MAX_PATH_BYTES: usize = 8 * 1024;
/// Longer (decoded) segments are refused; comma lists of projects stand in one segment.
pub const MAX_SEGMENT_BYTES: usize = 1024;
/// Deeper paths are refused.
pub const MAX_SEGMENTS: usize = 64;

/// What may stand unencoded in the segments that we write: RFC 3986's unreserved characters and some of `pchar`.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

/// The words that may follow the optional `/archive`.
const ARCHIVE_ROOTS: [&str; 5] = ["projects", "subjects", "experiments", "scanners", "scan_types"];

/// Why a path or a URI given as a parameter is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It does not begin with `/`.
    #[error("The path must begin with a slash.")]
    NotAbsolute,
    /// It is longer than [`MAX_PATH_BYTES`].
    #[error("The path is too long.")]
    TooLong,
    /// It has more segments than [`MAX_SEGMENTS`].
    #[error("The path has too many parts.")]
    TooDeep,
    /// One of its segments is longer than [`MAX_SEGMENT_BYTES`].
    #[error("A part of the path is too long.")]
    SegmentTooLong,
    /// `//` inside.
    #[error("The path has an empty part.")]
    EmptySegment,
    /// `.` or `..`, plain or encoded.
    #[error("The path must not contain the parts '.' or '..'.")]
    DotSegment,
    /// A slash or backslash inside a segment.
    #[error("A part of the path must not contain a slash or backslash.")]
    Separator,
    /// NUL or another control character.
    #[error("The path must not contain control characters.")]
    Control,
    /// A `%` without two hexadecimal digits behind it.
    #[error("The path is not percent-encoded properly.")]
    BadEncoding,
    /// The decoded bytes are no UTF-8.
    #[error("The path is not valid UTF-8.")]
    NotUtf8,
    /// It is a sound path but does not name what is asked for here.
    #[error("The URI does not name anything that this operation can work on.")]
    NotThatKind,
}

/// Where the application was addressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mount {
    /// `/data`, or its old name `/REST`.
    Data,
    /// `/xapi`.
    Xapi,
    /// Anything else, such as `/`.
    Root,
}

/// A request's path: sound, decoded, without its mount point and without the optional `/archive`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestPath {
    mount: Mount,
    segments: Vec<String>,
    trailing_slash: bool,
}

impl RequestPath {
    /// Parses the path part of a request's URI as it came.
    ///
    /// # Errors
    /// A [`PathError`] for everything that could mean two things to two readers.
    pub fn parse(raw: &str) -> Result<Self, PathError> {
        let (mut segments, trailing_slash) = split(raw)?;
        let mount = match segments.first().map(String::as_str) {
            Some("data" | "REST") => Mount::Data,
            Some("xapi") => Mount::Xapi,
            _ => Mount::Root,
        };
        if mount != Mount::Root {
            segments.remove(0);
        }
        if mount == Mount::Data {
            drop_archive_infix(&mut segments);
        }
        Ok(Self { mount, segments, trailing_slash })
    }

    /// Where the application was addressed.
    pub fn mount(&self) -> Mount {
        self.mount
    }

    /// The decoded segments, for slice patterns: `match &path.segments()[..] { ["projects", project] => ... }`.
    pub fn segments(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }

    /// Whether the path ended in a slash (`.../files/dir/` lists below the folder).
    pub fn trailing_slash(&self) -> bool {
        self.trailing_slash
    }

    /// The path as answers write it: with `/data` (or `/xapi`), encoded, without `/archive` and trailing slash.
    pub fn canonical(&self) -> String {
        let mut out = match self.mount {
            Mount::Data => "/data".to_owned(),
            Mount::Xapi => "/xapi".to_owned(),
            Mount::Root => String::new(),
        };
        for segment in &self.segments {
            push_segment(&mut out, segment);
        }
        if out.is_empty() {
            out.push('/');
        }
        out
    }
}

/// Adds `/` and the encoded segment to a path under construction.
pub fn push_segment(out: &mut String, segment: &str) {
    out.push('/');
    out.extend(utf8_percent_encode(segment, SEGMENT));
}

/// Joins segments to an encoded path that begins with `/`.
pub fn join_segments<'a>(segments: impl IntoIterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for segment in segments {
        push_segment(&mut out, segment);
    }
    out
}

/// `/data/archive/projects/...` is `/data/projects/...`, `/data/archive` alone stays.
pub(super) fn drop_archive_infix(segments: &mut Vec<String>) {
    let is_infix = matches!(segments.as_slice(), [first, second, ..]
        if first == "archive" && ARCHIVE_ROOTS.contains(&second.as_str()));
    if is_infix {
        segments.remove(0);
    }
}

/// Splits, decodes and checks; the flag says whether a single slash stood at the end.
pub(super) fn split(raw: &str) -> Result<(Vec<String>, bool), PathError> {
    if raw.len() > MAX_PATH_BYTES {
        return Err(PathError::TooLong);
    }
    let inner = raw.strip_prefix('/').ok_or(PathError::NotAbsolute)?;
    if inner.is_empty() {
        return Ok((Vec::new(), false));
    }
    let (inner, trailing_slash) = match inner.strip_suffix('/') {
        Some(rest) => (rest, true),
        None => (inner, false),
    };
    let mut segments = Vec::new();
    for part in inner.split('/') {
        if segments.len() == MAX_SEGMENTS {
            return Err(PathError::TooDeep);
        }
        segments.push(decode_segment(part)?);
    }
    Ok((segments, trailing_slash))
}

fn decode_segment(part: &str) -> Result<String, PathError> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
            let (Some(high), Some(low)) = (digit(rest.next()), digit(rest.next())) else {
                return Err(PathError::BadEncoding);
            };
            bytes.push(u8::try_from(high * 16 + low).map_err(|_| PathError::BadEncoding)?);
        } else {
            bytes.push(byte);
        }
    }
    let text = String::from_utf8(bytes).map_err(|_| PathError::NotUtf8)?;
    match text.as_str() {
        "" => Err(PathError::EmptySegment),
        "." | ".." => Err(PathError::DotSegment),
        _ if text.len() > MAX_SEGMENT_BYTES => Err(PathError::SegmentTooLong),
        _ if text.contains(['/', '\\']) => Err(PathError::Separator),
        _ if text.chars().any(char::is_control) => Err(PathError::Control),
        _ => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(raw: &str) -> Vec<String> {
        RequestPath::parse(raw).unwrap().segments
    }

    #[test]
    fn both_mount_points_and_the_archive_infix_give_the_same_segments() {
        for raw in ["/data/projects/P", "/REST/projects/P", "/data/archive/projects/P", "/REST/archive/projects/P/"] {
            let path = RequestPath::parse(raw).unwrap();
            assert_eq!(path.segments(), ["projects", "P"], "{raw}");
            assert_eq!(path.mount(), Mount::Data);
            assert_eq!(path.canonical(), "/data/projects/P");
        }
    }

    #[test]
    fn archive_is_dropped_only_before_what_exists_twice() {
        assert_eq!(segments("/data/services/archive"), ["services", "archive"]);
        assert_eq!(segments("/data/archive"), ["archive"]);
        assert_eq!(segments("/data/archive/prearchive"), ["archive", "prearchive"]);
        assert_eq!(segments("/data/archive/archive/projects"), ["archive", "archive", "projects"]);
    }

    #[test]
    fn other_mount_points_are_kept_apart() {
        let xapi = RequestPath::parse("/xapi/siteConfig/buildInfo").unwrap();
        assert_eq!((xapi.mount(), xapi.segments()), (Mount::Xapi, vec!["siteConfig", "buildInfo"]));
        assert_eq!(RequestPath::parse("/").unwrap().mount(), Mount::Root);
        assert_eq!(segments("/Data/projects"), ["Data", "projects"]);
        assert_eq!(segments("/data%2E/x"), ["data.", "x"]);
    }

    #[test]
    fn segments_are_decoded_once_and_plus_is_literal() {
        assert_eq!(segments("/data/projects/a%20b+c%25%C3%A4"), ["projects", "a b+c%ä"]);
        assert_eq!(segments("/data/projects/%252e%252e"), ["projects", "%2e%2e"]);
        assert_eq!(segments("/data/projects/..."), ["projects", "..."]);
    }

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        for (raw, expected) in [
            ("/data/projects/../x", PathError::DotSegment),
            ("/data/projects/%2e%2E/x", PathError::DotSegment),
            ("/data/./x", PathError::DotSegment),
            ("/data/..", PathError::DotSegment),
            ("//data/x", PathError::EmptySegment),
            ("/data//x", PathError::EmptySegment),
            ("/data/x//", PathError::EmptySegment),
            ("//", PathError::EmptySegment),
            ("/data/a%2Fb", PathError::Separator),
            ("/data/a%5cb", PathError::Separator),
            ("/data/a\\b", PathError::Separator),
            ("/data/a%00b", PathError::Control),
            ("/data/a%0d%0ab", PathError::Control),
            ("/data/a%7f", PathError::Control),
            ("/data/a%C2%85", PathError::Control),
            ("/data/a%ff", PathError::NotUtf8),
            ("/data/a%c0%af", PathError::NotUtf8),
            ("/data/a%2", PathError::BadEncoding),
            ("/data/a%zz", PathError::BadEncoding),
            ("/data/a%+1", PathError::BadEncoding),
            ("data/x", PathError::NotAbsolute),
            ("", PathError::NotAbsolute),
            ("*", PathError::NotAbsolute),
        ] {
            assert_eq!(RequestPath::parse(raw), Err(expected), "{raw}");
        }
    }

    #[test]
    fn lengths_are_bounded() {
        let long = |length: usize| format!("/data/{}", "a".repeat(length));
        assert!(RequestPath::parse(&long(MAX_SEGMENT_BYTES)).is_ok());
        assert_eq!(RequestPath::parse(&long(MAX_SEGMENT_BYTES + 1)), Err(PathError::SegmentTooLong));
        assert_eq!(RequestPath::parse(&long(MAX_PATH_BYTES)), Err(PathError::TooLong));
        assert_eq!(RequestPath::parse(&"/a".repeat(MAX_SEGMENTS + 1)), Err(PathError::TooDeep));
    }

    #[test]
    fn written_paths_read_back_as_themselves() {
        for name in ["a b", "ä%2F", "x;y?z#", "\"<>", "+"] {
            let written = join_segments(["data", name]);
            assert_eq!(segments(&written), [name]);
        }
    }
}
