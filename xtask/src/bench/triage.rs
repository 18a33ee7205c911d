//! The resource quarantine: approving many files and one, and a large file there and back.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::Args;
use narthex_client::form;
use narthex_generator::{Packing, zip_files};
use serde_json::json;

use super::report::{MEGABYTE, median_and_least, print, verdict};
use super::server::{Server, expect};

const TRIAGE: &str = "/data/services/triage/projects/BENCH/resources";
const FORM: &str = "application/x-www-form-urlencoded";

/// What is promised: how much longer many files may take than one, in milliseconds.
const PROMISED_MILLISECONDS: f64 = 50.0;

/// What `bench triage` may be told.
#[derive(Debug, Args)]
pub struct Options {
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// How often each is approved.
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u64).range(1..))]
    rounds: u64,
    /// Files that are compared with one.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..))]
    files: u64,
    /// Millions of bytes of the large file.
    #[arg(long, default_value_t = 1_000)]
    megabytes: u64,
}

/// How files come into the quarantine.
#[derive(Debug, Clone, Copy)]
enum Upload {
    /// One.
    One,
    /// Many, in one form.
    Form,
    /// Many, in one archive.
    Zip,
}

/// Measures and prints.
///
/// # Errors
/// When Narthex cannot be started, refuses something, or gives other bytes back.
pub fn run(options: &Options) -> Result<()> {
    super::build()?;

    const UPLOADS: [(Upload, &str); 3] =
        [(Upload::One, "1 file"), (Upload::Form, "files of a form"), (Upload::Zip, "files of a zip")];
    let server = Server::narthex()?;
    let mut took: [Vec<Duration>; UPLOADS.len()] = Default::default();
    // The first round only warms up.
    for round in 0..=options.rounds {
        for ((upload, name), took) in UPLOADS.iter().zip(&mut took) {
            let once = approve(&server, *upload, options.files, round)?;
            if round > 0 {
                eprintln!("round {round}: {name:<15} {:.1} ms", once.as_secs_f64() * 1e3);
                took.push(once);
            }
        }
    }
    let figures: Vec<(f64, f64)> = took.iter().map(|took| median_and_least(took)).collect();
    let mut table = vec![["approving", "median ms", "least ms", "more than 1", "promised"].map(str::to_owned).to_vec()];
    let mut object = serde_json::Map::new();
    for ((upload, name), (median, least)) in UPLOADS.iter().zip(&figures) {
        let more = (median - figures[0].0) * 1e3;
        let mut row =
            vec![format!("{} {name}", options.files), format!("{:.1}", median * 1e3), format!("{:.1}", least * 1e3)];
        if matches!(upload, Upload::One) {
            row[0] = (*name).to_owned();
        } else {
            let verdict = verdict(more <= PROMISED_MILLISECONDS);
            row.extend([format!("{more:.1}"), format!("{PROMISED_MILLISECONDS:.0} ms {verdict}")]);
        }
        table.push(row);
        object.insert((*name).to_owned(), json!({"median_milliseconds": median * 1e3, "more_milliseconds": more}));
    }
    drop(server);

    let large = round_trip(options.megabytes * 1_000_000)?;
    let rate = |took: Duration| format!("{:.0}", options.megabytes as f64 / took.as_secs_f64());
    let heads = ["a large file", "sent MB/s", "read waiting MB/s", "approved ms", "read MB/s", "peak MB"];
    table.push(Vec::new());
    table.push(heads.map(str::to_owned).to_vec());
    table.push(vec![
        format!("{} MB", options.megabytes),
        rate(large.sent),
        rate(large.shown),
        format!("{:.1}", large.approved.as_secs_f64() * 1e3),
        rate(large.read),
        format!("{:.0}", large.peak as f64 / MEGABYTE),
    ]);
    let figures = json!({
        "approving": object,
        "large": {
            "megabytes": options.megabytes,
            "sent_seconds": large.sent.as_secs_f64(),
            "shown_seconds": large.shown.as_secs_f64(),
            "approved_seconds": large.approved.as_secs_f64(),
            "read_seconds": large.read.as_secs_f64(),
            "peak_bytes": large.peak,
        },
    });
    print(options.json, &json!({"benchmark": "triage", "figures": figures}), &table)
}

/// Uploads files, waits until all work on them is done, and times their approval.
fn approve(server: &Server, upload: Upload, files: u64, round: u64) -> Result<Duration> {
    let count = if matches!(upload, Upload::One) { 1 } else { files };
    let label = format!("{upload:?}{round}");
    let dest = format!("/data/projects/BENCH/resources/{label}");
    let names: Vec<String> = (0..count).map(|number| format!("{number:06}.txt")).collect();
    match upload {
        Upload::Zip => {
            let zip = zip_files(names.iter().map(|name| (name.clone(), name.clone().into_bytes())), Packing::Stored);
            let path = format!("{TRIAGE}/{label}/files/all.zip?extract=true&target={dest}");
            let request = server.client.request("PUT", &path).header("Content-Type", "application/zip");
            expect(request.send_bytes(&zip)?, 200, "the upload")?;
        }
        Upload::One | Upload::Form => {
            // As many as one form may have.
            for some in names.chunks(1_000) {
                let path = format!("{TRIAGE}/{label}/files?target={dest}");
                let request = server.client.request("POST", &path);
                let request = request.header("Content-Type", "multipart/form-data; boundary=BOUND");
                expect(request.send_bytes(&multipart(some))?, 200, "the upload")?;
            }
        }
    }
    server.rest()?;
    let body = form(&[("src", &format!("{TRIAGE}/{label}")), ("dest", &dest)]);
    let start = Instant::now();
    let response = server.client.post("/data/services/triage/approve", FORM, body.as_bytes())?;
    let took = start.elapsed();
    expect(response, 201, "approving")?;
    server.rest()?;
    let last = names.last().map(String::as_str).unwrap_or_default();
    let found = expect(server.client.get(&format!("{dest}/files/{last}"))?, 200, "reading")?;
    if found.text() != last {
        bail!("{last} came back as {}", found.text());
    }
    expect(server.client.delete(&dest)?, 200, "removing")?;
    server.rest()?;
    Ok(took)
}

fn multipart(names: &[String]) -> Vec<u8> {
    let part = |name: &String| {
        format!("--BOUND\r\nContent-Disposition: form-data; name=\"f\"; filename=\"{name}\"\r\n\r\n{name}\r\n")
    };
    let mut body: String = names.iter().map(part).collect();
    body.push_str("--BOUND--\r\n");
    body.into_bytes()
}

/// What a large file took.
struct Large {
    sent: Duration,
    /// Reading it while it waits.
    shown: Duration,
    approved: Duration,
    read: Duration,
    peak: u64,
}

/// The byte at a place of the large file: nothing in it repeats within a chunk of the store.
fn byte_at(place: u64) -> u8 {
    (place.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8
}

/// Compares what comes with what was sent.
struct Compared {
    place: u64,
}

impl Write for Compared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for byte in bytes {
            if *byte != byte_at(self.place) {
                return Err(io::Error::other(format!("another byte at {}", self.place)));
            }
            self.place += 1;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn round_trip(bytes: u64) -> Result<Large> {
    let server = Server::narthex()?;
    let dest = "/data/projects/BENCH/resources/LARGE";
    let path = format!("{TRIAGE}/LARGE/files/large.bin?target={dest}");
    let request = server.client.request("PUT", &path).header("Content-Type", "application/octet-stream");
    let start = Instant::now();
    let response = request.send_streamed(|body| {
        let mut piece = Vec::with_capacity(1 << 20);
        let mut place = 0;
        while place < bytes {
            let end = bytes.min(place + (1 << 20));
            piece.clear();
            piece.extend((place..end).map(byte_at));
            body.write_all(&piece)?;
            place = end;
        }
        Ok(())
    })?;
    let sent = start.elapsed();
    expect(response, 200, "the upload")?;
    let list = expect(server.client.get("/data/services/triage/projects/BENCH?format=json")?, 200, "the list")?;
    if list.text().matches("large.bin").count() != 1 {
        bail!("the list does not show the file once: {}", list.text());
    }
    let shown = read_back(&server, &format!("{TRIAGE}/LARGE/files/large.bin"), bytes)?;
    let body = form(&[("src", &format!("{TRIAGE}/LARGE")), ("dest", dest)]);
    let start = Instant::now();
    let response = server.client.post("/data/services/triage/approve", FORM, body.as_bytes())?;
    let approved = start.elapsed();
    expect(response, 201, "approving")?;
    let read = read_back(&server, &format!("{dest}/files/large.bin"), bytes)?;
    Ok(Large { sent, shown, approved, read, peak: server.peak_memory()? })
}

/// Reads the large file and compares it with what was sent.
fn read_back(server: &Server, path: &str, bytes: u64) -> Result<Duration> {
    let mut compared = Compared { place: 0 };
    let start = Instant::now();
    let response = server.client.request("GET", path).receive_into(&mut compared)?;
    let took = start.elapsed();
    expect(response, 200, "reading")?;
    if compared.place != bytes {
        bail!("{bytes} bytes were sent, {} came back from {path}", compared.place);
    }
    Ok(took)
}
