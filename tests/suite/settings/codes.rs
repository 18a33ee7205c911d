//! `prearchive_code` and `quarantine_code`.

use narthex_tests::{Modality, Service, Study, sentence};

#[test]
fn the_prearchive_code_is_the_bare_number() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    assert_eq!(api.bytes("/data/projects/P1/prearchive_code"), b"0", "nothing is archived by surprise");
    for code in ["0", "1", "4", "5"] {
        let answer = api.put(&format!("/data/projects/P1/prearchive_code/{code}"));
        assert_eq!((answer.status, answer.text().as_str()), (200, ""));
        assert_eq!(api.bytes("/data/projects/P1/prearchive_code"), code.as_bytes());
        assert_eq!(api.bytes("/REST/projects/P1/prearchive_code"), code.as_bytes());
    }
}

#[test]
fn other_codes_are_400_and_change_nothing() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    api.code("P1", 4);
    for code in ["2", "3", "6", "-1", "x", "4.0", "99999999999999999999"] {
        let answer = api.put(&format!("/data/projects/P1/prearchive_code/{code}"));
        assert_eq!(answer.status, 400, "{code}: {}", answer.text());
        assert!(!sentence(&answer).is_empty());
    }
    assert_eq!(api.bytes("/data/projects/P1/prearchive_code"), b"4");
}

#[test]
fn the_quarantine_code_is_the_bare_number_too() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    assert_eq!(api.bytes("/data/projects/P1/quarantine_code"), b"0");
    for (word, code) in [("1", "1"), ("0", "0"), ("true", "1"), ("false", "0"), ("1", "1")] {
        let answer = api.put(&format!("/data/projects/P1/quarantine_code/{word}"));
        assert_eq!((answer.status, answer.text().as_str()), (200, ""));
        assert_eq!(api.bytes("/REST/projects/P1/quarantine_code"), code.as_bytes());
    }
    for code in ["2", "-1", "x"] {
        assert_eq!(api.put(&format!("/data/projects/P1/quarantine_code/{code}")).status, 400, "{code}");
    }
    assert_eq!(api.bytes("/data/projects/P1/quarantine_code"), b"1");
    let staged = api.import("P1", &Study::new(Modality::Mr, 1).slices(2).matrix(16));
    let archived = api.archive(&staged);
    assert_eq!(api.bytes(&format!("{archived}/status")), b"quarantine");
}

#[test]
fn codes_need_a_project_and_a_code_and_nothing_more() {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    for code in ["prearchive_code", "quarantine_code"] {
        assert_eq!(api.put(&format!("/data/projects/P1/{code}")).status, 400);
        assert_eq!(api.put(&format!("/data/projects/P1/{code}/1/2")).status, 400);
        assert_eq!(api.get(&format!("/data/projects/P1/{code}/1")).status, 400);
        assert_eq!(api.put(&format!("/data/projects/NONE/{code}/1")).status, 404);
        assert_eq!(api.get(&format!("/data/projects/NONE/{code}")).status, 404);
    }
    for setting in ["current_arc/arc002", "scan_type_mapping/true"] {
        let answer = api.put(&format!("/data/projects/P1/{setting}"));
        assert_eq!(answer.status, 501, "{setting}");
        assert!(!sentence(&answer).is_empty());
    }
}
