//! Names that were checked once and are safe from then on.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::error::DomainError;
use crate::imaging::naming;

/// The text that stands for the project of sessions that have none.
pub const UNASSIGNED: &str = "Unassigned";

/// The longest identifier or label, in bytes: more than any client makes, less than any provider's key allows.
pub const MAX_NAME_BYTES: usize = naming::MAX_LABEL_CHARS;

/// A project's identifier: letters, digits, `_` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProjectId(String);

impl ProjectId {
    /// Checks an identifier for a new project.
    ///
    /// # Errors
    /// [`DomainError::Invalid`] for other characters, an empty or too long text, or the reserved `Unassigned`.
    pub fn parse(text: &str) -> Result<Self, DomainError> {
        if text.is_empty() || text.len() > MAX_NAME_BYTES || !text.bytes().all(is_word_byte) {
            return Err(DomainError::Invalid {
                what: format!(
                    "Invalid character in project ID. Use 1 to {MAX_NAME_BYTES} letters, digits, underscores or hyphens."
                ),
            });
        }
        if text.eq_ignore_ascii_case(UNASSIGNED) {
            return Err(DomainError::Invalid {
                what: format!("The project ID {UNASSIGNED} is reserved; choose another."),
            });
        }
        Ok(Self(text.to_owned()))
    }

    /// The identifier.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProjectId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// A project's name as an address gives it: `Unassigned` is matched without case, projects are not.
pub fn project_or_unassigned(name: &str) -> &str {
    if name.eq_ignore_ascii_case(UNASSIGNED) { UNASSIGNED } else { name }
}

/// A label of a subject or session, cleaned by XNAT's rule: every character but letters, digits, `_` and `-`
/// becomes `_`. Empty stays empty; one that is too long is cut so that it stays distinct.
pub fn clean_label(text: &str) -> String {
    naming::fitted_label(text.trim())
}

/// Refuses a label that somebody chose and that is too long.
///
/// # Errors
/// [`DomainError::Invalid`].
pub fn demand_label_fits(text: &str) -> Result<(), DomainError> {
    if text.trim().chars().count() <= naming::MAX_LABEL_CHARS {
        return Ok(());
    }
    let what = format!("The label of a subject or session may have at most {} characters.", naming::MAX_LABEL_CHARS);
    Err(DomainError::Invalid { what })
}

/// Whether `text` can be a timestamp or session folder chosen by a client: one path element of harmless characters.
pub fn is_folder_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_NAME_BYTES
        && !text.starts_with('.')
        && text.bytes().all(|byte| is_word_byte(byte) || byte == b'.')
}

/// A random identifier of 128 bits as 32 hexadecimal digits: for what is never listed by its name.
pub fn random_id() -> Result<String, DomainError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        DomainError::Store(crate::storage::StoreError::Failed {
            operation: "random",
            key: String::new(),
            reason: error.to_string(),
        })
    })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn project_ids_hold_nothing_but_words() {
        assert!(ProjectId::parse("DEMO_1-x").is_ok());
        for bad in ["", "a b", "a/b", "..", "ä", "Unassigned", "unassigned", "a\0"] {
            assert!(ProjectId::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn labels_are_cleaned() {
        assert_eq!(clean_label("DOE^JANE"), "DOE_JANE");
        assert_eq!(clean_label(" ä b "), "__b");
    }
}
