//! Uploads beyond what a request may ask for; the limits are variables.

use narthex_tests::{MULTIPART, Modality, Packing, Study, multipart, zip_files, zip_study};

use super::{assert_nothing_left, assert_refused, service};

#[track_caller]
fn is_refused(what: &str, variables: &[(&str, &str)], zip: &[u8], statuses: &[u16], word: &str) {
    let (service, api) = service(variables);
    let before = service.stores().chunks();
    let response = api.send("dest=/prearchive/projects/P1", "application/zip", zip);
    assert_refused(what, &response, statuses, word);
    assert_nothing_left(what, &service, &api, before);
}

fn zip() -> Vec<u8> {
    zip_study(&Study::new(Modality::Ct, 1).slices(20).matrix(64))
}

#[test]
fn bytes_of_the_body() {
    is_refused("upload", &[("max_upload_bytes", "60000")], &zip(), &[400, 413], "60000");
}

#[test]
fn bytes_of_a_body_of_unknown_length() {
    let (service, api) = service(&[("max_upload_bytes", "60000")]);
    let before = service.stores().chunks();
    // It begins as a zip does, and never ends.
    let noise = [b"PK\x03\x04".to_vec(), narthex_tests::Noise::new(1).bytes(3_000_000)].concat();
    let response = api
        .client
        .request("POST", "/data/services/import?import-handler=SI&dest=/prearchive/projects/P1")
        .header("Content-Type", "application/zip")
        .send_streamed(|body| noise.chunks(10_000).try_for_each(|chunk| body.write_all(chunk)))
        .unwrap();
    assert_refused("chunked upload", &response, &[400, 413], "60000");
    assert_nothing_left("chunked upload", &service, &api, before);
}

#[test]
fn entries() {
    is_refused("entries", &[("max_entries", "19")], &zip(), &[400, 413], "19");
}

#[test]
fn bytes_of_a_file() {
    is_refused("file", &[("max_entry_bytes", "8000")], &zip(), &[400, 413], "ct-1-0001.dcm");
}

#[test]
fn bytes_of_all_files() {
    is_refused("all files", &[("max_inflated_bytes", "60000")], &zip(), &[400, 413], "60000");
}

#[test]
fn the_ratio_of_inflating() {
    let mut bomb = Study::new(Modality::Ct, 1).files().next().unwrap().bytes;
    bomb.resize(8_000_000, 0);
    let zip = zip_files([("bomb.dcm".to_owned(), bomb)], Packing::Deflated);
    let variables = [("ratio_free_entry_bytes", "1000000"), ("ratio_free_total_bytes", "1000000")];
    is_refused("ratio", &variables, &zip, &[400, 413], "");
}

#[test]
fn names() {
    let file = Study::new(Modality::Ct, 1).files().next().unwrap().bytes;
    let long = format!("{}.dcm", "x".repeat(300));
    is_refused("component", &[], &zip_files([(long, file.clone())], Packing::Stored), &[400], "xxx");
    let deep = format!("{}x.dcm", "folder/".repeat(200));
    is_refused("path", &[], &zip_files([(deep, file)], Packing::Stored), &[400], "folder/");
}

#[test]
fn what_stays_within_the_limits_is_taken() {
    let variables = [("max_upload_bytes", "1000000"), ("max_entries", "20"), ("max_entry_bytes", "20000")];
    let (_service, api) = service(&variables);
    let response = api.send("dest=/prearchive/projects/P1", "application/zip", &zip());
    assert_eq!(response.status, 200, "{}", response.text());
}

#[test]
fn texts_of_a_row_whichever_way_they_come() {
    let (service, api) = service(&[]);
    let before = service.stores().chunks();
    let (long, longest) = ("x".repeat(1025), "x".repeat(1024));
    let texts = ["VISIT", "PROTOCOL", "SUBTYPE", "TIMEZONE", "SOURCE", "xnat:mrSessionData/note"];
    for text in texts {
        for handler in ["SI", "DICOM-zip", "gradual-DICOM", "XAR"] {
            let path = format!("/data/services/import?import-handler={handler}&project=P1&{text}={long}");
            let response = api.client.post(&path, "application/zip", &zip()).unwrap();
            assert_refused(&format!("{handler} {text}"), &response, &[400], "1024");
            assert_nothing_left(text, &service, &api, before);
        }
        let parts: [(&str, Option<&str>, &[u8]); 2] = [(text, None, long.as_bytes()), ("f", Some("a.zip"), &zip())];
        let path = "/data/services/import?import-handler=SI&dest=/prearchive/projects/P1";
        let response = api.client.post(path, MULTIPART, &multipart(&parts)).unwrap();
        assert_refused(text, &response, &[400], "1024");
        assert_nothing_left(text, &service, &api, before);
    }
    let sent = api.send(&format!("dest=/prearchive/projects/P1&VISIT={longest}"), "application/zip", &zip());
    assert_eq!(sent.status, 200, "{}", sent.text());
    let row = api.sessions("P1").row("VISIT", &longest).clone();
    for (action, text) in ["build", "commit"].into_iter().flat_map(|action| texts.map(|text| (action, text))) {
        let path = format!("/data{}?action={action}&{text}={long}", row.get("url"));
        let response = api.client.post(&path, "", b"").unwrap();
        assert_refused(&format!("{action} {text}"), &response, &[400], "1024");
    }
    assert_eq!(api.sessions("P1").row("VISIT", &longest), &row);
}
