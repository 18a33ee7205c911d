//! Rebuilding, moving and deleting a session cost the same whether it is small or large, because no image is touched
//! (and a document that is up to date is kept).

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;
use narthex_client::form;
use narthex_generator::{Modality, Packing, Study, zip_files};
use serde_json::json;

use super::ingest::IMPORT;
use super::report::{median_and_least, print, verdict};
use super::server::{Server, expect};

/// How many files the sessions have.
const FILES: [u32; 2] = [10, 10_000];

/// What is measured, in the order in which it is done to a session.
const ACTIONS: [&str; 3] = ["rebuild", "move", "delete"];

/// How many times longer the large session may take.
const TARGET: f64 = 2.0;

/// What `bench review` may be told.
#[derive(Debug, Args)]
pub struct Options {
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// How many sessions of each size are rebuilt, moved and deleted.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..))]
    rounds: u64,
}

/// Measures and prints.
///
/// # Errors
/// When Narthex cannot be started or refuses something.
pub fn run(options: &Options) -> Result<()> {
    super::build()?;

    let server = Server::narthex()?;
    expect(server.client.put("/data/projects/MOVED")?, 200, "making the project")?;
    let mut took: [[Vec<Duration>; ACTIONS.len()]; FILES.len()] = Default::default();
    // The first round only warms up.
    for round in 0..=options.rounds {
        for (&files, took) in FILES.iter().zip(&mut took) {
            let once = review(&server, round, files)?;
            if round == 0 {
                continue;
            }
            for ((action, once), took) in ACTIONS.iter().zip(once).zip(took) {
                eprintln!("round {round}: {files:>6} files, {action:<8} {:.1} ms", once.as_secs_f64() * 1e3);
                took.push(once);
            }
        }
    }

    let heads = ["", "files", "median ms", "least ms", "times", "at most", ""];
    let mut table = vec![heads.map(str::to_owned).to_vec()];
    let mut figures = serde_json::Map::new();
    for (index, action) in ACTIONS.iter().enumerate() {
        let [small, large] = [0, 1].map(|size: usize| median_and_least(&took[size][index]));
        let times: f64 = large.0 / small.0;
        let verdict = verdict(times <= TARGET);
        let row = |files: u32, (median, least): (f64, f64), last: [String; 3]| {
            let first = [
                (*action).to_owned(),
                files.to_string(),
                format!("{:.1}", median * 1e3),
                format!("{:.1}", least * 1e3),
            ];
            first.into_iter().chain(last).collect::<Vec<_>>()
        };
        table.push(row(FILES[0], small, Default::default()));
        table.push(row(FILES[1], large, [format!("{times:.2}"), format!("{TARGET:.1}"), verdict.to_owned()]));
        figures.insert(
            (*action).to_owned(),
            json!({
                "small_files": FILES[0],
                "small_median_milliseconds": small.0 * 1e3,
                "large_files": FILES[1],
                "large_median_milliseconds": large.0 * 1e3,
                "times": times,
                "target_times": TARGET,
            }),
        );
    }
    let object = json!({ "benchmark": "review", "rounds": options.rounds, "actions": figures });
    print(options.json, &object, &table)
}

/// Uploads a session and times what a reviewer does to it; between the steps all work on it comes to its end.
fn review(server: &Server, round: u64, files: u32) -> Result<[Duration; ACTIONS.len()]> {
    let label = format!("S{files}R{round}");
    let study = Study::new(Modality::Mr, round * 100_000 + u64::from(files))
        .patient(&label, &format!("{label}^SUBJECT"))
        .slices(files)
        .matrix(2);
    let zip = zip_files(study.files().map(|file| (file.name, file.bytes)), Packing::Stored);
    let response = server.client.post(IMPORT, "application/zip", &zip)?;
    let place = expect(response, 200, "the upload")?.text();
    let place = place.trim().strip_prefix("/data").context("the import named no session")?.to_owned();
    let moved = place.replacen("/projects/BENCH/", "/projects/MOVED/", 1);
    let act = |service: &str, fields: &[(&str, &str)]| -> Result<Duration> {
        server.rest()?;
        let path = format!("/data/services/prearchive/{service}");
        let body = form(fields);
        let start = Instant::now();
        let response = server.client.post(&path, "application/x-www-form-urlencoded", body.as_bytes())?;
        let took = start.elapsed();
        expect(response, 200, service)?;
        Ok(took)
    };
    let took = [
        act("rebuild", &[("src", &place)])?,
        act("move", &[("src", &place), ("newProject", "MOVED")])?,
        act("delete", &[("src", &moved)])?,
    ];
    server.rest()?;
    Ok(took)
}
