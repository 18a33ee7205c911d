//! `cargo xtask sample`: a zip of synthetic DICOM files, for whoever has none at hand.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use narthex_generator::{Modality, Study, zip_study};

/// What `sample` may be told.
#[derive(Debug, Args)]
pub struct Options {
    /// The file to write.
    #[arg(default_value = "study.zip")]
    file: PathBuf,
    /// Another number gives another study.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Writes the zip.
///
/// # Errors
/// When the file cannot be written.
pub fn run(options: &Options) -> Result<()> {
    let study = study(options.seed);
    fs::write(&options.file, zip_study(&study))
        .with_context(|| format!("{} cannot be written", options.file.display()))?;
    println!("{}: {} images", options.file.display(), study.file_count());
    Ok(())
}

/// Two series of one person's head, all noise.
pub fn study(seed: u64) -> Study {
    Study::new(Modality::Mr, seed)
        .patient(&format!("SESSION{seed}"), &format!("SUBJECT{seed}"))
        .description("Narthex sample")
        .series_named(1, "localizer")
        .slices(3)
        .and_series(2, "t1_mprage", Modality::Mr, 24)
        .matrix(128)
}
