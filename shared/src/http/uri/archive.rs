//! Items of the archive and their resources, as URIs name them.

use super::ResourceUri;
use crate::http::path::{PathError, RequestPath};

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

impl ResourceUri {
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
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
