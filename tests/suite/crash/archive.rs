//! In the middle of archiving.

use narthex_tests::{Api, ServiceProcess, Study, eventually};

use super::{KILLS, Moments, SETTLED, kill_during, study, usual};

#[test]
fn a_session_is_archived_or_waits_and_nothing_between() {
    let mut service = ServiceProcess::start();
    let api = service.api();
    api.project("P1");
    api.send_archive(&api.import("P1", &study(1000)));
    let src = api.import("P1", &study(1001));
    let usual = usual(|| api.send_archive(&src));

    let (mut acknowledged, mut silent, mut still_there) = (0, 0, 0);
    let mut moments = Moments::new(1, KILLS, usual);
    for round in 0..KILLS {
        let study = study(round);
        let src = service.api().import("P1", &study);
        let sent = src.clone();
        let answer = kill_during(&mut service, &mut moments, move |api| {
            let body = narthex_tests::form(&[("src", &sent)]);
            api.client.post("/data/services/archive", "application/x-www-form-urlencoded", body.as_bytes())
        });
        service.restart();
        let api = service.api();
        let (archived, waiting) = one_of_both(&api, &study, round);
        match (&answer, archived, waiting) {
            (Some(answer), true, false) if answer.status == 200 => acknowledged += 1,
            (None, true, false) => silent += 1,
            (None, false, true) => {
                still_there += 1;
                go_on(&api, &src);
            }
            other => panic!("round {round}: {other:?}"),
        }
        let session = format!("/data/projects/P1/experiments/R{round}");
        api.assert_holds(&session, &study);
    }
    println!(
        "{acknowledged} acknowledged, {silent} archived without an answer, {still_there} still in the prearchive; {:?} each",
        moments.usual
    );
    let api = service.api();
    assert!(api.sessions("P1").rows.is_empty());
    let experiments = api.table("/data/projects/P1/experiments");
    assert_eq!(experiments.rows.len() as u64, KILLS + 2);
    for round in 0..KILLS {
        api.assert_holds(&format!("/data/projects/P1/experiments/R{round}"), &study(round));
    }
}

/// Archives a session whose archiver died, as soon as the lease of the dead has ended.
fn go_on(api: &Api, src: &str) {
    let answer = eventually(SETTLED, "the lease of the dead ends", || {
        let answer = api.send_archive(src);
        (answer.status != 409).then_some(answer)
    });
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// Whether a study is in the archive and whether it waits in the prearchive: never both for long, never neither.
fn one_of_both(api: &Api, study: &Study, round: u64) -> (bool, bool) {
    eventually(SETTLED, &format!("round {round}: the session is in exactly one place, and whole"), || {
        let list = api.sessions("P1");
        let waiting = list.rows.iter().find(|row| row.get("tag") == study.study_uid());
        let archived = api.get(&format!("/data/projects/P1/experiments/R{round}/scans?format=json")).status == 200;
        match waiting {
            Some(row) if !archived && row.get("status") == "READY" => Some((false, true)),
            None if archived => Some((true, false)),
            None => panic!("round {round}: the session is gone"),
            Some(_) => None,
        }
    })
}
