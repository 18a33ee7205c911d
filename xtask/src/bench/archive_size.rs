//! Archiving costs the same for a small and for a large session, because no image is touched.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;
use narthex_client::form;
use narthex_generator::{Modality, Study, zip_study};
use serde_json::json;

use super::ingest::IMPORT;
use super::report::{median_and_least, print};
use super::server::{Server, expect};

/// How many slices the sessions have.
const SLICES: [u32; 2] = [2, 200];

/// What `bench archive-size` may be told.
#[derive(Debug, Args)]
pub struct Options {
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// How often each size is archived.
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
    let mut took: [Vec<Duration>; SLICES.len()] = Default::default();
    // The first round only warms up.
    for round in 0..=options.rounds {
        for (slices, took) in SLICES.iter().zip(&mut took) {
            let seed = round * 1000 + u64::from(*slices);
            let label = format!("S{slices}R{round}");
            let study =
                Study::new(Modality::Ct, seed).patient(&label, &format!("{label}^SUBJECT")).slices(*slices).matrix(512);
            let once = archive(&server, &study)?;
            if round > 0 {
                eprintln!("round {round}: {slices:>3} slices {:.1} ms", once.as_secs_f64() * 1000.0);
                took.push(once);
            }
        }
    }

    let mut table = vec![["slices", "median ms", "least ms"].map(str::to_owned).to_vec()];
    let figures: Vec<(f64, f64)> = took.iter().map(|took| median_and_least(took)).collect();
    for (slices, (median, least)) in SLICES.iter().zip(&figures) {
        table.push(vec![slices.to_string(), format!("{:.1}", median * 1e3), format!("{:.1}", least * 1e3)]);
    }
    let difference = (figures[1].0 - figures[0].0) * 1e3;
    table.push(vec!["difference".to_owned(), format!("{difference:.1}"), String::new()]);
    let object = json!({
        "benchmark": "archive-size",
        "rounds": options.rounds,
        "small_slices": SLICES[0],
        "small_median_milliseconds": figures[0].0 * 1e3,
        "large_slices": SLICES[1],
        "large_median_milliseconds": figures[1].0 * 1e3,
        "difference_milliseconds": difference,
    });
    print(options.json, &object, &table)
}

/// Uploads a study, waits until all work on it is done, and times its archiving.
fn archive(server: &Server, study: &Study) -> Result<Duration> {
    let response = server.client.post(IMPORT, "application/zip", &zip_study(study))?;
    let place = expect(response, 200, "the upload")?.text();
    let place = place.trim().strip_prefix("/data").context("the import named no session")?.to_owned();
    server.rest()?;
    let body = form(&[("src", &place)]);
    let start = Instant::now();
    let response =
        server.client.post("/data/services/archive", "application/x-www-form-urlencoded", body.as_bytes())?;
    let took = start.elapsed();
    expect(response, 200, "archiving")?;
    server.rest()?;
    Ok(took)
}
