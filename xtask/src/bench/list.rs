//! Lists of the prearchive: all of it, a page, what a filter leaves, and what is left after most was deleted.

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use narthex_client::form;
use narthex_generator::{Modality, Noise, Packing, Study, zip_files};
use serde_json::{Value, json};

use super::report::{median_and_least, print, verdict};
use super::server::{Server, expect};
use crate::process::eventually;

/// Studies in one upload.
const STUDIES_PER_UPLOAD: u64 = 500;

/// Uploads, and deletions, at once.
const WORKERS: usize = 2;

/// Sessions that one request deletes.
const DELETED_AT_ONCE: usize = 500;

/// How many sessions are left after the deletion, and how many the project has that they are compared with.
const LEFT: u64 = 1_000;

/// Rows of a page.
const PAGE: u64 = 50;

/// How long folding may take until a list costs what it will cost.
const SETTLED: Duration = Duration::from_secs(600);

/// What a page of one row costs once nothing is left to fold, generously: folding bounds it, whatever the list holds.
const FOLDED: Duration = Duration::from_millis(15);

/// What is promised.
const TARGET_ALL_MS: f64 = 100.0;
const TARGET_ALL_ROWS: u64 = 10_000;
const TARGET_PAGE_MS: f64 = 20.0;
const TARGET_PAGE_ROWS: u64 = 100_000;
const TARGET_AFTER_DELETION: f64 = 2.0;

/// What `bench list` may be told.
#[derive(Debug, Args)]
pub struct Options {
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// How often each list is asked for.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..))]
    rounds: u64,
    /// How many sessions the projects have. Of the largest, all but 1,000 are deleted in the end.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 10_000, 100_000])]
    sizes: Vec<u64>,
}

/// One measured list.
struct Figure {
    sessions: u64,
    what: &'static str,
    median_ms: f64,
    least_ms: f64,
    bytes: usize,
    /// The most that the median may be, where that is promised.
    target_ms: Option<f64>,
}

/// Measures and prints.
///
/// # Errors
/// When Narthex cannot be started, refuses something, or lists other sessions than there are.
pub fn run(options: &Options) -> Result<()> {
    super::build()?;

    let mut sizes = options.sizes.clone();
    sizes.sort_unstable();
    let largest = *sizes.last().context("name at least one size")?;
    let server = Server::narthex()?;
    let mut figures = Vec::new();
    for &sessions in &sizes {
        let project = format!("LIST{sessions}");
        fill(&server, &project, sessions)?;
        figures.extend(measure(&server, &project, sessions, options.rounds)?);
    }
    if largest > LEFT {
        let many = format!("LIST{largest}");
        thin_out(&server, &many, LEFT)?;
        fill(&server, "ALONE", LEFT)?;
        let [left, alone] = side_by_side(&server, [&many, "ALONE"], options.rounds)?;
        let (median, least) = median_and_least(&alone);
        let figure = |what, (median, least): (f64, f64), target_ms| Figure {
            sessions: LEFT,
            what,
            median_ms: median * 1e3,
            least_ms: least * 1e3,
            bytes: 0,
            target_ms,
        };
        let target = median * 1e3 * TARGET_AFTER_DELETION;
        figures.push(figure("all, never more", (median, least), None));
        figures.push(figure("all, left of the largest", median_and_least(&left), Some(target)));
    }
    report(options, &figures)
}

/// Fills a new project with sessions of one small image each, and waits until its list is folded.
fn fill(server: &Server, project: &str, sessions: u64) -> Result<()> {
    expect(server.client.put(&format!("/data/projects/{project}"))?, 200, "making the project")?;
    let path = format!("/data/services/import?import-handler=SI&dest=/prearchive/projects/{project}");
    let begin = Instant::now();
    let mut firsts: Vec<u64> = (0..sessions).step_by(usize::try_from(STUDIES_PER_UPLOAD)?).collect();
    firsts.reverse();
    in_parallel(firsts, |first| {
        let last = (first + STUDIES_PER_UPLOAD).min(sessions);
        let response = server.client.post(&path, "application/zip", &zip_of_studies(project, first, last))?;
        let made = expect(response, 200, "an upload")?.text().lines().count();
        if made as u64 != last - first {
            bail!("an upload of {} studies made {made} sessions", last - first);
        }
        eprintln!("{project}: {last} of {sessions} after {:.0} s", begin.elapsed().as_secs_f64());
        settle_a_little(server, project)
    })?;
    settle(server, project, sessions)
}

/// Studies of one image of 2×2, all in one zip.
fn zip_of_studies(project: &str, first: u64, last: u64) -> Vec<u8> {
    let seed = u64::from(crc(project)) << 24;
    let files = (first..last).flat_map(|number| {
        let label = format!("{project}_S{number:06}");
        let subject = format!("SUBJECT{:05}", number / 2);
        let study = Study::new(Modality::Mr, seed + number).patient(&label, &subject).slices(1).matrix(2);
        study.files().map(move |file| (format!("{number}/{}", file.name), file.bytes)).collect::<Vec<_>>()
    });
    zip_files(files, Packing::Stored)
}

/// A number that tells names of projects apart.
fn crc(name: &str) -> u32 {
    name.bytes().fold(17, |sum: u32, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte))) & 0xFFFF
}

/// Does the work on several threads; the first failure ends it.
fn in_parallel<T: Send>(work: Vec<T>, each: impl Fn(T) -> Result<()> + Sync) -> Result<()> {
    let work = Mutex::new(work);
    let next = || work.lock().ok().and_then(|mut work| work.pop());
    let (next, each) = (&next, &each);
    thread::scope(|scope| {
        let worker = || -> Result<()> {
            while let Some(item) = next() {
                each(item)?;
            }
            Ok(())
        };
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or_else(|_| bail!("a worker has died")))
    })
}

fn list_path(project: &str) -> String {
    format!("/data/prearchive/projects/{project}?format=json")
}

/// Lists once: folding happens on the way of listings.
fn settle_a_little(server: &Server, project: &str) -> Result<()> {
    expect(server.client.get(&format!("{}&limit=1", list_path(project)))?, 200, "a list").map(drop)
}

/// Lists until there is nothing to fold any more and the server is at rest.
fn settle(server: &Server, project: &str, sessions: u64) -> Result<()> {
    let mut in_a_row = 0;
    eventually("the list is not folded", SETTLED, || {
        let start = Instant::now();
        settle_a_little(server, project)?;
        in_a_row = if start.elapsed() < FOLDED { in_a_row + 1 } else { 0 };
        Ok((in_a_row >= 20).then_some(()))
    })?;
    server.rest()?;
    let rows = rows(&get(server, &list_path(project))?)?.len();
    if rows as u64 != sessions {
        bail!("{project} lists {rows} sessions instead of {sessions}");
    }
    Ok(())
}

fn get(server: &Server, path: &str) -> Result<Vec<u8>> {
    Ok(expect(server.client.get(path)?, 200, path)?.body)
}

fn rows(body: &[u8]) -> Result<Vec<Value>> {
    let mut table: Value = serde_json::from_slice(body)?;
    match table.pointer_mut("/ResultSet/Result").map(Value::take) {
        Some(Value::Array(rows)) => Ok(rows),
        _ => bail!("a list has no rows"),
    }
}

fn measure(server: &Server, project: &str, sessions: u64, rounds: u64) -> Result<Vec<Figure>> {
    let all = list_path(project);
    let page = |offset: u64| format!("{all}&limit={PAGE}&offset={offset}");
    let page_target = (sessions == TARGET_PAGE_ROWS).then_some(TARGET_PAGE_MS);
    let all_target = (sessions == TARGET_ALL_ROWS).then_some(TARGET_ALL_MS);
    let kinds = [
        ("all", all.clone(), sessions, all_target),
        ("page, first", page(0), PAGE, page_target),
        ("page, middle", page(sessions / 2), PAGE, page_target),
        ("page, last", page(sessions.saturating_sub(PAGE)), PAGE, page_target),
        ("status=READY", format!("{all}&status=READY"), sessions, None),
        ("status=CONFLICT", format!("{all}&status=CONFLICT"), 0, None),
    ];
    let mut figures = Vec::new();
    for (what, path, wanted, target_ms) in kinds {
        let mut took = Vec::new();
        let mut bytes = 0;
        // The first round only warms up.
        for round in 0..=rounds {
            let start = Instant::now();
            let body = get(server, &path)?;
            let once = start.elapsed();
            bytes = body.len();
            if round == 0 {
                let found = rows(&body)?.len() as u64;
                if found != wanted.min(sessions) {
                    bail!("{path} has {found} rows instead of {wanted}");
                }
            } else {
                took.push(once);
            }
        }
        let (median, least) = median_and_least(&took);
        eprintln!("{sessions} sessions, {what}: {:.1} ms", median * 1e3);
        figures.push(Figure { sessions, what, median_ms: median * 1e3, least_ms: least * 1e3, bytes, target_ms });
        server.rest()?;
    }
    Ok(figures)
}

/// Deletes sessions at random until so many are left.
fn thin_out(server: &Server, project: &str, left: u64) -> Result<()> {
    let mut urls: Vec<String> = rows(&get(server, &list_path(project))?)?
        .iter()
        .filter_map(|row| row.get("url").and_then(Value::as_str).map(str::to_owned))
        .collect();
    let mut noise = Noise::new(left);
    for last in (1..urls.len()).rev() {
        urls.swap(last, usize::try_from(noise.below(last as u64 + 1))?);
    }
    urls.truncate(urls.len().saturating_sub(usize::try_from(left)?));
    let (total, begin) = (urls.len(), Instant::now());
    let numbered: Vec<(usize, Vec<String>)> =
        urls.chunks(DELETED_AT_ONCE).map(<[String]>::to_vec).enumerate().collect();
    in_parallel(numbered.into_iter().rev().collect(), |(number, urls)| {
        let fields: Vec<(&str, &str)> = urls.iter().map(|url| ("src", url.as_str())).collect();
        let response = server.client.post(
            "/data/services/prearchive/delete",
            "application/x-www-form-urlencoded",
            form(&fields).as_bytes(),
        )?;
        expect(response, 200, "a deletion")?;
        let done = (number * DELETED_AT_ONCE + urls.len()).min(total);
        eprintln!("{project}: {done} of {total} deleted after {:.0} s", begin.elapsed().as_secs_f64());
        settle_a_little(server, project)
    })?;
    settle(server, project, left)
}

/// Lists two projects by turns, so that both meet the same machine.
fn side_by_side(server: &Server, projects: [&str; 2], rounds: u64) -> Result<[Vec<Duration>; 2]> {
    let mut took: [Vec<Duration>; 2] = Default::default();
    for round in 0..=rounds.max(50) {
        for (project, took) in projects.iter().zip(&mut took) {
            let start = Instant::now();
            get(server, &list_path(project))?;
            if round > 0 {
                took.push(start.elapsed());
            }
        }
    }
    Ok(took)
}

fn report(options: &Options, figures: &[Figure]) -> Result<()> {
    let mut table =
        vec![["sessions", "list", "median ms", "least ms", "kB", "at most ms", ""].map(str::to_owned).to_vec()];
    let mut lists = Vec::new();
    for figure in figures {
        let is_met = figure.target_ms.map(|target| figure.median_ms <= target);
        table.push(vec![
            figure.sessions.to_string(),
            figure.what.to_owned(),
            format!("{:.1}", figure.median_ms),
            format!("{:.1}", figure.least_ms),
            if figure.bytes == 0 { "-".to_owned() } else { (figure.bytes / 1000).to_string() },
            figure.target_ms.map_or("-".to_owned(), |target| format!("{target:.1}")),
            is_met.map_or("", verdict).to_owned(),
        ]);
        lists.push(json!({
            "sessions": figure.sessions,
            "list": figure.what,
            "median_milliseconds": figure.median_ms,
            "least_milliseconds": figure.least_ms,
            "bytes": figure.bytes,
            "target_milliseconds": figure.target_ms,
            "target_is_met": is_met,
        }));
    }
    let object = json!({ "benchmark": "list", "rounds": options.rounds, "lists": lists });
    print(options.json, &object, &table)
}
