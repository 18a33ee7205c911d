//! URIs given as parameter values: `src`, `dest`, `resource`, `target`.

use std::fmt;

use super::path::{PathError, RequestPath, drop_archive_infix, join_segments, split};

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

    /// The item of the archive, or the resource of one, that this names.
    ///
    /// # Errors
    /// [`PathError::NotThatKind`] for everything else, files among it.
    pub fn archive_item(&self) -> Result<ArchiveUri, PathError> {
        let mut uri = ArchiveUri::default();
        let own = |word: &&str| Some((*word).to_owned());
        let segments = self.segments();
        let mut rest = segments.as_slice();
        if let ["projects", project, below @ ..] = rest {
            (uri.project, rest) = (own(project), below);
        }
        if let ["subjects", subject, below @ ..] = rest {
            (uri.subject, rest) = (own(subject), below);
        }
        if let ["experiments", experiment, below @ ..] = rest {
            (uri.experiment, rest) = (own(experiment), below);
            if let ["scans", scan, below @ ..] = rest {
                (uri.scan, rest) = (own(scan), below);
            } else if let ["assessors", assessor, below @ ..] = rest {
                // XNAT's word for an assessor's output, which all its resources are.
                (uri.assessor, rest) = (own(assessor), below.strip_prefix(&["out"]).unwrap_or(below));
            }
        }
        if let ["resources", resource, below @ ..] = rest {
            (uri.resource, rest) = (own(resource), below);
        }
        // Only within a project a subject's experiments are named below it.
        let is_lost = uri.project.is_none() && uri.subject.is_some() && uri.experiment.is_some();
        let is_nobody = uri.project.is_none() && uri.subject.is_none() && uri.experiment.is_none();
        if !rest.is_empty() || is_nobody || is_lost {
            return Err(PathError::NotThatKind);
        }
        Ok(uri)
    }

    /// The resource of an item of the archive that this names, with or without `/files` behind it.
    ///
    /// # Errors
    /// [`PathError::NotThatKind`] for everything else, single files among it.
    pub fn archive_resource(&self) -> Result<ArchiveUri, PathError> {
        let segments = match self.segments.as_slice() {
            [above @ .., label, files] if files == "files" && above.last().is_some_and(|word| word == "resources") => {
                let mut segments = above.to_vec();
                segments.push(label.clone());
                segments
            }
            segments => segments.to_vec(),
        };
        let uri = Self { segments }.archive_item()?;
        if uri.resource.is_some() { Ok(uri) } else { Err(PathError::NotThatKind) }
    }

    /// The resource to which a request sends files, and the path of the file there; empty if the address names none.
    /// `None` if it is about anything else.
    pub fn sent_to(path: &RequestPath) -> Option<(Self, String)> {
        let segments = path.segments();
        let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        segments.iter().enumerate().filter(|(_, word)| **word == "files").find_map(|(at, _)| {
            let uri = Self { segments: own(segments.get(..at)?) };
            uri.archive_item().ok()?.resource?;
            Some((uri, segments.get(at + 1..)?.join("/")))
        })
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

impl fmt::Display for ResourceUri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&join_segments(self.segments()))
    }
}

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

/// An item of the archive, or a resource of one, as URIs name it: by labels or identifiers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArchiveUri {
    /// The project.
    pub project: Option<String>,
    /// The subject.
    pub subject: Option<String>,
    /// The experiment.
    pub experiment: Option<String>,
    /// The scan.
    pub scan: Option<String>,
    /// The assessor.
    pub assessor: Option<String>,
    /// The resource.
    pub resource: Option<String>,
}

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
    fn items_of_the_archive_are_named_in_every_form() {
        let of = |value: &str| ResourceUri::parse(value).unwrap().archive_item();
        for (value, expected) in [
            ("/projects/P", ["P", "", "", "", ""]),
            ("/data/projects/P/resources/R", ["P", "", "", "", "R"]),
            ("/archive/projects/P/subjects/S", ["P", "S", "", "", ""]),
            ("/data/archive/subjects/S/resources/R", ["", "S", "", "", "R"]),
            ("/archive/projects/P/subjects/S/experiments/E", ["P", "S", "E", "", ""]),
            ("/archive/projects/P/experiments/E/scans/4", ["P", "", "E", "4", ""]),
            ("/data/archive/experiments/E/scans/4/resources/DICOM", ["", "", "E", "4", "DICOM"]),
            ("/experiments/E/resources/17", ["", "", "E", "", "17"]),
            ("/experiments/E/assessors/A", ["", "", "E", "A", ""]),
            ("/data/archive/projects/P/experiments/E/assessors/A/out/resources/R", ["P", "", "E", "A", "R"]),
        ] {
            let uri = of(value).unwrap();
            let parts = [uri.project, uri.subject, uri.experiment, uri.scan.or(uri.assessor), uri.resource];
            assert_eq!(parts.map(Option::unwrap_or_default), expected, "{value}");
        }
        for value in [
            "/",
            "/archive",
            "/projects",
            "/prearchive/projects/P/T/S",
            "/experiments/E/scans",
            "/experiments/E/resources/R/files/a",
            "/subjects/S/experiments/E",
            "/scans/4",
            "/resources/R",
            "/experiments/E/assessors",
            "/experiments/E/scans/4/assessors/A",
        ] {
            assert_eq!(of(value), Err(PathError::NotThatKind), "{value}");
        }
    }

    #[test]
    fn resources_are_named_with_or_without_files_and_single_files_are_not() {
        let of = |value: &str| ResourceUri::parse(value).unwrap().archive_resource();
        for value in ["/projects/P/resources/R", "/data/archive/projects/P/resources/R/files/"] {
            assert_eq!(of(value).unwrap().resource.as_deref(), Some("R"), "{value}");
        }
        assert_eq!(of("/projects/P/resources/files").unwrap().resource.as_deref(), Some("files"));
        for value in ["/projects/P", "/projects/P/files", "/projects/P/resources/R/files/a", "/projects/P/resources"] {
            assert_eq!(of(value), Err(PathError::NotThatKind), "{value}");
        }
    }

    #[test]
    fn an_upload_is_told_from_other_requests_by_its_address() {
        let of = |value: &str| ResourceUri::sent_to(&RequestPath::parse(value).unwrap());
        let (uri, path) = of("/data/archive/projects/P/subjects/files/resources/R/files/resources/x/files/a").unwrap();
        assert_eq!(
            (uri.to_string().as_str(), path.as_str()),
            ("/projects/P/subjects/files/resources/R", "resources/x/files/a")
        );
        assert_eq!(of("/data/experiments/E/scans/4/resources/R/files").unwrap().1, "");
        for value in ["/data/projects/P/resources/R", "/data/projects/P/files", "/data/user/cache/resources/R/files/a"]
        {
            assert!(of(value).is_none(), "{value}");
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
