//! Rebuilding, moving and deleting a session cost the same whether it is small or large, because no image is touched, and
//! a document that is up to date is kept. When files have come it is built anew from all that is known of them: behind the
//! answer if that is queued.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use narthex_client::form;
use narthex_generator::{Modality, Packing, Study, zip_files};
use serde_json::json;

use super::ingest::IMPORT;
use super::report::{median_and_least, print, verdict};
use super::server::{Server, expect};

/// How many files the sessions have.
const FILES: [u32; 2] = [10, 10_000];

/// What is measured, in the order in which it is done to a session, and whether its time is promised.
const ACTIONS: [(&str, bool); 5] = [
    ("rebuild (nothing new has come)", true),
    ("rebuild, queued (an instance has come)", true),
    ("rebuild, at once (an instance has come)", false),
    ("move", true),
    ("delete", true),
];

/// Where instances come one by one.
const GRADUAL: &str = "/data/services/import?import-handler=gradual-DICOM&inbody=true&PROJECT_ID=BENCH";

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
            for (((action, _), once), took) in ACTIONS.iter().zip(once).zip(took) {
                eprintln!("round {round}: {files:>6} files, {action}: {:.1} ms", once.as_secs_f64() * 1e3);
                took.push(once);
            }
        }
    }

    let heads = ["", "files", "median ms", "least ms", "times", "at most", ""];
    let mut table = vec![heads.map(str::to_owned).to_vec()];
    let mut figures = serde_json::Map::new();
    for (index, (action, is_promised)) in ACTIONS.into_iter().enumerate() {
        let [small, large] = [0, 1].map(|size: usize| median_and_least(&took[size][index]));
        let times: f64 = large.0 / small.0;
        let [promised, kept] = match is_promised {
            true => [format!("{TARGET:.1}"), verdict(times <= TARGET).to_owned()],
            false => Default::default(),
        };
        let row = |files: u32, (median, least): (f64, f64), last: [String; 3]| {
            let times = [median, least].map(|seconds| format!("{:.1}", seconds * 1e3));
            [action.to_owned(), files.to_string()].into_iter().chain(times).chain(last).collect::<Vec<_>>()
        };
        table.push(row(FILES[0], small, Default::default()));
        table.push(row(FILES[1], large, [format!("{times:.2}"), promised, kept]));
        figures.insert(
            action.to_owned(),
            json!({
                "small_files": FILES[0],
                "small_median_milliseconds": small.0 * 1e3,
                "large_files": FILES[1],
                "large_median_milliseconds": large.0 * 1e3,
                "times": times,
                "target_times": is_promised.then_some(TARGET),
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
        .and_series(2, "late", Modality::Mr, 2)
        .matrix(2);
    let mut images = study.files();
    let zip = zip_files(images.by_ref().take(files as usize).map(|file| (file.name, file.bytes)), Packing::Stored);
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
    let mut come = || -> Result<()> {
        server.rest()?;
        let image = images.next().context("no image is left to come")?;
        let response = server.client.post(GRADUAL, "application/dicom", &image.bytes)?;
        let joined = expect(response, 200, "an instance")?.text();
        ensure!(joined.trim().ends_with(&place), "the instance came into {joined} instead of {place}");
        Ok(())
    };
    let kept = act("rebuild", &[("src", &place)])?;
    come()?;
    let queued = act("rebuild", &[("src", &place), ("async", "true")])?;
    come()?;
    let built = act("rebuild", &[("src", &place)])?;
    let took = [
        kept,
        queued,
        built,
        act("move", &[("src", &place), ("newProject", "MOVED")])?,
        act("delete", &[("src", &moved)])?,
    ];
    server.rest()?;
    Ok(took)
}
