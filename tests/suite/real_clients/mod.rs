//! Clients that no one here wrote: those of Python packages, fetched by `cargo xtask test`.

mod pyxnat;
mod schemas;
mod tuspy;
mod writing;
mod xnatctl;
mod xnatpy;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use narthex_tests::{Api, Modality, PASSWORD, Service, Study, USER, root, zip_study};
use tempfile::TempDir;

/// Runs a script with the packages of one of the folders that were fetched, and returns what it prints.
fn python(packages: &str, module: &str, script: &str, arguments: &[&str]) -> Result<String, String> {
    let packages = root().join("target/test-data").join(packages);
    assert!(
        packages.join(module).is_dir(),
        "no {module} in {}: run `cargo xtask test`, which fetches it",
        packages.display()
    );
    let mut command = Command::new("python3");
    command.args(["-c", script]).args(arguments).env("PYTHONPATH", packages).env("NO_PROXY", "*");
    let output = command.output().expect("python3 runs");
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// A study with two scans and a derived picture.
fn study() -> Study {
    Study::new(Modality::Mr, 71)
        .patient("S71_MR1", "S71")
        .series_named(1, "localizer")
        .slices(3)
        .and_series(2, "t1", Modality::Mr, 5)
        .and_series(9, "picture", Modality::Sc, 1)
}

/// A service with the projects P1 and P2, and a folder that holds the study as `study.zip` and its files one by one in
/// `files`, for a script to compare with.
struct Bench {
    _service: Service,
    api: Api,
    folder: TempDir,
}

impl Bench {
    fn make() -> Self {
        let service = Service::start();
        let api = service.api();
        api.project("P1");
        api.project("P2");
        let folder = TempDir::new().expect("a folder for temporary files");
        fs::write(folder.path().join("study.zip"), zip_study(&study())).expect("a file to upload");
        let files = folder.path().join("files");
        fs::create_dir(&files).expect("a folder of files");
        for (number, file) in study().files().enumerate() {
            fs::write(files.join(format!("{}-{number}", file.series)), file.bytes).expect("a file to compare with");
        }
        Self { _service: service, api, folder }
    }

    /// Runs a client's script; it is told where the service is, who logs in, and where the study lies.
    #[track_caller]
    fn run(&self, packages: &str, module: &str, script: &str) -> BTreeSet<String> {
        let server = format!("http://{}", self.api.client.address());
        let folder: &Path = self.folder.path();
        let arguments = [server.as_str(), USER, PASSWORD, folder.to_str().expect("a path of text")];
        match python(packages, module, script, &arguments) {
            // What was done, one step a line.
            Ok(text) => text.lines().map(str::to_owned).collect(),
            Err(text) => panic!("{module} failed:\n{text}"),
        }
    }
}
