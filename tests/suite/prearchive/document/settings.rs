//! "Set project prearchive settings", "Check project prearchive settings"

use narthex_tests::{Modality, Study, zip_study};

use super::service;

#[test]
fn the_code_is_set_and_checked() {
    let service = service();
    let api = service.api();
    for code in ["4", "5", "0"] {
        let set = api.put(&format!("/data/projects/P1/prearchive_code/{code}"));
        assert_eq!((set.status, set.text().as_str()), (200, ""), "{code}");
        for path in ["/data/projects/P1/prearchive_code", "/data/archive/projects/P1/prearchive_code"] {
            assert_eq!(api.bytes(path), code.as_bytes(), "{path}");
        }
    }
    assert_eq!(api.get("/data/projects/NONE/prearchive_code").status, 404);
}

#[test]
fn with_0_uploads_stay_with_4_and_5_they_are_archived() {
    let service = service();
    let api = service.api();
    let label = |seed| Study::new(Modality::Mr, seed).patient("SAME", "SUBJ");
    let send = |seed| api.import_zip("project=P1", &zip_study(&label(seed)));
    let staged = send(1);
    assert!(staged[0].starts_with("/data/prearchive/projects/P1/"), "{staged:?}");
    assert_eq!(api.client.delete(&staged[0]).unwrap().status, 200);
    api.code("P1", 4);
    let experiment = "/data/archive/projects/P1/subjects/SUBJ/experiments/SAME";
    assert_eq!(send(1), [experiment]);
    api.assert_holds(experiment, &label(1));
    // With 4 the same files again overwrite nothing; with 5 they do.
    let again = api.send("project=P1", "application/zip", &zip_study(&label(1)));
    api.assert_holds(experiment, &label(1));
    assert!([200, 409, 500].contains(&again.status), "{}", again.text());
}
