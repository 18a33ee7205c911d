//! Real DICOM files that no one here wrote: those of the Python package `pydicom`, pinned by version and digest.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::project;

/// The version whose files the tests use.
const VERSION: &str = "3.0.2";

/// The wheel of that version.
const WHEEL: &str = "pydicom-3.0.2-py3-none-any.whl";

/// The SHA-256 of that wheel.
const WHEEL_SHA256: &str = "abf971a5440f84dbaf42c4b6758e30e62480902584f8b270b9a5d146e278a07b";

/// The folder of the wheel that holds files for tests.
const FILES: &str = "pydicom/data/";

/// Fetches the wheel through Python's package client unless it is there, checks it, unpacks its test files, and
/// returns their folder.
///
/// # Errors
/// When there is no such client, or it brings something else.
pub fn fetch() -> Result<PathBuf> {
    let folder = project::target().join("test-data");
    fs::create_dir_all(&folder)?;
    let wheel = folder.join(WHEEL);
    if !wheel.exists() {
        download(&folder)?;
    }
    check(&wheel)?;
    let files = folder.join("pydicom");
    let complete = files.join(".complete");
    if fs::read_to_string(&complete).is_ok_and(|digest| digest == WHEEL_SHA256) {
        return Ok(files);
    }
    unpack(&wheel, &files)?;
    fs::write(complete, WHEEL_SHA256)?;
    Ok(files)
}

/// Fetches the wheel, installing Python's package client first where there is none and Debian's can be used.
fn download(folder: &Path) -> Result<()> {
    if download_with_any_client(folder) {
        return Ok(());
    }
    eprintln!("No Python package client could fetch {WHEEL}; trying to install one ...");
    for arguments in [&["update", "-qq"][..], &["install", "-qq", "-y", "--no-install-recommends", "python3-pip"]] {
        // Where this fails the attempt that follows does too, and says what to do.
        let _ = Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive").status();
    }
    if download_with_any_client(folder) {
        return Ok(());
    }
    bail!(
        "the tests on real DICOM files need the Python package pydicom=={VERSION}, and no package client could fetch \
         it: install Python with pip (Debian: `apt-get install python3-pip`), put {WHEEL} into {} by hand, \
         or leave these tests out with --without-real-files",
        folder.display()
    )
}

/// Tries the clients that a machine may have, the usual one first.
fn download_with_any_client(folder: &Path) -> bool {
    const CLIENTS: [&[&str]; 5] =
        [&["python3", "-m", "pip"], &["pip3"], &["pip"], &["python", "-m", "pip"], &["uv", "tool", "run", "pip"]];
    let package = format!("pydicom=={VERSION}");
    for client in CLIENTS {
        let mut command = Command::new(client[0]);
        command.args(&client[1..]).args(["download", "--quiet", "--no-deps", "--only-binary=:all:"]);
        command.args(["--disable-pip-version-check", "--dest"]).arg(folder).arg(&package);
        if command.output().is_ok_and(|output| output.status.success()) && folder.join(WHEEL).exists() {
            return true;
        }
    }
    false
}

fn check(wheel: &Path) -> Result<()> {
    let bytes = fs::read(wheel).with_context(|| format!("{} cannot be read", wheel.display()))?;
    let digest = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    if digest != WHEEL_SHA256 {
        fs::remove_file(wheel)?;
        bail!("{WHEEL} is not the file that the tests expect (SHA-256 {digest}); it was removed, try again");
    }
    Ok(())
}

fn unpack(wheel: &Path, into: &Path) -> Result<()> {
    let mut archive = zip::ZipArchive::new(fs::File::open(wheel)?)?;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index)?;
        let Some(path) = entry.enclosed_name().and_then(|path| path.strip_prefix(FILES).ok().map(Path::to_path_buf))
        else {
            continue;
        };
        let wanted = entry.is_file() && path.extension().is_none_or(|extension| extension != "py");
        if !wanted {
            continue;
        }
        let path = into.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        io::copy(&mut entry, &mut fs::File::create(path)?)?;
    }
    Ok(())
}
