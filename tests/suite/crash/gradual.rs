//! While many clients send instances one by one.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Instant;

use narthex_tests::{Api, File, Modality, Response, ServiceProcess, Study};

use super::{FEWER_KILLS, Moments, act, address, insist, rest_of};

const IMPORT: &str = "/data/services/import?import-handler=gradual-DICOM&PROJECT_ID=P1";

const CLIENTS: usize = 8;

fn studies(round: u64) -> Vec<Study> {
    (0..3)
        .map(|number| {
            let seed = 20_000 + 10 * round + number;
            Study::new(Modality::Mr, seed).patient(&format!("G{seed}"), &format!("S{seed}")).slices(8).matrix(64)
        })
        .collect()
}

/// The instances of all studies, those of different studies in turn.
fn instances(studies: &[Study]) -> Vec<File> {
    let mut files: Vec<(usize, File)> = studies.iter().flat_map(|study| study.files().enumerate()).collect();
    files.sort_by_key(|(number, _)| *number);
    files.into_iter().map(|(_, file)| file).collect()
}

fn send(api: &Api, file: &File) -> std::io::Result<Response> {
    api.client.post(IMPORT, "application/dicom", &file.bytes)
}

/// Sends all with several clients, each until one of its instances is not answered. Gives which were acknowledged.
fn send_all(api: &Api, files: &[File]) -> BTreeSet<usize> {
    let next = AtomicUsize::new(0);
    let client = || {
        let mut acknowledged = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(file) = files.get(number) else { break };
            let Ok(answer) = send(api, file) else { break };
            assert_eq!(answer.status, 200, "{}", answer.text());
            acknowledged.push(number);
        }
        acknowledged
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(client)).collect();
        clients.into_iter().flat_map(|client| client.join().expect("a client does not panic")).collect()
    })
}

#[test]
fn every_acknowledged_instance_is_in_the_one_session_of_its_study() {
    let mut service = ServiceProcess::start();
    service.api().project("P1");
    send_all(&service.api(), &instances(&studies(1000)));
    let start = Instant::now();
    assert_eq!(send_all(&service.api(), &instances(&studies(1001))).len(), 24);
    let mut moments = Moments::new(20, FEWER_KILLS, start.elapsed());

    let (mut kept, mut broken) = (0, 0);
    for round in 0..FEWER_KILLS {
        let (studies, api) = (studies(round), service.api());
        let files = instances(&studies);
        let (sender, answers) = channel();
        let sent = files.clone();
        let clients = thread::spawn(move || {
            let _ = sender.send(send_all(&api, &sent));
        });
        let early = match moments.next() {
            Some(moment) => answers.recv_timeout(moment).ok(),
            None => answers.recv().ok(),
        };
        service.kill();
        let acknowledged = early.unwrap_or_else(|| answers.recv().expect("what was acknowledged"));
        clients.join().expect("the clients do not panic");
        service.restart();

        let api = service.api();
        for study in &studies {
            let mine: BTreeSet<Vec<u8>> = study.files().map(|file| file.bytes).collect();
            let wanted: Vec<&File> =
                acknowledged.iter().map(|number| &files[*number]).filter(|file| mine.contains(&file.bytes)).collect();
            let Some(row) = rest_of(&api, &["P1"], study) else {
                assert!(wanted.is_empty(), "round {round}: {} instances were acknowledged, no session", wanted.len());
                continue;
            };
            let session = address(&row);
            let built = insist("build", || act(&api, &session, &[("action", "build")]).unwrap());
            assert_eq!(built.status, 200, "round {round}: {}", built.text());
            let found: Vec<Vec<u8>> = api.content(&session).into_values().collect();
            let once: BTreeSet<&Vec<u8>> = found.iter().collect();
            assert_eq!(once.len(), found.len(), "round {round}: an instance is there twice");
            assert!(found.iter().all(|bytes| mine.contains(bytes)), "round {round}: bytes that nobody sent");
            assert!(wanted.iter().all(|file| once.contains(&file.bytes)), "round {round}: an instance is lost");
            // The rest finds the same session.
            let missing = study.files().filter(|file| !once.contains(&file.bytes));
            for file in missing {
                let answer = insist("an instance", || send(&api, &file).unwrap());
                assert_eq!((answer.status, answer.text().trim()), (200, session.as_str()), "round {round}");
            }
            let built = insist("build", || act(&api, &session, &[("action", "build")]).unwrap());
            assert_eq!(built.status, 200, "round {round}: {}", built.text());
            api.assert_holds(&session, study);
        }
        kept += acknowledged.len();
        broken += usize::from(acknowledged.len() < files.len());
    }
    println!("{kept} acknowledged, {broken} of {FEWER_KILLS} rounds broken off; {:?} each", moments.usual);
    assert!(kept > 0 && broken > 0, "the moments were not spread over the uploads");
}
