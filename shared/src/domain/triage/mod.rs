//! The resource quarantine (XNAT's triage): files that wait until a reviewer takes them into the archive or refuses them.
//!
//! What one user uploads for one resource of the archive stands in one folder: a record, and a catalog of its files.
//! Whoever changes a folder holds the lease of its project's quarantine.
//!
//! Approving moves no bytes ([`approve`]). The folder's record says where its files are about to go before the write
//! that puts them there, so that whoever comes after a crash sees by the destination's catalog which of the two holds
//! ([`settle`]). The name under which a folder's packs are owned becomes one of the destination's names then
//! ([`heir`]), so that approving many files costs no more than their pages. What goes to one destination goes there with
//! one write, from however many folders; whether all of it can is looked at first ([`fitting`]).
//!
//! What is to leave the quarantine stands in a list before it does ([`leave`]), so that nothing is left behind.

mod approve;
mod fitting;
mod heir;
mod hold;
mod leave;
mod read;
mod settle;
mod sweep;
mod tell;
mod upload;

pub use approve::{Approve, Approved, Source};
pub use read::Shown;
pub use upload::{Quarantine, Quarantined};

use serde::{Deserialize, Serialize};

use super::Core;
use super::catalog::{CatalogFile, Wish};
use super::error::DomainError;
use super::history::Cause;
use super::ids::MAX_NAME_BYTES;
use super::shelf::ShelfOf;
use crate::intake::EntryName;
use crate::limits::Limits;
use crate::storage::roster::RowSource;
use crate::storage::{Record, Roster, keys};

/// Files of a folder that are approved one by one in one request, at most: their paths stand in the folder's record.
pub const MAX_CHOSEN: usize = 200;

/// Bytes of these paths together, at most: far below the largest record.
const MAX_CHOSEN_BYTES: usize = 64 * 1024;

/// Bytes of a destination's URI, at most: it stands in the folder's record.
const MAX_URI_BYTES: usize = 4 * 1024;

/// How the names of folders begin that the service makes by itself, and no others.
pub const AUTOMATIC: &str = "auto-";

/// What stands before the name of a folder in the name under which its packs are owned.
const OWNER: &str = "triage/";

/// A resource of the archive for which files are meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Its address as whoever named it did, with `/data/archive` at its beginning and `/files` at its end.
    pub uri: String,
    /// The item's project.
    pub project: String,
    /// Whose resource.
    pub of: ShelfOf,
    /// Its label or number. There need be none.
    pub resource: String,
    /// The subject's label, if it is below one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// The experiment's label, if it is below one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub experiment: String,
    /// The scan, if it is below one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scan: String,
    /// The assessor as the address names it, if it is below one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub assessor: String,
}

impl Target {
    /// Whether both are the same resource, whatever address names it.
    pub fn is_same(&self, other: &Self) -> bool {
        (&self.of, &self.resource) == (&other.of, &other.resource)
    }
}

/// A folder of the quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriageFolder {
    /// The project.
    pub project: String,
    /// Its label, which no other folder of the project has.
    pub label: String,
    /// Its number, which no other folder of the project ever had.
    pub number: u64,
    /// Its place in the project's list.
    place: u64,
    /// The identifier of its catalog.
    pub catalog: String,
    /// Who uploads: the login name.
    pub by: String,
    /// For which resource the files are meant; `None` before the first file of one that was made empty.
    pub target: Option<Target>,
    /// What `OVERWRITE` was for files that do not say it themselves: they were uploaded when folders did.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    overwrite: bool,
    /// Likewise, what `event_reason` was.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    reason: String,
    /// When it was made, in milliseconds since the epoch.
    pub made_ms: u64,
    /// Whether it is there though it may be empty.
    #[serde(default)]
    is_made: bool,
    /// Whether an upload into it has come to its end.
    #[serde(default)]
    is_filled: bool,
    /// An approval that is under way, or whose worker has died.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    approval: Option<Approval>,
}

impl Record for TriageFolder {
    const VERSION: u32 = 1;
}

/// Where files of a folder are about to go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Approval {
    /// To which resource.
    dest: Target,
    /// The name under which the packs of the destination's files are owned.
    owner: String,
    /// Which files; `None` for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    paths: Option<Vec<String>>,
    /// How many these are.
    files: u64,
    /// Who approves.
    by: String,
    /// Why.
    cause: Cause,
    /// When, in milliseconds since the epoch.
    at_ms: u64,
}

/// What the list of a project's folders keeps of each.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct TriageRow {
    /// Its label.
    #[serde(rename = "l")]
    label: String,
    /// Who uploads.
    #[serde(rename = "b")]
    by: String,
    /// Whether nobody knows of it yet, since no upload has ended.
    #[serde(rename = "n")]
    is_new: bool,
}

impl TriageFolder {
    /// The name under which the packs of its files are owned. No project's identifier has a slash.
    fn owner(&self) -> String {
        format!("{OWNER}{}/{}/{}", self.project, self.number, self.label)
    }

    /// What whoever sent a file wants to happen with it.
    pub fn wish_of(&self, file: &CatalogFile) -> Wish {
        let of_folder = || Wish { overwrite: self.overwrite, reason: self.reason.clone() };
        file.wish.clone().unwrap_or_else(of_folder)
    }
}

/// A folder as the name under which its packs are owned tells it.
struct OwnedFolder<'a> {
    project: &'a str,
    number: u64,
    label: &'a str,
}

impl<'a> OwnedFolder<'a> {
    fn parse(owner: &'a str) -> Option<Self> {
        let mut parts = owner.strip_prefix(OWNER)?.splitn(3, '/');
        let (project, number, label) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self { project, number: number.parse().ok()?, label })
    }
}

/// Whether packs are owned under this name by a folder of the quarantine, or by who has taken its files over.
pub(super) fn is_folder(owner: &str) -> bool {
    owner.starts_with(OWNER)
}

/// A label that a folder may have: one part of a path, 1 to 128 bytes.
///
/// # Errors
/// [`DomainError::Invalid`].
pub fn check_label(text: &str) -> Result<(), DomainError> {
    let limits = Limits { max_name_bytes: MAX_NAME_BYTES, ..Limits::default() };
    let problem = match EntryName::parse(text, &limits) {
        Ok(name) if name.folder().is_none() => return Ok(()),
        Ok(_) => "it has a slash".to_owned(),
        Err(problem) => problem.to_string(),
    };
    Err(DomainError::Invalid {
        what: format!("A folder of the quarantine cannot have this name: {problem}; choose another."),
    })
}

/// Refuses the names of the service's own folders: whoever knew them could take them away from those whose uploads go
/// there.
///
/// # Errors
/// [`DomainError::Invalid`].
pub fn demand_clients_label(text: &str) -> Result<(), DomainError> {
    if !text.starts_with(AUTOMATIC) {
        return Ok(());
    }
    let what =
        format!("Names that begin with {AUTOMATIC} are given by the service itself; choose another for the folder.");
    Err(DomainError::Invalid { what })
}

impl Core {
    /// The list of a project's folders.
    fn triage_folders(&self, project: &str) -> (Roster, impl RowSource<TriageRow> + use<>) {
        let (records, of) = (self.records.clone(), project.to_owned());
        let source = move |label: String, place| {
            let (records, of) = (records.clone(), of.clone());
            async move {
                let found: Option<TriageFolder> = records.get(&keys::triage(&of, &label)).await?;
                let found = found.filter(|found| found.place == place);
                Ok(found.map(|found| TriageRow {
                    label: found.label,
                    by: found.by,
                    is_new: !found.is_made && !found.is_filled,
                }))
            }
        };
        (self.roster(format!("triage/{project}")), source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::catalog::FileNotes;
    use crate::domain::manifest::FileEntry;
    use crate::intake::{Extent, Method};
    use crate::storage::PackId;

    #[test]
    fn labels_are_single_parts_of_a_path() {
        for fine in ["1619096148184", "<b>x", "a\"'&", "my files", "äöü", &"a".repeat(128)] {
            assert!(check_label(fine).is_ok(), "{fine:?}");
        }
        for bad in ["", ".", "..", "a/b", "a\\b", "a\0", "a\nb", "C:", &"a".repeat(129)] {
            assert!(check_label(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_service_s_own_names_are_not_for_clients() {
        for fine in ["auto", "Auto-1", "my auto-1"] {
            assert!(demand_clients_label(fine).is_ok(), "{fine:?}");
        }
        for bad in ["auto-", "auto-0123456789abcdef"] {
            assert!(demand_clients_label(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn files_that_do_not_say_it_have_their_folder_s_wish() {
        let folder = r#"{"project":"P","label":"X","number":1,"place":1,"catalog":"c","by":"mary","target":null,
            "overwrite":true,"reason":"why","made_ms":1,"is_made":false,"is_filled":true}"#;
        let folder: TriageFolder = serde_json::from_str(folder).unwrap();
        let extent = Extent { offset: 0, stored_len: 1, len: 1, method: Method::Stored };
        let (name, pack) = ("a".to_owned(), PackId::from_number(1));
        let (sop_instance_uid, instance_number) = (String::new(), None);
        let file = FileEntry { name, pack, ordinal: 0, extent, crc32: 0, sop_instance_uid, instance_number };
        let (by, notes) = ("mary".to_owned(), FileNotes::default());
        let old = CatalogFile { file, by, at_ms: 1, notes, wish: None };
        assert_eq!(folder.wish_of(&old), Wish { overwrite: true, reason: "why".to_owned() });
        let new = CatalogFile { wish: Some(Wish::default()), ..old };
        assert_eq!(folder.wish_of(&new), Wish::default());
    }

    #[test]
    fn owners_tell_their_folders_whatever_these_are_called() {
        for label in ["X", "a b", "1/2"] {
            let owner = format!("{OWNER}P_1/17/{label}");
            let found = OwnedFolder::parse(&owner).unwrap();
            assert_eq!((found.project, found.number, found.label), ("P_1", 17, label));
        }
        assert!(OwnedFolder::parse("project/P").is_none() && OwnedFolder::parse("triage/P").is_none());
    }
}
