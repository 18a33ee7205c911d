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
mod stored;
mod triage;
mod upload;
mod xar;

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

/// The moments at which a test kills the host: each round's lies in its own part of the time that the request takes and
/// a little more, at random within that part, so that no run has all of them before or behind what it tests. The last
/// one comes behind the answer.
struct Moments {
    noise: Noise,
    round: u64,
    rounds: u64,
    /// How long the request takes when nobody dies; learns from the answers that come.
    usual: Duration,
}

impl Moments {
    /// The moments of one test, whose output tells where its random numbers begin.
    fn new(test: u64, rounds: u64, usual: Duration) -> Self {
        println!("seed {:#x}", SEED + test);
        Self { noise: Noise::new(SEED + test), round: 0, rounds, usual }
    }

    /// How long to wait in the next round, or that the answer is to be waited for.
    fn next(&mut self) -> Option<Duration> {
        let (round, parts) = (self.round, self.rounds.saturating_sub(1).max(1));
        self.round += 1;
        let whole = u64::try_from(self.usual.as_micros()).unwrap_or(1) * 12 / 10;
        let micros = whole * round / parts + self.noise.below(whole / parts);
        (round < self.rounds - 1).then(|| Duration::from_micros(micros))
    }
}

/// Runs `request` in a thread and kills the host at the next of the `moments`; returns the answer if one came.
fn kill_during(
    service: &mut ServiceProcess,
    moments: &mut Moments,
    request: impl FnOnce(&Api) -> std::io::Result<Response> + Send + 'static,
) -> Option<Response> {
    let api = service.api();
    let (sender, answers): (Sender<_>, _) = channel();
    let start = Instant::now();
    let worker = thread::spawn(move || {
        let _ = sender.send(request(&api));
    });
    let early = match moments.next() {
        Some(moment) => answers.recv_timeout(moment),
        None => answers.recv().map_err(RecvTimeoutError::from),
    };
    let took = start.elapsed();
    service.kill();
    let answer = match early {
        Ok(answer) => {
            moments.usual = (moments.usual * 3 + took) / 4;
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
