//! Unique identifiers, the only names from a DICOM object that may become part of a key or a path.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The longest UID the standard allows, in characters (DICOM PS3.5 9.1).
pub const MAX_UID_CHARS: usize = 64;

/// A checked DICOM UID: digits and dots, no empty component, at most 64 characters (DICOM PS3.5 9.1).
///
/// Components with leading zeros are forbidden by the standard but common in real data; they do no harm and are
/// accepted. An empty component is refused: `..` must never reach a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Uid(String);

/// Why a text is not a UID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UidError {
    /// There is no text at all.
    #[error("the UID is empty")]
    Empty,
    /// More than [`MAX_UID_CHARS`] characters.
    #[error("the UID has more than 64 characters")]
    TooLong,
    /// A character that is neither a digit nor a dot, or a component without digits.
    #[error("a UID consists of numbers separated by single dots")]
    Malformed,
}

impl Uid {
    /// Checks `text`, which must already be without padding.
    pub fn parse(text: &str) -> Result<Self, UidError> {
        if text.is_empty() {
            return Err(UidError::Empty);
        }
        if text.len() > MAX_UID_CHARS {
            return Err(UidError::TooLong);
        }
        let well_formed = text.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
        if well_formed { Ok(Self(text.to_owned())) } else { Err(UidError::Malformed) }
    }

    /// The UID as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Uid {
    type Error = UidError;
    fn try_from(text: String) -> Result<Self, UidError> {
        Self::parse(&text)
    }
}

impl From<Uid> for String {
    fn from(uid: Uid) -> String {
        uid.0
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_numbers_separated_by_dots() {
        for good in ["1", "1.2.840.10008.1.2", "2.25.329800735698586629295641978511506172918", "1.02.3"] {
            assert_eq!(Uid::parse(good).map(String::from), Ok(good.to_owned()));
        }
        assert!(Uid::parse(&"1".repeat(64)).is_ok());
    }

    #[test]
    fn refuses_what_could_name_something_else() {
        assert_eq!(Uid::parse(""), Err(UidError::Empty));
        assert_eq!(Uid::parse(&"1".repeat(65)), Err(UidError::TooLong));
        for bad in [".", "..", "1..2", "1.2.", ".1", "1.2 ", "1/2", "1.2\0", "a", "1.2.x", "１.2", "-1"] {
            assert_eq!(Uid::parse(bad), Err(UidError::Malformed), "{bad:?}");
        }
    }
}
