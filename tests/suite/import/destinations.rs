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
