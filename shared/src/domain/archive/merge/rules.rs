//! What `overwrite` and `overwrite_files` allow.

use serde::{Deserialize, Serialize};

use crate::domain::error::DomainError;
use crate::domain::project::PrearchiveCode;

/// What to do when the session exists in the archive already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overwrite {
    /// Refuse.
    #[default]
    None,
    /// Add what is not there yet.
    Append,
    /// Add, and replace what is there.
    Delete,
}

impl Overwrite {
    /// The word that a client wrote, in any case; absent or empty is `none`.
    ///
    /// # Errors
    /// [`DomainError::Invalid`] for another word.
    pub fn parse(text: Option<&str>) -> Result<Self, DomainError> {
        match text.map(str::to_ascii_lowercase).as_deref() {
            None | Some("" | "none") => Ok(Self::None),
            Some("append") => Ok(Self::Append),
            Some("delete" | "override") => Ok(Self::Delete),
            Some(_) => {
                Err(DomainError::Invalid { what: "The parameter overwrite must be none, append or delete.".to_owned() })
            }
        }
    }
}

/// What archiving may do with what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Rules {
    /// Whether a session that exists may be extended, and whether conflicts may be overridden.
    pub overwrite: Overwrite,
    /// Whether equal files are replaced, also where `overwrite` does not say so (`overwrite_files`).
    #[serde(default)]
    pub overwrite_files: bool,
}

impl Rules {
    /// Add what is not there, refuse equal files.
    pub const APPEND: Self = Self { overwrite: Overwrite::Append, overwrite_files: false };

    /// Whether a session that exists may be extended.
    pub fn merges(self) -> bool {
        self.overwrite != Overwrite::None
    }

    /// Whether what can be overridden is.
    pub fn overrides(self) -> bool {
        self.overwrite == Overwrite::Delete
    }

    /// Whether equal files are replaced.
    pub fn replaces(self) -> bool {
        self.overrides() || self.overwrite_files
    }
}

/// What a request says about what is in the archive already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Wish {
    /// `overwrite`, if it was given.
    #[serde(default)]
    pub overwrite: Option<Overwrite>,
    /// `overwrite_files=true`.
    #[serde(default)]
    pub overwrite_files: bool,
    /// Whether the request names the archive as its destination: then only it decides.
    #[serde(default)]
    pub names_archive: bool,
}

impl Wish {
    /// XNAT's rule for a session that goes to the archive by itself: what the request says; else what the session's row
    /// says (`autoarchive`); else what the project says. Where none of them wants archiving, an existing session is not
    /// extended.
    pub fn settle(self, autoarchive: &str, code: PrearchiveCode) -> Rules {
        let (adds, replaces) = match (self.names_archive, autoarchive) {
            (true, _) => (false, false),
            (false, "AutoArchive") => (true, false),
            (false, "AutoArchiveOverwrite") => (true, true),
            (false, "") => (code.archives(), code == PrearchiveCode::AutoArchiveOverwrite),
            (false, _) => (false, false),
        };
        let own = if adds { Overwrite::Append } else { Overwrite::None };
        Rules {
            overwrite: self.overwrite.unwrap_or(own),
            overwrite_files: self.overwrite_files || (replaces && self.overwrite != Some(Overwrite::None)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_in_any_case() {
        for (word, wanted) in [
            (None, Overwrite::None),
            (Some(""), Overwrite::None),
            (Some("None"), Overwrite::None),
            (Some("APPEND"), Overwrite::Append),
            (Some("delete"), Overwrite::Delete),
            (Some("override"), Overwrite::Delete),
        ] {
            assert_eq!(Overwrite::parse(word).unwrap(), wanted, "{word:?}");
        }
        assert!(Overwrite::parse(Some("merge")).is_err());
    }

    #[test]
    fn what_goes_to_the_archive_by_itself_is_merged_as_request_row_or_project_say() {
        let rules = |overwrite, overwrite_files| Rules { overwrite, overwrite_files };
        let wish = |overwrite| Wish { overwrite, ..Wish::default() };
        use PrearchiveCode::{AutoArchive, AutoArchiveOverwrite, Manual};
        for (wish, row, code, wanted) in [
            (wish(None), "", Manual, rules(Overwrite::None, false)),
            (wish(None), "Manual", AutoArchive, rules(Overwrite::None, false)),
            (wish(None), "", AutoArchive, rules(Overwrite::Append, false)),
            (wish(None), "", AutoArchiveOverwrite, rules(Overwrite::Append, true)),
            (wish(None), "AutoArchive", Manual, rules(Overwrite::Append, false)),
            (wish(None), "AutoArchiveOverwrite", Manual, rules(Overwrite::Append, true)),
            (wish(Some(Overwrite::None)), "AutoArchiveOverwrite", AutoArchive, rules(Overwrite::None, false)),
            (wish(Some(Overwrite::Delete)), "Manual", Manual, rules(Overwrite::Delete, false)),
            (
                Wish { names_archive: true, ..wish(None) },
                "AutoArchive",
                AutoArchiveOverwrite,
                rules(Overwrite::None, false),
            ),
            (Wish { overwrite_files: true, ..wish(None) }, "", AutoArchive, rules(Overwrite::Append, true)),
        ] {
            assert_eq!(wish.settle(row, code), wanted, "{wish:?} {row:?} {code:?}");
        }
    }
}
