//! Uploads that may be broken off and gone on with, by tus 1.0.0.

use std::thread;

use narthex_tests::{
    Api, Modality, Noise, Packing, Response, Service, Study, eventually, sentence, zip_files, zip_study,
};

use super::SOON;
use crate::access::user;

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
fn an_upload_in_pieces_becomes_a_session() {
    let (_service, api) = service();
    let zip = zip_study(&study(1));
    let made = create(&api, "import-handler=SI&dest=/prearchive/projects/P1", zip.len());
    assert_eq!(made.status, 201, "{}", made.text());
    assert!(made.header("upload-expires").unwrap().ends_with("GMT"));
    let path = path(&made);
    let mut at = 0;
    for piece in zip.chunks(zip.len() / 3 + 1) {
        assert_eq!(offset(&api, &path), at);
        let answer = patch(&api, &path, at, piece);
        assert_eq!(answer.status, 204, "{}", answer.text());
        at += piece.len();
        assert_eq!(answer.header("upload-offset"), Some(at.to_string().as_str()));
        assert_eq!(answer.header("upload-expires").is_some(), at < zip.len());
        let named: Vec<_> = answer.all("x-narthex-imported").collect();
        assert_eq!(named.len(), usize::from(at == zip.len()), "{named:?}");
        let status = status(&api, &path);
        assert_eq!(status["state"], if at < zip.len() { "receiving" } else { "imported" });
        assert_eq!((status["offset"].as_u64(), status["length"].as_u64()), (Some(at as u64), Some(zip.len() as u64)));
    }
    let uris = imported(&api, &path);
    assert!(uris.len() == 1 && uris[0].starts_with("/data/prearchive/projects/P1/"), "{uris:?}");
    api.assert_holds(&uris[0], &study(1));
    assert_eq!(api.sessions("P1").only().get("status"), "READY");
    // Whoever did not hear the answer asks again, or sends the end again.
    assert_eq!(offset(&api, &path), zip.len());
    let again = patch(&api, &path, zip.len() - 10, &zip[zip.len() - 10..]);
    assert_eq!(again.status, 409, "{}", again.text());
    let nothing = patch(&api, &path, zip.len(), b"");
    assert_eq!((nothing.status, nothing.all("x-narthex-imported").count()), (204, 1));
    assert_eq!(imported(&api, &path), uris);
    api.assert_holds(&uris[0], &study(1));
    assert_eq!(api.sessions("P1").rows.len(), 1);
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let (_service, api) = service();
    let zip = zip_study(&study(2));
    let path = begin(&api, "project=P1", zip.len());
    let half = zip.len() / 2;
    assert_eq!(patch(&api, &path, 0, &zip[..half]).status, 204);
    for wrong in [0, half - 1, half + 1, zip.len(), zip.len() + 1] {
        let refused = patch(&api, &path, wrong, &zip[half..]);
        assert_eq!(refused.status, 409, "{wrong}");
        assert!(sentence(&refused).contains(&half.to_string()), "{}", sentence(&refused));
    }
    let with = |headers: &[(&str, &str)]| {
        let request =
            headers.iter().fold(api.client.request("PATCH", &path), |it, (name, value)| it.header(name, value));
        let response = request.send_bytes(&zip[half..]).unwrap();
        sentence(&response);
        response
    };
    let at = half.to_string();
    let (at, version, kind) = (("Upload-Offset", at.as_str()), ("Tus-Resumable", "1.0.0"), ("Content-Type", BYTES));
    let other = with(&[("Tus-Resumable", "0.2.2"), at, kind]);
    assert_eq!((other.status, other.header("tus-version")), (412, Some("1.0.0")));
    assert_eq!(with(&[at, kind]).status, 412);
    assert_eq!(with(&[version, at, ("Content-Type", "application/zip")]).status, 415);
    assert_eq!(with(&[version, at]).status, 415);
    assert_eq!(with(&[version, kind]).status, 400);
    for value in ["-1", "x", "", "1.5", "99999999999999999999999"] {
        assert_eq!(with(&[version, kind, ("Upload-Offset", value)]).status, 400, "{value}");
    }
    assert_eq!(with(&[version, kind, at, ("Upload-Checksum", "sha1 AAAA")]).status, 400);
    assert_eq!(offset(&api, &path), half);
    // What is too long is taken as far as it belongs there, or not at all.
    let longer = [&zip[half..], b"more"].concat();
    let refused = patch(&api, &path, half, &longer);
    assert_eq!(refused.status, 400, "{}", refused.text());
    let reached = offset(&api, &path);
    assert!((half..zip.len()).contains(&reached), "{reached}");
    let done = add(&api, &path, reached, &zip[reached..]);
    assert_eq!(done.status, 204, "{}", done.text());
    api.assert_holds(&imported(&api, &path)[0], &study(2));
}

#[test]
fn an_upload_that_cannot_be_begun_is_refused_at_once() {
    let service = Service::with(&[("max_upload_bytes", "60000")]);
    let api = service.api();
    api.project("P1");
    let too_large = create(&api, "project=P1", 60_001);
    assert_eq!(too_large.status, 413);
    assert!(sentence(&too_large).contains("60000"));
    for (query, status) in [
        ("project=GHOST", 404),
        ("import-handler=nonsense", 404),
        ("import-handler=XAR", 501),
        ("src=/user/cache/resources/X/files/a.zip", 400),
        ("http-session-listener=x", 400),
        ("dest=/nowhere", 400),
    ] {
        let refused = create(&api, query, 1_000);
        assert_eq!(refused.status, status, "{query}: {}", refused.text());
        sentence(&refused);
    }
    assert_eq!(create(&api, "project=P1", 0).status, 400);
    let request = || api.client.request("POST", RESUMABLE);
    assert_eq!(request().header("Tus-Resumable", "1.0.0").send_bytes(b"").unwrap().status, 400);
    assert_eq!(request().header("Upload-Length", "10").send_bytes(b"").unwrap().status, 412);
    let deferred = request().header("Tus-Resumable", "1.0.0").header("Upload-Defer-Length", "1");
    assert_eq!(deferred.send_bytes(b"").unwrap().status, 400);
    let long = format!("project=P1&SOURCE={}", "x".repeat(9_000));
    assert!([400, 414].contains(&create(&api, &long, 1_000).status));
    assert_eq!(service.stores().keys().iter().filter(|key| key.starts_with("resumable:")).count(), 0);
}

#[test]
fn two_requests_at_once_never_spoil_the_upload() {
    let (_service, api) = service();
    let (study, zip) = large(3);
    let path = begin(&api, "dest=/prearchive/projects/P1", zip.len());
    let statuses: Vec<u16> = thread::scope(|scope| {
        let both: Vec<_> = (0..4).map(|_| scope.spawn(|| patch(&api, &path, 0, &zip).status)).collect();
        both.into_iter().map(|one| one.join().unwrap()).collect()
    });
    println!("{statuses:?}");
    assert!(statuses.iter().all(|status| [204, 409, 423].contains(status)), "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 204).count(), 1, "{statuses:?}");
    let uris = imported(&api, &path);
    assert_eq!(uris.len(), 1);
    api.assert_holds(&uris[0], &study);
}

#[test]
fn after_a_break_only_the_rest_is_sent_again() {
    let (service, api) = service();
    let (study, zip) = large(4);
    let path = begin(&api, "dest=/prearchive/projects/P1", zip.len());
    let (mut sent, mut at) = (0, 0);
    // Broken off three times, each time somewhere in the middle of a chunk.
    for part in [7_345_678, 5_000_001, 4_321_098] {
        let request = api.client.request("PATCH", &path).header("Tus-Resumable", "1.0.0").header("Content-Type", BYTES);
        let request = request.header("Upload-Offset", &at.to_string());
        request.send_cut_off((zip.len() - at) as u64, &zip[at..at + part]).unwrap();
        sent += part;
        let now = rest(&api, &path, zip.len());
        println!("{part} sent from {at} on, {} of them kept", now - at);
        assert!(now >= at && now <= at + part, "{now}");
        at = now;
    }
    let done = add(&api, &path, at, &zip[at..]);
    assert_eq!(done.status, 204, "{}", done.text());
    sent += zip.len() - at;
    println!("{} bytes in all, {sent} sent", zip.len());
    // What lay in the buffers of the connection is lost with it; no more than that, and the chunk that was begun.
    assert!(sent < zip.len() + 3 * 3_000_000, "{} bytes were sent twice", sent - zip.len());
    let uris = imported(&api, &path);
    api.assert_holds(&uris[0], &study);
    assert_eq!(service.stores().chunks(), zip.len().div_ceil(1024 * 1024));
}

#[test]
fn the_first_bytes_may_come_with_the_creation_and_name_the_file() {
    let (_service, api) = service();
    let file = study(5).files().next().unwrap();
    let create = |bytes: &[u8], query: &str| {
        let request = api.client.request("POST", &format!("{RESUMABLE}?{query}")).header("Tus-Resumable", "1.0.0");
        let request = request.header("Upload-Length", &file.bytes.len().to_string()).header("Content-Type", BYTES);
        // "one.dcm", and a key without a value.
        request.header("Upload-Metadata", "filename b25lLmRjbQ==,is_confidential").send_bytes(bytes).unwrap()
    };
    let half = file.bytes.len() / 2;
    let made = create(&file.bytes[..half], "import-handler=gradual-DICOM&project=P1");
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(made.header("upload-offset"), Some(half.to_string().as_str()));
    let path = path(&made);
    let done = patch(&api, &path, half, &file.bytes[half..]);
    assert_eq!(done.status, 204, "{}", done.text());
    let uri = imported(&api, &path).remove(0);
    assert_eq!(api.sessions("P1").only().get("status"), "RECEIVING");
    assert_eq!(api.client.post(&format!("{uri}?action=build"), "", b"").unwrap().status, 200);
    let files = api.table(&format!("{uri}/scans/{}/resources/DICOM/files", file.series));
    assert_eq!(files.only().get("Name"), "one.dcm");
    assert_eq!(api.bytes(files.only().get("URI")), file.bytes);

    let whole = create(&file.bytes, "import-handler=gradual-DICOM&project=P1");
    assert_eq!((whole.status, whole.header("x-narthex-imported")), (201, Some(uri.as_str())), "{}", whole.text());
}

#[test]
fn the_query_says_what_import_it_is() {
    let (_service, api) = service();
    let send = |query: &str, zip: &[u8]| -> Vec<String> {
        let path = begin(&api, query, zip.len());
        let done = patch(&api, &path, 0, zip);
        assert_eq!(done.status, 204, "{query}: {}", done.text());
        imported(&api, &path)
    };
    let staged = send("import-handler=SI&dest=/prearchive/projects/P1/20200101_010203/NAME", &zip_study(&study(6)));
    assert_eq!(staged, ["/data/prearchive/projects/P1/20200101_010203/NAME"]);
    let archived = send("import-handler=DICOM-zip&dest=/archive/projects/P1", &zip_study(&study(7)));
    assert_eq!(archived, ["/data/archive/projects/P1/subjects/T7/experiments/T7_MR1"]);
    api.assert_holds(&archived[0], &study(7));
    let both = [study(8), study(9)];
    let files = both.iter().enumerate().flat_map(|(number, study)| {
        study.files().map(move |file| (format!("{number}/{}", file.name), file.bytes)).collect::<Vec<_>>()
    });
    let uris = send("import-handler=DICOM-zip&project=P1&action=commit", &zip_files(files, Packing::Deflated));
    assert_eq!(uris.len(), 2);
    for (uri, study) in uris.iter().zip(&both) {
        api.assert_holds(uri, study);
    }
}

#[test]
fn a_refused_upload_tells_the_reason_and_leaves_no_bytes() {
    let (service, api) = service();
    let chunks = service.stores().chunks();
    let noise = Noise::new(1).bytes(3_000_000);
    let path = begin(&api, "project=P1", noise.len());
    assert_eq!(patch(&api, &path, 0, &noise[..2_000_000]).status, 204);
    let refused = patch(&api, &path, 2_000_000, &noise[2_000_000..]);
    assert_eq!(refused.status, 400, "{}", refused.text());
    let reason = sentence(&refused);
    assert!(reason.contains("neither an archive nor a DICOM file"), "{reason}");
    let status = status(&api, &path);
    assert_eq!((status["state"].as_str(), status["reason"].as_str()), (Some("refused"), Some(reason.as_str())));
    assert_eq!(service.stores().chunks(), chunks);
    // A client that asks where to go on hears that there is nothing to go on with.
    let head = api.client.request("HEAD", &path).header("Tus-Resumable", "1.0.0").send().unwrap();
    assert_eq!((head.status, head.header("upload-offset")), (404, None));
    let again = patch(&api, &path, 2_000_000, &noise[2_000_000..]);
    assert_eq!(again.status, 404);
    assert!(sentence(&again).contains("neither an archive"), "{}", sentence(&again));
    assert!(api.sessions("P1").rows.is_empty());
}

#[test]
fn a_deleted_upload_is_gone_with_its_bytes_but_a_session_stays() {
    let (service, api) = service();
    let chunks = service.stores().chunks();
    let delete =
        |path: &str| api.client.request("DELETE", path).header("Tus-Resumable", "1.0.0").send().unwrap().status;
    let noise = Noise::new(2).bytes(5_000_000);
    let path = begin(&api, "project=P1", noise.len() + 1);
    assert_eq!(patch(&api, &path, 0, &noise).status, 204);
    assert!(service.stores().chunks() >= chunks + 5);
    assert_eq!(api.client.delete(&path).unwrap().status, 412);
    assert_eq!(delete(&path), 204);
    assert_eq!(service.stores().chunks(), chunks);
    assert_eq!((api.get(&path).status, delete(&path), patch(&api, &path, 0, b"x").status), (404, 404, 404));

    let zip = zip_study(&study(10));
    let path = begin(&api, "dest=/prearchive/projects/P1", zip.len());
    assert_eq!(patch(&api, &path, 0, &zip).status, 204);
    let uri = imported(&api, &path).remove(0);
    assert_eq!(delete(&path), 204);
    assert_eq!(api.get(&path).status, 404);
    api.assert_holds(&uri, &study(10));
    let left: Vec<_> = service.stores().keys().into_iter().filter(|key| key.starts_with("resumable:")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn an_upload_is_nobody_else_s() {
    let (_service, admin) = service();
    let anna = Api { client: user(&admin.client, "anna") };
    let path = begin(&anna, "", 1_000);
    for other in [&admin, &Api { client: user(&admin.client, "bert") }] {
        assert_eq!(other.get(&path).status, 404);
        assert_eq!(patch(other, &path, 0, b"x").status, 404);
        let deleted = other.client.request("DELETE", &path).header("Tus-Resumable", "1.0.0").send().unwrap();
        assert_eq!(deleted.status, 404);
    }
    assert_eq!(anna.client.anonymous().get(&path).unwrap().status, 401);
    assert_eq!(patch(&anna, &path, 0, b"x").status, 204);
    assert_eq!(admin.get(&format!("{RESUMABLE}/..%2f..")).status, 400);
    // A project that she does not see is none to her.
    assert_eq!(create(&anna, "dest=/prearchive/projects/P1", 1_000).status, 404);
}

#[test]
fn nobody_may_keep_too_many_unfinished_uploads() {
    let (_service, admin) = service();
    let anna = Api { client: user(&admin.client, "anna") };
    let first = begin(&anna, "", 10);
    for _ in 1..100 {
        begin(&anna, "", 10);
    }
    let refused = create(&anna, "", 10);
    assert!([403, 409].contains(&refused.status), "{}", refused.status);
    assert!(sentence(&refused).contains("100"), "{}", sentence(&refused));
    begin(&admin, "", 10);
    let deleted = anna.client.request("DELETE", &first).header("Tus-Resumable", "1.0.0").send().unwrap();
    assert_eq!(deleted.status, 204);
    begin(&anna, "", 10);
}

#[test]
fn an_upload_that_nobody_goes_on_with_expires() {
    let service = Service::with(&[("upload_retention_seconds", "10")]);
    let api = service.api();
    let chunks = service.stores().chunks();
    let path = begin(&api, "", 3_000_000);
    assert_eq!(patch(&api, &path, 0, &Noise::new(3).bytes(2_500_000)).status, 204);
    eventually(SOON, "the upload expires", || {
        // A listing gives the service a chance to do what is due.
        api.table("/data/prearchive/projects");
        (api.get(&path).status == 404 && service.stores().chunks() == chunks).then_some(())
    });
}
