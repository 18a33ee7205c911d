//! The clients of XNAT writing into the archive.

use super::{Bench, study};

fn archived() -> Bench {
    let bench = Bench::make();
    bench.api.archive(&bench.api.import("P1", &study()));
    bench
}

#[test]
fn xnatpy_uploads_refreshes_changes_and_deletes() {
    let bench = archived();
    let done = bench.run("xnat-clients", "xnat", include_str!("xnatpy_writing.py"));
    for step in ["uploaded", "shared", "unpacked", "refreshed", "changed", "deleted"] {
        assert!(done.contains(step), "{step} is missing in {done:?}");
    }
    assert_eq!(bench.api.table("/data/projects/P1/experiments").only().get("label"), "S72_MR1");
}

#[test]
fn pyxnat_uploads_changes_and_deletes() {
    let bench = archived();
    let done = bench.run("xnat-clients", "pyxnat", include_str!("pyxnat_writing.py"));
    for step in ["uploaded", "changed", "assessed", "shared", "deleted"] {
        assert!(done.contains(step), "{step} is missing in {done:?}");
    }
    assert_eq!(bench.api.table("/data/projects/P1/experiments").only().get("label"), "S72_MR1");
}
