//! Archiving many small sessions that come one by one, archiving one session of many scans, and reading a large session
//! back as a zip.

use std::io::{self, Write};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use narthex_client::form;
use narthex_generator::{File, Modality, Packing, Study, zip_files};
use serde_json::{Value, json};

use super::ingest::IMPORT;
use super::report::{MEGABYTE, median_and_least, print, verdict};
use super::server::{Server, expect};
use crate::process::eventually;

const FORM: &str = "application/x-www-form-urlencoded";

/// Clients that send at once.
const CLIENTS: usize = 8;

/// How long all sessions may take to be in the archive before the measurement is given up.
const ARCHIVED: Duration = Duration::from_secs(600);

/// What is promised: seconds for the small sessions, seconds for the one of many scans, and of the zip millions of bytes a
/// second or a share of a raw read, whichever is lower.
const PROMISED_STUDIES_SECONDS: f64 = 30.0;
const PROMISED_SCANS_SECONDS: f64 = 1.0;
const PROMISED_ZIP_RATE: f64 = 300.0;
const PROMISED_ZIP_SHARE: f64 = 0.7;

/// What `bench archive` may be told.
#[derive(Debug, Args)]
pub struct Options {
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// Studies of one image each that are archived by themselves.
    #[arg(long, default_value_t = 1_000)]
    studies: u64,
    /// Scans of the session of many scans.
    #[arg(long, default_value_t = 1_000)]
    scans: u32,
    /// Slices of half a megabyte of the session that is read back.
    #[arg(long, default_value_t = 2_000)]
    slices: u32,
    /// How often the large session is read.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    rounds: u64,
}

/// Measures and prints.
///
/// # Errors
/// When a server cannot be started, refuses something, or loses a session.
pub fn run(options: &Options) -> Result<()> {
    super::build_with_floor()?;

    let heads = ["", "seconds", "MB/s", "peak MB", "promised", ""];
    let mut table = vec![heads.map(str::to_owned).to_vec()];
    let mut figures = serde_json::Map::new();

    let (sent, archived, peak) = studies(options)?;
    let what = format!("{} studies of one image, sent and archived", options.studies);
    table.push(seconds_row(&what, archived, peak, PROMISED_STUDIES_SECONDS));
    figures.insert("studies".to_owned(), json!({"sent_seconds": sent, "archived_seconds": archived}));

    let (took, peak) = scans(options)?;
    let what = format!("one session of {} scans, archived", options.scans);
    table.push(seconds_row(&what, took, peak, PROMISED_SCANS_SECONDS));
    figures.insert("scans".to_owned(), json!({"archived_seconds": took}));

    let zip = read_back(options)?;
    let promised = PROMISED_ZIP_RATE.min(PROMISED_ZIP_SHARE * zip.raw_rate);
    let verdict = verdict(zip.rate >= promised);
    let megabytes = |rate: f64| format!("{rate:.0}");
    table.push(vec![
        format!("a session of {:.0} MB, read as a zip", zip.bytes as f64 / MEGABYTE),
        format!("{:.2}", zip.bytes as f64 / MEGABYTE / zip.rate),
        megabytes(zip.rate),
        format!("{:.0}", zip.peak as f64 / MEGABYTE),
        format!("{promised:.0} MB/s"),
        verdict.to_owned(),
    ]);
    table.push(vec![
        "the same bytes, read from the store".to_owned(),
        format!("{:.2}", zip.bytes as f64 / MEGABYTE / zip.raw_rate),
        megabytes(zip.raw_rate),
        format!("{:.0}", zip.raw_peak as f64 / MEGABYTE),
        String::new(),
        String::new(),
    ]);
    figures.insert(
        "zip".to_owned(),
        json!({
            "bytes": zip.bytes,
            "megabytes_per_second": zip.rate,
            "raw_megabytes_per_second": zip.raw_rate,
            "peak_bytes": zip.peak,
        }),
    );
    print(options.json, &json!({"benchmark": "archive", "figures": figures}), &table)
}

fn seconds_row(what: &str, seconds: f64, peak: u64, promised: f64) -> Vec<String> {
    let verdict = verdict(seconds <= promised);
    let peak = format!("{:.0}", peak as f64 / MEGABYTE);
    vec![what.to_owned(), format!("{seconds:.2}"), String::new(), peak, format!("{promised:.0} s"), verdict.to_owned()]
}

/// Sends studies of one image to a project that archives by itself, and has the service see to what is complete by
/// silence until all are archived. Gives the seconds until the last was sent and until the last was archived.
fn studies(options: &Options) -> Result<(f64, f64, u64)> {
    let server = Server::narthex_with(&[("session_idle_seconds", "1")])?;
    expect(server.client.put("/data/projects/BENCH/prearchive_code/4")?, 200, "setting the code")?;
    let files: Vec<File> = (0..options.studies)
        .flat_map(|number| {
            let study = Study::new(Modality::Mr, 10_000 + number).patient(&format!("S{number}"), &format!("P{number}"));
            study.slices(1).matrix(64).files().collect::<Vec<_>>()
        })
        .collect();
    let next = Mutex::new(files.iter());
    let path = "/data/services/import?import-handler=gradual-DICOM&inbody=true&PROJECT_ID=BENCH";
    let begin = Instant::now();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..CLIENTS)
            .map(|_| {
                scope.spawn(|| -> Result<()> {
                    while let Some(file) = next.lock().ok().and_then(|mut next| next.next()) {
                        let response = server.client.post(path, "application/dicom", &file.bytes)?;
                        expect(response, 200, "an image")?;
                    }
                    Ok(())
                })
            })
            .collect();
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or_else(|_| bail!("a client has died")))
    })?;
    let sent = begin.elapsed().as_secs_f64();
    eventually("not all sessions are archived", ARCHIVED, || {
        expect(server.client.post("/data/services/prearchive/sweep", FORM, b"")?, 200, "the sweep")?;
        let staged = rows(&server, "/data/prearchive/projects/BENCH?format=json")?;
        if let Some(stuck) = staged.iter().find(|row| row["status"] == "CONFLICT" || row["status"] == "ERROR") {
            bail!("a session was not archived: {stuck}");
        }
        Ok(staged.is_empty().then_some(()))
    })?;
    let archived = begin.elapsed().as_secs_f64();
    let found = rows(&server, "/data/projects/BENCH/experiments?format=json")?.len();
    if found as u64 != options.studies {
        bail!("{} studies were sent, {found} are archived", options.studies);
    }
    Ok((sent, archived, server.peak_memory()?))
}

fn rows(server: &Server, path: &str) -> Result<Vec<Value>> {
    let list: Value = serde_json::from_slice(&expect(server.client.get(path)?, 200, path)?.body)?;
    list["ResultSet"]["Result"].as_array().cloned().context("the answer is no table")
}

fn archived(server: &Server, zip: &[u8]) -> Result<(String, Duration)> {
    let place = expect(server.client.post(IMPORT, "application/zip", zip)?, 200, "the upload")?.text();
    let body = form(&[("src", place.trim())]);
    server.rest()?;
    let start = Instant::now();
    let response = server.client.post("/data/services/archive", FORM, body.as_bytes())?;
    let took = start.elapsed();
    let address = expect(response, 200, "archiving")?.text().trim().to_owned();
    server.rest()?;
    Ok((address, took))
}

/// Archives one session of many scans with one image each.
fn scans(options: &Options) -> Result<(f64, u64)> {
    let server = Server::narthex()?;
    let mut study = Study::new(Modality::Mr, 20_000).patient("MANY", "MANY^SCANS").slices(1).matrix(16);
    for number in 2..=options.scans {
        study = study.and_series(number, &format!("series {number}"), Modality::Mr, 1);
    }
    let zip = zip_files(study.files().map(|file| (file.name, file.bytes)), Packing::Deflated);
    let (address, took) = archived(&server, &zip)?;
    let found = rows(&server, &format!("{address}/scans?format=json"))?.len();
    if found != options.scans as usize {
        bail!("{} scans were sent, {found} are archived", options.scans);
    }
    Ok((took.as_secs_f64(), server.peak_memory()?))
}

/// What reading a session back as a zip gave.
struct ReadBack {
    bytes: u64,
    rate: f64,
    peak: u64,
    raw_rate: f64,
    raw_peak: u64,
}

/// Counts what is written to it.
#[derive(Default)]
struct Counter(u64);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads a large session as a zip, and as many bytes from the bare store, in turns.
fn read_back(options: &Options) -> Result<ReadBack> {
    let (server, floor) = (Server::narthex()?, Server::floor()?);
    let study = Study::new(Modality::Ct, 30_000).patient("LARGE", "LARGE^SESSION").slices(options.slices).matrix(512);
    let zip = zip_files(study.files().map(|file| (file.name, file.bytes)), Packing::Stored);
    let (address, _) = archived(&server, &zip)?;
    expect(floor.client.post("/bench/floor?zip", "application/zip", &zip)?, 200, "the floor")?;
    drop(zip);
    let address = format!("{address}/scans/ALL/files?format=zip");
    let (mut took, mut raw, mut bytes) = (Vec::new(), Vec::new(), 0);
    // The first round only warms up.
    for round in 0..=options.rounds {
        let (once, read) = download(&server, &address)?;
        let (raw_once, raw_read) = download(&floor, "/bench/floor?zip")?;
        if round > 0 {
            eprintln!("round {round}: zip {:.2} s, raw {:.2} s", once.as_secs_f64(), raw_once.as_secs_f64());
            // Both lanes count for as many bytes as they gave.
            took.push(once.mul_f64(raw_read as f64 / read as f64));
            raw.push(raw_once);
            bytes = raw_read;
        }
    }
    let rate = |took: &[Duration]| bytes as f64 / MEGABYTE / median_and_least(took).0;
    Ok(ReadBack {
        bytes,
        rate: rate(&took),
        peak: server.peak_memory()?,
        raw_rate: rate(&raw),
        raw_peak: floor.peak_memory()?,
    })
}

fn download(server: &Server, path: &str) -> Result<(Duration, u64)> {
    let mut counter = Counter::default();
    let start = Instant::now();
    let response = server.client.request("GET", path).receive_into(&mut counter)?;
    let took = start.elapsed();
    expect(response, 200, path)?;
    Ok((took, counter.0))
}
