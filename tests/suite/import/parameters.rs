//! What parameters and headers say of a session is checked before anything is written.

use narthex_tests::{Api, Modality, Response, Service, Study, sentence, zip_study};

const HANDLERS: [&str; 3] = ["SI", "DICOM-zip", "gradual-DICOM"];

fn study(seed: u64) -> Study {
    Study::new(Modality::Mr, seed).patient(&format!("V{seed}_MR1"), &format!("V{seed}")).slices(1).matrix(16)
}

/// A one-file study as this handler takes it.
fn send(api: &Api, handler: &str, query: &str, study: &Study) -> Response {
    let body = match handler {
        "gradual-DICOM" => study.files().next().unwrap().bytes,
        _ => zip_study(study),
    };
    let path = format!("/data/services/import?import-handler={handler}&inbody=true&{query}");
    api.client.post(&path, "application/octet-stream", &body).unwrap()
}

#[track_caller]
fn refused(response: &Response, what: &str) {
    assert_eq!(response.status, 400, "{what}: {}", response.text());
    sentence(response);
}

/// Values that a session's fields cannot have.
const BAD: [&str; 6] = ["date=notadate", "date=2021-13-45", "date=2021-02-29", "time=99:99", "age=abc", "notes=x"];

#[test]
fn fields_of_the_session_have_values_that_they_can_have() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    for bad in BAD {
        for handler in HANDLERS {
            let query = format!("project=P1&action=commit&xnat:mrSessionData/{bad}");
            refused(&send(&api, handler, &query, &study(1)), &query);
        }
    }
    assert!(api.sessions("P1").rows.is_empty());
    let uri = api.import("P1", &study(1));
    for bad in BAD {
        for action in ["build", "commit"] {
            let path = format!("{uri}?action={action}&AA=true&xnat:mrSessionData/{bad}");
            refused(&api.client.post(&path, "", b"").unwrap(), &path);
        }
        let source = uri.strip_prefix("/data").unwrap();
        let path = format!("/data/services/archive?src={source}&xnat:mrSessionData/{bad}");
        refused(&api.client.post(&path, "", b"").unwrap(), &path);
    }
    assert_eq!(api.sessions("P1").only().get("status"), "READY");
    let path = format!(
        "{uri}?action=commit&AA=true&xnat:mrSessionData/date=3/9/2021&xnat:mrSessionData/time=12:30:00\
         &xnat:mrSessionData/age=34&xnat:mrSessionData/note=seen"
    );
    assert_eq!(api.client.post(&path, "", b"").unwrap().status, 301);
    let experiment = "/data/projects/P1/experiments/V1_MR1";
    let document = api.get(&format!("{experiment}?format=json")).text();
    for part in ["2021-03-09", "12:30:00", "\"seen\""] {
        assert!(document.contains(part), "{part}: {document}");
    }
    for bad in &BAD[..4] {
        refused(&api.put(&format!("{experiment}?xnat:mrSessionData/{bad}")), bad);
    }
}

#[test]
fn labels_are_not_too_long_and_those_of_headers_are_cut_but_stay_distinct() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let (longest, long) = ("L".repeat(128), "L".repeat(129));
    for handler in HANDLERS {
        for name in ["session", "subject", "EXPT_LABEL", "SUBJECT_ID"] {
            let query = format!("project=P1&{name}={long}");
            refused(&send(&api, handler, &query, &study(2)), &format!("{handler} {name}"));
        }
    }
    assert!(api.sessions("P1").rows.is_empty());
    let fits = send(&api, "SI", &format!("dest=/prearchive/projects/P1&session={longest}"), &study(2));
    assert_eq!(fits.status, 200, "{}", fits.text());
    let source = fits.text().trim().strip_prefix("/data").unwrap().to_owned();
    for name in ["session", "subject"] {
        refused(
            &api.client.post(&format!("/data/services/archive?src={source}&{name}={long}"), "", b"").unwrap(),
            name,
        );
    }
    let mut labels = Vec::new();
    for (seed, handler) in (3..).zip(HANDLERS) {
        let id = format!("{}{seed}", "P".repeat(5_000));
        let long = Study::new(Modality::Mr, seed).patient(&id, &id).slices(1).matrix(16);
        let query = "dest=/archive/projects/P1&action=commit";
        let (first, again) = (send(&api, handler, query, &long), send(&api, handler, query, &long));
        assert_eq!(first.status, 200, "{}", first.text());
        let uri = first.text().trim().to_owned();
        api.assert_holds(&uri, &long);
        let label = uri.rsplit('/').next().unwrap().to_owned();
        assert_eq!(label.len(), 128, "{label}");
        // The same header gives the same label: it is there already.
        assert!([400, 409].contains(&again.status), "{}", again.text());
        labels.push(label);
    }
    labels.dedup();
    assert_eq!(labels.len(), 3, "{labels:?}");
}

#[test]
fn a_web_uploader_gets_a_page_also_for_what_is_refused() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let send = |query: &str, body: &[u8]| {
        let path = format!("/data/services/import?import-handler=SI&inbody=true&format=html&{query}");
        let response = api.client.post(&path, "application/octet-stream", body).unwrap();
        assert!(response.header("content-type").unwrap().starts_with("text/html"), "{query}");
        (response.status, response.text())
    };
    let (status, page) = send("dest=/prearchive/projects/P1", &zip_study(&study(41)));
    assert_eq!(status, 200);
    assert!(page.contains("<li>/data/prearchive/projects/P1/") && !page.contains("errors"), "{page}");
    let sound = zip_study(&study(42));
    for (query, body, what) in [
        ("dest=/prearchive/projects/P1", b"no archive".as_slice(), "neither an archive nor a DICOM file"),
        ("dest=/prearchive/projects/P1&xnat:mrSessionData/date=%3Cb%3E", sound.as_slice(), "date"),
        ("dest=/prearchive/projects/NOWHERE", sound.as_slice(), "NOWHERE"),
    ] {
        let (status, page) = send(query, body);
        assert_eq!(status, 200, "{query}: {page}");
        assert!(page.contains("<ul class=\"errors\"><li>") && page.contains(what), "{query}: {page}");
        assert!(!page.contains("<b>"), "{page}");
    }
    assert_eq!(api.sessions("P1").rows.len(), 1);
    // Who is not let in is told so as everywhere.
    let stranger = service.client().anonymous().post("/data/services/import?format=html", "", b"").unwrap();
    assert_eq!(stranger.status, 401);
}
