//! Real DICOM and ECAT files, fetched by `cargo xtask test`.

use std::fs;
use std::path::Path;

use crate::root;

/// A file that no one here wrote.
#[derive(Debug, Clone)]
pub struct RealFile {
    /// Its path below the folder of test data, with `/`.
    pub name: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// The ECAT 7 file of nibabel.
///
/// # Panics
/// When it is not there.
pub fn ecat_file() -> RealFile {
    let path = root().join("target/test-data/nibabel/tinypet.v");
    let bytes = fs::read(&path).unwrap_or_else(|error| {
        panic!("no ECAT file {} ({error}): run `cargo xtask test`, which fetches it", path.display())
    });
    RealFile { name: "tinypet.v".to_owned(), bytes }
}

/// All DICOM files of pydicom, in the order of their names.
///
/// # Panics
/// When they are not there.
pub fn real_files() -> Vec<RealFile> {
    let folder = root().join("target/test-data/pydicom");
    let mut files = Vec::new();
    collect(&folder, &folder, &mut files);
    assert!(
        files.len() > 100,
        "no real DICOM files in {}: run `cargo xtask test`, which fetches them",
        folder.display()
    );
    files.sort_by(|one, other| one.name.cmp(&other.name));
    files
}

fn collect(top: &Path, folder: &Path, files: &mut Vec<RealFile>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            collect(top, &path, files);
        } else if is_wanted(&path) {
            let name = path.strip_prefix(top).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            files.push(RealFile { name, bytes: fs::read(&path).expect("a file of the test data") });
        }
    }
}

/// DICOM files, some of which have no extension; not the texts and tables beside them.
fn is_wanted(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let other = ["txt", "json", "dump", "gz", "icc", "md"];
    !name.starts_with('.')
        && !name.starts_with("README")
        && !path.extension().is_some_and(|extension| other.iter().any(|other| extension.eq_ignore_ascii_case(other)))
}
