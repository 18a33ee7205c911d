//! `quarantine=true` of an upload: remembered with the session until it is archived, whoever does that and when.

use narthex_tests::{Api, File, Modality, Response, Service, Study, eventually, zip_study};

use super::SOON;

const FORM: &str = "application/x-www-form-urlencoded";

fn study(seed: u64) -> Study {
    Study::new(Modality::Mr, seed).patient(&format!("Q{seed}_MR1"), &format!("Q{seed}")).slices(2).matrix(8)
}

fn service() -> (Service, Api) {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    (service, api)
}

/// Sends a study as a zip; gives its address.
#[track_caller]
fn send(api: &Api, handler: &str, query: &str, study: &Study) -> String {
    let path = format!("/data/services/import?import-handler={handler}&{query}");
    address(&api.client.post(&path, "application/zip", &zip_study(study)).unwrap())
}

/// Sends its files one by one.
#[track_caller]
fn send_each(api: &Api, query: &str, study: &Study) -> String {
    let path = format!("/data/services/import?import-handler=gradual-DICOM&{query}");
    let send = |file: File| address(&api.client.post(&path, "application/dicom", &file.bytes).unwrap());
    study.files().map(send).last().unwrap()
}

#[track_caller]
fn address(response: &Response) -> String {
    assert_eq!(response.status, 200, "{}", response.text());
    response.text().trim().to_owned()
}

#[track_caller]
fn post(api: &Api, path: &str, form: &str) -> Response {
    api.client.post(path, FORM, form.as_bytes()).unwrap()
}

/// Commits a session, which archives it.
#[track_caller]
fn commit(api: &Api, session: &str, query: &str) {
    let answer = post(api, &format!("{session}?action=commit{query}"), "");
    assert_eq!(answer.status, 301, "{}", answer.text());
}

#[track_caller]
fn archive(api: &Api, session: &str, query: &str) {
    let answer = post(api, "/data/services/archive", &format!("src={session}{query}"));
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// The status that an archived session has once it is there.
#[track_caller]
fn status(api: &Api, project: &str, seed: u64) -> String {
    let path = format!("/data/projects/{project}/experiments/Q{seed}_MR1/status");
    eventually(SOON, "the session is archived", || {
        let answer = api.get(&path);
        (answer.status == 200).then(|| answer.text())
    })
}

#[test]
fn a_commit_finds_it_however_the_session_is_to_be_archived() {
    let (_service, api) = service();
    let zips = ["AA=true", "auto-archive=true", "Direct-Archive=true"];
    for (seed, query) in (1..).zip(zips) {
        let session = send(&api, "DICOM-zip", &format!("project=P1&{query}&quarantine=true"), &study(seed));
        commit(&api, &session, "");
        assert_eq!(status(&api, "P1", seed), "quarantine", "{query}");
    }
    let session = send_each(&api, "dest=/archive/projects/P1&quarantine=true", &study(10));
    commit(&api, &session, "");
    assert_eq!(status(&api, "P1", 10), "quarantine");
    // By the header, by the commit, and by the project.
    let session = send(&api, "DICOM-zip", "project=P1&quarantine=true", &study(11).comments("AA:true"));
    commit(&api, &session, "");
    assert_eq!(status(&api, "P1", 11), "quarantine");
    let session = send(&api, "DICOM-zip", "project=P1&quarantine=TRUE", &study(12));
    commit(&api, &session, "&AA=true");
    assert_eq!(status(&api, "P1", 12), "quarantine");
    for (code, seed) in [(4, 13), (5, 14)] {
        api.code("P1", code);
        let session = send(&api, "DICOM-zip", "project=P1&quarantine=true", &study(seed));
        commit(&api, &session, "");
        assert_eq!(status(&api, "P1", seed), "quarantine", "code {code}");
    }
    // Nothing else is put there by it.
    let session = send(&api, "DICOM-zip", "project=P1", &study(15));
    commit(&api, &session, "");
    assert_eq!(status(&api, "P1", 15), "active");
}

#[test]
fn silence_archives_into_it() {
    let service = Service::with(&[("session_idle_seconds", "1")]);
    let api = service.api();
    api.project("P1");
    api.project("P4");
    api.code("P4", 4);
    send_each(&api, "PROJECT_ID=P1&AA=true&quarantine=true", &study(20));
    send(&api, "DICOM-zip", "project=P4&quarantine=true", &study(21));
    send(&api, "DICOM-zip", "project=P4", &study(22));
    for project in ["P1", "P4"] {
        eventually(SOON, "the sessions are archived", || api.sessions(project).rows.is_empty().then_some(()));
    }
    assert_eq!(status(&api, "P1", 20), "quarantine");
    assert_eq!(status(&api, "P4", 21), "quarantine");
    assert_eq!(status(&api, "P4", 22), "active");
}

#[test]
fn a_reviewer_archives_into_it_at_once_and_in_the_background() {
    let (_service, api) = service();
    let prearchive = "dest=/prearchive/projects/P1&quarantine=true";
    archive(&api, &send(&api, "SI", prearchive, &study(30)), "");
    assert_eq!(status(&api, "P1", 30), "quarantine");
    let several = [31, 32].map(|seed| send(&api, "SI", prearchive, &study(seed)));
    archive(&api, &several[0], &format!("&src={}", several[1]));
    for seed in [31, 32] {
        assert_eq!(status(&api, "P1", seed), "quarantine");
    }
    let session = send(&api, "DICOM-zip", "project=P1&AA=true&quarantine=true", &study(33));
    assert_eq!(post(&api, &session, "action=commit&http-session-listener=KEY").status, 200);
    assert_eq!(status(&api, "P1", 33), "quarantine");
    // From the user's cache, in the background.
    let put = api.client.request("PUT", "/data/user/cache/resources/UP/files/1.zip");
    assert_eq!(put.header("Content-Type", "application/zip").send_bytes(&zip_study(&study(34))).unwrap().status, 200);
    let import = "/data/services/import?import-handler=SI&src=/user/cache/resources/UP/files/1.zip";
    assert_eq!(post(&api, &format!("{import}&{prearchive}&http-session-listener=IN"), "").status, 200);
    let session = eventually(SOON, "the session is there", || {
        let list = api.sessions("P1");
        let is_ready = |row: &&narthex_tests::Row| row.get("name") == "Q34_MR1" && row.get("status") == "READY";
        list.rows.iter().find(is_ready).map(|row| format!("/data{}", row.get("url")))
    });
    // Its job may still hold it.
    eventually(SOON, "the session is archived", || {
        (post(&api, "/data/services/archive", &format!("src={session}")).status == 200).then_some(())
    });
    assert_eq!(status(&api, "P1", 34), "quarantine");
}

#[test]
fn it_is_not_lost_by_a_move_a_rebuild_a_restart_or_a_conflict() {
    let (mut service, api) = service();
    api.project("P2");
    let session = send(&api, "DICOM-zip", "project=P1&AA=true&quarantine=true", &study(40));
    assert_eq!(post(&api, &session, "action=build").status, 200);
    let moved = post(&api, &session, "action=move&newProject=P2");
    assert_eq!(moved.status, 301);
    service.restart();
    let api = service.api();
    commit(&api, &moved.text(), "");
    assert_eq!(status(&api, "P2", 40), "quarantine");

    archive(&api, &send(&api, "SI", "dest=/prearchive/projects/P1", &study(41).slices(1)), "");
    assert_eq!(status(&api, "P1", 41), "active");
    let more = zip_study(&study(41).and_series(9, "more", Modality::Mr, 2));
    let refused = api.send("dest=/archive/projects/P1&quarantine=true", "application/zip", &more);
    assert_eq!(refused.status, 409, "{}", refused.text());
    let left = format!("/data{}", api.sessions("P1").only().get("url"));
    archive(&api, &left, "&overwrite=delete");
    assert_eq!(status(&api, "P1", 41), "quarantine", "what it is merged into");
}

#[test]
fn what_whoever_archives_says_comes_before_it() {
    let (_service, api) = service();
    let remembered = "project=P1&AA=true&quarantine=true";
    commit(&api, &send(&api, "DICOM-zip", remembered, &study(50)), "&quarantine=false");
    assert_eq!(status(&api, "P1", 50), "active");
    let session = send(&api, "SI", "dest=/prearchive/projects/P1&quarantine=true", &study(51));
    archive(&api, &session, "&quarantine=false");
    assert_eq!(status(&api, "P1", 51), "active");
    // A commit after which the session stays is remembered as well.
    for (seed, before, at_commit, expected) in [(52, "", "true", "quarantine"), (53, "&quarantine=true", "0", "active")]
    {
        let session = send(&api, "DICOM-zip", &format!("project=P1{before}"), &study(seed));
        let stays = post(&api, &session, &format!("action=commit&quarantine={at_commit}"));
        assert_eq!(stays.status, 200, "{}", stays.text());
        archive(&api, &session, "");
        assert_eq!(status(&api, "P1", seed), expected);
    }
}

#[test]
fn uploads_ask_for_it_together_and_none_takes_it_back() {
    let (_service, api) = service();
    let one = study(60);
    // XNAT's default, which clients also write out, means what the project says.
    for (seed, first, second) in [(60, "", "&quarantine=true"), (61, "&quarantine=true", "&quarantine=false")] {
        let study = study(seed);
        for (file, query) in study.files().zip([first, second]) {
            let path = format!("/data/services/import?import-handler=gradual-DICOM&PROJECT_ID=P1&AA=true{query}");
            address(&api.client.post(&path, "application/dicom", &file.bytes).unwrap());
        }
        let list = api.sessions("P1");
        commit(&api, &format!("/data{}", list.only().get("url")), "");
        assert_eq!(status(&api, "P1", seed), "quarantine", "{first} {second}");
    }
    api.assert_holds("/data/projects/P1/experiments/Q60_MR1", &one);
    for (seed, query) in [(62, "&quarantine=true"), (63, "")] {
        let first = send(&api, "SI", "dest=/prearchive/projects/P1", &study(seed).slices(1));
        let again = send(&api, "SI", &format!("dest=/prearchive/projects/P1{query}"), &study(seed));
        assert_eq!(first, again);
        archive(&api, &again, "");
        assert_eq!(status(&api, "P1", seed), if query.is_empty() { "active" } else { "quarantine" });
    }
    assert_eq!(api.put("/data/projects/P1/quarantine_code/1").status, 200);
    for (seed, handler) in [(64, "DICOM-zip"), (65, "SI")] {
        let session = send(&api, handler, "project=P1&quarantine=false", &study(seed));
        commit(&api, &session, "&AA=true&quarantine=false");
        assert_eq!(status(&api, "P1", seed), "quarantine");
    }
}
