//! Sessions of the prearchive, as URIs name them.

use std::fmt;

use super::ResourceUri;
use crate::http::path::{PathError, join_segments};

/// A session of the prearchive, as URIs name it. The parts are sound path segments but not yet checked names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PrearchiveUri {
    /// The project, or `Unassigned` in any case.
    pub project: String,
    /// The session's timestamp.
    pub timestamp: String,
    /// The session's folder.
    pub folder: String,
}

impl PrearchiveUri {
    /// The project, unless the session is unassigned.
    pub fn assigned_project(&self) -> Option<&str> {
        (!self.project.eq_ignore_ascii_case("unassigned")).then_some(self.project.as_str())
    }

    /// The URI with `/data`, as answers give it.
    pub fn with_data(&self) -> String {
        format!("/data{self}")
    }
}

impl fmt::Display for PrearchiveUri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = ["prearchive", "projects", &self.project, &self.timestamp, &self.folder];
        formatter.write_str(&join_segments(words))
    }
}

impl ResourceUri {
    /// The session of the prearchive that this names, if it names exactly one.
    ///
    /// # Errors
    /// [`PathError::NotThatKind`] for everything else.
    pub fn prearchive(&self) -> Result<PrearchiveUri, PathError> {
        match &self.segments()[..] {
            ["prearchive", "projects", project, timestamp, folder] => Ok(PrearchiveUri {
                project: (*project).to_owned(),
                timestamp: (*timestamp).to_owned(),
                folder: (*folder).to_owned(),
            }),
            _ => Err(PathError::NotThatKind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_of_the_prearchive_is_named_with_or_without_data() {
        for value in [
            "/prearchive/projects/P/20240501_102233123/S_MR1",
            "/data/prearchive/projects/P/20240501_102233123/S_MR1",
            "/REST/prearchive/projects/P/20240501_102233123/S_MR1/",
        ] {
            let uri = ResourceUri::parse(value).unwrap().prearchive().unwrap();
            assert_eq!(uri.to_string(), "/prearchive/projects/P/20240501_102233123/S_MR1");
            assert_eq!(uri.with_data(), "/data/prearchive/projects/P/20240501_102233123/S_MR1");
            assert_eq!(uri.assigned_project(), Some("P"));
        }
    }

    #[test]
    fn unassigned_is_known_in_any_case() {
        let uri = ResourceUri::parse("/prearchive/projects/unassigned/T/F").unwrap().prearchive().unwrap();
        assert_eq!(uri.assigned_project(), None);
    }

    #[test]
    fn hostile_values_are_refused() {
        for (value, expected) in [
            ("prearchive/projects/P/T/F", PathError::NotAbsolute),
            ("data/prearchive/projects/P/T/F", PathError::NotAbsolute),
            ("/prearchive/projects/P/../F", PathError::DotSegment),
            ("/prearchive/projects/P/%2e%2e/F", PathError::DotSegment),
            ("/prearchive//projects/P/T/F", PathError::EmptySegment),
            ("/prearchive/projects/P/T/a%2Fb", PathError::Separator),
            ("/prearchive/projects/P/T/a\u{0}b", PathError::Control),
        ] {
            assert_eq!(ResourceUri::parse(value), Err(expected), "{value}");
        }
        for value in ["/prearchive/projects/P/T", "/prearchive/projects/P/T/F/scans", "/data/data/prearchive", "/"] {
            assert_eq!(ResourceUri::parse(value).unwrap().prearchive(), Err(PathError::NotThatKind), "{value}");
        }
    }
}
