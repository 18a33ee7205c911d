//! `narthex-host up`: runs an application's `spin.toml`, as `spin up` would. `narthex-host files`: puts files by hand into
//! the folders of the archive.

use clap::{Parser, Subcommand};
use narthex_host::cli::{self, UpArgs};
use narthex_host::files::{self, FilesArgs};
use std::process::ExitCode;

/// A small, strict Spin-compatible host
#[derive(Parser)]
#[command(version, about)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve an application
    Up(Box<UpArgs>),
    /// Put files by hand into the folders of the archive's resources, for a refresh of their catalogs to take up
    Files(FilesArgs),
}

fn main() -> ExitCode {
    let Program { command } = Program::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    // The host has threads of its own: this one only waits for signals.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let arguments = match command {
        Command::Up(arguments) => arguments,
        Command::Files(arguments) => return end_files(runtime.block_on(files::run(arguments))),
    };
    let served = runtime.block_on(cli::up(arguments.into_config(), |running| {
        println!("Serving http://{}", running.address());
        for (route, component) in running.routes() {
            println!("  {component}: {route}");
        }
    }));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", error.report());
            ExitCode::FAILURE
        }
    }
}

/// Says what came of a command on files.
fn end_files(done: Result<files::Done, files::FilesError>) -> ExitCode {
    match done {
        Ok(done) => {
            done.lines.iter().for_each(|line| println!("{line}"));
            done.refused.iter().for_each(|line| eprintln!("error: {line}"));
            if done.refused.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
