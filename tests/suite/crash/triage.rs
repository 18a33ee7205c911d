//! In the middle of approving a folder of the quarantine.

use narthex_tests::{Api, Packing, Response, ServiceProcess, form, zip_files};

use super::{FEWER_KILLS, Moments, insist, kill_during};

const TRIAGE: &str = "/data/services/triage/projects/P1/resources";
const FILES: usize = 400;

fn upload(api: &Api, round: u64) {
    let zip = zip_files((0..FILES).map(|number| (format!("{number}"), bytes(round, number))), Packing::Stored);
    let path = format!("{TRIAGE}/X{round}/files/a.zip?extract=true&target=/data/projects/P1/resources/R{round}");
    let sent = api.client.request("PUT", &path).header("Content-Type", "application/zip").send_bytes(&zip).unwrap();
    assert_eq!(sent.status, 200, "{}", sent.text());
}

fn bytes(round: u64, number: usize) -> Vec<u8> {
    format!("{round}/{number}").into_bytes()
}

fn approve(api: &Api, round: u64) -> std::io::Result<Response> {
    let (src, dest) = (format!("{TRIAGE}/X{round}"), format!("/data/projects/P1/resources/R{round}"));
    let body = form(&[("src", &src), ("dest", &dest)]);
    api.client.post("/data/services/triage/approve", "application/x-www-form-urlencoded", body.as_bytes())
}

/// How many files wait, and how many have arrived.
fn counts(api: &Api, round: u64) -> (usize, usize) {
    let rows = |path: String| match api.get(&path).status {
        404 => 0,
        _ => api.table(&path).rows.len(),
    };
    (rows(format!("{TRIAGE}/X{round}?format=json")), rows(format!("/data/projects/P1/resources/R{round}/files")))
}

#[test]
fn a_folder_is_approved_whole_or_waits_whole() {
    let mut service = ServiceProcess::start();
    let api = service.api();
    api.project("P1");
    upload(&api, 1000);
    let start = std::time::Instant::now();
    assert_eq!(approve(&api, 1000).unwrap().status, 201);
    let usual = start.elapsed();
    let (mut acknowledged, mut silent, mut waits) = (0, 0, 0);
    let mut moments = Moments::new(31, FEWER_KILLS, usual);
    for round in 0..FEWER_KILLS {
        upload(&service.api(), round);
        let answer = kill_during(&mut service, &mut moments, move |api| approve(api, round));
        service.restart();
        let api = service.api();
        let is_approved = match counts(&api, round) {
            (0, FILES) => true,
            (FILES, 0) => false,
            other => panic!("round {round}: {other:?}"),
        };
        match (answer.map(|answer| answer.status), is_approved) {
            (Some(201), true) => acknowledged += 1,
            (None, true) => silent += 1,
            (None, false) => {
                waits += 1;
                let answer = insist("approving again", || approve(&api, round).unwrap());
                assert_eq!(answer.status, 201, "{}", answer.text());
            }
            other => panic!("round {round}: {other:?}"),
        }
        assert_eq!(counts(&api, round), (0, FILES), "round {round}");
        for number in [0, FILES - 1] {
            let found = api.bytes(&format!("/data/projects/P1/resources/R{round}/files/{number}"));
            assert_eq!(found, bytes(round, number), "round {round}");
        }
    }
    println!(
        "{acknowledged} acknowledged, {silent} approved without an answer, {waits} waited; {:?} each",
        moments.usual
    );
    assert!(acknowledged + silent > 0 && waits > 0, "the moments were not spread over the approval");
    let api = service.api();
    for round in 0..FEWER_KILLS {
        assert_eq!(counts(&api, round), (0, FILES), "round {round}");
    }
}
