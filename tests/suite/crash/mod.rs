//! `kill -9` at random moments: what was acknowledged is there, and nothing is half done.

mod archive;
mod build;
mod cache;
mod delete;
mod dicom_zip;
mod gradual;
mod job;
mod merge;
mod relocate;
mod resumable;
mod scans;
mod triage;
mod upload;

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use narthex_tests::{Api, Modality, Noise, Response, Row, ServiceProcess, Study, eventually, form};

/// How often the host is killed in the tests of what the rest stands on.
const KILLS: u64 = 50;

/// How often it is killed in each of the others.
const FEWER_KILLS: u64 = 15;

/// What the moments depend on.
const SEED: u64 = 0x5EED_0002;

/// How long a restarted service may need until what died is settled: the leases of the dead last two seconds.
const SETTLED: Duration = Duration::from_secs(20);

fn study(round: u64) -> Study {
    Study::new(Modality::Ct, 9000 + round)
        .patient(&format!("R{round}"), &format!("SUBJECT{round}"))
        .slices(16)
        .matrix(96)
}

/// Runs `request` in a thread and kills the host after a random part of `usual`, which learns from the answers that
/// come; returns the answer if one came.
fn kill_during(
    service: &mut ServiceProcess,
    usual: &mut Duration,
    noise: &mut Noise,
    request: impl FnOnce(&Api) -> std::io::Result<Response> + Send + 'static,
) -> Option<Response> {
    let api = service.api();
    let (sender, answers): (Sender<_>, _) = channel();
    let start = Instant::now();
    let worker = thread::spawn(move || {
        let _ = sender.send(request(&api));
    });
    // A little beyond the usual time as well, so that some answers come and are then put to the test.
    let moment = Duration::from_micros(noise.below(u64::try_from(usual.as_micros()).unwrap_or(1) * 13 / 10));
    let early = answers.recv_timeout(moment);
    let took = start.elapsed();
    service.kill();
    let answer = match early {
        Ok(answer) => {
            *usual = (*usual * 3 + took) / 4;
            Some(answer)
        }
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => answers.recv().ok(),
    };
    worker.join().expect("the worker does not panic");
    answer.and_then(Result::ok)
}

/// The time that a request takes when nobody dies.
fn usual(request: impl FnOnce() -> Response) -> Duration {
    let start = Instant::now();
    let response = request();
    assert_eq!(response.status, 200, "{}", response.text());
    start.elapsed()
}

/// A generator of moments, of which the output tells where it begins.
fn moments(test: u64) -> Noise {
    println!("seed {:#x}", SEED + test);
    Noise::new(SEED + test)
}

/// The one row of a study in the lists of these projects, once nobody is at work on it.
fn rest_of(api: &Api, projects: &[&str], study: &Study) -> Option<Row> {
    eventually(SETTLED, "nobody is at work on the session", || {
        let mut rows = rows_of(api, projects, study);
        assert!(rows.len() <= 1, "a study stands in the lists more than once: {rows:?}");
        let is_at_rest = |row: &Row| matches!(row.get("status"), "READY" | "RECEIVING");
        rows.iter().all(is_at_rest).then(|| rows.pop())
    })
}

fn rows_of(api: &Api, projects: &[&str], study: &Study) -> Vec<Row> {
    let rows = projects.iter().flat_map(|project| api.sessions(project).rows);
    rows.filter(|row| row.get("tag") == study.study_uid()).collect()
}

/// Sends a request again for as long as the lease of the dead is in its way.
fn insist(what: &str, request: impl Fn() -> Response) -> Response {
    eventually(SETTLED, &format!("the lease of the dead ends: {what}"), || {
        let answer = request();
        (answer.status != 409).then_some(answer)
    })
}

/// POST of an action on a session.
fn act(api: &Api, session: &str, fields: &[(&str, &str)]) -> std::io::Result<Response> {
    api.client.post(session, "application/x-www-form-urlencoded", form(fields).as_bytes())
}

/// The address of a session in a list.
fn address(row: &Row) -> String {
    format!("/data{}", row.get("url"))
}
