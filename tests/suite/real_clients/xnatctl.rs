//! `xnatctl`, as it is.

use super::Bench;

#[test]
fn xnatctl_uploads_reviews_archives_and_reads_back() {
    let bench = Bench::make();
    let done = bench.run("xnatctl", "xnatctl", include_str!("xnatctl.py"));
    for step in ["connected", "uploaded", "reviewed", "archived", "read", "ended"] {
        assert!(done.contains(step), "{step} is missing in {done:?}");
    }
    assert_eq!(bench.api.table("/data/projects/P2/experiments").only().get("label"), "S71_MR1");
}
