//! Imports of files of the user's cache, by `src`.

use std::time::Duration;

use narthex_tests::{
    Api, MULTIPART, Modality, Response, Service, Study, eventually, form, multipart, sentence, zip_study,
};

const IMPORT: &str = "/data/services/import";

fn study(seed: u64) -> Study {
    Study::new(Modality::Mr, seed).patient(&format!("C{seed}_MR1"), &format!("C{seed}")).slices(3).matrix(16)
}

/// A service with a project and the zips of three studies in the cache.
fn service() -> (Service, Api) {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    for seed in 1..=3 {
        let path = format!("/data/user/cache/resources/UP/files/in/{seed}.zip");
        let put = api.client.request("PUT", &path).header("Content-Type", "application/zip");
        assert_eq!(put.send_bytes(&zip_study(&study(seed))).unwrap().status, 200);
    }
    (service, api)
}

fn src(seed: u64) -> String {
    format!("/user/cache/resources/UP/files/in/{seed}.zip")
}

fn import(api: &Api, query: &str) -> Response {
    api.client.post(&format!("{IMPORT}?import-handler=SI&{query}"), "", b"").unwrap()
}

#[track_caller]
fn assert_holds(api: &Api, response: &Response, seeds: &[u64]) {
    assert_eq!(response.status, 200, "{}", response.text());
    let uris: Vec<String> = response.text().lines().map(str::to_owned).collect();
    assert_eq!(uris.len(), seeds.len(), "{uris:?}");
    for (uri, seed) in uris.iter().zip(seeds) {
        api.assert_holds(uri, &study(*seed));
    }
}

#[test]
fn one_file_becomes_a_session_and_stays_in_the_cache() {
    let (_service, api) = service();
    for (at, source) in [src(1), format!("/data{}", src(1)), format!("/REST{}", src(1))].iter().enumerate() {
        let project = format!("Q{at}");
        api.project(&project);
        let response = import(&api, &format!("dest=/prearchive/projects/{project}&src={source}"));
        assert_holds(&api, &response, &[1]);
    }
    let kept = api.bytes(&format!("/data{}", src(1)));
    assert!(kept == zip_study(&study(1)));
    // The session does not need it any more.
    let uri = format!("/data{}", api.sessions("Q0").only().get("url"));
    assert_eq!(api.client.delete("/data/user/cache/resources/UP").unwrap().status, 200);
    api.assert_holds(&uri, &study(1));
}

#[test]
fn several_are_named_by_repetition_or_with_commas() {
    let (_service, api) = service();
    let repeated = import(&api, &format!("dest=/prearchive/projects/P1&src={}&src=/data{}", src(1), src(2)));
    assert_holds(&api, &repeated, &[1, 2]);
    api.project("P2");
    let listed = import(&api, &format!("dest=/prearchive/projects/P2&src={},{},/data{}", src(3), src(2), src(1)));
    assert_holds(&api, &listed, &[3, 2, 1]);
    assert_eq!(api.sessions("P1").rows.len(), 2);
    assert_eq!(api.sessions("P2").rows.len(), 3);
}

#[test]
fn a_form_may_name_them_and_the_handler_is_honoured() {
    let (_service, api) = service();
    let fields =
        [("src", src(1)), ("import-handler", "DICOM-zip".to_owned()), ("dest", "/archive/projects/P1".to_owned())];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let body = form(&fields);
    let response = api.client.post(IMPORT, "application/x-www-form-urlencoded", body.as_bytes()).unwrap();
    assert_eq!(response.text().trim(), "/data/archive/projects/P1/subjects/C1/experiments/C1_MR1");
    assert_holds(&api, &response, &[1]);
}

#[test]
fn a_multipart_form_of_fields_may_name_them_but_not_beside_a_file() {
    let (service, api) = service();
    let (one, two, three) = (src(1), src(2), src(3));
    let field = |name: &'static str, value: &'static str| (name, None, value.as_bytes());
    let fields = [
        field("project", "P1"),
        field("import-handler", "SI"),
        ("src", None, one.as_bytes()),
        ("src", None, two.as_bytes()),
    ];
    let response = api.client.post(IMPORT, MULTIPART, &multipart(&fields)).unwrap();
    assert_holds(&api, &response, &[1, 2]);
    let followed = [
        field("dest", "/archive/projects/P1"),
        field("import-handler", "DICOM-zip"),
        field("http-session-listener", "FORM"),
        ("src", None, three.as_bytes()),
    ];
    let answer = api.client.post(IMPORT, MULTIPART, &multipart(&followed)).unwrap();
    assert_eq!((answer.status, answer.text().as_str()), (200, "Submitted for archival"));
    assert_eq!(last_message(&api, "FORM").0, "COMPLETED");
    let chunks = service.stores().chunks();
    let zip = zip_study(&study(3));
    let both = [field("project", "P1"), ("file", Some("3.zip"), &zip), ("src", None, one.as_bytes())];
    let refused = api.client.post(IMPORT, MULTIPART, &multipart(&both)).unwrap();
    assert_eq!(refused.status, 400, "{}", refused.text());
    assert!(sentence(&refused).contains("not both"), "{}", sentence(&refused));
    let nothing = api.client.post(IMPORT, MULTIPART, &multipart(&fields[..2])).unwrap();
    assert_eq!(nothing.status, 400, "{}", nothing.text());
    assert_eq!(service.stores().chunks(), chunks);
}

#[test]
fn what_cannot_be_found_or_read_is_refused_and_leaves_nothing() {
    let (service, api) = service();
    let chunks = service.stores().chunks();
    let text = api.client.request("PUT", "/data/user/cache/resources/UP/files/notes.txt");
    assert_eq!(text.header("Content-Type", "text/plain").send_bytes(b"Scans of a phantom.").unwrap().status, 200);
    let first = src(1);
    for (sources, status) in [
        ("/user/cache/resources/UP/files/in/9.zip".to_owned(), 404),
        ("/user/cache/resources/NO/files/in/1.zip".to_owned(), 404),
        (format!("{first},/user/cache/resources/UP/files/in/9.zip"), 404),
        ("/user/cache/resources/UP/files/notes.txt".to_owned(), 400),
        ("/user/cache/resources/UP".to_owned(), 400),
        ("/user/cache/resources/UP/files/../in/1.zip".to_owned(), 400),
        ("/prearchive/projects/P1/x/y".to_owned(), 400),
        ("/etc/passwd".to_owned(), 400),
        ("nonsense".to_owned(), 400),
    ] {
        let response = import(&api, &format!("dest=/prearchive/projects/P1&src={sources}"));
        assert_eq!(response.status, status, "{sources}: {}", response.text());
        sentence(&response);
    }
    assert!(api.sessions("P1").rows.is_empty());
    // Of the text that was put there itself.
    assert_eq!(service.stores().chunks(), chunks + 1);
    // Among several it is left out, as a file of an archive is.
    let both = format!("dest=/prearchive/projects/P1&src={first},/user/cache/resources/UP/files/notes.txt");
    assert_holds(&api, &import(&api, &both), &[1]);
}

#[test]
fn a_body_and_a_source_together_are_refused() {
    let (_service, api) = service();
    let path = format!("{IMPORT}?import-handler=SI&dest=/prearchive/projects/P1&src={}", src(1));
    let response = api.client.post(&path, "application/zip", &zip_study(&study(2))).unwrap();
    assert_eq!(response.status, 400, "{}", response.text());
    assert!(sentence(&response).contains("not both"), "{}", sentence(&response));
    assert!(api.sessions("P1").rows.is_empty());
}

/// The last message of the work that is followed by a key, once it has come to its end.
fn last_message(api: &Api, key: &str) -> (String, String) {
    eventually(Duration::from_secs(20), "the import has come to its end", || {
        let text = api.get(&format!("/data/status/{key}?format=json")).text();
        let told: serde_json::Value = serde_json::from_str(&text).unwrap();
        let last = told["msgs"][0].as_array().unwrap().last().cloned()?;
        let text = |name: &str| last[name].as_str().unwrap().to_owned();
        (last["terminal"] == true).then(|| (text("status"), text("msg")))
    })
}

#[test]
fn with_a_listener_the_work_is_done_in_the_background() {
    let (_service, api) = service();
    let answer = import(&api, &format!("dest=/prearchive/projects/P1&http-session-listener=ONE&src={}", src(1)));
    assert_eq!((answer.status, answer.text().as_str()), (200, "Submitted for prearchival"));
    assert_eq!(answer.header("x-narthex-job"), Some("ONE"));
    let (status, text) = last_message(&api, "ONE");
    let uri = text.strip_prefix("Prearchive:").unwrap_or_else(|| panic!("{status}: {text}")).to_owned();
    assert_eq!(status, "COMPLETED");
    api.assert_holds(&format!("/data{uri}"), &study(1));
    // All by a form, into the archive.
    let two = src(2);
    let fields = [
        ("src", two.as_str()),
        ("import-handler", "DICOM-zip"),
        ("dest", "/archive/projects/P1"),
        ("http-session-listener", "TWO"),
    ];
    let answer = api.client.post(IMPORT, "application/x-www-form-urlencoded", form(&fields).as_bytes()).unwrap();
    assert_eq!((answer.status, answer.text().as_str()), (200, "Submitted for archival"));
    let archived = "/archive/projects/P1/subjects/C2/experiments/C2_MR1";
    assert_eq!(last_message(&api, "TWO"), ("COMPLETED".to_owned(), format!("Archive:{archived}")));
    api.assert_holds(&format!("/data{archived}"), &study(2));
    // The same once more: it is in the archive already.
    let again = fields.map(|(name, value)| (name, if value == "TWO" { "AGAIN" } else { value }));
    let answer = api.client.post(IMPORT, "application/x-www-form-urlencoded", form(&again).as_bytes()).unwrap();
    assert_eq!(answer.status, 200);
    let (status, text) = last_message(&api, "AGAIN");
    assert_eq!(status, "FAILED", "{text}");
    assert!(text.contains("already exists"), "{text}");
    let told = api.get("/data/status/AGAIN?format=json").text();
    assert_eq!(told.matches("already exists").count(), 1, "{told}");
    // What is seen before it is begun is refused at once.
    for (query, status) in [
        ("src=/user/cache/resources/UP/files/in/9.zip&http-session-listener=X".to_owned(), 404),
        (format!("src={}&http-session-listener=", src(1)), 400),
        (format!("src={}&http-session-listener=X&dest=/prearchive/projects/NONE", src(1)), 404),
        ("src=nonsense&http-session-listener=X".to_owned(), 400),
    ] {
        let refused = import(&api, &query);
        assert_eq!(refused.status, status, "{query}: {}", refused.text());
    }
    // Who wants to know of each file gets that in the answer.
    let told = import(&api, &format!("src={}&http-session-listener=V&verdicts=true&project=P1", src(3)));
    assert!(told.text().contains("\"verdict\":\"stored\""), "{}", told.text());
    assert_eq!(last_message(&api, "V").0, "COMPLETED");
}
