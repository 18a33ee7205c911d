//! Real images that no one here wrote: those of Python packages, pinned by version and digest.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::project;

/// A wheel with files for tests.
struct Wheel {
    /// The package, which is also the name of the folder that its files go to.
    package: &'static str,
    /// The version whose files the tests use.
    version: &'static str,
    /// The SHA-256 of that wheel.
    sha256: &'static str,
    /// The folder of the wheel that holds files for tests.
    files: &'static str,
    /// Whether a file of that folder is wanted.
    is_wanted: fn(&Path) -> bool,
}

/// DICOM files of many kinds.
const PYDICOM: Wheel = Wheel {
    package: "pydicom",
    version: "3.0.2",
    sha256: "abf971a5440f84dbaf42c4b6758e30e62480902584f8b270b9a5d146e278a07b",
    files: "pydicom/data/",
    is_wanted: |path| path.extension().is_none_or(|extension| extension != "py"),
};

/// One ECAT 7 file among many of other kinds.
const NIBABEL: Wheel = Wheel {
    package: "nibabel",
    version: "5.3.2",
    sha256: "52970a5a8a53b1b55249cba4d9bcfaa8cc57e3e5af35a29d7352237e8680a6f8",
    files: "nibabel/tests/data/",
    is_wanted: |path| path == Path::new("tinypet.v"),
};

/// The folders of the files that were fetched.
pub struct Folders {
    /// The DICOM files of pydicom.
    pub pydicom: PathBuf,
    /// The ECAT file of nibabel.
    pub nibabel: PathBuf,
}

/// Fetches the wheels through Python's package client unless they are there, checks them, unpacks their test files,
/// and returns their folders.
///
/// # Errors
/// When there is no such client, or it brings something else.
pub fn fetch() -> Result<Folders> {
    let folder = project::target().join("test-data");
    fs::create_dir_all(&folder)?;
    Ok(Folders { pydicom: PYDICOM.fetch(&folder)?, nibabel: NIBABEL.fetch(&folder)? })
}

impl Wheel {
    fn name(&self) -> String {
        format!("{}-{}-py3-none-any.whl", self.package, self.version)
    }

    fn fetch(&self, folder: &Path) -> Result<PathBuf> {
        let wheel = folder.join(self.name());
        if !wheel.exists() {
            self.download(folder)?;
        }
        self.check(&wheel)?;
        let files = folder.join(self.package);
        let complete = files.join(".complete");
        if fs::read_to_string(&complete).is_ok_and(|digest| digest == self.sha256) {
            return Ok(files);
        }
        self.unpack(&wheel, &files)?;
        fs::write(complete, self.sha256)?;
        Ok(files)
    }

    /// Fetches the wheel, installing Python's package client first where there is none and Debian's can be used.
    fn download(&self, folder: &Path) -> Result<()> {
        if self.download_with_any_client(folder) {
            return Ok(());
        }
        let wheel = self.name();
        eprintln!("No Python package client could fetch {wheel}; trying to install one ...");
        for arguments in [&["update", "-qq"][..], &["install", "-qq", "-y", "--no-install-recommends", "python3-pip"]] {
            // Where this fails the attempt that follows does too, and says what to do.
            let _ = Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive").status();
        }
        if self.download_with_any_client(folder) {
            return Ok(());
        }
        bail!(
            "the tests on real files need the Python package {}=={}, and no package client could fetch it: install \
             Python with pip (Debian: `apt-get install python3-pip`), put {wheel} into {} by hand, or leave these \
             tests out with --without-real-files",
            self.package,
            self.version,
            folder.display()
        )
    }

    /// Tries the clients that a machine may have, the usual one first.
    fn download_with_any_client(&self, folder: &Path) -> bool {
        const CLIENTS: [&[&str]; 5] =
            [&["python3", "-m", "pip"], &["pip3"], &["pip"], &["python", "-m", "pip"], &["uv", "tool", "run", "pip"]];
        let package = format!("{}=={}", self.package, self.version);
        for client in CLIENTS {
            let mut command = Command::new(client[0]);
            command.args(&client[1..]).args(["download", "--quiet", "--no-deps", "--only-binary=:all:"]);
            command.args(["--disable-pip-version-check", "--dest"]).arg(folder).arg(&package);
            let is_done = command.output().is_ok_and(|output| output.status.success());
            if is_done && folder.join(self.name()).exists() {
                return true;
            }
        }
        false
    }

    fn check(&self, wheel: &Path) -> Result<()> {
        let bytes = fs::read(wheel).with_context(|| format!("{} cannot be read", wheel.display()))?;
        let digest = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        if digest != self.sha256 {
            fs::remove_file(wheel)?;
            bail!(
                "{} is not the file that the tests expect (SHA-256 {digest}); it was removed, try again",
                self.name()
            );
        }
        Ok(())
    }

    fn unpack(&self, wheel: &Path, into: &Path) -> Result<()> {
        let mut archive = zip::ZipArchive::new(fs::File::open(wheel)?)?;
        let mut count = 0;
        for index in 0..archive.len() {
            let mut entry = archive.by_index(index)?;
            let path = entry.enclosed_name().and_then(|path| path.strip_prefix(self.files).ok().map(Path::to_path_buf));
            let Some(path) = path.filter(|path| entry.is_file() && (self.is_wanted)(path)) else { continue };
            let path = into.join(path);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            io::copy(&mut entry, &mut fs::File::create(path)?)?;
            count += 1;
        }
        if count == 0 {
            bail!("{} holds none of the files that the tests want", self.name());
        }
        Ok(())
    }
}
