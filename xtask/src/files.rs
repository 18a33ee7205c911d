//! `cargo xtask files`: files that are put by hand into the archive that `cargo xtask up` serves.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::{project, up};

/// What `files` may be told.
#[derive(Debug, Args)]
pub struct Options {
    /// The folder of everything that is kept.
    #[arg(long, value_name = "FOLDER", default_value = ".narthex")]
    state_dir: PathBuf,
    /// Which stores there are, and where.
    #[arg(long, value_name = "FILE", default_value = "runtime-config.toml")]
    runtime_config_file: PathBuf,
    /// What is to be done.
    what: What,
    /// The folder of the archive, then files or names; and options of `narthex-host files`.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum What {
    /// Put files, and folders with all that is in them.
    Put,
    /// List the files that wait.
    List,
    /// Remove files that wait.
    Remove,
}

/// Builds the host and hands the command to it.
///
/// # Errors
/// When the host cannot be built or started.
pub fn run(options: &Options) -> Result<()> {
    project::build_host()?;
    up::become_program(&mut command(options, &project::host_binary(), &project::root().join("spin.toml")))
}

fn command(options: &Options, host: &Path, manifest: &Path) -> Command {
    let mut command = Command::new(host);
    command.arg("files").arg(match options.what {
        What::Put => "put",
        What::List => "list",
        What::Remove => "remove",
    });
    command.arg("--from").arg(manifest).arg("--state-dir").arg(&options.state_dir);
    command.arg("--runtime-config-file").arg(up::runtime_config(&options.runtime_config_file));
    command.args(&options.rest);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_handed_on() {
        let rest = ["archive/P/resources/R", "a b"].map(str::to_owned).to_vec();
        let (state_dir, runtime_config_file) = (PathBuf::from("/state"), PathBuf::from("/rt.toml"));
        let options = Options { state_dir, runtime_config_file, what: What::Put, rest };
        let command = command(&options, Path::new("/host"), Path::new("/spin.toml"));
        let arguments: Vec<_> = command.get_args().map(|argument| argument.to_str().unwrap()).collect();
        assert_eq!(arguments.first_chunk::<2>().unwrap(), &["files", "put"]);
        assert_eq!(arguments.last_chunk::<2>().unwrap(), &["archive/P/resources/R", "a b"]);
    }
}
