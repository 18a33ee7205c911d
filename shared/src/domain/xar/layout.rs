//! Which resource a file of a XAR belongs to: what the document says of folders comes first, then the folders as XNAT
//! has them on its disk (`SCANS/4/DICOM/...`) and in its downloads (`scans/4-T1/resources/DICOM/files/...`).

use std::collections::{BTreeMap, BTreeSet};

use super::{XarError, invalid};
use crate::intake::name::ShownName;
use crate::xml::items::ResourceDocument;

/// The folders that a session has on XNAT's disk and in its downloads.
const WORDS: [&str; 4] = ["SCANS", "RESOURCES", "scans", "resources"];

/// A resource as a document declares it.
#[derive(Debug, Clone)]
pub(super) struct Declared {
    /// The scan, or `None` for the session's own.
    pub scan: Option<String>,
    /// What the document says.
    pub resource: ResourceDocument,
}

/// Where a file belongs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// The scan, or `None` for the session itself.
    pub scan: Option<String>,
    /// The label of the resource.
    pub label: String,
    /// The path in it.
    pub path: String,
}

/// The folders of a XAR.
pub(super) struct Layout<'a> {
    scans: BTreeSet<&'a str>,
    declared: &'a [Declared],
    /// Folders that the document names, without a slash behind them, and whose they are.
    folders: BTreeMap<String, (Option<String>, String)>,
    /// Files that the document names by themselves.
    files: BTreeMap<String, (Option<String>, String)>,
    /// The folder of the session, with a slash behind it, or nothing.
    root: String,
}

/// The path of what a document names, below the session's folder: an absolute one is that of XNAT's own disk.
fn within(uri: &str) -> Option<&str> {
    let uri = uri.strip_prefix("./").unwrap_or(uri);
    if !uri.starts_with('/') && !uri.contains("://") {
        return Some(uri);
    }
    WORDS.iter().take(2).find_map(|word| {
        let at = uri.find(&format!("/{word}/"))?;
        uri.get(at + 1..)
    })
}

fn parent(path: &str) -> &str {
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
            ["SCANS", _, label] | ["RESOURCES", label] => Some((*label).to_owned()),
            _ => None,
        };
        let by_format = || (self.resource.format == "DICOM" && self.scan.is_some()).then(|| "DICOM".to_owned());
        own.or_else(by_format).ok_or_else(|| {
            let uri = ShownName::new(&self.resource.uri);
            invalid(format!("The resource {uri} of the document needs a label."))
        })
    }
}

impl<'a> Layout<'a> {
    /// The layout of files at these paths, which stand below the top folder.
    pub fn new(scans: BTreeSet<&'a str>, declared: &'a [Declared], paths: &BTreeSet<&str>) -> Result<Self, XarError> {
        let empty = Self { scans, declared, folders: BTreeMap::new(), files: BTreeMap::new(), root: String::new() };
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
            let whose = (one.scan.clone(), one.label()?);
            let is_named = |folder: &str| !folder.is_empty() && folder != root.trim_end_matches('/');
            if path.to_ascii_lowercase().ends_with(".xml")
                && (super::contents::is_catalog(&path) || !paths.contains(path.as_str()))
            {
                let folder = parent(&path);
                // What lies in the folder of a whole scan may belong to several resources.
                let is_of_scan = matches!(folder.split('/').collect::<Vec<_>>().as_slice(), [.., "SCANS", _]);
                if is_named(folder) && !is_of_scan {
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
        let place = |(scan, label): &(Option<String>, String), path: &str| Place {
            scan: scan.clone(),
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
        let place = |scan: Option<&str>, label: &str, rest: &[&str]| {
            Some(Place { scan: scan.map(str::to_owned), label: label.to_owned(), path: rest.join("/") })
                .filter(|_| !rest.is_empty())
        };
        let found = match parts.as_slice() {
            ["SCANS", id, name] => self.only_label(id).and_then(|label| place(Some(*id), &label, &[*name])),
            ["SCANS", id, label, rest @ ..] => place(Some(*id), label, rest),
            ["scans", folder, "resources", label, "files", rest @ ..] => {
                self.scan_of(folder).and_then(|id| place(Some(id), label, rest))
            }
            ["scans", folder, label, rest @ ..] => self.scan_of(folder).and_then(|id| place(Some(id), label, rest)),
            ["RESOURCES", label, rest @ ..] | ["resources", label, "files", rest @ ..] => place(None, label, rest),
            [label, rest @ ..] if self.has_own(label) => place(None, label, rest),
            _ => None,
        };
        let place = found.ok_or_else(|| {
            let path = ShownName::new(path);
            invalid(format!("The file {path} of the XAR belongs to no scan and to no resource of the document."))
        })?;
        match &place.scan {
            Some(id) if !self.scans.contains(id.as_str()) => Err(invalid(format!(
                "The file {} of the XAR belongs to the scan {}, which the document does not describe.",
                ShownName::new(path),
                ShownName::new(id)
            ))),
            _ => Ok(place),
        }
    }

    /// The scan whose folder in a download is called so: its ID, or that with its type behind it.
    fn scan_of(&self, folder: &str) -> Option<&'a str> {
        let fits = |id: &&&str| folder.strip_prefix(**id).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
        self.scans.iter().filter(fits).max_by_key(|id| id.len()).copied()
    }

    /// The label of a scan's resource, if the document declares one and no more.
    fn only_label(&self, id: &str) -> Option<String> {
        let mut own = self.declared.iter().filter(|one| one.scan.as_deref() == Some(id));
        match (own.next(), own.next()) {
            (Some(one), None) => one.label().ok(),
            _ => None,
        }
    }

    /// Whether the document declares a resource of the session of this label.
    fn has_own(&self, label: &str) -> bool {
        self.declared.iter().any(|one| one.scan.is_none() && one.resource.label == label)
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
mod tests {
    use super::*;

    fn declared(scan: Option<&str>, label: &str, uri: &str) -> Declared {
        let resource = ResourceDocument { label: label.to_owned(), uri: uri.to_owned(), ..ResourceDocument::default() };
        Declared { scan: scan.map(str::to_owned), resource }
    }

    fn placed(declared: &[Declared], paths: &[&str]) -> Result<Vec<(String, String, String)>, String> {
        let layout = Layout::new(["4", "4-MR1", "5"].into(), declared, &paths.iter().copied().collect());
        let layout = layout.map_err(|error| error.to_string())?;
        let place = |path: &&str| {
            let Place { scan, label, path } = layout.place(path).map_err(|error| error.to_string())?;
            Ok((scan.unwrap_or_default(), label, path))
        };
        paths.iter().map(place).collect()
    }

    fn three(scan: &str, label: &str, path: &str) -> (String, String, String) {
        (scan.to_owned(), label.to_owned(), path.to_owned())
    }

    #[test]
    fn folders_as_on_disk_and_in_downloads_are_known() {
        let notes = [declared(None, "NOTES", "/archive/P/arc001/L/RESOURCES/NOTES/NOTES_catalog.xml")];
        for (path, wanted) in [
            ("SCANS/4/DICOM/sub/a.dcm", three("4", "DICOM", "sub/a.dcm")),
            ("P/arc001/L/SCANS/4-MR1/NIFTI/a.nii", three("4-MR1", "NIFTI", "a.nii")),
            ("RESOURCES/NOTES/a.txt", three("", "NOTES", "a.txt")),
            ("L/scans/4-T1/resources/DICOM/files/a", three("4", "DICOM", "a")),
            ("L/scans/4-MR1-T1/DICOM/a", three("4-MR1", "DICOM", "a")),
            ("scans/5/resources/DICOM/files/x/y", three("5", "DICOM", "x/y")),
            ("L/resources/NOTES/files/a.txt", three("", "NOTES", "a.txt")),
            ("NOTES/a.txt", three("", "NOTES", "a.txt")),
        ] {
            assert_eq!(placed(&notes, &[path]).unwrap(), [wanted], "{path}");
        }
    }

    #[test]
    fn what_the_document_says_comes_first() {
        let all = [
            declared(Some("4"), "DICOM", "data/four/scan_4_catalog.xml"),
            declared(Some("5"), "NIFTI", "data/five.nii"),
            declared(None, "NOTES", "data/notes/"),
        ];
        let paths = ["data/four/a.dcm", "data/five.nii", "data/notes/scans/b.txt", "data/four/SCANS/c"];
        let wanted = [
            three("4", "DICOM", "a.dcm"),
            three("5", "NIFTI", "five.nii"),
            three("", "NOTES", "scans/b.txt"),
            three("4", "DICOM", "SCANS/c"),
        ];
        assert_eq!(placed(&all, &paths).unwrap(), wanted);
    }

    #[test]
    fn a_file_in_the_folder_of_a_scan_belongs_to_its_only_resource() {
        let one = [declared(Some("4"), "", "SCANS/4/DICOM/scan_4_catalog.xml")];
        assert_eq!(placed(&one, &["SCANS/4/a.dcm"]).unwrap(), [three("4", "DICOM", "a.dcm")]);
        assert!(placed(&[], &["SCANS/4/a.dcm"]).is_err());
    }

    #[test]
    fn what_belongs_nowhere_is_refused() {
        for path in ["a.txt", "SCANS/7/DICOM/a", "scans/6-T1/DICOM/a", "RESOURCES/a", "other/a/b", "SCANS/4"] {
            assert!(placed(&[], &[path]).is_err(), "{path}");
        }
        let error = placed(&[], &["A/SCANS/4/DICOM/a", "B/SCANS/4/DICOM/b"]).unwrap_err();
        assert!(error.contains("one imaging session"), "{error}");
    }
}
