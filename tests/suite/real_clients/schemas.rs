//! `lxml`, which checks the documents that are served against the schemas that are served.

use super::{Bench, study};

#[test]
fn every_document_is_valid_by_the_schema_that_is_served_with_it() {
    let bench = Bench::make();
    bench.api.archive(&bench.api.import("P1", &study()));
    bench.api.import("P2", &study());
    let assessor = "/data/projects/P1/experiments/S71_MR1/assessors/QC1?xsiType=xnat:qcManualAssessorData&rater=ann";
    assert_eq!(bench.api.put(assessor).status, 201);
    let done = bench.run("xnat-clients", "lxml", include_str!("schemas.py"));
    for document in
        ["xnat:Project", "xnat:Subject", "xnat:MRSession", "xnat:MRScan", "xnat:QCManualAssessment", "cat:DCMCatalog"]
    {
        assert!(done.contains(document), "{document} is missing in {done:?}");
    }
}
