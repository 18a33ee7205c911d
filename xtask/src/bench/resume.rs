//! A resumable upload that is broken off and gone on with: what is sent twice, and what it costs.

use std::fs::{self, File};
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use narthex_client::{Client, Request, Response};
use narthex_generator::{Modality, Packing, Study, write_zip};
use serde_json::{Value, json};

use super::report::{MEGABYTE, print, verdict};
use super::server::{Server, expect, fresh_folder};
use crate::process::eventually;

const RESUMABLE: &str = "/data/services/import/resumable?import-handler=SI&dest=/prearchive/projects/BENCH";

/// Bytes of one slice of 512×512, about.
const SLICE_BYTES: u64 = 525_500;

/// Where the upload is broken off, in percent of its bytes.
const BROKEN_AT_PERCENT: u64 = 60;

/// Bytes that a break may cost at most, beside what was not sent before it: one chunk of the store.
const MAX_SENT_TWICE: u64 = 1 << 20;

/// How long the server may hold an upload whose line is dead: a lease and a quarter, and some room.
const HELD: Duration = Duration::from_secs(180);

/// What `bench resume` may be told.
#[derive(Debug, Args)]
pub struct Options {
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// Millions of bytes of the upload.
    #[arg(long, default_value_t = 4_000, value_parser = clap::value_parser!(u64).range(10..))]
    size: u64,
}

/// What one upload took.
struct Figure {
    /// Bytes that went into the line.
    sent: u64,
    /// While bytes were sent and imported.
    seconds: f64,
    /// Between the break and the first answer that took more.
    waited: f64,
    peak_memory: u64,
}

/// The bytes, in a file of their own, so that making them costs nothing while they are sent.
struct Sample {
    folder: PathBuf,
    bytes: u64,
    files: u32,
}

impl Sample {
    fn make(megabytes: u64) -> Result<Self> {
        let folder = fresh_folder("sample")?;
        let mut sample = Self { folder, bytes: 0, files: u32::try_from((megabytes * 1_000_000 / SLICE_BYTES).max(1))? };
        let study = Study::new(Modality::Ct, 78).patient("RESUME", "RESUME^STUDY").slices(sample.files).matrix(512);
        let files = study.files().map(|file| (format!("study/{}", file.name), file.bytes));
        let mut file = BufWriter::with_capacity(1 << 20, File::create(sample.path())?);
        write_zip(files, Packing::Stored, &mut file)?;
        file.flush()?;
        sample.bytes = fs::metadata(sample.path())?.len();
        Ok(sample)
    }

    fn path(&self) -> PathBuf {
        self.folder.join("study.zip")
    }
}

impl Drop for Sample {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Measures and prints.
///
/// # Errors
/// When Narthex cannot be started, refuses the upload, or has more of it sent again than one chunk.
pub fn run(options: &Options) -> Result<()> {
    super::build()?;
    eprintln!("Making {} MB ...", options.size);
    let sample = Sample::make(options.size)?;
    eprintln!("Sending them in one go ...");
    let whole = upload(&sample, None)?;
    eprintln!("Sending them with a break ...");
    let broken = upload(&sample, Some(sample.bytes * BROKEN_AT_PERCENT / 100))?;
    report(options, &sample, &whole, &broken)
}

/// Sends a file to a server of its own, broken off behind so many bytes if that is wanted.
fn upload(sample: &Sample, break_at: Option<u64>) -> Result<Figure> {
    let server = Server::narthex()?;
    let client = &server.client;
    let begun = tus(client, "POST", RESUMABLE).header("Upload-Length", &sample.bytes.to_string()).send_bytes(b"")?;
    let begun = expect(begun, 201, "beginning the upload")?;
    let id = begun.header("location").and_then(|at| at.rsplit('/').next()).context("no address of the upload")?;
    let path = format!("/data/services/import/resumable/{id}");
    let mut figure = Figure { sent: 0, seconds: 0.0, waited: 0.0, peak_memory: 0 };
    let start = Instant::now();
    let mut from = 0;
    if let Some(at) = break_at {
        let request = patch(client, &path, 0);
        request.stream_cut_off(sample.bytes, |body| copy(&sample.path(), 0, at, body, &mut figure.sent))?;
        figure.seconds += start.elapsed().as_secs_f64();
        let broken = Instant::now();
        from = eventually("the upload stays held", HELD, || reached(client, &path))?;
        figure.waited = broken.elapsed().as_secs_f64();
        ensure!(from <= at, "{from} bytes are told to be there, but {at} were sent");
    }
    let start = Instant::now();
    let request = patch(client, &path, from);
    let mut sent = 0;
    let length = sample.bytes - from;
    let answer = request.send_streamed(|body| copy(&sample.path(), from, length, body, &mut sent))?;
    expect(answer, 204, "the last bytes")?;
    figure.sent += sent;
    figure.seconds += start.elapsed().as_secs_f64();
    demand_imported(client, &path, sample.files)?;
    server.rest()?;
    figure.peak_memory = server.peak_memory()?;
    Ok(figure)
}

fn tus<'a>(client: &'a Client, method: &str, path: &str) -> Request<'a> {
    client.request(method, path).header("Tus-Resumable", "1.0.0")
}

fn patch<'a>(client: &'a Client, path: &str, offset: u64) -> Request<'a> {
    let request = tus(client, "PATCH", path).header("Content-Type", "application/offset+octet-stream");
    request.header("Upload-Offset", &offset.to_string())
}

/// How far an upload has come, once nobody holds it any more: an empty addition shows that.
fn reached(client: &Client, path: &str) -> Result<Option<u64>> {
    let head = expect(tus(client, "HEAD", path).send()?, 200, "asking for the offset")?;
    let offset = number(&head, "upload-offset")?;
    let tried = patch(client, path, offset).send_bytes(b"")?;
    match tried.status {
        204 => Ok(Some(number(&tried, "upload-offset")?)),
        // Held still, or it has come further meanwhile.
        409 | 423 => Ok(None),
        status => bail!("an empty addition was answered with {status}: {}", tried.text()),
    }
}

fn number(response: &Response, name: &str) -> Result<u64> {
    let value = response.header(name).with_context(|| format!("the answer has no {name}"))?;
    Ok(value.parse()?)
}

/// Copies a part of a file, and counts what has been taken.
fn copy(path: &Path, from: u64, length: u64, into: &mut dyn Write, sent: &mut u64) -> std::io::Result<()> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(from))?;
    let mut part = file.take(length);
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let count = part.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        into.write_all(&buffer[..count])?;
        *sent += count as u64;
    }
}

/// The session that came of it must have every file.
fn demand_imported(client: &Client, path: &str, files: u32) -> Result<()> {
    let told: Value = serde_json::from_slice(&expect(client.get(path)?, 200, "the state of the upload")?.body)?;
    let uri = told["uris"][0].as_str().context("no session came of the upload")?;
    let listed = client.get(&format!("{uri}/scans?format=json"))?;
    let scans: Value = serde_json::from_slice(&expect(listed, 200, "the scans")?.body)?;
    let rows = scans["ResultSet"]["Result"].as_array().map(Vec::len);
    ensure!(rows == Some(1), "the session has {rows:?} scans, not one");
    let scan = scans["ResultSet"]["Result"][0]["ID"].as_str().unwrap_or_default();
    let listed = client.get(&format!("{uri}/scans/{scan}/resources/DICOM/files?format=json"))?;
    let listed: Value = serde_json::from_slice(&expect(listed, 200, "the files")?.body)?;
    let found = listed["ResultSet"]["Result"].as_array().map_or(0, Vec::len);
    ensure!(u32::try_from(found) == Ok(files), "{found} of {files} files are there");
    Ok(())
}

fn report(options: &Options, sample: &Sample, whole: &Figure, broken: &Figure) -> Result<()> {
    let size = sample.bytes as f64 / MEGABYTE;
    let twice = broken.sent.saturating_sub(sample.bytes);
    let row = |name: &str, figure: &Figure, twice: String| {
        vec![
            name.to_owned(),
            format!("{size:.0}"),
            format!("{:.1}", figure.sent as f64 / MEGABYTE),
            twice,
            format!("{:.1}", figure.seconds),
            format!("{:.0}", size / figure.seconds),
            format!("{:.1}", figure.waited),
            format!("{:.0}", figure.peak_memory as f64 / MEGABYTE),
        ]
    };
    let table = [
        ["upload", "MB", "MB sent", "MB twice", "seconds", "MB/s", "waited s", "peak MB"].map(str::to_owned).to_vec(),
        row("in one go", whole, String::new()),
        row("broken off", broken, format!("{:.2} {}", twice as f64 / MEGABYTE, verdict(twice <= MAX_SENT_TWICE))),
    ];
    let figures = |figure: &Figure| {
        json!({
            "sent_bytes": figure.sent,
            "seconds": figure.seconds,
            "megabytes_per_second": size / figure.seconds,
            "waited_seconds": figure.waited,
            "peak_memory_megabytes": figure.peak_memory as f64 / MEGABYTE,
        })
    };
    let object = json!({
        "benchmark": "resume",
        "bytes": sample.bytes,
        "files": sample.files,
        "in_one_go": figures(whole),
        "broken_off": figures(broken),
        "sent_twice_bytes": twice,
        "most_sent_twice_bytes": MAX_SENT_TWICE,
        "rate_share": whole.seconds / broken.seconds,
    });
    print(options.json, &object, &table)
}
