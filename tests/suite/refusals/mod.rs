//! Wrong input gets the right status with one clear sentence, and leaves nothing behind.

mod bodies;
mod limits;
mod zips;

use std::time::Duration;

use narthex_tests::{Api, Modality, Response, Service, Study, eventually, sentence};

/// A service with the project P1, in which uploads that were never finished are swept soon.
fn service(variables: &[(&str, &str)]) -> (Service, Api) {
    let variables: Vec<(&str, &str)> = variables.iter().copied().chain([("upload_retention_seconds", "20")]).collect();
    let service = Service::with(&variables);
    let api = service.api();
    api.project("P1");
    // Something that is in and must stay in, so that a clean-up that takes too much is noticed.
    api.import("P1", &kept());
    (service, api)
}

fn kept() -> Study {
    Study::new(Modality::Mr, 71).patient("KEPT", "KEPT")
}

/// A refusal: the status, and one sentence for people.
#[track_caller]
fn assert_refused(what: &str, response: &Response, statuses: &[u16], word: &str) {
    let text = response.text();
    assert!(statuses.contains(&response.status), "{what}: {} {text}", response.status);
    let sentence = sentence(response);
    assert!(sentence.contains(word), "{what}: the sentence does not name {word:?}: {sentence}");
    for leak in ["panicked", "RUST_BACKTRACE", "src/", ".rs:", "Error(", "Err("] {
        assert!(!text.contains(leak), "{what}: the answer shows our inside: {text}");
    }
}

/// Nothing is listed but what was there, and no bytes are left in the store.
#[track_caller]
fn assert_nothing_left(what: &str, service: &Service, api: &Api, chunks_before: usize) {
    let list = api.table("/data/prearchive/projects");
    assert_eq!(list.column("name"), ["KEPT"], "{what}: the prearchive list has changed");
    eventually(Duration::from_secs(60), &format!("{what}: chunks of the upload are left in the store"), || {
        // A listing gives the service a chance to do what is due.
        api.table("/data/prearchive/projects");
        (service.stores().chunks() == chunks_before).then_some(())
    });
    let uri = format!("/data{}", list.only().get("url"));
    api.assert_holds(&uri, &kept());
}
