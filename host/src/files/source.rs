//! The files that a command line names.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Folders within folders that are looked into, at most.
const MAX_DEPTH: usize = 64;

/// A file to be put.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// Where it is.
    pub path: PathBuf,
    /// Its name in the folder of the archive.
    pub name: String,
}

/// What a command line names.
#[derive(Debug, Default)]
pub(super) struct Sources {
    /// Files, each folder's in the order of their names.
    pub files: Vec<Source>,
    /// What cannot be put, and why.
    pub refused: Vec<String>,
}

impl Sources {
    /// A file stands under its own name, a folder with what is in it, as `cp -r` puts them. What is neither is refused,
    /// so that a link cannot bring in what nobody meant.
    pub fn find(paths: &[PathBuf]) -> Self {
        let mut sources = Self::default();
        for path in paths {
            // What is named on the command line may be a link: that is meant.
            let resolved = match path.canonicalize() {
                Ok(resolved) => resolved,
                Err(error) => {
                    sources.refuse(path, &error.to_string());
                    continue;
                }
            };
            let named = path.file_name().or(resolved.file_name()).and_then(|name| name.to_str());
            match named.map(str::to_owned) {
                Some(name) => sources.add(&resolved, name, 0),
                None => sources.refuse(path, "its name is not UTF-8"),
            }
        }
        sources
    }

    fn add(&mut self, path: &Path, name: String, depth: usize) {
        let kind = match fs::symlink_metadata(path) {
            Ok(found) => found.file_type(),
            Err(error) => return self.refuse(path, &error.to_string()),
        };
        if kind.is_file() {
            self.files.push(Source { path: path.to_owned(), name });
        } else if kind.is_dir() && depth < MAX_DEPTH {
            if let Err(error) = self.add_folder(path, &name, depth) {
                self.refuse(path, &error.to_string());
            }
        } else if kind.is_dir() {
            self.refuse(path, "it lies too deep");
        } else {
            self.refuse(path, "it is neither a file nor a folder");
        }
    }

    fn add_folder(&mut self, path: &Path, name: &str, depth: usize) -> io::Result<()> {
        let mut entries = fs::read_dir(path)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            match entry.file_name().to_str() {
                Some(own) => self.add(&entry.path(), format!("{name}/{own}"), depth + 1),
                None => self.refuse(&entry.path(), "its name is not UTF-8"),
            }
        }
        Ok(())
    }

    fn refuse(&mut self, path: &Path, why: &str) {
        self.refused.push(format!("{path:?} is not put: {why}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_put_with_what_is_in_them_and_links_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir_all(path("a/b")).unwrap();
        for name in ["a/b/two", "a/one", "alone"] {
            fs::write(path(name), name).unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink(path("alone"), path("a/link")).unwrap();
        let found = Sources::find(&[path("a"), path("alone"), path("missing")]);
        let names: Vec<&str> = found.files.iter().map(|source| source.name.as_str()).collect();
        assert_eq!(names, ["a/b/two", "a/one", "alone"]);
        assert_eq!(found.refused.len(), if cfg!(unix) { 2 } else { 1 }, "{:?}", found.refused);
    }
}
