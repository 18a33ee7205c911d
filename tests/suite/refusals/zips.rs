//! Zips that lie.

use narthex_tests::zips::{Entry, hostile, raw};
use narthex_tests::{Modality, Study};

use super::{assert_nothing_left, assert_refused, service};

fn two_files() -> (Vec<u8>, Vec<u8>) {
    let files: Vec<_> = Study::new(Modality::Ct, 81).patient("HOSTILE", "HOSTILE").files().collect();
    (files[0].bytes.clone(), files[1].bytes.clone())
}

#[test]
fn each_kind_is_refused_by_name_and_leaves_nothing() {
    let (service, api) = service(&[]);
    let (one, two) = two_files();
    let before = service.stores().chunks();
    for hostile in hostile(&one, &two) {
        let response = api.send("dest=/prearchive/projects/P1", "application/zip", &hostile.zip);
        assert_refused(hostile.kind, &response, &[400], hostile.names);
        assert_nothing_left(hostile.kind, &service, &api, before);
    }
}

#[test]
fn the_same_builder_without_a_lie_is_taken() {
    let (_service, api) = service(&[]);
    let (one, two) = two_files();
    let zip = raw(&[Entry::deflated("good.dcm", &one), Entry::stored("bad.dcm", &two)], None);
    let response = api.send("dest=/prearchive/projects/P1", "application/zip", &zip);
    assert_eq!(response.status, 200, "{}", response.text());
}
