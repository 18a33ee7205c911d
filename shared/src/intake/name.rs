//! Names of files inside an upload: checked once, here, before anything else is built from them.

use std::borrow::Cow;
use std::fmt;

use crate::limits::Limits;

/// No name is longer than this, whatever the limits say: zip's length field has 16 bits (APPNOTE 4.4.10).
pub const MAX_NAME_BYTES: usize = u16::MAX as usize;

/// A checked relative path: UTF-8, components divided by single `/`, none of them empty, `.` or `..`, no backslash,
/// no control character, no drive letter, within the length limits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryName(Box<str>);

/// What is wrong with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("it is empty")]
    Empty,
    #[error("it is longer than {limit} bytes")]
    TooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    #[error("one of its parts is longer than {limit} bytes")]
    ComponentTooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// It must be: it is marked as such, or its format has no other encoding that all readers agree on.
    #[error("it is not valid UTF-8")]
    NotUtf8,
    #[error("it is an absolute path")]
    Absolute,
    #[error("it begins with a drive letter or a colon")]
    Drive,
    #[error("it has a backslash")]
    Backslash,
    #[error("it has a control character")]
    Control,
    #[error("it leaves its folder by \"..\"")]
    Parent,
    #[error("it has a part that is a single dot")]
    CurrentFolder,
    #[error("it has an empty part")]
    EmptyComponent,
}

impl NameError {
    /// A stable code for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "zip.entry.name.empty",
            Self::TooLong { .. } => "zip.entry.name.too_long",
            Self::ComponentTooLong { .. } => "zip.entry.name.component_too_long",
            Self::NotUtf8 => "zip.entry.name.not_utf8",
            Self::Absolute => "zip.entry.name.absolute",
            Self::Drive => "zip.entry.name.drive",
            Self::Backslash => "zip.entry.name.backslash",
            Self::Control => "zip.entry.name.control",
            Self::Parent => "zip.entry.name.parent",
            Self::CurrentFolder => "zip.entry.name.current_folder",
            Self::EmptyComponent => "zip.entry.name.empty_component",
        }
    }
}

impl EntryName {
    /// Checks `path`. A backslash is refused rather than taken as a separator or as a letter: readers disagree about
    /// it, and a name that means two things is not a name.
    ///
    /// # Errors
    /// The first offence found.
    pub fn parse(path: &str, limits: &Limits) -> Result<Self, NameError> {
        let limit = limits.max_name_bytes.min(MAX_NAME_BYTES);
        if path.is_empty() {
            return Err(NameError::Empty);
        }
        if path.len() > limit {
            return Err(NameError::TooLong { limit });
        }
        if path.chars().any(char::is_control) {
            return Err(NameError::Control);
        }
        if path.contains('\\') {
            return Err(NameError::Backslash);
        }
        if path.starts_with('/') {
            return Err(NameError::Absolute);
        }
        if path.starts_with(':') || has_drive(path) {
            return Err(NameError::Drive);
        }
        for component in path.split('/') {
            match component {
                "" => return Err(NameError::EmptyComponent),
                "." => return Err(NameError::CurrentFolder),
                ".." => return Err(NameError::Parent),
                _ if component.len() > limits.max_component_bytes => {
                    return Err(NameError::ComponentTooLong { limit: limits.max_component_bytes });
                }
                _ => {}
            }
        }
        Ok(Self(path.into()))
    }

    /// Checks the name of an archive's entry, which may begin at the archive's own folder (`./`) and end as a folder's does.
    ///
    /// # Errors
    /// As [`EntryName::parse`].
    pub fn of_entry(path: &str, limits: &Limits) -> Result<Self, NameError> {
        let path = path.strip_prefix("./").unwrap_or(path);
        Self::parse(path.strip_suffix('/').unwrap_or(path), limits)
    }

    /// The whole path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last component.
    pub fn file_name(&self) -> &str {
        self.0.rsplit_once('/').map_or(&*self.0, |(_, last)| last)
    }

    /// All but the last component; `None` for a name without a folder.
    pub fn folder(&self) -> Option<&str> {
        self.0.rsplit_once('/').map(|(folder, _)| folder)
    }
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for EntryName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

fn has_drive(path: &str) -> bool {
    let mut bytes = path.bytes();
    bytes.next().is_some_and(|letter| letter.is_ascii_alphabetic()) && bytes.next() == Some(b':')
}

/// The text of a name in a zip. With bit 11 of the flags it must be UTF-8; without, it is taken as UTF-8 if it is
/// valid, since many writers forget the bit, and else as code page 437 (APPNOTE 4.4.4 and appendix D).
///
/// # Errors
/// [`NameError::NotUtf8`] if it claims to be UTF-8 and is not.
pub fn decode(raw: &[u8], claims_utf8: bool) -> Result<Cow<'_, str>, NameError> {
    match std::str::from_utf8(raw) {
        Ok(text) => Ok(Cow::Borrowed(text)),
        Err(_) if claims_utf8 => Err(NameError::NotUtf8),
        Err(_) => Ok(Cow::Owned(raw.iter().map(|&byte| cp437(byte)).collect())),
    }
}

/// The upper half of code page 437; the lower half is ASCII (its graphic forms of control characters are not used in
/// names, and control characters are refused).
const CP437_UPPER: [char; 128] = [
    'Ç', 'ü', 'é', 'â', 'ä', 'à', 'å', 'ç', 'ê', 'ë', 'è', 'ï', 'î', 'ì', 'Ä', 'Å', 'É', 'æ', 'Æ', 'ô', 'ö', 'ò', 'û',
    'ù', 'ÿ', 'Ö', 'Ü', '¢', '£', '¥', '₧', 'ƒ', 'á', 'í', 'ó', 'ú', 'ñ', 'Ñ', 'ª', 'º', '¿', '⌐', '¬', '½', '¼', '¡',
    '«', '»', '░', '▒', '▓', '│', '┤', '╡', '╢', '╖', '╕', '╣', '║', '╗', '╝', '╜', '╛', '┐', '└', '┴', '┬', '├', '─',
    '┼', '╞', '╟', '╚', '╔', '╩', '╦', '╠', '═', '╬', '╧', '╨', '╤', '╥', '╙', '╘', '╒', '╓', '╫', '╪', '┘', '┌', '█',
    '▄', '▌', '▐', '▀', 'α', 'ß', 'Γ', 'π', 'Σ', 'σ', 'µ', 'τ', 'Φ', 'Θ', 'Ω', 'δ', '∞', 'φ', 'ε', '∩', '≡', '±', '≥',
    '≤', '⌠', '⌡', '÷', '≈', '°', '∙', '·', '√', 'ⁿ', '²', '■', '\u{a0}',
];

fn cp437(byte: u8) -> char {
    byte.checked_sub(128).and_then(|upper| CP437_UPPER.get(usize::from(upper))).copied().unwrap_or(char::from(byte))
}

/// A name as it may be shown in an error: control characters escaped, at most [`ShownName::MAX_CHARS`] characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownName(String);

impl ShownName {
    /// Characters of a name that are shown.
    pub const MAX_CHARS: usize = 120;

    /// From the bytes of a name that may be anything.
    pub fn from_raw(raw: &[u8]) -> Self {
        // A character has at least one byte, so this prefix holds more than will be shown.
        let prefix = raw.get(..4 * Self::MAX_CHARS).unwrap_or(raw);
        Self::new(&String::from_utf8_lossy(prefix))
    }

    /// From the text of a name that may be anything.
    pub fn new(name: &str) -> Self {
        let mut shown: String = name.chars().take(Self::MAX_CHARS).flat_map(char::escape_debug).collect();
        if name.chars().nth(Self::MAX_CHARS).is_some() {
            shown.push('…');
        }
        Self(shown)
    }
}

impl From<&EntryName> for ShownName {
    fn from(name: &EntryName) -> Self {
        Self::new(name.as_str())
    }
}

impl fmt::Display for ShownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(path: &str) -> Result<EntryName, NameError> {
        EntryName::parse(path, &Limits::default())
    }

    #[test]
    fn ordinary_names_pass_and_give_their_parts() {
        let name = parse("study/série 1/IM 0001.dcm").unwrap();
        assert_eq!((name.file_name(), name.folder()), ("IM 0001.dcm", Some("study/série 1")));
        let name = parse("a:b...c").unwrap_err();
        assert_eq!(name, NameError::Drive);
        for fine in ["IM1", "..a", "a..", "...", "time 10:30", "ab:c", "a/b:c"] {
            assert_eq!(parse(fine).unwrap().as_str(), fine);
        }
        assert_eq!(parse("IM1").unwrap().folder(), None);
    }

    #[test]
    fn every_offence_has_its_error() {
        for (path, error) in [
            ("", NameError::Empty),
            ("/etc/passwd", NameError::Absolute),
            ("//host/share", NameError::Absolute),
            ("C:/windows", NameError::Drive),
            ("c:x", NameError::Drive),
            (":stream", NameError::Drive),
            (":", NameError::Drive),
            ("a\\b", NameError::Backslash),
            ("..\\..\\x", NameError::Backslash),
            ("../x", NameError::Parent),
            ("a/../../x", NameError::Parent),
            ("a/..", NameError::Parent),
            ("./a", NameError::CurrentFolder),
            ("a/./b", NameError::CurrentFolder),
            ("a//b", NameError::EmptyComponent),
            ("a/", NameError::EmptyComponent),
            ("a\0b", NameError::Control),
            ("a\nb", NameError::Control),
            ("a\u{85}b", NameError::Control),
            ("a\u{7f}b", NameError::Control),
        ] {
            assert_eq!(parse(path), Err(error), "{path:?}");
        }
        assert_eq!(parse(&"a/".repeat(600)), Err(NameError::TooLong { limit: 1024 }));
        assert_eq!(parse(&"a".repeat(256)), Err(NameError::ComponentTooLong { limit: 255 }));
    }

    #[test]
    fn names_without_the_utf8_flag_are_utf8_or_code_page_437() {
        assert_eq!(decode("é".as_bytes(), true).unwrap(), "é");
        assert_eq!(decode("é".as_bytes(), false).unwrap(), "é");
        assert_eq!(decode(b"\x82t\x82.dcm \xff", false).unwrap(), "été.dcm \u{a0}");
        assert_eq!(decode(b"\x82t\x82.dcm", true), Err(NameError::NotUtf8));
    }

    #[test]
    fn a_shown_name_is_bounded_and_escaped() {
        let shown = ShownName::new(&"\n\u{202e}x".repeat(1000)).to_string();
        assert!(shown.chars().count() < 1300 && shown.ends_with("…\"") && !shown.contains('\n'));
        assert!(!shown.contains('\u{202e}'));
        assert_eq!(ShownName::from_raw(b"a\xff").to_string(), "\"a\u{fffd}\"");
    }
}
