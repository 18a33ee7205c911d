//! What becomes of an upload that is complete.

use narthex_tests::{Noise, Packing, sentence, zip_files, zip_study};

use super::{begin, imported, patch, service, status, study};

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
fn what_became_of_each_file_is_told_where_it_is_asked_for() {
    let (service, api) = service();
    let mut files: Vec<_> = study(10).files().map(|file| (file.name, file.bytes)).collect();
    files.push((format!("again/{}", files[0].0), files[0].1.clone()));
    files.push(("notes.txt".to_owned(), b"Scans of a phantom.".to_vec()));
    let zip = zip_files(files.clone(), Packing::Deflated);
    let path = begin(&api, "import-handler=SI&dest=/prearchive/projects/P1&verdicts=true", zip.len());
    assert_eq!(patch(&api, &path, 0, &zip).status, 204);
    let told = status(&api, &path);
    assert_eq!(told["state"], "imported", "{told}");
    let verdicts = told["files"].as_array().unwrap();
    let count = |verdict: &str| verdicts.iter().filter(|file| file["verdict"] == verdict).count();
    assert_eq!((count("stored"), count("duplicate"), count("ignored")), (4, 1, 1), "{told:#}");
    let ignored = verdicts.iter().find(|file| file["name"] == "notes.txt").unwrap();
    assert_eq!((&ignored["verdict"], &ignored["reason"]), (&"ignored".into(), &"not-dicom".into()));
    // They go with the upload.
    let gone = api.client.request("DELETE", &path).header("Tus-Resumable", "1.0.0").send().unwrap();
    assert_eq!(gone.status, 204);
    assert!(!service.stores().keys().iter().any(|key| key.starts_with("resumable-verdicts")));

    let plain = begin(&api, "import-handler=SI&dest=/prearchive/projects/P1", zip.len());
    assert_eq!(patch(&api, &plain, 0, &zip).status, 204);
    assert!(status(&api, &plain).get("files").is_none());
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
