//! `pyxnat`, as it is.

use super::{Bench, study};

#[test]
fn pyxnat_connects_reviews_reads_back_and_deletes() {
    let bench = Bench::make();
    // It has no call for importing: the session is there when it comes.
    bench.api.archive(&bench.api.import("P1", &study()));
    bench.api.import("P2", &study());
    let done = bench.run("xnat-clients", "pyxnat", include_str!("pyxnat.py"));
    for step in ["connected", "set up", "reviewed", "listed", "read", "downloaded", "ended"] {
        assert!(done.contains(step), "{step} is missing in {done:?}");
    }
    assert!(bench.api.sessions("P2").rows.is_empty(), "the client has deleted it");
}
