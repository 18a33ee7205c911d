//! The import service: single instances from many clients, a zip of many small ones, one large file.

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use narthex_client::{Client, Response};
use narthex_generator::{File, Modality, Packing, Study, zip_files};
use serde_json::{Value, json};

use super::report::{MEGABYTE, print, verdict};
use super::server::{Server, expect};

/// Where Narthex takes single instances.
const GRADUAL: &str = "/data/services/import?import-handler=gradual-DICOM&inbody=true&PROJECT_ID=BENCH";

/// Where it takes archives and files that are complete.
const SI: &str = "/data/services/import?import-handler=SI&inbody=true&dest=/prearchive/projects/BENCH";

/// The lane that only stores.
const FLOOR_LANE: &str = "floor";

/// All of them.
const SERVERS: [&str; 3] = ["narthex", "orthanc", FLOOR_LANE];

/// What is promised of single instances from this many clients.
const PROMISED_CLIENTS: usize = 8;
const PROMISED_TIMES_ORTHANC: f64 = 1.2;
const PROMISED_SHARE_OF_FLOOR: f64 = 0.7;

/// What `bench import` may be told.
#[derive(Debug, Args)]
pub struct Options {
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// How often each server gets the instances.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    rounds: u64,
    /// Clients at once.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 8, 32])]
    clients: Vec<usize>,
    /// Instances of half a megabyte in a round.
    #[arg(long, default_value_t = 264)]
    instances: u32,
    /// Small instances in the zip.
    #[arg(long, default_value_t = 10_000)]
    zipped: u32,
    /// Millions of bytes of the large file.
    #[arg(long, default_value_t = 2_000)]
    megabytes: u64,
    /// Measure only the single instances.
    #[arg(long)]
    only_single: bool,
    /// The servers that get them.
    #[arg(long, value_delimiter = ',', value_parser = SERVERS, default_values = SERVERS)]
    servers: Vec<String>,
}

/// A server, with the address for single instances and the one for whole files.
struct Lane {
    name: &'static str,
    server: Server,
    single: &'static str,
    whole: &'static str,
}

impl Lane {
    /// The floor does not look into what it gets, and would write over what it wrote before without a name.
    fn path(&self, path: &str, name: &str) -> String {
        if self.name == FLOOR_LANE { format!("{path}?{name}") } else { path.to_owned() }
    }
}

/// What was measured of one server doing one thing.
#[derive(Default)]
struct Figure {
    lane: &'static str,
    what: String,
    clients: usize,
    instances: u64,
    bytes: u64,
    /// The wall time of each round.
    rounds: Vec<Duration>,
    /// The time of each request.
    requests: Vec<Duration>,
    /// The server's processor time in all rounds.
    processor: Duration,
    peak_memory: u64,
}

impl Figure {
    fn median_round(&self) -> f64 {
        super::report::median_and_least(&self.rounds).0
    }

    /// The server's processor time for one instance, in milliseconds.
    fn processor_ms(&self) -> f64 {
        self.processor.as_secs_f64() * 1e3 / (self.instances * self.rounds.len() as u64) as f64
    }

    fn instances_per_second(&self) -> f64 {
        self.instances as f64 / self.median_round()
    }

    /// The time below which this share of the requests stayed, in milliseconds.
    fn percentile(&self, share: f64) -> f64 {
        let mut sorted: Vec<f64> = self.requests.iter().map(|took| took.as_secs_f64() * 1e3).collect();
        sorted.sort_by(f64::total_cmp);
        let index = (sorted.len() as f64 * share) as usize;
        sorted.get(index.min(sorted.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
    }
}

/// Measures and prints.
///
/// # Errors
/// When a server cannot be started or refuses what it is sent.
pub fn run(options: &Options) -> Result<()> {
    super::build_with_floor()?;

    let mut figures = Vec::new();
    for &clients in &options.clients {
        figures.extend(singles(options, clients)?);
    }
    if !options.only_single {
        figures.extend(zip(options)?);
        figures.extend(large(options)?);
    }
    report(options, &figures)
}

fn lanes(options: &Options, with_orthanc: bool) -> Result<Vec<Lane>> {
    let is_wanted = |name: &str| options.servers.iter().any(|wanted| wanted == name);
    let mut lanes = Vec::new();
    if is_wanted("narthex") {
        lanes.push(Lane { name: "narthex", server: Server::narthex()?, single: GRADUAL, whole: SI });
    }
    if with_orthanc && is_wanted("orthanc") {
        match Server::orthanc()? {
            Some(server) => {
                lanes.push(Lane { name: "orthanc", server, single: "/instances", whole: "/instances" });
            }
            None => eprintln!("Orthanc is not installed (Debian: `apt-get install orthanc`): nothing to compare with."),
        }
    }
    if is_wanted(FLOOR_LANE) {
        lanes.push(Lane { name: FLOOR_LANE, server: Server::floor()?, single: "/bench/floor", whole: "/bench/floor" });
    }
    match lanes.is_empty() {
        true => bail!("none of the servers that --servers names is to be had"),
        false => Ok(lanes),
    }
}

/// Every server gets the same instances from the same number of clients, in turns.
fn singles(options: &Options, clients: usize) -> Result<Vec<Figure>> {
    let mut lanes = lanes(options, true)?;
    let study = |round: u64| {
        let study = Study::new(Modality::Ct, 5_000 + clients as u64 * 100 + round);
        study.patient(&format!("C{clients}R{round}"), "BENCH^MARK").slices(options.instances).matrix(512)
    };
    let warm_up: Vec<File> = Study::new(Modality::Ct, 4_000 + clients as u64).slices(16).matrix(64).files().collect();
    let mut figures: Vec<Figure> = Vec::new();
    for lane in &lanes {
        send(lane, &warm_up, clients, "warm-up")?;
        let what = "single instances".to_owned();
        figures.push(Figure { lane: lane.name, what, clients, ..Figure::default() });
    }
    for round in 0..options.rounds {
        let files: Vec<File> = study(round).files().collect();
        let first = usize::try_from(round)? % lanes.len();
        lanes.rotate_left(first);
        for lane in &lanes {
            rest(&lanes)?;
            let processor = lane.server.processor_time()?;
            let (took, requests) = send(lane, &files, clients, &format!("r{round}"))?;
            let figure = figures.iter_mut().find(|figure| figure.lane == lane.name).context("a lane has no figure")?;
            figure.instances = files.len() as u64;
            figure.bytes = files.iter().map(|file| file.bytes.len() as u64).sum();
            figure.rounds.push(took);
            figure.requests.extend(requests);
            figure.processor += lane.server.processor_time()?.saturating_sub(processor);
            let rate = files.len() as f64 / took.as_secs_f64();
            eprintln!("{clients} client(s), round {}: {:<8} {rate:.0} instances/s", round + 1, lane.name);
        }
        lanes.rotate_right(first);
    }
    with_memory(figures, &lanes)
}

/// Waits until no server works any more on what it has answered.
fn rest(lanes: &[Lane]) -> Result<()> {
    lanes.iter().try_for_each(|lane| lane.server.rest())
}

/// Sends instances from several clients; gives the time of all and of each.
fn send(lane: &Lane, files: &[File], clients: usize, name: &str) -> Result<(Duration, Vec<Duration>)> {
    let next = Mutex::new(0..files.len());
    let begin = Instant::now();
    let requests = thread::scope(|scope| {
        let workers: Vec<_> = (0..clients)
            .map(|_| {
                scope.spawn(|| -> Result<Vec<Duration>> {
                    let mut took = Vec::new();
                    loop {
                        let number = next.lock().ok().and_then(|mut next| next.next());
                        let Some((number, file)) = number.and_then(|number| Some((number, files.get(number)?))) else {
                            return Ok(took);
                        };
                        let path = lane.path(lane.single, &format!("{name}-{number}"));
                        let start = Instant::now();
                        let response = lane.server.client.post(&path, "application/dicom", &file.bytes)?;
                        took.push(start.elapsed());
                        expect(response, 200, &format!("an instance to {}", lane.name))?;
                    }
                })
            })
            .collect();
        workers.into_iter().try_fold(Vec::new(), |mut all, worker| {
            all.extend(worker.join().unwrap_or_else(|_| bail!("a client has died"))?);
            Ok::<_, anyhow::Error>(all)
        })
    })?;
    Ok((begin.elapsed(), requests))
}

/// One zip of very many small instances.
fn zip(options: &Options) -> Result<Vec<Figure>> {
    let lanes = lanes(options, true)?;
    let study = Study::new(Modality::Mr, 6_000).patient("MANY", "MANY^SMALL").slices(options.zipped).matrix(16);
    let body = zip_files(study.files().map(|file| (file.name, file.bytes)), Packing::Deflated);
    let what = format!("zip of {} small instances", options.zipped);
    whole(&lanes, &what, u64::from(options.zipped), body.len() as u64, |client, path| {
        client.post(path, "application/octet-stream", &body)
    })
}

/// One multi-frame object of gigabytes.
fn large(options: &Options) -> Result<Vec<Figure>> {
    let lanes = lanes(options, false)?;
    let frame = vec![0x5A_u8; 512 * 512 * 2];
    let frames = (options.megabytes * 1_000_000 / frame.len() as u64).max(1);
    let head = multi_frame_head(frames, frame.len() as u64)?;
    let bytes = head.len() as u64 + frames * frame.len() as u64;
    let what = format!("one file of {} MB", bytes / 1_000_000);
    whole(&lanes, &what, 1, bytes, |client, path| {
        let request = client.request("POST", path).header("Content-Type", "application/octet-stream");
        request.send_streamed(|into| {
            into.write_all(&head)?;
            (0..frames).try_for_each(|_| into.write_all(&frame))
        })
    })
}

/// A slice's header up to its pixels, changed to one of many frames.
fn multi_frame_head(frames: u64, frame_bytes: u64) -> Result<Vec<u8>> {
    let slice = Study::new(Modality::Ct, 6_100).patient("LARGE", "LARGE^FILE").slices(1).matrix(512);
    let mut bytes = slice.files().next().context("a study without a file")?.bytes;
    let find = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).position(|window| window == what);
    // (0028,0010) Rows; Number of Frames stands before it.
    let rows = find(&bytes, b"\x28\x00\x10\x00US").context("a slice without rows")?;
    let mut value = frames.to_string();
    if value.len() % 2 == 1 {
        value.push(' ');
    }
    let mut element = b"\x28\x00\x08\x00IS".to_vec();
    element.extend_from_slice(&u16::try_from(value.len())?.to_le_bytes());
    element.extend_from_slice(value.as_bytes());
    bytes.splice(rows..rows, element);
    let pixels = find(&bytes, b"\xE0\x7F\x10\x00OW").context("a slice without pixels")?;
    bytes.truncate(pixels + 8);
    bytes.extend_from_slice(&u32::try_from(frames * frame_bytes)?.to_le_bytes());
    Ok(bytes)
}

/// Every server gets one body.
fn whole(
    lanes: &[Lane],
    what: &str,
    instances: u64,
    bytes: u64,
    send: impl Fn(&Client, &str) -> std::io::Result<Response>,
) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for lane in lanes {
        rest(lanes)?;
        let processor = lane.server.processor_time()?;
        let path = lane.path(lane.whole, "whole");
        let start = Instant::now();
        let response = send(&lane.server.client, &path)?;
        let took = start.elapsed();
        expect(response, 200, &format!("{what} to {}", lane.name))?;
        eprintln!("{what}: {:<8} {:.2} s", lane.name, took.as_secs_f64());
        let processor = lane.server.processor_time()?.saturating_sub(processor);
        let (rounds, requests) = (vec![took], vec![took]);
        let what = what.to_owned();
        figures.push(Figure {
            lane: lane.name,
            what,
            clients: 1,
            instances,
            bytes,
            rounds,
            requests,
            processor,
            ..Figure::default()
        });
    }
    with_memory(figures, lanes)
}

fn with_memory(mut figures: Vec<Figure>, lanes: &[Lane]) -> Result<Vec<Figure>> {
    for figure in &mut figures {
        if let Some(lane) = lanes.iter().find(|lane| lane.name == figure.lane) {
            figure.peak_memory = lane.server.peak_memory()?;
        }
    }
    Ok(figures)
}

fn report(options: &Options, figures: &[Figure]) -> Result<()> {
    let heads = [
        "",
        "clients",
        "server",
        "inst/s",
        "MB/s",
        "p50 ms",
        "p99 ms",
        "cpu ms/inst",
        "x orthanc",
        "floor share",
        "peak MB",
        "",
    ];
    let mut table = vec![heads.map(str::to_owned).to_vec()];
    let mut rows = Vec::new();
    for figure in figures {
        let of = |lane: &str| {
            let same =
                |other: &&Figure| other.lane == lane && other.what == figure.what && other.clients == figure.clients;
            figures.iter().find(same).map(Figure::median_round)
        };
        let times_orthanc = of("orthanc").map(|orthanc| orthanc / figure.median_round());
        let share = of(FLOOR_LANE).map(|floor| floor / figure.median_round());
        let is_promised =
            figure.lane == "narthex" && figure.clients == PROMISED_CLIENTS && figure.what == "single instances";
        let is_compared = times_orthanc.is_some() || share.is_some();
        let is_met = (is_promised && is_compared).then(|| {
            times_orthanc.is_none_or(|times| times >= PROMISED_TIMES_ORTHANC)
                && share.is_none_or(|share| share >= PROMISED_SHARE_OF_FLOOR)
        });
        let rate = figure.bytes as f64 / MEGABYTE / figure.median_round();
        table.push(vec![
            figure.what.clone(),
            figure.clients.to_string(),
            figure.lane.to_owned(),
            format!("{:.0}", figure.instances_per_second()),
            format!("{rate:.0}"),
            format!("{:.1}", figure.percentile(0.5)),
            format!("{:.1}", figure.percentile(0.99)),
            format!("{:.3}", figure.processor_ms()),
            times_orthanc.map_or("-".to_owned(), |times| format!("{times:.2}")),
            share.map_or("-".to_owned(), |share| format!("{:.0} %", share * 100.0)),
            format!("{:.0}", figure.peak_memory as f64 / MEGABYTE),
            is_met.map_or("", verdict).to_owned(),
        ]);
        rows.push(json!({
            "what": figure.what,
            "clients": figure.clients,
            "server": figure.lane,
            "round_seconds": figure.rounds.iter().map(Duration::as_secs_f64).collect::<Vec<_>>(),
            "instances_per_second": figure.instances_per_second(),
            "megabytes_per_second": rate,
            "p50_milliseconds": figure.percentile(0.5),
            "p99_milliseconds": figure.percentile(0.99),
            "processor_milliseconds_per_instance": figure.processor_ms(),
            "times_orthanc": times_orthanc,
            "share_of_floor": share,
            "peak_memory_megabytes": figure.peak_memory as f64 / MEGABYTE,
            "target_is_met": is_met,
        }));
    }
    let object = json!({ "benchmark": "import", "rounds": options.rounds, "figures": Value::Array(rows) });
    print(options.json, &object, &table)
}
