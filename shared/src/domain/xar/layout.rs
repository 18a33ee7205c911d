//! Which resource a file of a XAR belongs to: what the document says of folders comes first, then the folders as XNAT
//! has them on its disk (`SCANS/4/DICOM/...`) and in its downloads (`scans/4-T1/resources/DICOM/files/...`).

use std::collections::{BTreeMap, BTreeSet};

use super::declared::{Declared, Owner, Place, parent, within};
use super::{XarError, invalid};
use crate::intake::name::ShownName;

/// The folders that a session has on XNAT's disk and in its downloads.
const WORDS: [&str; 6] = ["ASSESSORS", "SCANS", "RESOURCES", "assessors", "scans", "resources"];

/// What a XAR describes.
pub(super) struct Items<'a> {
    /// The scans, by their IDs.
    pub scans: BTreeSet<&'a str>,
    /// The assessors, by their labels and by their identifiers, each with its label.
    pub assessors: BTreeMap<&'a str, &'a str>,
    /// Whose resources are that have no folder of a scan or an assessor above them.
    pub own: Owner,
}

/// The folders of a XAR.
pub(super) struct Layout<'a> {
    items: Items<'a>,
    declared: &'a [Declared],
    /// Folders that the document names, without a slash behind them, and whose they are.
    folders: BTreeMap<String, (Owner, String)>,
    /// Files that the document names by themselves.
    files: BTreeMap<String, (Owner, String)>,
    /// The folder of the session, with a slash behind it, or nothing.
    root: String,
}

impl<'a> Layout<'a> {
    /// The layout of files at these paths, which stand below the top folder.
    pub fn new(items: Items<'a>, declared: &'a [Declared], paths: &BTreeSet<&str>) -> Result<Self, XarError> {
        let empty = Self { items, declared, folders: BTreeMap::new(), files: BTreeMap::new(), root: String::new() };
        let mut layout = empty;
        layout.declare("", paths)?;
        let left = paths.iter().filter(|path| layout.by_document(path).is_none());
        let roots: BTreeSet<&str> = left.filter_map(|path| root_of(path)).collect();
        if roots.len() > 1 {
            return Err(invalid("XAR can only include data for one imaging session. This one has folders of several."));
        }
        if let Some(root) = roots.first().filter(|root| !root.is_empty()) {
            layout.root = (*root).to_owned();
            layout.declare(root, paths)?;
        }
        Ok(layout)
    }

    /// Notes the folders and files that the document names, as they stand below a folder.
    fn declare(&mut self, root: &str, paths: &BTreeSet<&str>) -> Result<(), XarError> {
        for one in self.declared {
            let Some(path) = within(&one.resource.uri) else { continue };
            let path = format!("{root}{}", path.trim_end_matches('/'));
            let whose = (one.owner.clone(), one.label()?);
            let is_named = |folder: &str| !folder.is_empty() && folder != root.trim_end_matches('/');
            if path.to_ascii_lowercase().ends_with(".xml")
                && (super::contents::is_catalog(&path) || !paths.contains(path.as_str()))
            {
                let folder = parent(&path);
                // What lies in the folder of a whole scan or assessor may belong to several resources.
                let parts: Vec<&str> = folder.split('/').collect();
                let is_of_item = matches!(parts.as_slice(), [.., "SCANS" | "ASSESSORS", _]);
                if is_named(folder) && !is_of_item {
                    self.folders.insert(folder.to_owned(), whose);
                }
            } else if paths.contains(path.as_str()) {
                self.files.insert(path, whose);
            } else if is_named(&path) {
                self.folders.insert(path, whose);
            }
        }
        Ok(())
    }

    fn by_document(&self, path: &str) -> Option<Place> {
        let place = |(owner, label): &(Owner, String), path: &str| Place {
            owner: owner.clone(),
            label: label.clone(),
            path: path.to_owned(),
        };
        if let Some(whose) = self.files.get(path) {
            return Some(place(whose, path.rsplit('/').next().unwrap_or(path)));
        }
        // The longest folder first.
        path.rmatch_indices('/').find_map(|(at, _)| {
            let whose = self.folders.get(path.get(..at)?)?;
            Some(place(whose, path.get(at + 1..)?))
        })
    }

    /// Where a file belongs.
    ///
    /// # Errors
    /// [`XarError`] for a file that belongs nowhere.
    pub fn place(&self, path: &str) -> Result<Place, XarError> {
        if let Some(place) = self.by_document(path) {
            return Ok(place);
        }
        let parts: Vec<&str> = path.strip_prefix(&self.root).unwrap_or(path).split('/').collect();
        let place = |owner: Owner, label: &str, rest: &[&str]| {
            Some(Place { owner, label: label.to_owned(), path: rest.join("/") }).filter(|_| !rest.is_empty())
        };
        let scan = |id: &str| Owner::Scan(id.to_owned());
        let found = match parts.as_slice() {
            ["SCANS", id, name] => self.only_label(&scan(id)).and_then(|label| place(scan(id), &label, &[*name])),
            ["SCANS", id, label, rest @ ..] => place(scan(id), label, rest),
            ["ASSESSORS", name, file] => {
                let owner = self.assessor(name)?;
                self.only_label(&owner).and_then(|label| place(owner, &label, &[*file]))
            }
            ["assessors", name, "resources", label, "files", rest @ ..]
            | ["assessors", name, "out", "resources", label, "files", rest @ ..]
            | ["ASSESSORS" | "assessors", name, label, rest @ ..] => place(self.assessor(name)?, label, rest),
            ["scans", folder, "resources", label, "files", rest @ ..] | ["scans", folder, label, rest @ ..] => {
                self.scan_of(folder).and_then(|id| place(scan(id), label, rest))
            }
            ["RESOURCES", label, rest @ ..] | ["resources", label, "files", rest @ ..] => {
                place(self.items.own.clone(), label, rest)
            }
            [label, rest @ ..] if self.has_own(label) => place(self.items.own.clone(), label, rest),
            _ => None,
        };
        let place = found.ok_or_else(|| {
            let path = ShownName::new(path);
            invalid(format!("The file {path} of the XAR belongs to no scan, assessor or resource of the document."))
        })?;
        match &place.owner {
            Owner::Scan(id) if !self.items.scans.contains(id.as_str()) => Err(invalid(format!(
                "The file {} of the XAR belongs to the scan {}, which the document does not describe.",
                ShownName::new(path),
                ShownName::new(id)
            ))),
            _ => Ok(place),
        }
    }

    /// The assessor of this label or identifier.
    fn assessor(&self, name: &str) -> Result<Owner, XarError> {
        let label = self.items.assessors.get(name).ok_or_else(|| {
            let name = ShownName::new(name);
            invalid(format!("The XAR has files of the assessor {name}, which the document does not describe."))
        })?;
        Ok(Owner::Assessor((*label).to_owned()))
    }

    /// The scan whose folder in a download is called so: its ID, or that with its type behind it.
    fn scan_of(&self, folder: &str) -> Option<&'a str> {
        let fits = |id: &&&str| folder.strip_prefix(**id).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
        self.items.scans.iter().filter(fits).max_by_key(|id| id.len()).copied()
    }

    /// The label of an item's resource, if the document declares one and no more.
    fn only_label(&self, owner: &Owner) -> Option<String> {
        let mut own = self.declared.iter().filter(|one| one.owner == *owner);
        match (own.next(), own.next()) {
            (Some(one), None) => one.label().ok(),
            _ => None,
        }
    }

    /// Whether the document declares a resource of this label of the item that all is about.
    fn has_own(&self, label: &str) -> bool {
        self.declared.iter().any(|one| one.owner == self.items.own && one.resource.label == label)
    }
}

/// What stands before the first folder that only a session has, with a slash behind it.
fn root_of(path: &str) -> Option<&str> {
    let mut at = 0;
    for part in path.split('/') {
        if WORDS.contains(&part) {
            return path.get(..at);
        }
        at += part.len() + 1;
    }
    None
}

#[cfg(test)]
mod tests;
