//! The tasks of the project: `cargo xtask up | test | bench`.

mod bench;
mod files;
mod greet;
mod licences;
mod process;
mod project;
mod sample;
mod summary;
mod test;
mod testdata;
mod up;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The tasks of the project.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", version, about)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Build everything and serve Narthex from this machine.
    Up(up::Options),
    /// Put files by hand into the folders of the archive, list or remove them: see `cargo xtask files --help`.
    Files(files::Options),
    /// Write a zip of synthetic DICOM files, to have something to upload.
    Sample(sample::Options),
    /// Run every check and every test.
    Test(test::Options),
    /// Measure.
    Bench(bench::Options),
    /// Send the first requests to a service that has just started (used by `up`).
    #[command(hide = true)]
    Greet(greet::Options),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Up(options) => up::run(&options),
        Task::Files(options) => files::run(&options),
        Task::Sample(options) => sample::run(&options),
        Task::Test(options) => test::run(&options),
        Task::Bench(options) => bench::run(&options),
        Task::Greet(options) => greet::run(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
