//! What lists of files and resources are asked of: parts of one experiment, or of several whose names stand in an
//! address with commas between them.

use narthex::domain::access::Right;
use narthex::domain::archive::Experiment;
use narthex::http::ClientError;
use narthex::service::Call;

use crate::{parent, unknown_experiment};

/// Experiments that one address may name.
const MAX_EXPERIMENTS: usize = 100;

/// A part of an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'a> {
    /// All of it: scans, its own resources, assessors.
    All,
    /// Its own resources, or those that are named.
    Own(Option<&'a str>),
    /// Scans, and which of their resources.
    Scans(&'a str, Option<&'a str>),
    /// Assessors, and which of their resources.
    Assessors(&'a str, Option<&'a str>),
}

/// What is asked of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked<'a> {
    /// The list of its resources.
    Resources(Part<'a>),
    /// Its files, all of them.
    Files(Part<'a>),
    /// Those of its files that have this path, or are in this folder, or fit this pattern.
    FilesAt(Part<'a>, &'a [&'a str]),
}

impl<'a> Asked<'a> {
    /// Reads what stands behind an experiment in an address.
    pub fn read(rest: &'a [&'a str]) -> Option<Self> {
        Some(match rest {
            ["resources"] => Self::Resources(Part::Own(None)),
            ["files"] => Self::Files(Part::All),
            ["resources", resource, "files"] => Self::Files(Part::Own(Some(resource))),
            ["resources", resource, "files", path @ ..] => Self::FilesAt(Part::Own(Some(resource)), path),
            ["scans", scans, "resources"] => Self::Resources(Part::Scans(scans, None)),
            ["scans", scans, "files"] => Self::Files(Part::Scans(scans, None)),
            ["scans", scans, "resources", resource, "files"] => Self::Files(Part::Scans(scans, Some(resource))),
            ["scans", scans, "resources", resource, "files", path @ ..] => {
                Self::FilesAt(Part::Scans(scans, Some(resource)), path)
            }
            ["assessors", names, "out", "resources"] | ["assessors", names, "resources"] => {
                Self::Resources(Part::Assessors(names, None))
            }
            ["assessors", names, "out", "files"] | ["assessors", names, "files"] => {
                Self::Files(Part::Assessors(names, None))
            }
            ["assessors", names, "out", "resources", resource, "files"]
            | ["assessors", names, "resources", resource, "files"] => {
                Self::Files(Part::Assessors(names, Some(resource)))
            }
            ["assessors", names, "out", "resources", resource, "files", path @ ..]
            | ["assessors", names, "resources", resource, "files", path @ ..] => {
                Self::FilesAt(Part::Assessors(names, Some(resource)), path)
            }
            _ => return None,
        })
    }

    /// Whether it is about items of one experiment of which several can be named, or is a list. Of one assessor, or of
    /// one scan's file, more can be said.
    pub fn takes_several(&self) -> bool {
        match self {
            Self::Resources(part) | Self::Files(part) | Self::FilesAt(part, _) => match part {
                Part::Assessors(names, _) => is_several(names),
                Part::Scans(..) => !matches!(self, Self::FilesAt(..)),
                Part::All | Part::Own(_) => false,
            },
        }
    }
}

/// Whether a segment of an address names several items, or may.
fn is_several(names: &str) -> bool {
    is_all(names) || names.contains(',')
}

/// Whether a segment of an address names all items.
pub fn is_all(names: &str) -> bool {
    matches!(names, "ALL" | "*")
}

/// Does something with each experiment, of which some need not have the part that it is about.
///
/// # Errors
/// 404 if none has it, and every other error.
pub async fn with_each<'a>(
    experiments: &'a [Experiment],
    mut work: impl AsyncFnMut(&'a Experiment) -> Result<(), ClientError>,
) -> Result<(), ClientError> {
    let mut missing = None;
    let mut found = false;
    for experiment in experiments {
        match work(experiment).await {
            Ok(()) => found = true,
            Err(error) if error.status.number() == 404 => missing = Some(error),
            Err(error) => return Err(error),
        }
    }
    match missing {
        Some(error) if !found => Err(error),
        _ => Ok(()),
    }
}

/// The experiments that an address names with commas between them, each once, in the order in which they are named.
///
/// # Errors
/// 404 if one of them does not exist for whoever asks, 400 for too many.
pub async fn experiments(
    call: &Call,
    project: &str,
    subject: &str,
    names: &str,
) -> Result<Vec<Experiment>, ClientError> {
    let names: Vec<&str> = names.split(',').filter(|name| !name.is_empty()).collect();
    if names.len() > MAX_EXPERIMENTS {
        let sentence =
            format!("An address names at most {MAX_EXPERIMENTS} experiments; ask for the others after these.");
        return Err(ClientError::bad_request("too-many-experiments", sentence));
    }
    let mut experiments: Vec<Experiment> = Vec::with_capacity(names.len());
    for name in names {
        let found = parent::experiment(call, project, subject, name, Right::Read).await?;
        if experiments.iter().all(|known| known.id != found.id) {
            experiments.push(found);
        }
    }
    match experiments.is_empty() {
        true => Err(unknown_experiment()),
        false => Ok(experiments),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_below_experiments_are_read() {
        for (address, expected) in [
            ("files", Asked::Files(Part::All)),
            ("scans/1,2/files", Asked::Files(Part::Scans("1,2", None))),
            ("resources/R/files/a/*", Asked::FilesAt(Part::Own(Some("R")), &["a", "*"])),
            ("assessors/ALL/out/resources", Asked::Resources(Part::Assessors("ALL", None))),
            ("assessors/A/resources/R/files", Asked::Files(Part::Assessors("A", Some("R")))),
        ] {
            let rest: Vec<&str> = address.split('/').collect();
            assert_eq!(Asked::read(&rest), Some(expected), "{address}");
        }
        for address in ["scans", "resources/R", "assessors/A", "status", "files/x"] {
            let rest: Vec<&str> = address.split('/').collect();
            assert_eq!(Asked::read(&rest), None, "{address}");
        }
    }
}
