//! Uploads as forms, compressed for the transport, and followed while they are under way.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use narthex_tests::{Modality, Service, Study, sentence, zip_study};

const BOUNDARY: &str = "a-boundary";

fn study(seed: u64) -> Study {
    Study::new(Modality::Ct, seed).patient(&format!("F{seed}_CT1"), &format!("F{seed}")).slices(4).matrix(16)
}

enum Part<'a> {
    Field(&'a str, &'a str),
    File(&'a str, &'a [u8]),
}

fn form(parts: &[Part<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    for part in parts {
        body.extend_from_slice(format!("--{BOUNDARY}\r\nContent-Disposition: form-data; ").as_bytes());
        match part {
            Part::Field(name, value) => {
                body.extend_from_slice(format!("name=\"{name}\"\r\n\r\n{value}").as_bytes());
            }
            Part::File(name, bytes) => {
                let head =
                    format!("name=\"file\"; filename=\"{name}\"\r\nContent-Type: application/octet-stream\r\n\r\n");
                body.extend_from_slice(head.as_bytes());
                body.extend_from_slice(bytes);
            }
        }
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

fn multipart() -> String {
    format!("multipart/form-data; boundary={BOUNDARY}")
}

#[test]
fn fields_may_stand_before_and_behind_the_file() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let zip = zip_study(&study(1));
    let handler = Part::Field("import-handler", "SI");
    let destination = Part::Field("dest", "/prearchive/projects/P1");
    let file = Part::File("C:\\scans\\study.zip", &zip);
    let orders: [Vec<Part<'_>>; 2] = [vec![handler, destination, file], {
        vec![
            Part::File("study.zip", &zip),
            Part::Field("session", "BEHIND"),
            Part::Field("import-handler", "SI"),
            Part::Field("dest", "/prearchive/projects/P1"),
        ]
    }];
    for parts in orders {
        let response = api.client.post("/data/services/import", &multipart(), &form(&parts)).unwrap();
        assert_eq!(response.status, 200, "{}", response.text());
        api.assert_holds(response.text().trim(), &study(1));
    }
    let mut names = api.sessions("P1").column("name").into_iter().map(str::to_owned).collect::<Vec<_>>();
    names.sort();
    assert_eq!(names, ["BEHIND", "F1_CT1"]);
}

#[test]
fn several_files_of_a_form_are_one_upload() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let study = study(2);
    let files: Vec<_> = study.files().collect();
    let parts: Vec<Part<'_>> = files.iter().map(|file| Part::File(&file.name, &file.bytes)).collect();
    let path = "/data/services/import?import-handler=SI&dest=/prearchive/projects/P1";
    let response = api.client.post(path, &multipart(), &form(&parts)).unwrap();
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(response.text().lines().count(), 1);
    api.assert_holds(response.text().trim(), &study);
}

#[test]
fn a_form_that_is_refused_leaves_nothing() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let chunks = service.stores().chunks();
    let zip = zip_study(&study(3));
    let path = "/data/services/import?import-handler=SI&dest=/prearchive/projects/P1";
    let cut = form(&[Part::File("a.zip", &zip)]);
    for (body, what) in [
        (form(&[Part::File("a.zip", &zip), Part::Field("reference", "/etc/passwd")]), "a reference"),
        (form(&[Part::Field("session", "X")]), "no file"),
        (form(&[Part::File("a.txt", b"no image at all"), Part::File("b.txt", b"nor this")]), "files that are nothing"),
        (form(&[Part::File("a.zip", &zip[..zip.len() - 10])]), "a broken zip"),
        (cut[..cut.len() - 30].to_vec(), "a cut off form"),
    ] {
        let response = api.client.post(path, &multipart(), &body).unwrap();
        assert_eq!(response.status, 400, "{what}: {}", response.text());
        assert!(!sentence(&response).is_empty());
        assert!(api.sessions("P1").rows.is_empty(), "{what}");
        assert_eq!(service.stores().chunks(), chunks, "{what}");
    }
    let both = api.client.post(&format!("{path}&inbody=true"), &multipart(), &cut).unwrap();
    assert_eq!(both.status, 406, "{}", both.text());
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_body_may_be_compressed_for_the_transport() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let path = "/data/services/import?import-handler=SI&dest=/prearchive/projects/P1";
    let zip = zip_study(&study(4));
    let post = |coding: &str, body: &[u8]| {
        let request = api.client.request("POST", path).header("Content-Type", "application/zip");
        request.header("Content-Encoding", coding).send_bytes(body).unwrap()
    };
    let response = post("gzip", &gzipped(&zip));
    assert_eq!(response.status, 200, "{}", response.text());
    api.assert_holds(response.text().trim(), &study(4));
    assert_eq!(post("br", &zip).status, 415);
    assert_eq!(post("gzip, gzip", &gzipped(&gzipped(&zip))).status, 415);
    let chunks = service.stores().chunks();
    assert_eq!(post("gzip", &zip).status, 400, "it is no gzip");
    let whole = gzipped(&zip);
    assert_eq!(post("gzip", &whole[..whole.len() - 5]).status, 400, "it is cut off");
    let bomb = gzipped(&vec![0; 700 << 20]);
    let response = post("gzip", &bomb);
    assert!(matches!(response.status, 400 | 413), "{}", response.text());
    assert_eq!(service.stores().chunks(), chunks);
}

#[test]
fn an_import_can_be_followed_by_a_key() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let path = "/data/services/import?import-handler=SI&dest=/prearchive/projects/P1&http-session-listener";
    let zip = zip_study(&study(5));
    let response = api.client.post(&format!("{path}=good"), "application/zip", &zip).unwrap();
    assert_eq!(response.status, 200, "{}", response.text());
    let status = api.get("/data/status/good?format=json").text();
    let messages: serde_json::Value = serde_json::from_str(&status).unwrap();
    let last = messages["msgs"][0].as_array().unwrap().last().unwrap().clone();
    let uri = response.text().trim().strip_prefix("/data").unwrap().to_owned();
    assert_eq!(last["status"], "COMPLETED");
    assert_eq!(last["msg"], format!("Prearchive:{uri}"));
    assert_eq!(last["terminal"], true);

    let response = api.client.post(&format!("{path}=bad"), "application/zip", &zip[..100]).unwrap();
    assert_eq!(response.status, 400);
    let status = api.get("/data/status/bad?format=json").text();
    let messages: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert_eq!(messages["msgs"][0].as_array().unwrap().last().unwrap()["status"], "FAILED");
    assert_eq!(api.client.post(&format!("{path}="), "application/zip", &zip).unwrap().status, 400);
    assert_eq!(api.client.post(&format!("{path}=a/b"), "application/zip", &zip).unwrap().status, 400);

    // The key may come in the form, behind the file.
    let last = |key: &str| {
        let told: serde_json::Value =
            serde_json::from_str(&api.get(&format!("/data/status/{key}?format=json")).text()).unwrap();
        told["msgs"][0].as_array().unwrap().last().unwrap()["status"].as_str().unwrap().to_owned()
    };
    for (key, file, status, end) in [("FORM", zip.as_slice(), 200, "COMPLETED"), ("BROKEN", &zip[..100], 400, "FAILED")]
    {
        let body = form(&[Part::File("study.zip", file), Part::Field("http-session-listener", key)]);
        let answer = api.client.post("/data/services/import?project=P1", &multipart(), &body).unwrap();
        assert_eq!((answer.status, last(key).as_str()), (status, end), "{}", answer.text());
    }
    let chunks = service.stores().chunks();
    let body = form(&[Part::File("study.zip", &zip), Part::Field("http-session-listener", "")]);
    assert_eq!(api.client.post("/data/services/import?project=P1", &multipart(), &body).unwrap().status, 400);
    assert_eq!(service.stores().chunks(), chunks);
}

#[test]
fn files_that_are_no_images_are_left_out_among_several() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let image = study(6).files().next().unwrap().bytes;
    let notes = Part::File("notes.txt", b"Scans of a phantom, which moved a little.");
    let several = [Part::File("a.dcm", &image), notes, Part::File("empty", b"")];
    let send = |query: &str, parts: &[Part<'_>]| {
        api.client.post(&format!("/data/services/import?{query}"), &multipart(), &form(parts)).unwrap()
    };
    let answer = send("import-handler=SI&project=P1&format=json&verdicts=true", &several);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let told: serde_json::Value = serde_json::from_str(&answer.text()).unwrap();
    let verdicts: Vec<_> = told["files"].as_array().unwrap().iter().map(|file| file["verdict"].clone()).collect();
    assert_eq!(verdicts, ["stored", "ignored", "ignored"]);
    let chunks = service.stores().chunks();
    let refused = send("import-handler=DICOM-zip&project=P1", &several);
    assert_eq!(refused.status, 400, "{}", refused.text());
    assert!(sentence(&refused).contains("notes.txt"), "{}", sentence(&refused));
    let alone = send("import-handler=SI&project=P1", &[Part::File("notes.txt", b"Scans of a phantom.")]);
    assert_eq!(alone.status, 400, "{}", alone.text());
    let none =
        send("import-handler=SI&project=P1", &[Part::File("a.txt", b"Nothing."), Part::File("b.txt", b"Nor this.")]);
    assert_eq!(none.status, 400, "{}", none.text());
    assert!(sentence(&none).contains("a.txt"), "{}", sentence(&none));
    assert_eq!(service.stores().chunks(), chunks);
    let passed_over = send("import-handler=DICOM-zip&project=P1&Ignore-Unparsable=true", &several);
    assert_eq!(passed_over.status, 200, "{}", passed_over.text());
}

#[test]
fn a_sender_of_mirc_is_told_that_all_is_well() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let study = study(9);
    let file = study.files().next().unwrap();
    let answer = api.client.post("/data/services/import?project=P1", "application/x-mirc", &file.bytes).unwrap();
    assert_eq!((answer.status, answer.text().as_str()), (200, "OK"));
    assert_eq!(api.sessions("P1").only().get("status"), "RECEIVING");
}
