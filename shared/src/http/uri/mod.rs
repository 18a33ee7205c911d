//! URIs given as parameter values: `src`, `dest`, `resource`, `target`.

mod archive;
mod destination;
mod prearchive;

pub use archive::ArchiveUri;
pub use destination::Destination;
pub use prearchive::PrearchiveUri;

use std::fmt;

use super::path::{PathError, drop_archive_infix, join_segments, split};

/// A URI given as a parameter: sound, decoded, without `/data` or `/REST` and without the optional `/archive`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceUri {
    segments: Vec<String>,
}

impl ResourceUri {
    /// Parses a parameter's value. A leading slash is demanded, a trailing one is ignored.
    ///
    /// # Errors
    /// As [`super::RequestPath::parse`].
    pub fn parse(value: &str) -> Result<Self, PathError> {
        let (mut segments, _) = split(value)?;
        if matches!(segments.first().map(String::as_str), Some("data" | "REST")) {
            segments.remove(0);
        }
        drop_archive_infix(&mut segments);
        Ok(Self { segments })
    }

    /// The decoded segments, for slice patterns.
    pub fn segments(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }

    /// The file of the user cache that this names: the label of its resource, and its path there.
    ///
    /// # Errors
    /// [`PathError::NotThatKind`] for everything else.
    pub fn cached_file(&self) -> Result<(String, String), PathError> {
        match &self.segments()[..] {
            ["user", "cache", "resources", label, "files", path @ ..] if !path.is_empty() => {
                Ok(((*label).to_owned(), path.join("/")))
            }
            _ => Err(PathError::NotThatKind),
        }
    }

    /// A folder of the quarantine, or a file of one, that this names: the project, the folder and the file's path.
    ///
    /// # Errors
    /// [`PathError::NotThatKind`] for everything else.
    pub fn quarantined(&self) -> Result<(String, String, Option<String>), PathError> {
        let own = |word: &str| word.to_owned();
        match &self.segments()[..] {
            ["services", "triage", "projects", project, "resources", folder, rest @ ..] => match rest {
                [] | ["files"] => Ok((own(project), own(folder), None)),
                ["files", path @ ..] => Ok((own(project), own(folder), Some(path.join("/")))),
                _ => Err(PathError::NotThatKind),
            },
            _ => Err(PathError::NotThatKind),
        }
    }
}

impl fmt::Display for ResourceUri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&join_segments(self.segments()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_the_user_cache_is_named_with_or_without_data() {
        let of = |value: &str| ResourceUri::parse(value).unwrap().cached_file();
        for start in ["", "/data", "/REST"] {
            let found = of(&format!("{start}/user/cache/resources/X/files/a/b%20c.zip"));
            assert_eq!(found, Ok(("X".to_owned(), "a/b c.zip".to_owned())));
        }
        for value in ["/user/cache/resources/X/files", "/user/cache/resources/X", "/user/cache/X/files/a", "/"] {
            assert_eq!(of(value), Err(PathError::NotThatKind), "{value}");
        }
    }

    #[test]
    fn folders_and_files_of_the_quarantine_are_named() {
        let of = |value: &str| ResourceUri::parse(value).unwrap().quarantined();
        let (p, x) = (|| "P".to_owned(), || "a b".to_owned());
        assert_eq!(of("/data/services/triage/projects/P/resources/a%20b"), Ok((p(), x(), None)));
        assert_eq!(of("/services/triage/projects/P/resources/a b/files/"), Ok((p(), x(), None)));
        let file = of("/REST/services/triage/projects/P/resources/a b/files/c/d");
        assert_eq!(file, Ok((p(), x(), Some("c/d".to_owned()))));
        for value in
            ["/services/triage/projects/P", "/projects/P/resources/X", "/services/triage/projects/P/resources/X/y"]
        {
            assert_eq!(of(value), Err(PathError::NotThatKind), "{value}");
        }
    }
}
