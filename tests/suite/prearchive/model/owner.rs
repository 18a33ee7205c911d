//! A client whose sessions nobody else touches: every answer is known beforehand.

use std::time::Duration;

use narthex_tests::{eventually, form, zip_study};

use super::{Alive, Outcome, PROJECTS, Player, assert_listed, rows_of};

/// Sessions that one client has at most.
const MOST: usize = 6;

/// How long a job in the background may take among all the others.
const JOB: Duration = Duration::from_secs(120);

/// Plays until the time is over.
pub fn play(mut player: Player, number: u64) -> Outcome {
    let mut sessions: Vec<Alive> = Vec::new();
    let mut made = 0;
    while player.goes_on() {
        if sessions.is_empty() {
            sessions.push(new(&mut player, number, &mut made));
        }
        let chosen = player.below(sessions.len());
        match player.below(20) {
            0..=4 if sessions.len() < MOST => sessions.push(new(&mut player, number, &mut made)),
            0..=4 => delete(&mut player, sessions.swap_remove(chosen)),
            5..=6 => add(&mut player, &mut sessions[chosen]),
            7..=8 => build(&mut player, &sessions[chosen]),
            9..=12 => relocate(&mut player, &mut sessions[chosen]),
            13 => relocate_in_background(&mut player, &mut sessions[chosen]),
            14 => player.api.assert_holds(&sessions[chosen].address, &sessions[chosen].study()),
            15..=16 => {
                let list = player.list();
                sessions.iter().for_each(|session| assert_listed(&list, session));
            }
            17 => nonsense(&mut player, &sessions[chosen]),
            _ => delete(&mut player, sessions.swap_remove(chosen)),
        }
    }
    player.outcome.alive = sessions;
    player.outcome
}

fn new(player: &mut Player, number: u64, made: &mut u64) -> Alive {
    *made += 1;
    let project = player.below(PROJECTS.len());
    player.create(number * 10_000 + *made, project)
}

/// The same study with one more slice goes to the same session.
fn add(player: &mut Player, session: &mut Alive) {
    let query = format!("dest=/prearchive/projects/{}", PROJECTS[session.project]);
    let more = session.study().slices(session.slices + 1);
    let response = player.api.send(&query, "application/zip", &zip_study(&more));
    let response = player.expect(response, &[200], "an upload that adds");
    assert_eq!(response.text().trim(), session.address, "the study had a session already");
    session.slices += 1;
    session.uploads += 1;
}

fn build(player: &mut Player, session: &Alive) {
    let response = player.act(&session.address, &[("action", "build")]);
    let response = player.expect(response, &[200], "building");
    assert_eq!(response.text().trim(), session.address);
}

fn moved(session: &Alive, to: usize) -> String {
    let [old, new] = [session.project, to].map(|project| format!("/projects/{}/", PROJECTS[project]));
    session.address.replacen(&old, &new, 1)
}

fn relocate(player: &mut Player, session: &mut Alive) {
    let to = player.below(PROJECTS.len());
    let old = session.address.clone();
    let response = player.act(&old, &[("action", "move"), ("newProject", PROJECTS[to])]);
    if to == session.project {
        player.expect(response, &[409], "a move to where it is");
        return;
    }
    let new = moved(session, to);
    let response = player.expect(response, &[301], "a move");
    assert_eq!(response.text().trim(), new);
    (session.project, session.address) = (to, new);
    let response = player.api.get(&old);
    player.expect(response, &[404], "the place that was left");
}

fn relocate_in_background(player: &mut Player, session: &mut Alive) {
    let to = (session.project + 1) % PROJECTS.len();
    let body = form(&[("src", &session.address), ("newProject", PROJECTS[to]), ("async", "true")]);
    let path = "/data/services/prearchive/move";
    let response = player.api.client.post(path, "application/x-www-form-urlencoded", body.as_bytes());
    player.expect(response.expect("an answer"), &[200], "a move in the background");
    // Either it waits for the job, or the job is at it, or it has gone.
    let response = player.act(&session.address, &[("action", "move"), ("newProject", PROJECTS[to])]);
    player.expect(response, &[409, 404], "a second move");
    let new = moved(session, to);
    eventually(JOB, "a session is moved in the background", || {
        let list = player.list();
        let rows = rows_of(&list, session.seed);
        // While it is on its way, two lists that are read one after the other may both have it, or neither.
        matches!(rows.as_slice(), [row] if row.get("status") == "READY" && format!("/data{}", row.get("url")) == new)
            .then_some(())
    });
    (session.project, session.address) = (to, new);
    // The list shows it there a moment before the job lets go of it.
    eventually(JOB, "the job lets go of a session", || {
        let response = player.act(&session.address, &[("action", "build")]);
        (player.expect(response, &[200, 409], "building after a job").status == 200).then_some(())
    });
}

/// What cannot be done is refused and changes nothing.
fn nonsense(player: &mut Player, session: &Alive) {
    let response = player.act(&session.address, &[("action", "move"), ("newProject", "NOWHERE")]);
    player.expect(response, &[404], "a move to no project");
    let response = player.act(&session.address, &[("action", "dance")]);
    player.expect(response, &[400], "an unknown action");
    let query = format!("dest=/prearchive/projects/{}", PROJECTS[session.project]);
    let response = player.api.send(&query, "application/zip", b"");
    player.expect(response, &[400], "an empty upload");
    let list = player.list();
    assert_listed(&list, session);
}

fn delete(player: &mut Player, session: Alive) {
    let address = session.address;
    if player.below(2) == 0 {
        let response = player.delete(&address);
        player.expect(response, &[200], "a deletion");
    } else {
        let response = player.act("/data/services/prearchive/delete", &[("src", &address)]);
        player.expect(response, &[200], "a deletion by the service");
    }
    let response = player.delete(&address);
    player.expect(response, &[404], "a deletion of what is gone");
    let response = player.act(&address, &[("action", "build")]);
    player.expect(response, &[404], "building what is gone");
    let response = player.act(&address, &[("action", "move"), ("newProject", PROJECTS[0])]);
    player.expect(response, &[404], "moving what is gone");
    let list = player.list();
    assert!(rows_of(&list, session.seed).is_empty(), "{address} is deleted and listed");
    player.outcome.deleted.push(address);
}
