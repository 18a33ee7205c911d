//! Archiving a session, and reading the archive back.

mod assessors;
mod conflicts;
mod documents;
mod downloads;
mod edited;
mod items;
mod lists;
mod matrix;
mod nodes;
mod placed;
mod quarantine;
mod reading;
mod refresh;
mod scan_fields;
mod services;
mod several;
mod sharing;
mod shelves;
mod unpacking;
mod xml;

use narthex_tests::{Api, Modality, Service, Study};

/// A study with two scans and a derived picture.
fn study() -> Study {
    Study::new(Modality::Mr, 41)
        .patient("S41_MR1", "S41")
        .series_named(1, "localizer")
        .slices(3)
        .and_series(2, "t1", Modality::Mr, 5)
        .and_series(9, "picture", Modality::Sc, 1)
}

/// A service with that study in the archive of the project P1.
fn archived() -> (Service, Api) {
    let service = Service::start();
    let api = service.api();
    api.project("P1");
    let src = api.import("P1", &study());
    let uri = api.archive(&src);
    assert_eq!(uri, "/data/archive/projects/P1/subjects/S41/experiments/S41_MR1");
    (service, api)
}
