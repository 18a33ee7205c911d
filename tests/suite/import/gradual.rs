//! The handler `gradual-DICOM`: objects that come one by one.

use std::thread;

use narthex_tests::{Api, File, Modality, Response, Service, Study, eventually, sentence};

use super::SOON;

fn study(seed: u64) -> Study {
    Study::new(Modality::Mr, seed)
        .patient(&format!("G{seed}_MR1"), &format!("G{seed}"))
        .slices(4)
        .matrix(16)
        .and_series(7, "scout", Modality::Mr, 3)
}

fn send(api: &Api, query: &str, bytes: &[u8]) -> Response {
    let path = format!("/data/services/import?import-handler=gradual-DICOM&inbody=true&{query}");
    api.client.post(&path, "application/dicom", bytes).unwrap()
}

#[track_caller]
fn taken(response: &Response) -> String {
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(response.header("content-type"), Some("text/uri-list"));
    assert!(response.text().ends_with("\r\n"));
    response.text().trim().to_owned()
}

#[test]
fn many_clients_with_one_study_make_one_session() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let study = study(1);
    let files: Vec<File> = study.files().collect();
    let uris: Vec<String> = thread::scope(|scope| {
        // Each object comes twice, from two of eight clients.
        let clients: Vec<_> = (0..8)
            .map(|client| {
                let (api, files) = (&api, &files);
                scope.spawn(move || -> Vec<String> {
                    let mine = files.iter().chain(files).enumerate().filter(|(number, _)| number % 8 == client);
                    mine.map(|(_, file)| taken(&send(api, "PROJECT_ID=P1&SUBJECT_ID=SUB&EXPT_LABEL=LAB", &file.bytes)))
                        .collect()
                })
            })
            .collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    assert!(uris.iter().all(|uri| *uri == uris[0]), "{uris:?}");
    let row = api.sessions("P1").only().clone();
    assert_eq!(
        (row.get("status"), row.get("subject"), row.get("name"), row.get("prevent_auto_commit")),
        ("RECEIVING", "SUB", "LAB", "false")
    );
    let committed = api.client.post(&format!("{}?action=build", uris[0]), "", b"").unwrap();
    assert_eq!(committed.status, 200, "{}", committed.text());
    api.assert_holds(&uris[0], &study);
    // Nobody named them, so each is named by what it is.
    let names: Vec<String> = api.content(&uris[0]).into_keys().map(|(.., name)| name).collect();
    assert!(names.iter().all(|name| name.starts_with(&study.study_uid())), "{names:?}");
}

#[test]
fn the_media_type_alone_chooses_the_handler() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let file = study(2).files().next().unwrap();
    let response = api.client.post("/data/services/import?project=P1", "application/dicom", &file.bytes).unwrap();
    let uri = taken(&response);
    assert!(uri.starts_with("/data/prearchive/projects/P1/"), "{uri}");
    assert_eq!(api.sessions("P1").only().get("status"), "RECEIVING");
}

#[test]
fn silence_completes_a_session_and_archives_it_where_that_is_wanted() {
    let service = Service::with(&[("session_idle_seconds", "1")]);
    let api = service.api();
    api.project("P1");
    api.project("P2");
    for (project, query) in [("P1", "PROJECT_ID=P1"), ("P2", "PROJECT_ID=P2&AA=true")] {
        for file in study(3).files() {
            taken(&send(&api, query, &file.bytes));
        }
        if project == "P1" {
            eventually(SOON, "the session is built", || {
                (api.sessions("P1").only().get("status") == "READY").then_some(())
            });
            api.assert_holds(&format!("/data{}", api.sessions("P1").only().get("url")), &study(3));
        }
    }
    eventually(SOON, "the session is archived", || api.sessions("P2").rows.is_empty().then_some(()));
    api.assert_holds("/data/archive/projects/P2/subjects/G3/experiments/G3_MR1", &study(3));
}

#[test]
fn files_are_named_by_the_template_where_that_is_wanted_or_needed() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let study = study(4);
    for (number, file) in study.files().enumerate() {
        let (name, query) = match number {
            0 => ("kept.dcm", ""),
            1 => ("kept.dcm", ""),
            2 => ("not%20kept%24.dcm", ""),
            3 => ("renamed.dcm", "&rename=true"),
            _ => break,
        };
        let path = format!("/data/services/import/{name}?import-handler=gradual-DICOM&PROJECT_ID=P1{query}");
        taken(&api.client.post(&path, "application/dicom", &file.bytes).unwrap());
    }
    let uri = format!("/data{}", api.sessions("P1").only().get("url"));
    assert_eq!(api.client.post(&format!("{uri}?action=build"), "", b"").unwrap().status, 200);
    let files = api.table(&format!("{uri}/scans/1/resources/DICOM/files?format=json"));
    let names = files.column("Name");
    assert_eq!(names.iter().filter(|name| **name == "kept.dcm").count(), 1, "{names:?}");
    let by_template = names.iter().filter(|name| name.starts_with(&format!("{}-1-", study.study_uid()))).count();
    assert_eq!(by_template, 3, "{names:?}");
}

#[test]
fn what_is_no_single_object_is_refused_and_leaves_nothing() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let chunks = service.stores().chunks();
    let zip = narthex_tests::zip_study(&study(5));
    let file = study(5).files().next().unwrap();
    for (body, begin) in [
        (b"This is a text.".as_slice(), "Unable to read DICOM object"),
        (&zip, "Unable to read DICOM object"),
        (&file.bytes[..200], "Unable to read DICOM object"),
    ] {
        let response = send(&api, "PROJECT_ID=P1", body);
        assert_eq!(response.status, 400, "{}", response.text());
        assert!(sentence(&response).starts_with(begin), "{}", sentence(&response));
    }
    assert!(api.sessions("P1").rows.is_empty());
    assert_eq!(service.stores().chunks(), chunks);
}

#[test]
fn another_study_under_the_same_label_has_a_session_of_its_own() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    for seed in [6, 7] {
        for file in study(seed).files() {
            taken(&send(&api, "PROJECT_ID=P1&EXPT_LABEL=SAME", &file.bytes));
        }
    }
    let sessions = api.sessions("P1");
    assert_eq!(sessions.column("name"), ["SAME", "SAME"]);
    for row in &sessions.rows {
        let uri = format!("/data{}", row.get("url"));
        assert_eq!(api.client.post(&format!("{uri}?action=build"), "", b"").unwrap().status, 200);
    }
    for seed in [6, 7] {
        let sessions = api.sessions("P1");
        api.assert_holds(&format!("/data{}", sessions.row("tag", &study(seed).study_uid()).get("url")), &study(seed));
    }
}

#[test]
fn an_object_for_a_session_that_was_built_makes_it_receive_again() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let study = study(8);
    let files: Vec<File> = study.files().collect();
    let (last, first) = files.split_last().unwrap();
    let mut uri = String::new();
    for file in first {
        uri = taken(&send(&api, "PROJECT_ID=P1", &file.bytes));
    }
    assert_eq!(api.client.post(&format!("{uri}?action=build"), "", b"").unwrap().status, 200);
    assert_eq!(api.sessions("P1").only().get("status"), "READY");
    assert_eq!(taken(&send(&api, "PROJECT_ID=P1", &last.bytes)), uri);
    assert_eq!(api.sessions("P1").only().get("status"), "RECEIVING");
    assert_eq!(api.client.post(&format!("{uri}?action=build"), "", b"").unwrap().status, 200);
    api.assert_holds(&uri, &study);
}

#[test]
fn a_commit_with_the_object_completes_the_session() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let study = Study::new(Modality::Mr, 20).patient("G20_MR1", "G20").slices(2).matrix(16);
    let files: Vec<File> = study.files().collect();
    let first = taken(&send(&api, "project=P1", &files[0].bytes));
    assert_eq!(api.sessions("P1").only().get("status"), "RECEIVING");
    let query = "project=P1&action=commit&xnat:mrSessionData/scans/scan[0]/note=seen";
    let second = taken(&send(&api, query, &files[1].bytes));
    assert_eq!((second.as_str(), api.sessions("P1").only().get("status")), (first.as_str(), "READY"));
    api.assert_holds(&first, &study);
    let waiting = send(&api, "project=P1&xnat:mrSessionData/scans/scan[0]/note=seen", &files[1].bytes);
    assert_eq!(waiting.status, 400, "{}", waiting.text());
}
