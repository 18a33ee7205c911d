//! In the middle of deleting a session.

use narthex_tests::{ServiceProcess, eventually};

use super::{FEWER_KILLS, Moments, SETTLED, insist, kill_during, rest_of, study, usual};

#[test]
fn a_session_is_gone_with_its_bytes_or_whole() {
    let mut service = ServiceProcess::start();
    let api = service.api();
    api.project("P1");
    let session = api.import("P1", &study(1000));
    let usual = usual(|| api.client.delete(&session).unwrap());

    let (mut acknowledged, mut gone, mut whole) = (0, 0, 0);
    let mut moments = Moments::new(4, FEWER_KILLS, usual);
    for round in 0..FEWER_KILLS {
        let session = service.api().import("P1", &study(round));
        let sent = session.clone();
        let answer = kill_during(&mut service, &mut moments, move |api| api.client.delete(&sent));
        service.restart();
        let api = service.api();
        let row = rest_of(&api, &["P1"], &study(round));
        if let Some(answer) = answer {
            assert_eq!(answer.status, 200, "round {round}: {}", answer.text());
            assert!(row.is_none(), "round {round}: acknowledged and still there");
            acknowledged += 1;
        }
        if let Some(row) = row {
            assert_eq!(row.get("status"), "READY", "round {round}");
            api.assert_holds(&session, &study(round));
            let answer = insist("delete", || api.client.delete(&session).unwrap());
            assert_eq!(answer.status, 200, "round {round}: {}", answer.text());
            whole += 1;
        } else {
            gone += 1;
        }
        assert_eq!(api.get(&session).status, 404, "round {round}");
    }
    println!("{acknowledged} acknowledged, {gone} gone, {whole} whole; {:?} each", moments.usual);
    assert!(gone > 0 && whole > 0, "the moments were not spread over the deletion");
    let api = service.api();
    eventually(SETTLED, "no bytes of the deleted are left", || {
        assert_eq!(api.put("/data/prearchive").status, 200);
        (service.stores().chunks() == 0).then_some(())
    });
    assert!(api.sessions("P1").rows.is_empty());
}
