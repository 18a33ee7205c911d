//! Uploads of the same studies at one moment: each waits for the others only as long as these work.

use std::thread;
use std::time::{Duration, Instant};

use narthex_tests::{Api, Modality, Packing, Response, Service, Study, eventually, zip_files, zip_study};

use super::SOON;

/// Far below the time after which somebody gives up who waits for another that waits for him.
const AT_ONCE: Duration = Duration::from_secs(20);

fn study(seed: u64) -> Study {
    let label = format!("T{seed}_MR1");
    Study::new(Modality::Mr, seed).patient(&label, &format!("T{seed}")).slices(8).matrix(16)
}

fn send(api: &Api, handler: &str, query: &str, body: &[u8]) -> Response {
    let path = format!("/data/services/import?import-handler={handler}&inbody=true&{query}");
    api.client.post(&path, "application/octet-stream", body).unwrap()
}

/// Sends all bodies at one moment; all must be taken.
#[track_caller]
fn send_together(api: &Api, handler: &str, query: &str, bodies: &[Vec<u8>]) -> Vec<String> {
    let begun = Instant::now();
    let answers: Vec<Response> = thread::scope(|scope| {
        let clients: Vec<_> = bodies.iter().map(|body| scope.spawn(move || send(api, handler, query, body))).collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    for answer in &answers {
        assert_eq!(answer.status, 200, "{handler} after {:?}: {}", begun.elapsed(), answer.text());
    }
    assert!(begun.elapsed() < AT_ONCE, "{handler}: {:?}", begun.elapsed());
    answers.iter().map(|answer| answer.text().trim().to_owned()).collect()
}

fn service() -> (Service, Api) {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    (service, api)
}

/// A zip of each file of a study.
fn zips(study: &Study) -> Vec<Vec<u8>> {
    study.files().map(|file| zip_files([(file.name, file.bytes)], Packing::Deflated)).collect()
}

#[test]
fn parts_of_a_study_are_archived_together() {
    for seed in 1..4 {
        let (_service, api) = service();
        let query = "dest=/archive/projects/P1/subjects/S/experiments/ALL&overwrite=append";
        let uris = send_together(&api, "SI", query, &zips(&study(seed)));
        assert!(uris.iter().all(|uri| *uri == "/data/archive/projects/P1/subjects/S/experiments/ALL"), "{uris:?}");
        api.assert_holds(&uris[0], &study(seed));
    }
}

#[test]
fn parts_of_a_study_are_committed_together() {
    for (handler, seed) in [("gradual-DICOM", 1), ("DICOM-zip", 2)] {
        let (_service, api) = service();
        let query = "dest=/archive/projects/P1/subjects/S/experiments/ALL&overwrite=append&action=commit";
        let bodies: Vec<Vec<u8>> = match handler {
            "gradual-DICOM" => study(seed).files().map(|file| file.bytes).collect(),
            _ => zips(&study(seed)),
        };
        let uris = send_together(&api, handler, query, &bodies);
        assert!(uris.iter().all(|uri| uri.ends_with("/experiments/ALL")), "{handler}: {uris:?}");
        api.assert_holds(&uris[0], &study(seed));
    }
}

#[test]
fn studies_that_come_in_any_order_are_taken() {
    let (_service, api) = service();
    let studies: Vec<Study> = (1..=4).map(study).collect();
    let rotated = |by: usize| {
        let order = studies.iter().cycle().skip(by).take(studies.len()).enumerate();
        let files = order.flat_map(|(number, study)| {
            study.files().map(move |file| (format!("{number}/{}", file.name), file.bytes)).collect::<Vec<_>>()
        });
        zip_files(files, Packing::Deflated)
    };
    let bodies: Vec<Vec<u8>> = (0..studies.len()).map(rotated).collect();
    for handler in ["SI", "DICOM-zip"] {
        send_together(&api, handler, "dest=/prearchive/projects/P1", &bodies);
    }
    let list = api.sessions("P1");
    assert_eq!(list.rows.len(), studies.len());
    for study in &studies {
        api.assert_holds(&format!("/data{}", list.row("tag", &study.study_uid()).get("url")), study);
    }
}

#[test]
fn a_session_is_moved_while_files_come() {
    let (_service, api) = service();
    api.project("P2");
    let study = study(1);
    let (first, rest) = (zips(&study)[0].clone(), zips(&study)[1..].to_vec());
    let uri = api.import_zip("dest=/prearchive/projects/P1", &first).remove(0);
    let begun = Instant::now();
    thread::scope(|scope| {
        scope.spawn(|| {
            // It may meet whoever is just adding to the session.
            eventually(SOON, "the session is moved", || {
                let moved = api.client.post(&format!("{uri}?action=move&newProject=P2"), "", b"").unwrap();
                (moved.status == 301).then_some(())
            });
        });
        for body in &rest {
            let api = &api;
            scope.spawn(move || assert_eq!(send(api, "SI", "dest=/prearchive/projects/P1", body).status, 200));
        }
    });
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
    let held: usize = ["P1", "P2"]
        .iter()
        .flat_map(|project| api.sessions(project).rows)
        .map(|row| api.content(&format!("/data{}", row.get("url"))).len())
        .sum();
    assert_eq!(held, study.files().count());
}

#[test]
fn a_session_is_deleted_while_files_come() {
    let (_service, api) = service();
    let zip = zip_study(&study(1));
    let uri = api.import_zip("dest=/prearchive/projects/P1", &zip).remove(0);
    let begun = Instant::now();
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| assert_eq!(send(&api, "SI", "dest=/prearchive/projects/P1", &zip).status, 200));
        }
        scope.spawn(|| {
            eventually(SOON, "the session is deleted", || {
                [200, 404].contains(&api.client.delete(&uri).unwrap().status).then_some(())
            });
        });
    });
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
}
