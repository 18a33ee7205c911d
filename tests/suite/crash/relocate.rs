//! In the middle of a move to another project.

use narthex_tests::ServiceProcess;

use super::{FEWER_KILLS, Moments, act, address, insist, kill_during, rest_of, study};

const MOVE: [(&str, &str); 2] = [("action", "move"), ("newProject", "P2")];

#[test]
fn a_session_stands_in_one_project_and_can_be_moved_on() {
    let mut service = ServiceProcess::start();
    let api = service.api();
    api.project("P1");
    api.project("P2");
    let session = api.import("P1", &study(1000));
    let start = std::time::Instant::now();
    assert_eq!(act(&api, &session, &MOVE).unwrap().status, 301);
    let usual = start.elapsed();

    let (mut acknowledged, mut moved, mut unmoved) = (0, 0, 0);
    let mut moments = Moments::new(3, FEWER_KILLS, usual);
    for round in 0..FEWER_KILLS {
        let old = service.api().import("P1", &study(round));
        let new = old.replacen("/projects/P1/", "/projects/P2/", 1);
        let sent = old.clone();
        let answer = kill_during(&mut service, &mut moments, move |api| act(api, &sent, &MOVE));
        service.restart();
        let api = service.api();
        let row = rest_of(&api, &["P1", "P2"], &study(round)).unwrap_or_else(|| panic!("round {round}: gone"));
        assert_eq!(row.get("status"), "READY", "round {round}");
        let is_moved = address(&row) == new;
        assert!(is_moved || address(&row) == old, "round {round}: {}", address(&row));
        if let Some(answer) = answer {
            assert_eq!((answer.status, answer.text().trim()), (301, new.as_str()), "round {round}");
            assert!(is_moved, "round {round}: acknowledged and not done");
            acknowledged += 1;
        }
        if is_moved {
            moved += 1;
            assert_eq!(api.get(&old).status, 404, "round {round}: what has moved is found where it was");
        } else {
            unmoved += 1;
            let answer = insist("move", || act(&api, &old, &MOVE).unwrap());
            assert_eq!((answer.status, answer.text().trim()), (301, new.as_str()), "round {round}");
        }
        api.assert_holds(&new, &study(round));
    }
    println!("{acknowledged} acknowledged, {moved} moved, {unmoved} not; {:?} each", moments.usual);
    assert!(moved > 0 && unmoved > 0, "the moments were not spread over the move");
    let api = service.api();
    assert!(api.sessions("P1").rows.is_empty());
    assert_eq!(api.sessions("P2").rows.len() as u64, FEWER_KILLS + 1);
    // The places that were left can be used again, and the studies find the sessions that have moved.
    let again = api.import("P2", &study(0));
    api.assert_holds(&again, &study(0));
    assert_eq!(api.sessions("P2").rows.len() as u64, FEWER_KILLS + 1, "a study that has moved was received twice");
}
