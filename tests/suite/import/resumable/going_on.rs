//! Adding bytes, also after a break.

use std::thread;

use narthex_tests::zip_study;

use super::{BYTES, RESUMABLE, add, begin, create, imported, large, offset, patch, path, rest, service, status, study};

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
