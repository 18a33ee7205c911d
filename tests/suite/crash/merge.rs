//! In the middle of a merge.

use narthex_tests::{Api, Packing, ServiceProcess, Study, eventually, form, zip_files};

use super::{FEWER_KILLS, Moments, SETTLED, kill_during, study, usual};

/// Sends one half of a study's images to the prearchive.
fn half(api: &Api, study: &Study, is_second: bool) -> String {
    let files = study.files().enumerate().filter(|(number, _)| (number % 2 == 1) == is_second);
    let zip = zip_files(files.map(|(_, file)| (file.name, file.bytes)), Packing::Deflated);
    api.import_zip("dest=/prearchive/projects/P1", &zip).remove(0)
}

fn merge(api: &Api, src: &str) -> std::io::Result<narthex_tests::Response> {
    let body = form(&[("src", src), ("overwrite", "append")]);
    api.client.post("/data/services/archive", "application/x-www-form-urlencoded", body.as_bytes())
}

#[test]
fn a_session_is_merged_or_waits_and_nothing_between() {
    let mut service = ServiceProcess::start();
    let api = service.api();
    api.project("P1");
    api.archive(&half(&api, &study(1001), false));
    let src = half(&api, &study(1001), true);
    let usual = usual(|| merge(&api, &src).unwrap());

    let (mut acknowledged, mut silent, mut still_there) = (0, 0, 0);
    let mut moments = Moments::new(21, FEWER_KILLS, usual);
    for round in 0..FEWER_KILLS {
        let study = study(round);
        let api = service.api();
        api.archive(&half(&api, &study, false));
        let src = half(&api, &study, true);
        let sent = src.clone();
        let answer = kill_during(&mut service, &mut moments, move |api| merge(api, &sent));
        service.restart();
        let api = service.api();
        let session = format!("/data/projects/P1/experiments/R{round}");
        let is_merged = eventually(SETTLED, &format!("round {round}: it is merged or not"), || {
            let found = api.content(&session).len();
            let rows = api.sessions("P1").rows;
            let waiting = rows.iter().find(|row| row.get("tag") == study.study_uid());
            match (found, waiting.map(|row| row.get("status"))) {
                (16, None) => Some(true),
                (8, Some("READY")) => Some(false),
                // The dead one's lease has not ended.
                (8 | 16, Some(_)) => None,
                other => panic!("round {round}: {other:?}"),
            }
        });
        match (&answer, is_merged) {
            (Some(answer), true) if answer.status == 200 => acknowledged += 1,
            (None, true) => silent += 1,
            (None, false) => {
                still_there += 1;
                let answer = eventually(SETTLED, "the lease of the dead ends", || {
                    let answer = merge(&api, &src).unwrap();
                    (answer.status != 409).then_some(answer)
                });
                assert_eq!(answer.status, 200, "{}", answer.text());
            }
            other => panic!("round {round}: {other:?}"),
        }
        api.assert_holds(&session, &study);
    }
    println!(
        "{acknowledged} acknowledged, {silent} merged without an answer, {still_there} still in the prearchive; {:?} each",
        moments.usual
    );
    let api = service.api();
    assert!(api.sessions("P1").rows.is_empty());
    for round in 0..FEWER_KILLS {
        api.assert_holds(&format!("/data/projects/P1/experiments/R{round}"), &study(round));
    }
}
