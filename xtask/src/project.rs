//! Where things are in this repository, and how they are built.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::run;

/// The target of the components.
pub const WASM_TARGET: &str = "wasm32-wasip2";

/// The profile of the components (in the root `Cargo.toml`).
pub const GUEST_PROFILE: &str = "guest";

/// The packages that are components of the application.
pub const COMPONENTS: [&str; 8] = [
    "narthex-prearchive",
    "narthex-import",
    "narthex-archive",
    "narthex-catalog",
    "narthex-triage",
    "narthex-events",
    "narthex-settings",
    "narthex-access",
];

/// The component that runs the storage conformance suite inside the host.
pub const CONFORMANCE: &str = "narthex-conformance";

/// The component that stores a body and does nothing else.
pub const FLOOR: &str = "narthex-floor";

/// The root of the repository.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// The folder of what is built. The manifests name files below it, so it cannot be moved.
pub fn target() -> PathBuf {
    root().join("target")
}

/// The host, once it is built.
pub fn host_binary() -> PathBuf {
    target().join("release").join(format!("narthex-host{}", env::consts::EXE_SUFFIX))
}

/// A `cargo` command in the root of the repository.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).env("CARGO_TARGET_DIR", target()).args(arguments);
    // What `cargo run` says of this program would make build scripts that look at it run again, each time.
    for (name, _) in env::vars_os() {
        let leaks = name.to_str().is_some_and(|name| {
            ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"]
                .iter()
                .any(|prefix| name.starts_with(prefix))
        });
        if leaks {
            command.env_remove(&name);
        }
    }
    command
}

/// Makes sure that the components can be compiled, adding the target where it is missing.
///
/// # Errors
/// When the target is missing and cannot be added.
pub fn ensure_wasm_target() -> Result<()> {
    match Command::new("rustup").args(["target", "list", "--installed"]).current_dir(root()).output() {
        Ok(output) if output.status.success() => {
            let installed = String::from_utf8_lossy(&output.stdout).lines().any(|line| line.trim() == WASM_TARGET);
            if !installed {
                eprintln!("Adding the target {WASM_TARGET} ...");
                run(Command::new("rustup").args(["target", "add", WASM_TARGET]).current_dir(root()))
                    .with_context(|| format!("the target {WASM_TARGET} could not be added"))?;
            }
            Ok(())
        }
        _ if target_is_there_without_rustup() => Ok(()),
        _ => bail!(
            "`rustup` is not on the path and the compiler has no {WASM_TARGET}: install Rust with rustup, \
             or add the target's standard library to your toolchain"
        ),
    }
}

fn target_is_there_without_rustup() -> bool {
    let output = Command::new("rustc").args(["--print", "target-libdir", "--target", WASM_TARGET]).output();
    output.is_ok_and(|output| {
        output.status.success() && Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir()
    })
}

/// Builds the components of the application.
///
/// # Errors
/// When the compiler says so.
pub fn build_components() -> Result<()> {
    build_guests(&COMPONENTS)
}

/// Builds the components that tests and benchmarks need beside the application: on their own, because cargo would
/// otherwise compile the features they ask for into the application's components too.
///
/// # Errors
/// When the compiler says so.
pub fn build_test_components() -> Result<()> {
    build_guests(&[CONFORMANCE, FLOOR])
}

fn build_guests(packages: &[&str]) -> Result<()> {
    let mut command = cargo(&["build", "--target", WASM_TARGET, "--profile", GUEST_PROFILE]);
    for package in packages {
        command.args(["--package", package]);
    }
    run(&mut command).context("the components could not be built")
}

/// What is built for the host: always together with the tests, whatever is wanted. Cargo chooses the features of common
/// dependencies by what it builds, and another choice would compile the host's WebAssembly compiler a second time.
pub const HOST_PACKAGES: [&str; 4] = ["--package", "narthex-host", "--package", "narthex-tests"];

/// Builds the host.
///
/// # Errors
/// When the compiler says so.
pub fn build_host() -> Result<()> {
    run(cargo(&["build", "--release"]).args(HOST_PACKAGES)).context("the host could not be built")
}
