//! In the middle of deleting a scan.

use narthex_tests::{Modality, ServiceProcess, Study};

use super::{FEWER_KILLS, Moments, act, address, insist, kill_during, rest_of, usual};

fn study(round: u64) -> Study {
    Study::new(Modality::Ct, 7000 + round)
        .patient(&format!("R{round}"), &format!("SUBJECT{round}"))
        .series_named(1, "first")
        .slices(6)
        .and_series(2, "second", Modality::Ct, 6)
        .matrix(64)
}

/// The same without its first series.
fn second(round: u64) -> Study {
    Study::new(Modality::Ct, 7000 + round)
        .patient(&format!("R{round}"), &format!("SUBJECT{round}"))
        .series_named(2, "second")
        .slices(6)
        .matrix(64)
}

#[test]
fn a_session_has_the_whole_scan_or_nothing_of_it() {
    let mut service = ServiceProcess::start();
    let api = service.api();
    api.project("P1");
    let session = api.import("P1", &study(1000));
    let usual = usual(|| api.client.delete(&format!("{session}/scans/1")).unwrap());

    let (mut acknowledged, mut gone, mut whole) = (0, 0, 0);
    let mut moments = Moments::new(5, FEWER_KILLS, usual);
    for round in 0..FEWER_KILLS {
        let session = service.api().import("P1", &study(round));
        let scan = format!("{session}/scans/1");
        let sent = scan.clone();
        let answer = kill_during(&mut service, &mut moments, move |api| api.client.delete(&sent));
        service.restart();
        let api = service.api();
        let row = rest_of(&api, &["P1"], &study(round)).unwrap_or_else(|| panic!("round {round}: the session is gone"));
        assert_eq!((row.get("status"), address(&row)), ("READY", session.clone()), "round {round}");
        let is_gone = api.table(&format!("{session}/scans")).column("ID") == ["2"];
        if let Some(answer) = answer {
            assert_eq!(answer.status, 200, "round {round}: {}", answer.text());
            assert!(is_gone, "round {round}: acknowledged and still there");
            acknowledged += 1;
        }
        if is_gone {
            gone += 1;
        } else {
            whole += 1;
            api.assert_holds(&session, &study(round));
            let answer = insist("delete the scan", || api.client.delete(&scan).unwrap());
            assert_eq!(answer.status, 200, "round {round}: {}", answer.text());
        }
        api.assert_holds(&session, &second(round));
        let built = insist("build", || act(&api, &session, &[("action", "build")]).unwrap());
        assert_eq!(built.status, 200, "round {round}: {}", built.text());
        api.assert_holds(&session, &second(round));
    }
    println!("{acknowledged} acknowledged, {gone} gone, {whole} whole; {:?} each", moments.usual);
    assert!(gone > 0 && whole > 0, "the moments were not spread over the deletion");
}
