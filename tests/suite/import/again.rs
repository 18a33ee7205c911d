//! Uploads to sessions that are there: what they say takes the place of what was said, and several studies for one.

use narthex_tests::{Api, Modality, Packing, Response, Service, Study, sentence, zip_files, zip_study};

const HANDLERS: [&str; 3] = ["SI", "DICOM-zip", "gradual-DICOM"];

fn study(seed: u64) -> Study {
    Study::new(Modality::Mr, seed).patient("AGAIN_MR1", "AGAIN").slices(2).matrix(16)
}

fn service() -> (Service, Api) {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    (service, api)
}

#[track_caller]
fn send(api: &Api, handler: &str, query: &str, body: &[u8]) -> Response {
    let path = format!("/data/services/import?import-handler={handler}&inbody=true&{query}");
    api.client.post(&path, "application/octet-stream", body).unwrap()
}

/// A part of a study as this handler takes it.
fn part(handler: &str, study: &Study, which: usize) -> Vec<u8> {
    let file = study.files().nth(which).unwrap();
    if handler == "gradual-DICOM" { file.bytes } else { zip_files([(file.name, file.bytes)], Packing::Deflated) }
}

/// All files of several studies, each in a folder of its own.
fn zip_of(studies: &[Study]) -> Vec<u8> {
    let files = studies.iter().enumerate().flat_map(|(number, study)| {
        study.files().map(move |file| (format!("{number}/{}", file.name), file.bytes)).collect::<Vec<_>>()
    });
    zip_files(files, Packing::Deflated)
}

#[test]
fn what_a_later_upload_says_of_the_session_counts() {
    for handler in HANDLERS {
        let (_service, api) = service();
        assert_eq!(send(&api, handler, "project=P1&VISIT=v1", &part(handler, &study(1), 0)).status, 200);
        let before = api.sessions("P1").only().clone();
        assert_eq!((before.get("subject"), before.get("VISIT")), ("AGAIN", "v1"), "{handler}");
        let named = [
            ("subject", "RIGHT"),
            ("PROTOCOL", "p2"),
            ("SOURCE", "src2"),
            ("TIMEZONE", "Europe/Paris"),
            ("prevent_anon", "true"),
            ("prevent_auto_commit", "true"),
        ];
        let query: String = named.iter().map(|(name, value)| format!("&{name}={value}")).collect();
        let dest = format!("dest={}", before.get("url"));
        let answer = send(&api, handler, &format!("{dest}{query}"), &part(handler, &study(1), 1));
        assert_eq!(answer.status, 200, "{handler}: {}", answer.text());
        let after = api.sessions("P1").only().clone();
        assert_eq!(after.get("url"), before.get("url"), "{handler}");
        for (name, value) in named {
            assert_eq!(after.get(name), value, "{handler} {name}");
        }
        assert_eq!(after.get("VISIT"), "v1", "{handler}");
    }
}

#[test]
fn the_subject_of_a_destination_corrects_that_of_a_session_which_waits() {
    let (_service, api) = service();
    api.import("P1", &study(1));
    let uris = api.import_zip("dest=/archive/projects/P1/subjects/RIGHT/experiments/AGAIN_MR1", &zip_study(&study(1)));
    assert_eq!(uris, ["/data/archive/projects/P1/subjects/RIGHT/experiments/AGAIN_MR1"]);
    // One that was refused for its subject does not stand in the way of the right one.
    let file = study(1).and_series(9, "more", Modality::Mr, 1).files().last().unwrap();
    let more = zip_files([(file.name, file.bytes)], Packing::Deflated);
    let query =
        |subject: &str| format!("dest=/archive/projects/P1/subjects/{subject}/experiments/AGAIN_MR1&overwrite=append");
    assert_eq!(send(&api, "SI", &query("WRONG"), &more).status, 409);
    assert_eq!(api.sessions("P1").only().get("status"), "CONFLICT");
    let answer = send(&api, "SI", &query("RIGHT"), &more);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(api.sessions("P1").rows.is_empty());
}

#[test]
fn paths_of_fields_name_the_session_and_its_subject() {
    for handler in HANDLERS {
        let (_service, api) = service();
        let query = "project=P1&EXPT_LABEL=LATER&xnat:mrSessionData/label=XL&xnat:mrSessionData/subject_ID=XS";
        let answer = send(&api, handler, query, &part(handler, &study(1), 0));
        assert_eq!(answer.status, 200, "{handler}: {}", answer.text());
        let row = api.sessions("P1").only().clone();
        assert_eq!((row.get("name"), row.get("subject")), ("XL", "XS"), "{handler}");
    }
    let (_service, api) = service();
    let src = api.import("P1", &study(1)).strip_prefix("/data").unwrap().to_owned();
    let path = format!("/data/services/archive?src={src}&xnat:mrSessionData/label=XL&xnat:mrSessionData/subject_ID=XS");
    let archived = api.client.post(&path, "", b"").unwrap();
    assert_eq!(archived.text().trim(), "/data/archive/projects/P1/subjects/XS/experiments/XL");
    // Whoever builds does not name.
    let uri = api.import("P1", &study(2));
    let refused = api.client.post(&format!("{uri}?action=build&xnat:mrSessionData/label=XL"), "", b"").unwrap();
    assert_eq!(refused.status, 400);
}

#[test]
fn files_are_overwritten_in_the_prearchive_if_that_is_wanted() {
    let (_service, api) = service();
    let uri = api.import("P1", &study(1));
    let dest = format!("dest={}", uri.strip_prefix("/data").unwrap());
    let file = study(1).files().next().unwrap();
    let mut changed = file.bytes.clone();
    *changed.last_mut().unwrap() ^= 1;
    let body = zip_files([(file.name.clone(), changed.clone())], Packing::Deflated);
    let holds = |bytes: &[u8]| api.content(&uri).into_values().filter(|held| held == bytes).count();
    let answer = send(&api, "SI", &format!("{dest}&overwrite=delete&verdicts=true"), &body);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!((holds(&file.bytes), holds(&changed), api.content(&uri).len()), (0, 1, 2));
    // Otherwise nothing is lost: both are kept.
    let first = zip_files([(file.name.clone(), file.bytes.clone())], Packing::Deflated);
    assert_eq!(send(&api, "SI", &dest, &first).status, 200);
    assert_eq!((holds(&file.bytes), holds(&changed), api.content(&uri).len()), (1, 1, 3));
    // The same again is the same, whichever handler brings it.
    assert_eq!(send(&api, "gradual-DICOM", &dest, &changed).status, 200);
    assert_eq!(api.client.post(&format!("{uri}?action=build"), "", b"").unwrap().status, 200);
    assert_eq!(holds(&changed), 1);
}

#[test]
fn several_studies_for_one_session_are_refused_and_leave_nothing() {
    let (service, api) = service();
    let chunks = service.stores().chunks();
    let zip = zip_of(&[study(1), study(2)]);
    for handler in ["SI", "DICOM-zip"] {
        for query in [
            "dest=/archive/projects/P1/subjects/S/experiments/ONE",
            "dest=/archive/projects/P1&session=ONE",
            "dest=/prearchive/projects/P1/20240101_101010/ONE",
            "project=P1&PREARC_TIMESTAMP=20240101_101010&PREARC_SESSION_FOLDER=ONE",
        ] {
            let refused = send(&api, handler, query, &zip);
            assert_eq!(refused.status, 400, "{handler} {query}: {}", refused.text());
            let sentence = sentence(&refused);
            assert!(sentence.contains("files for multiple imaging sessions"), "{handler} {query}: {sentence}");
            assert!(api.sessions("P1").rows.is_empty(), "{handler} {query}");
            assert_eq!(service.stores().chunks(), chunks, "{handler} {query}");
        }
    }
    assert!(api.table("/data/projects/P1/experiments").rows.is_empty());
}

#[test]
fn studies_of_one_label_stand_beside_each_other_in_a_timestamp_folder() {
    for handler in ["SI", "DICOM-zip"] {
        let (_service, api) = service();
        let base = "/data/prearchive/projects/P1/20240101_101010/AGAIN_MR1";
        let dest = "dest=/prearchive/projects/P1/20240101_101010";
        let answer = send(&api, handler, dest, &zip_of(&[study(1), study(2)]));
        assert_eq!(answer.status, 200, "{handler}: {}", answer.text());
        assert_eq!(answer.text(), format!("{base}\r\n{base}_1\r\n"), "{handler}");
        // Each study finds its own again, also when the other is gone.
        let again = send(&api, handler, dest, &zip_study(&study(2)));
        assert_eq!(again.text().trim(), format!("{base}_1"), "{handler}: {}", again.text());
        assert_eq!(api.client.delete(base).unwrap().status, 200);
        let again = send(&api, handler, dest, &zip_study(&study(2)));
        assert_eq!(again.text().trim(), format!("{base}_1"), "{handler}: {}", again.text());
        let third = send(&api, handler, dest, &zip_study(&study(3)));
        assert_eq!(third.text().trim(), base, "{handler}: {}", third.text());
        api.assert_holds(&format!("{base}_1"), &study(2));
        api.assert_holds(base, &study(3));
    }
}

#[test]
fn it_is_told_which_sessions_of_an_upload_were_archived() {
    let (_service, api) = service();
    let other = Study::new(Modality::Mr, 7).patient("OTHER_MR1", "OTHER").slices(2).matrix(16);
    let zip = zip_of(&[study(1), study(2), other]);
    for (handler, status) in [("SI", 409), ("DICOM-zip", 400)] {
        let project = handler.replace('-', "");
        api.project(&project);
        let refused = send(&api, handler, &format!("dest=/archive/projects/{project}"), &zip);
        assert_eq!(refused.status, status, "{handler}: {}", refused.text());
        let sentence = sentence(&refused);
        let archived = format!("/data/archive/projects/{project}/subjects/OTHER/experiments/OTHER_MR1");
        assert!(sentence.contains("Of the 3 sessions of the upload 2 went on"), "{handler}: {sentence}");
        assert!(sentence.contains(&archived), "{handler}: {sentence}");
        assert_eq!(api.sessions(&project).only().get("status"), "CONFLICT", "{handler}");
    }
}

#[test]
fn a_file_that_is_said_to_be_a_form_is_refused_with_a_hint() {
    let (_service, api) = service();
    for body in [zip_study(&study(1)), study(1).files().next().unwrap().bytes] {
        for media_type in ["application/x-www-form-urlencoded", "application/json"] {
            let path = "/data/services/import?dest=/prearchive/projects/P1";
            let refused = api.client.post(path, media_type, &body).unwrap();
            assert!([400, 413].contains(&refused.status), "{}", refused.text());
            assert!(sentence(&refused).contains("inbody=true"), "{}", sentence(&refused));
        }
    }
    let refused = api.client.post("/data/services/import?src=", "", b"").unwrap();
    assert_eq!((refused.status, sentence(&refused).as_str()), (400, "src uri is invalid."));
}
