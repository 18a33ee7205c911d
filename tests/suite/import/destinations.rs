//! Where an upload goes.

use narthex_tests::{Modality, Service, Study, zip_study};

fn study(seed: u64) -> Study {
    Study::new(Modality::Mr, seed).patient(&format!("S{seed}_MR1"), &format!("S{seed}"))
}

#[test]
fn a_destination_in_the_prearchive_names_the_project() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let uri = api.import("P1", &study(1));
    let parts: Vec<&str> = uri.split('/').collect();
    assert_eq!(&parts[..5], ["", "data", "prearchive", "projects", "P1"]);
    let timestamp = parts[5];
    assert_eq!((timestamp.len(), timestamp.as_bytes()[8]), (18, b'_'), "{timestamp}");
    assert_eq!((parts[6], parts.len()), ("S1_MR1", 7));
    api.assert_holds(&uri, &study(1));
}

#[test]
fn parameters_name_project_subject_and_session() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    for (query, seed) in [
        ("project=P1&subject=SUB&session=SES1", 1),
        ("PROJECT_ID=P1&SUBJECT_ID=SUB&EXPT_LABEL=SES2", 2),
        ("dest=/data/prearchive/projects/P1&subject=SUB&session=SES3", 3),
    ] {
        let uris = api.import_zip(query, &zip_study(&study(seed)));
        assert_eq!(uris.len(), 1);
        let row = api.sessions("P1").row("name", &format!("SES{seed}")).clone();
        assert_eq!(row.get("subject"), "SUB", "{query}");
        assert_eq!(format!("/data{}", row.get("url")), uris[0]);
    }
}

#[test]
fn without_a_project_the_session_is_unassigned() {
    let service = Service::start();
    let api = service.api();
    let uris = api.import_zip("", &zip_study(&study(1)));
    assert!(uris[0].starts_with("/data/prearchive/projects/Unassigned/"), "{uris:?}");
    let list = api.table("/data/prearchive/projects");
    assert_eq!(list.only().get("project"), "Unassigned");
    api.assert_holds(&uris[0], &study(1));
    let refused = api.send_archive(&uris[0]);
    assert_eq!(refused.status, 400, "{}", refused.text());
}

#[test]
fn a_project_that_archives_does_so_at_once() {
    for code in [4, 5] {
        let service = Service::start();
        let api = service.api();
        api.project("P1");
        api.code("P1", code);
        let uris = api.import_zip("project=P1", &zip_study(&study(1)));
        assert_eq!(uris, ["/data/archive/projects/P1/subjects/S1/experiments/S1_MR1"], "code {code}");
        assert!(api.sessions("P1").rows.is_empty(), "code {code}");
        api.assert_holds(&uris[0], &study(1));
    }
}

#[test]
fn a_project_that_does_not_archive_keeps_it() {
    for code in [0, 1] {
        let service = Service::start();
        let api = service.api();
        api.project("P1");
        api.code("P1", code);
        let uris = api.import_zip("project=P1", &zip_study(&study(1)));
        assert!(uris[0].starts_with("/data/prearchive/projects/P1/"), "code {code}: {uris:?}");
        assert_eq!(api.sessions("P1").only().get("status"), "READY");
    }
}

#[test]
fn a_destination_in_the_prearchive_is_never_archived() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    api.code("P1", 4);
    let uri = api.import("P1", &study(1));
    assert!(uri.starts_with("/data/prearchive/projects/P1/"), "{uri}");
    assert!(api.table("/data/projects/P1/experiments").rows.is_empty());
}

#[test]
fn several_studies_in_one_zip_are_several_sessions() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let studies = [study(1), study(2), study(3)];
    let files = studies.iter().enumerate().flat_map(|(number, study)| {
        study.files().map(move |file| (format!("{number}/{}", file.name), file.bytes)).collect::<Vec<_>>()
    });
    let zip = narthex_tests::zip_files(files, narthex_tests::Packing::Deflated);
    let uris = api.import_zip("dest=/prearchive/projects/P1", &zip);
    assert_eq!(uris.len(), 3, "{uris:?}");
    let list = api.sessions("P1");
    assert_eq!(list.rows.len(), 3);
    for (number, study) in studies.iter().enumerate() {
        let row = list.row("tag", &study.study_uid());
        assert_eq!(row.get("name"), format!("S{}_MR1", number + 1));
        let uri = format!("/data{}", row.get("url"));
        assert!(uris.contains(&uri), "{uri} is not in {uris:?}");
        api.assert_holds(&uri, study);
    }
}

#[test]
fn the_same_upload_twice_makes_two_sessions_or_one_but_loses_nothing() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let first = api.import("P1", &study(1));
    let second = api.import("P1", &study(1));
    let list = api.sessions("P1");
    for uri in [&first, &second] {
        let url = uri.strip_prefix("/data").unwrap();
        assert!(list.column("url").contains(&url), "{url} is not in the list");
    }
    api.assert_holds(&first, &study(1));
}

/// Half of the files of a study, as if another patient had been scanned for the rest.
fn half(id: &str, name: &str, which: usize) -> Vec<(String, Vec<u8>)> {
    let study = Study::new(Modality::Mr, 9).patient(id, name).slices(4).matrix(16);
    study.files().enumerate().filter(|(at, _)| at % 2 == which).map(|(_, file)| (file.name, file.bytes)).collect()
}

#[test]
fn an_experiment_of_the_archive_that_is_named_says_whose_it_is() {
    let service = Service::start();
    let api = service.api();
    let zip = |files| narthex_tests::zip_files(files, narthex_tests::Packing::Deflated);
    let (first, second) = (half("S9_MR1", "S9", 0), half("OTHER", "SOMEONE", 1));
    let mut number = 0;
    for handler in ["SI", "DICOM-zip", "gradual-DICOM"] {
        for by_id in [false, true] {
            number += 1;
            let project = format!("M{number}");
            api.project(&project);
            let uris = api.import_zip(&format!("dest=/archive/projects/{project}"), &zip(first.clone()));
            let experiments = api.table(&format!("/data/projects/{project}/experiments"));
            let named = if by_id { experiments.only().get("ID") } else { "S9_MR1" };
            let dest = format!("/archive/projects/{project}/experiments/{named}");
            let path = format!(
                "/data/services/import?import-handler={handler}&inbody=true&dest={dest}&overwrite=append&action=commit\
                 &rename=true"
            );
            let bodies: Vec<Vec<u8>> = match handler {
                "gradual-DICOM" => second.iter().map(|(_, bytes)| bytes.clone()).collect(),
                _ => vec![zip(second.clone())],
            };
            for body in bodies {
                let answer = api.client.post(&path, "application/octet-stream", &body).unwrap();
                assert_eq!(answer.status, 200, "{handler} {named}: {}", answer.text());
                assert_eq!(answer.text().trim(), uris[0], "{handler} {named}");
            }
            assert!(api.sessions(&project).rows.is_empty(), "{handler} {named}");
            assert_eq!(api.table(&format!("/data/projects/{project}/subjects")).rows.len(), 1);
            let mut held: Vec<_> = api.content(&uris[0]).into_values().collect();
            let mut sent: Vec<_> = first.iter().chain(&second).map(|(_, bytes)| bytes.clone()).collect();
            held.sort();
            sent.sort();
            assert!(held == sent, "{handler} {named}");
        }
    }
    // One that is not there is a new one's label.
    api.project("NEW");
    let made = api.import_zip("dest=/archive/projects/NEW/experiments/MADE", &zip(first));
    assert_eq!(made, ["/data/archive/projects/NEW/subjects/S9/experiments/MADE"]);
}
