//! Where an import is to go.

use super::ResourceUri;
use crate::http::path::PathError;

/// Where an import is to go (`dest`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// Into the prearchive, as far as it is named.
    Prearchive {
        /// The project; without it the headers decide.
        project: Option<String>,
        /// The timestamp, taken literally.
        timestamp: Option<String>,
        /// The folder, taken literally; only with a timestamp.
        folder: Option<String>,
    },
    /// Into the archive, as far as it is named.
    Archive {
        /// The project; without it the headers decide.
        project: Option<String>,
        /// The subject's label or ID.
        subject: Option<String>,
        /// The session's label or ID; an existing one is the merge target.
        experiment: Option<String>,
    },
}

impl Destination {
    /// Parses the value of `dest`.
    ///
    /// # Errors
    /// A [`PathError`] if it is malformed or none of the forms that `dest` takes.
    pub fn parse(value: &str) -> Result<Self, PathError> {
        ResourceUri::parse(value)?.destination()
    }
}

impl ResourceUri {
    /// The destination of an import that this names.
    ///
    /// # Errors
    /// [`PathError::NotThatKind`] if it is none of the forms that `dest` takes.
    pub fn destination(&self) -> Result<Destination, PathError> {
        let own = |word: &str| Some(word.to_owned());
        let prearchive = |project, timestamp, folder| Destination::Prearchive { project, timestamp, folder };
        let archive = |project, subject, experiment| Destination::Archive { project, subject, experiment };
        Ok(match &self.segments()[..] {
            ["prearchive"] | ["prearchive", "projects"] => prearchive(None, None, None),
            ["prearchive", "projects", p] => prearchive(own(p), None, None),
            ["prearchive", "projects", p, t] => prearchive(own(p), own(t), None),
            ["prearchive", "projects", p, t, f] => prearchive(own(p), own(t), own(f)),
            ["archive"] | ["projects"] => archive(None, None, None),
            ["projects", p] => archive(own(p), None, None),
            ["projects", p, "subjects", s] => archive(own(p), own(s), None),
            ["projects", p, "subjects", s, "experiments", e] => archive(own(p), own(s), own(e)),
            ["projects", p, "experiments", e] => archive(own(p), None, own(e)),
            ["experiments", e] => archive(None, None, own(e)),
            _ => return Err(PathError::NotThatKind),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_dest_is_understood() {
        let own = |word: &str| Some(word.to_owned());
        let prearchive = |p, t, f| Ok(Destination::Prearchive { project: p, timestamp: t, folder: f });
        let archive = |p, s, e| Ok(Destination::Archive { project: p, subject: s, experiment: e });
        for (value, expected) in [
            ("/prearchive", prearchive(None, None, None)),
            ("/data/prearchive/projects/P", prearchive(own("P"), None, None)),
            ("/prearchive/projects/P/T", prearchive(own("P"), own("T"), None)),
            ("/prearchive/projects/P/T/F", prearchive(own("P"), own("T"), own("F"))),
            ("/archive", archive(None, None, None)),
            ("/data/archive/projects/P", archive(own("P"), None, None)),
            ("/archive/projects/P/subjects/S", archive(own("P"), own("S"), None)),
            ("/archive/projects/P/subjects/S/experiments/E", archive(own("P"), own("S"), own("E"))),
            ("/archive/experiments/E", archive(None, None, own("E"))),
            ("/archive/projects/P/experiments/E", archive(own("P"), None, own("E"))),
            ("/archive/subjects/S", Err(PathError::NotThatKind)),
            ("/prearchive/P", Err(PathError::NotThatKind)),
            ("/", Err(PathError::NotThatKind)),
            ("archive", Err(PathError::NotAbsolute)),
        ] {
            assert_eq!(Destination::parse(value), expected, "{value}");
        }
    }
}
