//! `cargo xtask bench`: figures, as a table or as one JSON object.

mod archive_size;
mod ingest;
mod large;
mod report;
mod server;

use anyhow::Result;
use clap::{Args, Subcommand};

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
    /// Archive a small and a large session and compare.
    ArchiveSize(archive_size::Options),
}

/// Measures.
///
/// # Errors
/// When a server cannot be built or started, or refuses what it is sent.
pub fn run(options: &Options) -> Result<()> {
    match &options.what {
        What::Ingest(options) if options.large => large::run(options),
        What::Ingest(options) => ingest::run(options),
        What::ArchiveSize(options) => archive_size::run(options),
    }
}
