//! A CT study of 200 slices, zipped: how long until it is in.

use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;
use narthex_generator::{Modality, Study, zip_study};
use serde_json::{Value, json};

use super::report::{MEGABYTE, median_and_least, print};
use super::server::{Server, expect};

/// Where Narthex takes a zip.
pub const IMPORT: &str = "/data/services/import?import-handler=SI&dest=/prearchive/projects/BENCH";

/// The lane that only stores.
const FLOOR_LANE: &str = "floor";

/// What `bench ingest` may be told.
#[derive(Debug, Args)]
pub struct Options {
    /// Print one JSON object instead of a table.
    #[arg(long)]
    pub json: bool,
    /// How often each server gets a study.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u64).range(1..))]
    pub rounds: u64,
    /// Instead, upload one large zip to Narthex and show what memory that takes.
    #[arg(long)]
    pub large: bool,
    /// The size of that zip in millions of bytes.
    #[arg(long, default_value_t = 2000, requires = "large")]
    pub megabytes: u64,
    /// Deflate that zip instead of storing its files.
    #[arg(long, requires = "large")]
    pub deflated: bool,
}

/// One server and its measurements.
struct Lane {
    name: &'static str,
    server: Server,
    path: &'static str,
    took: Vec<Duration>,
}

impl Lane {
    fn new(name: &'static str, server: Server, path: &'static str) -> Self {
        Self { name, server, path, took: Vec::new() }
    }

    /// Uploads and waits until all work is done; only the time to the answer counts. The name is for the floor, which
    /// does not look into the zip and would otherwise write over what it wrote before.
    fn upload(&self, name: &str, zip: &[u8]) -> Result<Duration> {
        let path = if self.name == FLOOR_LANE { format!("{}?{name}", self.path) } else { self.path.to_owned() };
        self.server.rest()?;
        let start = Instant::now();
        let response = self.server.client.post(&path, "application/zip", zip)?;
        let took = start.elapsed();
        expect(response, 200, &format!("the upload to {}", self.name))?;
        self.server.rest()?;
        Ok(took)
    }
}

/// Measures and prints.
///
/// # Errors
/// When a server cannot be started or refuses the study.
pub fn run(options: &Options) -> Result<()> {
    super::build_with_floor()?;

    let mut lanes = vec![Lane::new("narthex", Server::narthex()?, IMPORT)];
    if let Some(orthanc) = Server::orthanc()? {
        lanes.push(Lane::new("orthanc", orthanc, "/instances"));
    } else {
        eprintln!("Orthanc is not installed (Debian: `apt-get install orthanc`): nothing to compare with.");
    }
    lanes.push(Lane::new(FLOOR_LANE, Server::floor()?, "/bench/floor"));

    // A small study first, so that no server is measured while it starts up.
    let warm_up = zip_study(&Study::new(Modality::Ct, 1).patient("WARM", "WARM^UP"));
    for lane in &lanes {
        lane.upload("warm-up", &warm_up)?;
    }
    let mut size = Size::default();
    for round in 0..options.rounds {
        // A new study each round: nobody may recognise what it has seen.
        let study = Study::benchmark(1000 + round);
        let zip = zip_study(&study);
        size.add(&study, &zip);
        // Each round starts with another server, so that none always comes first.
        let first = usize::try_from(round)? % lanes.len();
        lanes.rotate_left(first);
        for lane in &mut lanes {
            let took = lane.upload(&round.to_string(), &zip)?;
            eprintln!("round {}: {:<8} {:.3} s", round + 1, lane.name, took.as_secs_f64());
            lane.took.push(took);
        }
        lanes.rotate_right(first);
    }
    report(options, &lanes, &size)
}

/// What was uploaded in a round, on average.
#[derive(Default)]
struct Size {
    rounds: f64,
    files: f64,
    raw: f64,
    zipped: f64,
}

impl Size {
    fn add(&mut self, study: &Study, zip: &[u8]) {
        let raw: usize = study.files().map(|file| file.bytes.len()).sum();
        self.rounds += 1.0;
        self.files += study.file_count() as f64;
        self.raw += raw as f64;
        self.zipped += zip.len() as f64;
    }

    fn files(&self) -> f64 {
        self.files / self.rounds
    }

    fn raw(&self) -> f64 {
        self.raw / self.rounds
    }

    fn zipped(&self) -> f64 {
        self.zipped / self.rounds
    }
}

fn report(options: &Options, lanes: &[Lane], size: &Size) -> Result<()> {
    let median = |name: &str| lanes.iter().find(|lane| lane.name == name).map(|lane| median_and_least(&lane.took).0);
    let heads = ["", "median s", "least s", "files/s", "MB/s raw", "MB/s zip", "x orthanc", "floor share", "peak MB"];
    let mut table = vec![heads.map(str::to_owned).to_vec()];
    let mut servers = serde_json::Map::new();
    for lane in lanes {
        let (middle, least) = median_and_least(&lane.took);
        let peak = lane.server.peak_memory()? as f64 / MEGABYTE;
        let faster = median("orthanc").map(|orthanc| orthanc / middle);
        let floor_share = median(FLOOR_LANE).map(|floor| floor / middle);
        table.push(vec![
            lane.name.to_owned(),
            format!("{middle:.3}"),
            format!("{least:.3}"),
            format!("{:.0}", size.files() / middle),
            format!("{:.0}", size.raw() / MEGABYTE / middle),
            format!("{:.0}", size.zipped() / MEGABYTE / middle),
            faster.map_or("-".to_owned(), |ratio| format!("{ratio:.2}")),
            floor_share.map_or("-".to_owned(), |share| format!("{:.0} %", share * 100.0)),
            format!("{peak:.0}"),
        ]);
        servers.insert(
            lane.name.to_owned(),
            json!({
                "seconds": lane.took.iter().map(Duration::as_secs_f64).collect::<Vec<_>>(),
                "median_seconds": middle,
                "least_seconds": least,
                "instances_per_second": size.files() / middle,
                "raw_megabytes_per_second": size.raw() / MEGABYTE / middle,
                "zip_megabytes_per_second": size.zipped() / MEGABYTE / middle,
                "times_orthanc": faster,
                "share_of_floor": floor_share,
                "peak_memory_megabytes": peak,
            }),
        );
    }
    let object = json!({
        "benchmark": "ingest",
        "rounds": options.rounds,
        "files": size.files(),
        "raw_megabytes": size.raw() / MEGABYTE,
        "zip_megabytes": size.zipped() / MEGABYTE,
        "servers": Value::Object(servers),
    });
    eprintln!(
        "\n{:.0} files, {:.1} MB, zipped {:.1} MB, {} rounds",
        size.files(),
        size.raw() / MEGABYTE,
        size.zipped() / MEGABYTE,
        options.rounds
    );
    print(options.json, &object, &table)
}
