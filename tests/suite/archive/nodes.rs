//! Two nodes that archive at once.

use std::sync::Barrier;
use std::thread;

use narthex_tests::{Api, Modality, Packing, Response, Service, Study, form, zip_files};

const ROUNDS: u64 = 200;

/// The whole study of a round: it is archived in two parts.
fn study(round: u64) -> Study {
    Study::new(Modality::Mr, 7_000 + round).patient(&format!("R{round}"), "RACE").slices(2).matrix(8)
}

fn half(api: &Api, study: &Study, half: usize) -> String {
    let files = study.files().skip(half).take(1).map(|file| (file.name, file.bytes));
    let zip = zip_files(files, Packing::Deflated);
    api.import_zip("dest=/prearchive/projects/P1", &zip).remove(0)
}

fn archive(api: &Api, src: &str, overwrite: &str) -> Response {
    let body = form(&[("src", src), ("overwrite", overwrite)]);
    api.client.post("/data/services/archive", "application/x-www-form-urlencoded", body.as_bytes()).unwrap()
}

/// Both do it at the same moment.
fn at_once<T: Send>(first: impl FnOnce() -> T + Send, second: impl FnOnce() -> T + Send) -> [T; 2] {
    let barrier = Barrier::new(2);
    thread::scope(|scope| {
        let wait = &barrier;
        let first = scope.spawn(move || {
            wait.wait();
            first()
        });
        let second = scope.spawn(move || {
            wait.wait();
            second()
        });
        [first.join().unwrap(), second.join().unwrap()]
    })
}

#[test]
fn of_two_nodes_that_archive_one_session_one_does_it() {
    let service = Service::start();
    let node = service.node();
    let (one, two) = (service.api(), node.api());
    one.project("P1");
    for round in 0..ROUNDS {
        let study = study(round);
        let src = half(&one, &study, 0);
        // Every other time it is merged into what is there.
        let is_merge = round % 2 == 1;
        if is_merge {
            one.archive(&src);
        }
        let src = if is_merge { half(&two, &study, 1) } else { src };
        let answers = at_once(|| archive(&one, &src, "append"), || archive(&two, &src, "append"));
        let mut statuses = answers.each_ref().map(|answer| answer.status);
        statuses.sort_unstable();
        assert_eq!(statuses[0], 200, "round {round}: {} {}", answers[0].text(), answers[1].text());
        assert!([404, 409].contains(&statuses[1]), "round {round}: {} {}", answers[0].text(), answers[1].text());
        let wanted = if is_merge { 2 } else { 1 };
        for api in [&one, &two] {
            let found = api.content(&format!("/data/projects/P1/experiments/R{round}"));
            assert_eq!(found.len(), wanted, "round {round}: {:?}", found.keys());
        }
    }
    assert!(two.sessions("P1").rows.is_empty());
    assert_eq!(two.table("/data/projects/P1/experiments").rows.len() as u64, ROUNDS);
    assert_eq!(two.table("/data/projects/P1/subjects").rows.len(), 1);
}

#[test]
fn two_nodes_that_merge_into_one_experiment_lose_nothing() {
    let service = Service::start();
    let node = service.node();
    let (one, two) = (service.api(), node.api());
    one.project("P1");
    let study = Study::new(Modality::Mr, 9_000).patient("SES", "RACE").slices(41).matrix(8);
    let files: Vec<_> = study.files().map(|file| (file.name, file.bytes)).collect();
    let send = |api: &Api, number: usize, session: &str| {
        let zip = zip_files(files[number..=number].to_vec(), Packing::Deflated);
        let query = format!("dest=/prearchive/projects/P1&session={session}");
        api.import_zip(&query, &zip).remove(0)
    };
    one.archive(&send(&one, 0, "SES"));
    let insist = |api: &Api, src: &str| {
        for _ in 0..200 {
            let body = form(&[("src", src), ("overwrite", "append"), ("session", "SES")]);
            let path = "/data/services/archive";
            let answer = api.client.post(path, "application/x-www-form-urlencoded", body.as_bytes()).unwrap();
            match answer.status {
                200 => return,
                409 => {}
                _ => panic!("{}: {}", answer.status, answer.text()),
            }
        }
        panic!("it never comes to its turn");
    };
    for pair in 0..20 {
        let sources = [send(&one, 2 * pair + 1, &format!("A{pair}")), send(&one, 2 * pair + 2, &format!("B{pair}"))];
        at_once(|| insist(&one, &sources[0]), || insist(&two, &sources[1]));
    }
    one.assert_holds("/data/projects/P1/experiments/SES", &study);
    assert!(one.sessions("P1").rows.is_empty());
}
