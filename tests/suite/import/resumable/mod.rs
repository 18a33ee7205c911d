//! Uploads that may be broken off and gone on with, by tus 1.0.0.

mod going_on;
mod lifetime;
mod outcome;
mod refusals;

use narthex_tests::{Api, Modality, Packing, Response, Service, Study, eventually, zip_files};

use super::SOON;

const RESUMABLE: &str = "/data/services/import/resumable";

/// The media type of bytes that are added.
const BYTES: &str = "application/offset+octet-stream";

fn study(seed: u64) -> Study {
    Study::new(Modality::Mr, seed).patient(&format!("T{seed}_MR1"), &format!("T{seed}")).slices(4).matrix(32)
}

/// A study of some 24 MB, which no packing makes smaller.
fn large(seed: u64) -> (Study, Vec<u8>) {
    let study =
        Study::new(Modality::Ct, seed).patient(&format!("T{seed}_CT1"), &format!("T{seed}")).slices(12).matrix(1024);
    let zip = zip_files(study.files().map(|file| (file.name, file.bytes)), Packing::Stored);
    assert!(zip.len() > 20_000_000, "{}", zip.len());
    (study, zip)
}

fn create(api: &Api, query: &str, length: usize) -> Response {
    let request = api.client.request("POST", &format!("{RESUMABLE}?{query}")).header("Tus-Resumable", "1.0.0");
    request.header("Upload-Length", &length.to_string()).send_bytes(b"").unwrap()
}

/// Begins an upload and gives the path of its address.
#[track_caller]
fn begin(api: &Api, query: &str, length: usize) -> String {
    let response = create(api, query, length);
    assert_eq!(response.status, 201, "{}", response.text());
    path(&response)
}

#[track_caller]
fn path(response: &Response) -> String {
    let location = response.header("location").expect("a location");
    let path = location.find("/data/").map(|at| location[at..].to_owned()).expect("an address of ours");
    assert!(location.starts_with("http://127.0.0.1:") && path.starts_with(&format!("{RESUMABLE}/")), "{location}");
    path
}

fn patch(api: &Api, path: &str, offset: usize, bytes: &[u8]) -> Response {
    let request = api.client.request("PATCH", path).header("Tus-Resumable", "1.0.0").header("Content-Type", BYTES);
    request.header("Upload-Offset", &offset.to_string()).send_bytes(bytes).unwrap()
}

/// The offset that `HEAD` tells.
#[track_caller]
fn offset(api: &Api, path: &str) -> usize {
    let response = api.client.request("HEAD", path).header("Tus-Resumable", "1.0.0").send().unwrap();
    assert_eq!(response.status, 200);
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert_eq!(response.header("tus-resumable"), Some("1.0.0"));
    response.header("upload-offset").expect("an offset").parse().unwrap()
}

/// Adds bytes once nobody else is at it: a connection that is broken off is noticed a little later.
#[track_caller]
fn add(api: &Api, path: &str, from: usize, bytes: &[u8]) -> Response {
    eventually(SOON, "the upload is free", || {
        let response = patch(api, path, from, bytes);
        (response.status != 423).then_some(response)
    })
}

/// Where the upload has come to rest after a connection was broken off: nobody holds it, and nobody adds to it.
#[track_caller]
fn rest(api: &Api, path: &str, total: usize) -> usize {
    eventually(SOON, "the upload is free", || {
        let offset = offset(api, path);
        // An empty request at the right place changes nothing, and is refused while somebody holds the upload.
        (offset < total && patch(api, path, offset, b"").status == 204).then_some(offset)
    })
}

#[track_caller]
fn status(api: &Api, path: &str) -> serde_json::Value {
    let response = api.get(path);
    assert_eq!(response.status, 200, "{}", response.text());
    serde_json::from_str(&response.text()).unwrap()
}

#[track_caller]
fn imported(api: &Api, path: &str) -> Vec<String> {
    let status = status(api, path);
    assert_eq!(status["state"], "imported", "{status}");
    status["uris"].as_array().unwrap().iter().map(|uri| uri.as_str().unwrap().to_owned()).collect()
}

fn service() -> (Service, Api) {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    (service, api)
}

#[test]
fn the_server_says_what_it_can_do() {
    let (_service, api) = service();
    let response = api.client.request("OPTIONS", RESUMABLE).send().unwrap();
    assert_eq!(response.status, 204);
    assert_eq!(response.header("tus-version"), Some("1.0.0"));
    assert_eq!(response.header("tus-resumable"), Some("1.0.0"));
    assert_eq!(response.header("tus-extension"), Some("creation,creation-with-upload,expiration,termination"));
    assert!(response.header("tus-max-size").unwrap().parse::<u64>().unwrap() > 1_000_000_000);
}

#[test]
fn every_answer_tells_the_version_and_a_client_may_name_its_method() {
    let (service, api) = service();
    let version = |response: &Response| response.header("tus-resumable").map(str::to_owned);
    let stranger = service.client().anonymous().request("PATCH", &format!("{RESUMABLE}/x")).send_bytes(b"").unwrap();
    assert_eq!((stranger.status, version(&stranger).as_deref()), (401, Some("1.0.0")));
    let unserved = api.client.request("PUT", RESUMABLE).send_bytes(b"").unwrap();
    assert_eq!((unserved.status, version(&unserved).as_deref()), (405, Some("1.0.0")));
    let other = api.get("/data/services/import/resumables");
    assert_eq!((other.status, version(&other)), (405, None));

    let zip = narthex_tests::zip_study(&study(11));
    let path = begin(&api, "import-handler=SI&dest=/prearchive/projects/P1", zip.len());
    let named = |method: &str| {
        let request = api.client.request("POST", &path).header("X-HTTP-Method-Override", method);
        request.header("Tus-Resumable", "1.0.0").header("Content-Type", BYTES).header("Upload-Offset", "0")
    };
    assert_eq!(named("PATCH").send_bytes(&zip).unwrap().status, 204);
    assert_eq!(imported(&api, &path).len(), 1);
    assert_eq!(named("BREW").send_bytes(b"").unwrap().status, 400);
    assert_eq!(named("DELETE").send_bytes(b"").unwrap().status, 204);
    assert_eq!(api.get(&path).status, 404);
}
