//! One very large zip, made while it is sent: what it takes, above all of memory.

use std::io::Write;
use std::time::Instant;

use anyhow::Result;
use narthex_generator::{Modality, Packing, Study, write_zip};
use serde_json::json;

use super::ingest::{IMPORT, Options};
use super::report::{MEGABYTE, print};
use super::server::{Server, expect};

/// Bytes of one slice of 512×512, about.
const SLICE_BYTES: u64 = 525_500;

/// How well a slice deflates, about.
const DEFLATED_PERCENT: u64 = 25;

/// Measures and prints.
///
/// # Errors
/// When Narthex cannot be started or refuses the study.
pub fn run(options: &Options) -> Result<()> {
    super::build()?;

    let percent = if options.deflated { DEFLATED_PERCENT } else { 100 };
    let slices = u32::try_from((options.megabytes * 1_000_000 * 100 / percent / SLICE_BYTES).max(1))?;
    let study = Study::new(Modality::Ct, 77).patient("LARGE", "LARGE^STUDY").slices(slices).matrix(512);
    let packing = if options.deflated { Packing::Deflated } else { Packing::Stored };
    let files = study.files().map(|file| (format!("study/{}", file.name), file.bytes));

    let server = Server::narthex()?;
    let before = server.peak_memory()?;
    let mut sent = 0;
    let start = Instant::now();
    let request = server.client.request("POST", IMPORT).header("Content-Type", "application/zip");
    let response = request.send_streamed(|body| write_zip(files, packing, Counted { into: body, sent: &mut sent }))?;
    let seconds = start.elapsed().as_secs_f64();
    expect(response, 200, "the upload")?;
    server.rest()?;
    let peak = server.peak_memory()?;

    let (zip, peak, before) = (sent as f64 / MEGABYTE, peak as f64 / MEGABYTE, before as f64 / MEGABYTE);
    let table = [
        ["files", "zip MB", "seconds", "MB/s zip", "peak MB", "peak MB before"].map(str::to_owned).to_vec(),
        vec![
            slices.to_string(),
            format!("{zip:.0}"),
            format!("{seconds:.1}"),
            format!("{:.0}", zip / seconds),
            format!("{peak:.0}"),
            format!("{before:.0}"),
        ],
    ];
    let object = json!({
        "benchmark": "ingest-large",
        "files": slices,
        "deflated": options.deflated,
        "zip_megabytes": zip,
        "seconds": seconds,
        "zip_megabytes_per_second": zip / seconds,
        "peak_memory_megabytes": peak,
        "peak_memory_megabytes_before": before,
    });
    print(options.json, &object, &table)
}

/// Counts what passes.
struct Counted<'a> {
    into: &'a mut dyn Write,
    sent: &'a mut u64,
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.into.write(bytes)?;
        *self.sent += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.into.flush()
    }
}
