//! `cargo xtask test`: every check and every test, stopping at the first that fails.

use anyhow::{Context, Result};
use clap::Args;

use crate::process::{run as run_command, run_lines};
use crate::project::{self, COMPONENTS, CONFORMANCE, FLOOR, HOST_PACKAGES, WASM_TARGET, cargo};
use crate::summary::Summary;
use crate::testdata::Folders;
use crate::{licences, testdata};

/// Packages that only compile for WebAssembly.
const GUESTS: [&str; 2] = [CONFORMANCE, FLOOR];

/// Packages whose tests need no service.
const UNIT_TESTED: [&str; 4] = ["narthex", "narthex-client", "narthex-generator", "xtask"];

/// What `test` may be told.
#[derive(Debug, Args)]
pub struct Options {
    /// Leave out the tests that take long (killing the host a hundred times).
    #[arg(long)]
    fast: bool,
    /// Leave out the tests on real DICOM and ECAT files and with real clients, which are fetched with Python's package
    /// client.
    #[arg(long)]
    without_real_files: bool,
}

/// The steps, in order.
fn run_all(options: &Options, summary: &mut Summary) -> Result<()> {
    summary.step("toolchain", |_| project::ensure_wasm_target())?;
    summary.step("formatting", |_| {
        run_command(&mut cargo(&["fmt", "--all", "--check"])).context("run `cargo fmt --all` to repair this")
    })?;
    summary.step("licences", |_| licences::check())?;
    summary.step("clippy, native", |_| clippy_native())?;
    summary.step("clippy, components", |_| clippy_components())?;
    let real_files = match options.without_real_files {
        true => None,
        false => Some(summary.step("test data", |_| testdata::fetch())?),
    };
    summary.step("unit tests", |summary| unit_tests(real_files.as_ref(), summary))?;
    summary.step("components", |_| {
        project::build_components()?;
        project::build_test_components()
    })?;
    summary.step("host", |_| project::build_host())?;
    summary.step("integration tests", |summary| integration_tests(options, summary))
}

/// Runs everything and prints a summary, whose last line is `N passed, N failed`.
///
/// # Errors
/// The first step that failed.
pub fn run(options: &Options) -> Result<()> {
    let mut summary = Summary::default();
    let done = run_all(options, &mut summary);
    if let Err(error) = &done {
        eprintln!("\nerror: {error:#}");
    }
    println!("\n{}", summary.text());
    done.context("not everything passed")
}

fn with_guests() -> Vec<&'static str> {
    COMPONENTS.iter().chain(&GUESTS).copied().collect()
}

/// In the release profile, so that build scripts and macros of the host are compiled once for all steps.
fn clippy_native() -> Result<()> {
    let mut command = cargo(&["clippy", "--release", "--workspace", "--all-targets"]);
    for package in with_guests() {
        command.args(["--exclude", package]);
    }
    run_command(command.args(["--", "-D", "warnings"]))
}

fn clippy_components() -> Result<()> {
    let mut command = cargo(&["clippy", "--target", WASM_TARGET, "--package", "narthex"]);
    for package in with_guests() {
        command.args(["--package", package]);
    }
    run_command(command.args(["--", "-D", "warnings"]))
}

/// With the real files, where there are any.
fn unit_tests(real_files: Option<&Folders>, summary: &mut Summary) -> Result<()> {
    let mut command = cargo(&["test"]);
    if let Some(Folders { pydicom, nibabel }) = real_files {
        command.env("NARTHEX_PYDICOM_DIR", pydicom).env("NARTHEX_NIBABEL_DIR", nibabel);
    }
    for package in UNIT_TESTED {
        command.args(["--package", package]);
    }
    run_lines(&mut command, |line| summary.count(line))
}

fn integration_tests(options: &Options, summary: &mut Summary) -> Result<()> {
    let mut command = cargo(&["test", "--release"]);
    command.args(HOST_PACKAGES).arg("--");
    if options.fast {
        command.args(["--skip", "crash::"]);
    }
    if options.without_real_files {
        command.args(["--skip", "real_files::", "--skip", "real_clients::"]);
    }
    run_lines(&mut command, |line| summary.count(line))
}
