//! When a session cannot be archived.

use narthex_tests::{Modality, Service, Study};

use super::{archived, study};

#[test]
fn what_is_in_the_archive_is_not_overwritten() {
    let (_service, api) = archived();
    let again = api.import("P1", &study());
    let refused = api.send_archive(&again);
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert!(refused.text().contains("Session already exists"), "{}", refused.text());
    assert_eq!(api.sessions("P1").only().get("status"), "CONFLICT");
    api.assert_holds("/data/experiments/XNAT_E00001", &study());
    api.assert_holds(&again, &study());
    assert_eq!(api.table("/data/projects/P1/experiments").rows.len(), 1);
}

#[test]
fn a_session_is_archived_once() {
    let (_service, api) = archived();
    let other = Study::new(Modality::Ct, 44).patient("S44_CT1", "S44");
    let src = api.import("P1", &other);
    api.archive(&src);
    let gone = api.send_archive(&src);
    assert!([404, 409].contains(&gone.status), "{}: {}", gone.status, gone.text());
    assert_eq!(api.table("/data/projects/P1/experiments").rows.len(), 2);
}

#[test]
fn archiving_twice_at_once_archives_once() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    for round in 0..10 {
        let study = Study::new(Modality::Mr, 500 + round).patient(&format!("R{round}"), "RACE");
        let src = api.import("P1", &study);
        let mut answers: Vec<u16> = std::thread::scope(|scope| {
            let racers: Vec<_> = (0..3).map(|_| scope.spawn(|| api.send_archive(&src).status)).collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).collect()
        });
        answers.sort_unstable();
        assert_eq!(answers[0], 200, "{answers:?}");
        assert!(answers[1..].iter().all(|status| (400..500).contains(status)), "{answers:?}");
        let archived = api.table("/data/projects/P1/experiments");
        assert_eq!(archived.rows.len() as u64, round + 1, "{answers:?}");
        let id = archived.row("label", &format!("R{round}")).get("ID").to_owned();
        api.assert_holds(&format!("/data/experiments/{id}"), &study);
    }
    assert!(api.sessions("P1").rows.is_empty());
}

#[test]
fn a_source_that_is_none_is_refused() {
    let (_service, api) = archived();
    let timestamp = "20240101_000000000";
    for (src, wanted) in [
        ("", [400, 404]),
        ("/nonsense", [400, 400]),
        ("/prearchive/projects/P1", [400, 404]),
        ("/archive/projects/P1/subjects/S41/experiments/S41_MR1", [400, 400]),
        (&format!("/prearchive/projects/P1/{timestamp}/NONE"), [404, 404]),
        (&format!("/prearchive/projects/NONE/{timestamp}/S"), [404, 403]),
        (&format!("/prearchive/projects/../P1/{timestamp}/S"), [400, 404]),
    ] {
        let response = api.send_archive(src);
        assert!(wanted.contains(&response.status), "{src:?}: {} {}", response.status, response.text());
    }
    let get = api.get("/data/services/archive?src=/prearchive/projects/P1/x/y");
    assert_eq!(get.status, 405);
}

#[test]
fn the_source_may_stand_in_the_query_with_or_without_data() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    for (number, prefix) in ["/data", ""].iter().enumerate() {
        let study = Study::new(Modality::Ct, 600 + number as u64).patient(&format!("Q{number}"), "Q");
        let src = api.import("P1", &study);
        let src = format!("{prefix}{}", src.strip_prefix("/data").unwrap());
        let path = format!("/data/services/archive?auto-archive=false&src={}", narthex_tests::encode(&src));
        let response = api.client.request("POST", &path).send_bytes(b"").unwrap();
        assert_eq!(response.status, 200, "{src}: {}", response.text());
        assert_eq!(response.text(), format!("/data/archive/projects/P1/subjects/Q/experiments/Q{number}\r\n"));
    }
}
