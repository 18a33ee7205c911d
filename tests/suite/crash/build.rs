//! In the middle of adding files to a session and building it.

use narthex_tests::{Api, Response, ServiceProcess, Study, zip_study};

use super::{FEWER_KILLS, KILLS, Moments, act, address, insist, kill_during, rest_of, study, usual};

const IMPORT: &str = "/data/services/import?import-handler=SI&dest=/prearchive/projects/P1";

/// Half of the images of a study.
fn half(round: u64) -> Study {
    study(round).slices(8)
}

/// Sends the other half, and has the session built once more. Gives the first answer that is a refusal, else the last.
fn add_and_build(api: &Api, session: &str, zip: &[u8]) -> std::io::Result<Response> {
    let added = api.client.post(IMPORT, "application/zip", zip)?;
    if added.status != 200 {
        return Ok(added);
    }
    act(api, session, &[("action", "build")])
}

#[test]
fn a_session_holds_what_it_held_or_what_was_added_and_can_be_built() {
    let mut service = ServiceProcess::start();
    let api = service.api();
    api.project("P1");
    let session = api.import("P1", &half(1000));
    let usual = usual(|| add_and_build(&api, &session, &zip_study(&study(1000))).unwrap());

    let (mut acknowledged, mut with_all, mut with_half) = (0, 0, 0);
    let mut moments = Moments::new(2, FEWER_KILLS, usual);
    for round in 0..FEWER_KILLS {
        let session = service.api().import("P1", &half(round));
        let (zip, sent) = (zip_study(&study(round)), session.clone());
        let answer = kill_during(&mut service, &mut moments, move |api| add_and_build(api, &sent, &zip));
        service.restart();
        let api = service.api();
        let row = rest_of(&api, &["P1"], &study(round)).unwrap_or_else(|| panic!("round {round}: the session is gone"));
        assert_eq!(address(&row), session, "round {round}");
        let built = insist("build", || act(&api, &session, &[("action", "build")]).unwrap());
        assert_eq!(built.status, 200, "round {round}: {}", built.text());
        let row = rest_of(&api, &["P1"], &study(round)).expect("the session that was built");
        assert_eq!(row.get("status"), "READY", "round {round}");
        let files = api.content(&session).len();
        if let Some(answer) = answer {
            assert_eq!(answer.status, 200, "round {round}: {}", answer.text());
            assert_eq!(files, 16, "round {round}: acknowledged and not there");
            acknowledged += 1;
        }
        match files {
            16 => with_all += 1,
            _ => with_half += 1,
        }
        api.assert_holds(&session, &if files == 16 { study(round) } else { half(round) });
    }
    println!(
        "{acknowledged} acknowledged, {with_all} with what was added, {with_half} without; {:?} each",
        moments.usual
    );
    assert!(with_all > 0 && with_half > 0, "the moments were not spread over the work");
}

#[test]
fn a_rebuild_waits_for_whoever_has_died_over_a_session_only_with_override_lock() {
    const REBUILD: &str = "/data/services/prearchive/rebuild";
    let mut service = ServiceProcess::with(&[("lease_seconds", "6")]);
    let api = service.api();
    api.project("P1");
    let large = study(2000).slices(1_500).matrix(8);
    let session = api.import("P1", &large);
    let usual = usual(|| act(&api, &session, &[("action", "build")]).unwrap());
    let mut moments = Moments::new(3, KILLS, usual);
    let rebuild = |api: &Api, session: &str, more: &[(&str, &str)]| {
        let fields: Vec<(&str, &str)> = [("src", session)].iter().chain(more).copied().collect();
        api.client.post_form(&format!("{REBUILD}?format=json"), &fields).unwrap()
    };
    for _ in 0..KILLS {
        let sent = session.clone();
        kill_during(&mut service, &mut moments, move |api| act(api, &sent, &[("action", "build")]));
        service.restart();
        let api = service.api();
        let refused = rebuild(&api, &session, &[]);
        if refused.status == 200 {
            // Nobody was at work when the host died, or the lease was over by now.
            continue;
        }
        assert_eq!(refused.status, 409, "{}", refused.text());
        assert_eq!(rebuild(&api, &session, &[("overrideLock", "false")]).status, 409);
        let waited = rebuild(&api, &session, &[("overrideLock", "true")]);
        assert_eq!(waited.status, 200, "{}", waited.text());
        assert_eq!(narthex_tests::Table::of(&waited).only().get("status"), "READY");
        return;
    }
    panic!("the host never died over the session");
}
