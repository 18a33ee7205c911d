//! `kill -9` at random moments: what was acknowledged is there, and nothing is half done.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use narthex_tests::{Api, Modality, Noise, Response, ServiceProcess, Study, eventually, zip_study};

/// How often the host is killed in each test.
const KILLS: u64 = 50;

/// What the moments depend on.
const SEED: u64 = 0x5EED_0002;

/// How long a restarted service may need until what died is settled: the leases of the dead last two seconds.
const SETTLED: Duration = Duration::from_secs(20);

const IMPORT: &str = "/data/services/import?import-handler=SI&dest=/prearchive/projects/P1";

fn study(round: u64) -> Study {
    Study::new(Modality::Ct, 9000 + round)
        .patient(&format!("R{round}"), &format!("SUBJECT{round}"))
        .slices(16)
        .matrix(96)
}

/// Runs `request` in a thread and kills the host after a random part of `usual`, which learns from the answers that
/// come; returns the answer if one came.
fn kill_during(
    service: &mut ServiceProcess,
    usual: &mut Duration,
    noise: &mut Noise,
    request: impl FnOnce(&Api) -> std::io::Result<Response> + Send + 'static,
) -> Option<Response> {
    let api = service.api();
    let (sender, answers): (Sender<_>, _) = channel();
    let start = Instant::now();
    let worker = thread::spawn(move || {
        let _ = sender.send(request(&api));
    });
    // A little beyond the usual time as well, so that some answers come and are then put to the test.
    let moment = Duration::from_micros(noise.below(u64::try_from(usual.as_micros()).unwrap_or(1) * 13 / 10));
    let early = answers.recv_timeout(moment);
    let took = start.elapsed();
    service.kill();
    let answer = match early {
        Ok(answer) => {
            *usual = (*usual * 3 + took) / 4;
            Some(answer)
        }
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => answers.recv().ok(),
    };
    worker.join().expect("the worker does not panic");
    answer.and_then(Result::ok)
}

/// The time that a request takes when nobody dies.
fn usual(request: impl FnOnce() -> Response) -> Duration {
    let start = Instant::now();
    let response = request();
    assert_eq!(response.status, 200, "{}", response.text());
    start.elapsed()
}

/// The URI of a study in the prearchive, once the list is settled: only whole sessions are listed.
fn settled(api: &Api, study: &Study) -> Option<String> {
    let list = eventually(SETTLED, "every session in the list is whole", || {
        let list = api.sessions("P1");
        list.column("status").iter().all(|status| *status == "READY").then_some(list)
    });
    let uid = study.study_uid();
    let rows: Vec<_> = list.rows.iter().filter(|row| row.get("tag") == uid).collect();
    assert!(rows.len() <= 1, "a study stands in the list twice: {rows:?}");
    rows.first().map(|row| format!("/data{}", row.get("url")))
}

#[test]
fn during_upload() {
    let mut noise = Noise::new(SEED);
    println!("seed {SEED:#x}");
    let mut service = ServiceProcess::start();
    service.api().project("P1");
    let warm_up = zip_study(&study(1000));
    service.api().client.post(IMPORT, "application/zip", &warm_up).unwrap();
    let another = zip_study(&study(1001));
    let mut usual = usual(|| service.api().client.post(IMPORT, "application/zip", &another).unwrap());

    let (mut acknowledged, mut silent, mut absent) = (Vec::new(), 0, 0);
    for round in 0..KILLS {
        let zip = zip_study(&study(round));
        let answer = kill_during(&mut service, &mut usual, &mut noise, move |api| {
            api.client.post(IMPORT, "application/zip", &zip)
        });
        service.restart();
        let api = service.api();
        let found = settled(&api, &study(round));
        if let Some(answer) = answer {
            assert_eq!(answer.status, 200, "round {round}: {}", answer.text());
            assert_eq!(found.as_deref(), Some(answer.text().trim()), "round {round}: acknowledged but not listed");
            acknowledged.push((round, answer.text().trim().to_owned()));
        } else if found.is_some() {
            silent += 1;
        } else {
            absent += 1;
        }
        // Listed is whole, acknowledged or not.
        if let Some(uri) = found {
            api.assert_holds(&uri, &study(round));
        }
    }
    println!("{} acknowledged, {silent} in without an answer, {absent} not in; {usual:?} each", acknowledged.len());
    for (round, uri) in &acknowledged {
        service.api().assert_holds(uri, &study(*round));
    }
    assert!(absent > 0 && acknowledged.len() + silent > 0, "the moments were not spread over the upload");
}

#[test]
fn during_archive() {
    let mut noise = Noise::new(SEED + 1);
    println!("seed {:#x}", SEED + 1);
    let mut service = ServiceProcess::start();
    let api = service.api();
    api.project("P1");
    api.send_archive(&api.import("P1", &study(1000)));
    let src = api.import("P1", &study(1001));
    let mut usual = usual(|| api.send_archive(&src));

    let (mut acknowledged, mut silent, mut still_there) = (0, 0, 0);
    for round in 0..KILLS {
        let study = study(round);
        let src = service.api().import("P1", &study);
        let sent = src.clone();
        let answer = kill_during(&mut service, &mut usual, &mut noise, move |api| {
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
        "{acknowledged} acknowledged, {silent} archived without an answer, {still_there} still in the prearchive; {usual:?} each"
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
