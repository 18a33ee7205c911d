//! In the middle of a job that moves many sessions in the background.

use std::time::{Duration, Instant};

use narthex_tests::{Api, Modality, Packing, Response, Row, ServiceProcess, Study, eventually, form, zip_files};

use super::{FEWER_KILLS, Moments, SETTLED, insist, kill_during};

/// Sessions that one job moves.
const SOURCES: u64 = 20;

const IMPORT: &str = "dest=/prearchive/projects/P1";

fn study(round: u64, number: u64) -> Study {
    let label = format!("R{round}N{number}");
    Study::new(Modality::Ct, 100_000 + round * 100 + number).patient(&label, &label).slices(1).matrix(8)
}

/// Uploads the round's sessions and gives their addresses in order.
fn import(api: &Api, round: u64) -> Vec<String> {
    let studies = (0..SOURCES).map(|number| study(round, number));
    let files = studies.enumerate().flat_map(|(number, study)| {
        study.files().map(move |file| (format!("{number}/{}", file.name), file.bytes)).collect::<Vec<_>>()
    });
    let sessions = api.import_zip(IMPORT, &zip_files(files, Packing::Stored));
    assert_eq!(sessions.len() as u64, SOURCES);
    sessions
}

fn ask(api: &Api, sessions: &[String], in_background: &str) -> std::io::Result<Response> {
    let mut fields: Vec<(&str, &str)> = sessions.iter().map(|session| ("src", session.as_str())).collect();
    fields.extend([("newProject", "P2"), ("async", in_background)]);
    let body = form(&fields);
    api.client.post("/data/services/prearchive/move", "application/x-www-form-urlencoded", body.as_bytes())
}

fn rows_of_round(api: &Api, project: &str, round: u64) -> Vec<Row> {
    let prefix = format!("R{round}N");
    api.sessions(project).rows.into_iter().filter(|row| row.get("folderName").starts_with(&prefix)).collect()
}

/// How many of the round's sessions stand in each project, once all are at rest. At rest, each stands in one.
fn at_rest(api: &Api, round: u64) -> (u64, u64) {
    eventually(SETTLED, &format!("round {round}: all sessions are at rest"), || {
        let (old, new) = (rows_of_round(api, "P1", round), rows_of_round(api, "P2", round));
        if old.iter().chain(&new).any(|row| row.get("status") != "READY") || !old.is_empty() && !new.is_empty() {
            return None;
        }
        Some((old.len() as u64, new.len() as u64))
    })
}

/// The times until a job is answered and until it is done.
fn usual(api: &Api) -> (Duration, Duration) {
    let sessions = import(api, 1000);
    let start = Instant::now();
    assert_eq!(ask(api, &sessions, "true").unwrap().status, 200);
    let answered = start.elapsed();
    let count = || rows_of_round(api, "P2", 1000).len() as u64;
    eventually(SETTLED, "the job is done", || (count() == SOURCES).then_some(()));
    (answered, start.elapsed())
}

#[test]
fn a_job_goes_on_by_itself_and_moves_each_session_once() {
    let mut service = ServiceProcess::start();
    let api = service.api();
    api.project("P1");
    api.project("P2");
    let (until_answer, whole) = usual(&api);
    // Every third moment is about that of the answer; the others are spread over the whole job.
    let about_the_answer = FEWER_KILLS.div_ceil(3);
    let mut early = Moments::new(6, about_the_answer, until_answer);
    let mut spread = Moments::new(7, FEWER_KILLS - about_the_answer, whole);

    let (mut answered, mut done, mut not_begun) = (0, 0, 0);
    for round in 0..FEWER_KILLS {
        let sessions = import(&service.api(), round);
        let sent = sessions.clone();
        let moments = if round % 3 == 0 { &mut early } else { &mut spread };
        let (sender, first_answer) = std::sync::mpsc::channel();
        kill_during(&mut service, moments, move |api| {
            let answer = ask(api, &sent, "true")?;
            let _ = sender.send(answer.status);
            // Stays here until the job is done, or the host dead.
            loop {
                let list = api.client.get("/data/prearchive/projects/P1?format=json")?;
                if list.status != 200 || !list.text().contains(&format!("\"R{round}N")) {
                    return Ok(list);
                }
            }
        });
        service.restart();
        let api = service.api();
        let is_answered = first_answer.try_recv().inspect(|status| assert_eq!(*status, 200)).is_ok();
        answered += u64::from(is_answered);
        let (old, new) = at_rest(&api, round);
        assert_eq!(old + new, SOURCES, "round {round}: {old} where they were, {new} where they go");
        if old > 0 {
            assert!(!is_answered, "round {round}: what was promised is not done");
            not_begun += 1;
            for session in &sessions {
                let answer = insist("move", || ask(&api, std::slice::from_ref(session), "false").unwrap());
                assert_eq!(answer.status, 200, "round {round}: {}", answer.text());
            }
            assert_eq!(at_rest(&api, round), (0, SOURCES), "round {round}");
        } else {
            done += 1;
        }
        for number in [0, SOURCES - 1] {
            let row = rows_of_round(&api, "P2", round)
                .into_iter()
                .find(|row| row.get("tag") == study(round, number).study_uid());
            let row = row.unwrap_or_else(|| panic!("round {round}: session {number} is not in the list"));
            api.assert_holds(&format!("/data{}", row.get("url")), &study(round, number));
        }
    }
    println!("{answered} answered, {done} done, {not_begun} not begun; {until_answer:?} and {whole:?} each");
    // How many were not answered is chance, and none need be: the answer comes long before the job is done.
    assert!(answered > 0, "no job was begun");
    let api = service.api();
    assert!(api.sessions("P1").rows.is_empty());
    assert_eq!(api.sessions("P2").rows.len() as u64, (FEWER_KILLS + 1) * SOURCES);
}
