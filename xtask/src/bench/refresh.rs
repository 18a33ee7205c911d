//! Refreshing a catalog with checksums: every file is read, checked and hashed.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use narthex_client::form;
use narthex_generator::{Modality, Packing, Study, zip_files};
use serde_json::{Value, json};

use super::ingest::IMPORT;
use super::report::{MEGABYTE, median_and_least, print, verdict};
use super::server::{Server, expect};

const FORM: &str = "application/x-www-form-urlencoded";

/// The share of hashing alone that is promised.
const PROMISED_SHARE: f64 = 0.7;

/// What `bench refresh` may be told.
#[derive(Debug, Args)]
pub struct Options {
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// Files of the session.
    #[arg(long, default_value_t = 10_000)]
    files: u32,
    /// Width and height of their images, of two bytes a pixel.
    #[arg(long, default_value_t = 160)]
    matrix: u16,
    /// How often the catalog is refreshed.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    rounds: u64,
}

/// Measures and prints.
///
/// # Errors
/// When a server cannot be started, refuses something, or finds files that are not what they were.
pub fn run(options: &Options) -> Result<()> {
    super::build_with_floor()?;

    let (server, floor) = (Server::narthex()?, Server::floor()?);
    let study = Study::new(Modality::Mr, 40_000).patient("SUMS", "SUMS^CHECKED").slices(options.files);
    let study = study.matrix(options.matrix);
    let bytes: u64 = study.files().map(|file| file.bytes.len() as u64).sum();
    let zip = zip_files(study.files().map(|file| (file.name, file.bytes)), Packing::Stored);
    let place = expect(server.client.post(IMPORT, "application/zip", &zip)?, 200, "the upload")?.text();
    drop(zip);
    server.rest()?;
    let body = form(&[("src", place.trim())]);
    let archived = server.client.post("/data/services/archive", FORM, body.as_bytes())?;
    let address = expect(archived, 200, "archiving")?.text().trim().to_owned();
    server.rest()?;

    let body = form(&[("resource", &address), ("options", "checksum"), ("format", "json")]);
    let (mut took, mut hashing): (Vec<Duration>, Vec<Duration>) = Default::default();
    // The first round only warms up.
    for round in 0..=options.rounds {
        let start = Instant::now();
        let response = server.client.post("/data/services/refresh/catalog", FORM, body.as_bytes())?;
        let once = start.elapsed();
        demand_fine(&serde_json::from_slice(&expect(response, 200, "the refresh")?.body)?)?;
        let start = Instant::now();
        expect(floor.client.put(&format!("/bench/floor?{bytes}"))?, 200, "hashing")?;
        let hashed = start.elapsed();
        if round > 0 {
            eprintln!("round {round}: refresh {:.2} s, hashing {:.2} s", once.as_secs_f64(), hashed.as_secs_f64());
            took.push(once);
            hashing.push(hashed);
        }
    }

    let (seconds, floor_seconds) = (median_and_least(&took).0, median_and_least(&hashing).0);
    let share = floor_seconds / seconds;
    let rate = |seconds: f64| format!("{:.0}", bytes as f64 / MEGABYTE / seconds);
    let verdict = verdict(share >= PROMISED_SHARE);
    let row = |cells: [&str; 6]| cells.map(str::to_owned).to_vec();
    let peak = format!("{:.0}", server.peak_memory()? as f64 / MEGABYTE);
    let table = [
        row(["", "seconds", "MB/s", "share", "promised", "peak MB"]),
        row([
            &format!("refresh of {} files", options.files),
            &format!("{seconds:.2}"),
            &rate(seconds),
            &format!("{share:.2}"),
            &format!("{PROMISED_SHARE} {verdict}"),
            &peak,
        ]),
        row(["hashing alone", &format!("{floor_seconds:.2}"), &rate(floor_seconds), "1.00", "", ""]),
    ];
    let object = json!({
        "benchmark": "refresh",
        "files": options.files,
        "bytes": bytes,
        "seconds": seconds,
        "hashing_seconds": floor_seconds,
        "share": share,
        "promised_share": PROMISED_SHARE,
    });
    print(options.json, &object, &table)
}

/// Fails unless the refresh found every file to be what it was.
fn demand_fine(answer: &Value) -> Result<()> {
    let rows = answer["ResultSet"]["Result"].as_array().context("the answer is no table")?;
    for row in rows {
        for column in ["damaged", "missing"] {
            if row.get(column).and_then(Value::as_str) != Some("0") {
                bail!("the refresh found {column} files: {row}");
            }
        }
    }
    if rows.is_empty() { bail!("the refresh looked at nothing") } else { Ok(()) }
}
