//! `xnatpy` (the package `xnat`), as it is.

use super::Bench;

#[test]
fn xnatpy_connects_imports_reviews_archives_reads_back_and_deletes() {
    let bench = Bench::make();
    let done = bench.run("xnat-clients", "xnat", include_str!("xnatpy.py"));
    for step in [
        "connected",
        "imported",
        "reviewed",
        "archived",
        "listed",
        "read",
        "downloaded",
        "deleted",
        "came with a token",
        "ended",
    ] {
        assert!(done.contains(step), "{step} is missing in {done:?}");
    }
    // What the client said it had done is so.
    assert!(bench.api.table("/data/prearchive/projects").rows.is_empty());
    assert_eq!(bench.api.get("/data/projects/P1").status, 404);
    assert_eq!(bench.api.table("/data/projects/P2/experiments").only().get("label"), "S71_MR1");
}
