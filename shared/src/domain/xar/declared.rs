//! Resources as documents declare them, and what they belong to.

use super::{XarError, invalid};
use crate::intake::name::ShownName;
use crate::xml::items::ResourceDocument;

/// What a resource belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Owner {
    /// The session itself.
    Session,
    /// A scan of it, by its ID.
    Scan(String),
    /// An assessor of it, by its label.
    Assessor(String),
}

impl Owner {
    /// As sentences name it.
    pub fn named(&self) -> String {
        match self {
            Self::Session => "the session".to_owned(),
            Self::Scan(id) => format!("the scan {id}"),
            Self::Assessor(label) => format!("the assessor {label}"),
        }
    }
}

/// A resource as a document declares it.
#[derive(Debug, Clone)]
pub(super) struct Declared {
    /// What it belongs to.
    pub owner: Owner,
    /// What the document says.
    pub resource: ResourceDocument,
}

/// Where a file belongs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// The item.
    pub owner: Owner,
    /// The label of the resource.
    pub label: String,
    /// The path in it.
    pub path: String,
}

/// The folders of XNAT's disk, below a session's own; those of an assessor have further ones in them.
const FOLDERS: [&str; 3] = ["ASSESSORS", "SCANS", "RESOURCES"];

/// The path of what a document names, below the session's folder: an absolute one is that of XNAT's own disk.
pub(super) fn within(uri: &str) -> Option<&str> {
    let uri = uri.strip_prefix("./").unwrap_or(uri);
    if !uri.starts_with('/') && !uri.contains("://") {
        return Some(uri);
    }
    FOLDERS.iter().find_map(|word| {
        let at = uri.find(&format!("/{word}/"))?;
        uri.get(at + 1..)
    })
}

/// The folder of a path.
pub(super) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

impl Declared {
    /// Its label; without one, that of the folder it has for itself, or the word for what it holds.
    pub fn label(&self) -> Result<String, XarError> {
        if !self.resource.label.is_empty() {
            return Ok(self.resource.label.clone());
        }
        let folder = within(&self.resource.uri).map(parent).unwrap_or_default();
        let own = match folder.split('/').collect::<Vec<_>>().as_slice() {
            ["SCANS" | "ASSESSORS", _, label] | ["RESOURCES", label] => Some((*label).to_owned()),
            _ => None,
        };
        let is_of_scan = matches!(self.owner, Owner::Scan(_));
        let by_format = || (self.resource.format == "DICOM" && is_of_scan).then(|| "DICOM".to_owned());
        own.or_else(by_format).ok_or_else(|| {
            let uri = ShownName::new(&self.resource.uri);
            invalid(format!("The resource {uri} of the document needs a label."))
        })
    }
}
