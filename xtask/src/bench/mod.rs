//! `cargo xtask bench`: figures, as a table or as one JSON object.

mod archive;
mod archive_size;
mod import;
mod ingest;
mod large;
mod list;
mod refresh;
mod report;
mod resume;
mod review;
mod server;
mod triage;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::project;

/// What to measure.
#[derive(Debug, Args)]
pub struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Upload a synthetic CT study to Narthex, to Orthanc if it is installed, and to the bare store.
    Ingest(ingest::Options),
    /// Send single instances from 1, 8 and 32 clients, a zip of 10,000 and a file of 2 GB, and compare with Orthanc and
    /// the bare store.
    Import(import::Options),
    /// Archive many small sessions and one of many scans, and read a large one back as a zip.
    Archive(archive::Options),
    /// Archive a small and a large session and compare.
    ArchiveSize(archive_size::Options),
    /// List prearchives of 1,000 to 100,000 sessions, and one of which most were deleted.
    List(list::Options),
    /// Refresh the catalogs of a session of 10,000 files with checksums, and compare with hashing alone.
    Refresh(refresh::Options),
    /// Break a resumable upload off at 60 % and go on with it, and compare with one that is not broken off.
    Resume(resume::Options),
    /// Rebuild, move and delete small and large sessions and compare.
    Review(review::Options),
    /// Approve many files and one from the quarantine and compare, and send a large file through it.
    Triage(triage::Options),
}

/// Builds what is measured.
fn build() -> Result<()> {
    eprintln!("Building ...");
    project::ensure_wasm_target()?;
    project::build_components()?;
    project::build_host()
}

/// The same, and what it is compared with.
fn build_with_floor() -> Result<()> {
    build()?;
    project::build_test_components()
}

/// Measures.
///
/// # Errors
/// When a server cannot be built or started, refuses what it is sent, or does not keep what is promised.
pub fn run(options: &Options) -> Result<()> {
    match &options.what {
        What::Ingest(options) if options.large => large::run(options),
        What::Ingest(options) => ingest::run(options),
        What::Import(options) => import::run(options),
        What::Archive(options) => archive::run(options),
        What::ArchiveSize(options) => archive_size::run(options),
        What::List(options) => list::run(options),
        What::Refresh(options) => refresh::run(options),
        What::Resume(options) => resume::run(options),
        What::Review(options) => review::run(options),
        What::Triage(options) => triage::run(options),
    }
}
