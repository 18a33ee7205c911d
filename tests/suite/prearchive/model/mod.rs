//! Sixty-four clients that create, build, move, list and delete at random, against a model of what must come of it.
//!
//! Most clients change only sessions of their own, so that the model knows each answer beforehand. The others meet in
//! fours at one session and ask for different things at the same moment: exactly one may have its way.

mod fight;
mod owner;

use std::env;
use std::thread;
use std::time::{Duration, Instant};

use narthex_tests::{Api, Modality, Noise, Response, Row, Service, Study, Table, eventually};

/// Clients with sessions of their own.
const OWNERS: u64 = 48;

/// Groups of clients that fight over sessions.
const FIGHTS: u64 = 4;

/// Clients in each of these groups.
const FIGHTERS: usize = 4;

/// How long they go on.
const SECONDS: u64 = 60;

/// Another number of seconds, for those who do not want to wait, or want to wait longer.
const SECONDS_VARIABLE: &str = "NARTHEX_TEST_LOAD_SECONDS";

/// What the clients' choices depend on; the order of what happens is the machine's.
const SEED: u64 = 0x5EED_0003;

const PROJECTS: [&str; 4] = ["M0", "M1", "M2", "M3"];

/// Sessions of which every byte is compared in the end.
const SAMPLE: usize = 40;

/// How long work after the answers may take, with all that is to be done.
const SETTLED: Duration = Duration::from_secs(120);

/// A session that must be there.
#[derive(Debug, Clone)]
struct Alive {
    seed: u64,
    slices: u32,
    /// Index into [`PROJECTS`].
    project: usize,
    /// Its address, which begins with `/data/prearchive`.
    address: String,
    /// How many uploads it was made of.
    uploads: usize,
}

impl Alive {
    fn study(&self) -> Study {
        study(self.seed).slices(self.slices)
    }
}

/// A study that is small, and fit to be uploaded again with more slices.
fn study(seed: u64) -> Study {
    let label = format!("L{seed}");
    Study::new(Modality::Mr, 1_000_000 + seed).patient(&label, &format!("SUBJECT{}", seed % 50)).slices(1).matrix(8)
}

/// What a client leaves.
#[derive(Debug, Default)]
struct Outcome {
    alive: Vec<Alive>,
    /// Addresses of sessions that were deleted.
    deleted: Vec<String>,
    requests: u64,
    refusals: u64,
}

/// A client with its source of random choices.
struct Player {
    api: Api,
    noise: Noise,
    outcome: Outcome,
    until: Instant,
}

impl Player {
    fn new(service: &Service, number: u64, until: Instant) -> Self {
        Self { api: service.api(), noise: Noise::new(SEED ^ (number << 32)), outcome: Outcome::default(), until }
    }

    fn goes_on(&self) -> bool {
        Instant::now() < self.until
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.noise.below(bound as u64)).unwrap_or(0)
    }

    /// Counts an answer that must have one of these statuses.
    #[track_caller]
    fn expect(&mut self, response: Response, statuses: &[u16], what: &str) -> Response {
        self.outcome.requests += 1;
        assert!(
            statuses.contains(&response.status),
            "{what} was answered with {} instead of {statuses:?}: {}",
            response.status,
            response.text()
        );
        if response.status >= 400 {
            self.outcome.refusals += 1;
            assert!(response.header("x-narthex-error").is_some_and(|code| !code.is_empty()), "{what}: no code");
        }
        response
    }

    /// Uploads a study of one slice into a project and gives the session.
    fn create(&mut self, seed: u64, project: usize) -> Alive {
        let query = format!("dest=/prearchive/projects/{}", PROJECTS[project]);
        let zip = narthex_tests::zip_study(&study(seed));
        let response = self.api.send(&query, "application/zip", &zip);
        let address = self.expect(response, &[200], "an upload").text().trim().to_owned();
        Alive { seed, slices: 1, project, address, uploads: 1 }
    }

    fn act(&mut self, session: &str, fields: &[(&str, &str)]) -> Response {
        let response = self.api.client.post_form(session, fields);
        response.unwrap_or_else(|error| panic!("POST {session} {fields:?}: {error}"))
    }

    fn delete(&mut self, session: &str) -> Response {
        self.api.client.delete(session).unwrap_or_else(|error| panic!("DELETE {session}: {error}"))
    }

    /// All sessions of all projects, in one list.
    fn list(&mut self) -> Table {
        let response = self.api.get("/data/prearchive/projects?format=json");
        Table::of(&self.expect(response, &[200], "the list of all"))
    }
}

/// The rows of a study.
fn rows_of(list: &Table, seed: u64) -> Vec<&Row> {
    let uid = study(seed).study_uid();
    list.rows.iter().filter(|row| row.get("tag") == uid).collect()
}

/// Fails unless a list has a session exactly once, at its place, and ready.
#[track_caller]
fn assert_listed(list: &Table, session: &Alive) {
    let rows = rows_of(list, session.seed);
    assert_eq!(rows.len(), 1, "{session:?} is listed {} times: {rows:?}", rows.len());
    let row = rows[0];
    assert_eq!(format!("/data{}", row.get("url")), session.address, "{row:?}");
    assert_eq!(row.get("project"), PROJECTS[session.project], "{row:?}");
    assert_eq!(row.get("status"), "READY", "{row:?}");
}

#[test]
fn whatever_many_clients_do_no_session_is_lost_or_doubled() {
    let seconds = env::var(SECONDS_VARIABLE).ok().and_then(|text| text.parse().ok()).unwrap_or(SECONDS);
    // The usual life of a lease: nobody dies here.
    let service = Service::with(&[("lease_seconds", "30")]);
    PROJECTS.iter().for_each(|project| service.api().project(project));
    let until = Instant::now() + Duration::from_secs(seconds);

    let outcomes: Vec<Outcome> = thread::scope(|scope| {
        let service = &service;
        let owners =
            (0..OWNERS).map(|number| scope.spawn(move || owner::play(Player::new(service, number, until), number)));
        let fights = (OWNERS..OWNERS + FIGHTS)
            .map(|number| scope.spawn(move || fight::play(Player::new(service, number, until), number)));
        let players: Vec<_> = owners.chain(fights).collect();
        players.into_iter().map(|player| player.join().expect("no client saw anything wrong")).collect()
    });
    let alive: Vec<&Alive> = outcomes.iter().flat_map(|outcome| &outcome.alive).collect();
    let deleted: Vec<&String> = outcomes.iter().flat_map(|outcome| &outcome.deleted).collect();
    let requests: u64 = outcomes.iter().map(|outcome| outcome.requests).sum();
    let refusals: u64 = outcomes.iter().map(|outcome| outcome.refusals).sum();
    println!("{requests} requests, {refusals} refused, {} sessions left, {} deleted", alive.len(), deleted.len());
    assert!(!alive.is_empty() && !deleted.is_empty() && refusals > 0, "too little has happened");

    let api = service.api();
    let list = api.table("/data/prearchive/projects");
    alive.iter().for_each(|session| assert_listed(&list, session));
    assert_eq!(list.rows.len(), alive.len(), "there are sessions that nobody knows of");
    for (project, name) in PROJECTS.iter().enumerate() {
        let here = alive.iter().filter(|session| session.project == project).count();
        assert_eq!(api.sessions(name).rows.len(), here, "{name}");
    }
    for session in alive.iter().step_by(alive.len() / SAMPLE + 1) {
        api.assert_holds(&session.address, &session.study());
    }
    for address in deleted.iter().step_by(deleted.len() / SAMPLE + 1) {
        assert_eq!(api.get(address).status, 404, "{address}");
    }
    // Every upload was one piece of bytes; those of the deleted go.
    let uploads: usize = alive.iter().map(|session| session.uploads).sum();
    eventually(SETTLED, "the bytes of deleted sessions are gone", || {
        assert_eq!(api.put("/data/prearchive").status, 200);
        (service.stores().chunks() <= uploads).then_some(())
    });
    assert_eq!(service.stores().chunks(), uploads, "bytes of sessions that are there have gone");
}
