//! The handler `DICOM-zip`: archives of objects of sessions that may get more.

use narthex_tests::{Api, Modality, Packing, Response, Service, Study, sentence, zip_files, zip_study};

fn study(seed: u64) -> Study {
    Study::new(Modality::Ct, seed).patient(&format!("Z{seed}_CT1"), &format!("Z{seed}")).slices(4).matrix(16)
}

fn send(api: &Api, query: &str, body: &[u8]) -> Response {
    let path = format!("/data/services/import?import-handler=DICOM-zip&{query}");
    api.client.post(&path, "application/zip", body).unwrap()
}

#[track_caller]
fn uris(response: &Response) -> Vec<String> {
    assert_eq!(response.status, 200, "{}", response.text());
    response.text().lines().map(str::to_owned).collect()
}

fn several(studies: &[Study]) -> Vec<u8> {
    let files = studies.iter().enumerate().flat_map(|(number, study)| {
        study.files().map(move |file| (format!("{number}/{}", file.name), file.bytes)).collect::<Vec<_>>()
    });
    zip_files(files, Packing::Deflated)
}

#[test]
fn without_a_commit_the_sessions_wait_for_more() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let studies = [study(1), study(2)];
    let uris = uris(&send(&api, "project=P1", &several(&studies)));
    assert_eq!(uris.len(), 2);
    assert_eq!(api.sessions("P1").column("status"), ["RECEIVING", "RECEIVING"]);
    for (uri, study) in uris.iter().zip(&studies) {
        assert_eq!(api.client.post(&format!("{uri}?action=commit"), "", b"").unwrap().status, 200);
        api.assert_holds(uri, study);
    }
}

#[test]
fn a_destination_or_a_commit_completes_the_sessions() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    for (query, seed) in [("dest=/prearchive/projects/P1", 3), ("project=P1&action=commit", 4)] {
        let uris = uris(&send(&api, query, &zip_study(&study(seed))));
        assert_eq!(uris.len(), 1);
        let status = api.sessions("P1").row("name", &format!("Z{seed}_CT1")).get("status").to_owned();
        assert_eq!(status, "READY", "{query}");
        api.assert_holds(&uris[0], &study(seed));
    }
}

#[test]
fn a_destination_in_the_archive_archives_and_what_is_there_already_is_refused_with_the_reason() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let first = uris(&send(&api, "dest=/archive/projects/P1", &zip_study(&study(5))));
    assert_eq!(first, ["/data/archive/projects/P1/subjects/Z5/experiments/Z5_CT1"]);
    api.assert_holds(&first[0], &study(5));
    let again = send(&api, "dest=/archive/projects/P1", &zip_study(&study(5)));
    assert_eq!(again.status, 400);
    let said = sentence(&again);
    assert!(said.starts_with("unable to archive for the Prearchive session") && said.contains("exists"), "{said}");
    assert_eq!(api.sessions("P1").only().get("status"), "CONFLICT");
}

#[test]
fn what_is_no_image_refuses_the_upload_unless_it_is_to_be_ignored() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let mut files: Vec<_> = study(6).files().map(|file| (file.name, file.bytes)).collect();
    files.push(("notes.txt".to_owned(), b"Scans of a phantom.".to_vec()));
    let zip = zip_files(files, Packing::Deflated);
    let refused = send(&api, "project=P1", &zip);
    assert_eq!(refused.status, 400);
    assert!(sentence(&refused).contains("notes.txt"), "{}", sentence(&refused));
    assert!(api.sessions("P1").rows.is_empty());
    let uris = uris(&send(&api, "project=P1&Ignore-Unparsable=true", &zip));
    assert_eq!(api.client.post(&format!("{}?action=build", uris[0]), "", b"").unwrap().status, 200);
    api.assert_holds(&uris[0], &study(6));
}

#[test]
fn several_uploads_of_one_session_at_once_make_one_session() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let study = Study::new(Modality::Ct, 7).patient("Z7_CT1", "Z7").slices(40).matrix(16);
    let files: Vec<_> = study.files().collect();
    std::thread::scope(|scope| {
        for part in files.chunks(10) {
            let api = &api;
            scope.spawn(move || {
                let part = part.iter().map(|file| (file.name.clone(), file.bytes.clone()));
                let query = "Ignore-Unparsable=true&project=P1&subject=S&session=L&overwrite=delete&overwrite_files=true\
                             &quarantine=false&triggerPipelines=true&rename=false&inbody=true\
                             &dest=/prearchive/projects/P1";
                assert_eq!(send(api, query, &zip_files(part, Packing::Deflated)).status, 200);
            });
        }
    });
    let row = api.sessions("P1").only().clone();
    assert_eq!((row.get("name"), row.get("subject")), ("L", "S"));
    let uri = format!("/data{}", row.get("url"));
    assert_eq!(api.client.post(&format!("{uri}?action=build"), "", b"").unwrap().status, 200);
    api.assert_holds(&uri, &study);
}

#[test]
fn each_file_s_verdict_is_told_where_it_is_asked_for() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let mut files: Vec<_> = study(8).files().map(|file| (file.name, file.bytes)).collect();
    let (name, bytes) = files[0].clone();
    files.push((format!("again/{name}"), bytes));
    files.push(("notes.txt".to_owned(), b"Scans of a phantom.".to_vec()));
    let zip = zip_files(files, Packing::Deflated);
    let response = send(&api, "dest=/prearchive/projects/P1&verdicts=true&format=json&import-handler=SI", &zip);
    assert_eq!(response.status, 200, "{}", response.text());
    let answer: serde_json::Value = serde_json::from_str(&response.text()).unwrap();
    assert!(answer["ResultSet"]["Result"][0]["URI"].as_str().unwrap().starts_with("/data/prearchive/projects/P1/"));
    let verdicts = answer["files"].as_array().unwrap();
    let count = |verdict: &str| verdicts.iter().filter(|file| file["verdict"] == verdict).count();
    assert_eq!((count("stored"), count("duplicate"), count("ignored")), (4, 1, 1), "{verdicts:#?}");
    let ignored = verdicts.iter().find(|file| file["verdict"] == "ignored").unwrap();
    assert_eq!((ignored["name"].as_str(), ignored["reason"].as_str()), (Some("notes.txt"), Some("not-dicom")));
}

/// The verdicts of an upload by their files' names, with their reasons.
#[track_caller]
fn verdicts(response: &Response) -> Vec<(String, String, String)> {
    assert_eq!(response.status, 200, "{}", response.text());
    let answer: serde_json::Value = serde_json::from_str(&response.text()).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let files = answer["files"].as_array().unwrap();
    files.iter().map(|file| (text(&file["name"]), text(&file["verdict"]), text(&file["reason"]))).collect()
}

#[track_caller]
fn assert_verdicts(response: &Response, expected: &[(&str, &str, &str)]) {
    let told = verdicts(response);
    let told: Vec<_> =
        told.iter().map(|(name, verdict, why)| (name.as_str(), verdict.as_str(), why.as_str())).collect();
    assert_eq!(told, expected);
}

#[test]
fn the_same_image_under_several_names_is_kept_once_and_told_so() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let image = study(9).files().next().unwrap().bytes;
    let names = ["a.dcm", "b.dcm", "d/a.dcm"];
    let zip = zip_files(names.map(|name| (name.to_owned(), image.clone())), Packing::Deflated);
    let sent = send(&api, "dest=/prearchive/projects/P1&verdicts=true", &zip);
    assert_verdicts(&sent, &[("a.dcm", "stored", ""), ("b.dcm", "duplicate", ""), ("d/a.dcm", "duplicate", "")]);
    let files = |project: &str| api.content(&format!("/data{}", api.sessions(project).only().get("url"))).len();
    assert_eq!(files("P1"), 1);
    // Other bytes of the same object and name take its place.
    api.project("P2");
    let mut other = image.clone();
    let last = other.len() - 1;
    other[last] ^= 1;
    let zip = zip_files([("a.dcm".to_owned(), image.clone()), ("d/a.dcm".to_owned(), other)], Packing::Deflated);
    let sent = send(&api, "dest=/prearchive/projects/P2&verdicts=true", &zip);
    assert_verdicts(&sent, &[("a.dcm", "replaced", ""), ("d/a.dcm", "stored", "")]);
    assert_eq!(files("P2"), 1);
    // SI keeps what has another name.
    api.project("P3");
    let zip = zip_files(names.map(|name| (name.to_owned(), image.clone())), Packing::Deflated);
    let sent = send(&api, "dest=/prearchive/projects/P3&verdicts=true&import-handler=SI", &zip);
    assert_verdicts(&sent, &[("a.dcm", "stored", ""), ("b.dcm", "stored", ""), ("d/a.dcm", "duplicate", "")]);
    assert_eq!(files("P3"), 2);
}

#[test]
fn an_image_that_is_cut_off_is_kept_and_told_of() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let mut files: Vec<_> = study(10).files().map(|file| (file.name, file.bytes)).collect();
    files.truncate(2);
    let whole = files[1].1.len();
    files[1].1.truncate(whole - 10);
    let zip = zip_files(files.clone(), Packing::Deflated);
    for (at, handler) in ["SI", "DICOM-zip"].into_iter().enumerate() {
        let project = format!("T{at}");
        api.project(&project);
        let query = format!("dest=/prearchive/projects/{project}&verdicts=true&import-handler={handler}");
        let expected = [(files[0].0.as_str(), "stored", ""), (files[1].0.as_str(), "stored", "truncated")];
        assert_verdicts(&send(&api, &query, &zip), &expected);
        let uri = format!("/data{}", api.sessions(&project).only().get("url"));
        assert!(api.content(&uri).values().any(|bytes| *bytes == files[1].1), "{handler}: it is kept as it is");
        let logs = api.table(&format!("{uri}/logs"));
        let told = logs.column("id").iter().any(|id| {
            api.get(&format!("{uri}/logs/{id}")).text().contains("1 file(s) of the upload end before their pixel data")
        });
        assert!(told, "{handler}: the log does not tell");
    }
}
