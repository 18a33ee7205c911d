//! The files of one resource that both sides have.

use std::collections::HashSet;

use super::rules::Rules;
use crate::domain::catalog::Clashes;
use crate::domain::manifest::FileEntry;

/// What becomes of the files of a resource.
#[derive(Debug, Default, PartialEq)]
pub struct JoinedFiles {
    /// The files of the merged resource, unless something stands against it.
    pub files: Vec<FileEntry>,
    /// How many of the old files are the same as new ones.
    pub same: usize,
    /// How many of the old files are in it.
    pub kept: usize,
    /// The name of the first new file that is there already, if such files are not to be replaced.
    pub refused: Option<String>,
    /// The name of the first new file whose name belongs to another instance.
    pub taken: Option<String>,
}

impl JoinedFiles {
    /// A path that is a file and a folder of others.
    pub fn clash(&self) -> Option<String> {
        let mut names: Vec<&str> = self.files.iter().map(|file| file.name.as_str()).collect();
        names.sort_unstable();
        let mut clashes = Clashes::default();
        names.into_iter().find_map(|name| clashes.next(name))
    }
}

/// Joins the files of a resource. A new file is the same as an old one if they have the same SOP Instance UID; where one
/// of the two has none, if they have the same name. Every new file that is the same takes the place of the old one,
/// whatever that was named; the name it had is free then.
pub fn join_files(old: Vec<FileEntry>, new: Vec<FileEntry>, rules: Rules) -> JoinedFiles {
    let uids: HashSet<&str> =
        new.iter().map(|file| file.sop_instance_uid.as_str()).filter(|uid| !uid.is_empty()).collect();
    let names: HashSet<&str> = new.iter().map(|file| file.name.as_str()).collect();
    let nameless: HashSet<&str> =
        new.iter().filter(|file| file.sop_instance_uid.is_empty()).map(|file| file.name.as_str()).collect();
    let is_same = |file: &FileEntry| match file.sop_instance_uid.as_str() {
        "" => names.contains(file.name.as_str()),
        uid => uids.contains(uid) || nameless.contains(file.name.as_str()),
    };
    let (same, kept): (Vec<FileEntry>, Vec<FileEntry>) = old.into_iter().partition(|file| is_same(file));
    let kept_names: HashSet<&str> = kept.iter().map(|file| file.name.as_str()).collect();
    let taken = new.iter().find(|file| kept_names.contains(file.name.as_str())).map(|file| file.name.clone());
    let refused = same.first().filter(|_| !rules.replaces()).map(|file| file.name.clone());
    let mut joined = JoinedFiles { same: same.len(), kept: kept.len(), refused, taken, files: kept };
    joined.files.extend(new);
    joined
}
