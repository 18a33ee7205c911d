use futures::executor::block_on;

use super::*;
use crate::domain::archive::Experiment;
use crate::storage::keys;

/// A project with two experiments, as a list has them.
async fn archived() -> (Site, Vec<Experiment>) {
    let site = Site::new().with_project().await;
    let core = site.core();
    for (seed, label) in [(1, "ONE"), (2, "TWO")] {
        let session = import(&core, &study(seed).patient(label, "S01")).await.unwrap();
        core.archive(&session, &archive_request()).await.unwrap();
    }
    let listed = core.list_experiments("DEMO").await.unwrap();
    (site, listed)
}

#[test]
fn every_experiment_comes_with_its_own_headers() {
    block_on(async {
        let (site, listed) = archived().await;
        let found = site.core().with_headers(listed).await.unwrap();
        let names: Vec<(&str, &str)> =
            found.iter().map(|(experiment, session)| (experiment.label.as_str(), session.uid.as_str())).collect();
        assert_eq!(names, [("ONE", study(1).study_uid().as_str()), ("TWO", study(2).study_uid().as_str())]);
    });
}

#[test]
fn one_that_was_changed_since_comes_as_it_is_and_one_that_has_gone_is_left_out() {
    block_on(async {
        let (site, listed) = archived().await;
        let core = site.core();
        // The first is given another manifest, as when something is merged into it.
        let mut changed = core.experiment_by_id(&listed[0].id).await.unwrap().unwrap();
        let manifest = core.manifest(&changed.manifest).await.unwrap();
        let other = core.derive_manifest(&manifest, core.scans(&manifest).await.unwrap()).await.unwrap();
        changed.manifest = other.id.clone();
        core.records.set(&keys::experiment(&changed.id), &changed).await.unwrap();
        core.remove_manifest(&manifest.id, false).await.unwrap();
        core.delete_experiment(&listed[1].id).await.unwrap();

        let found = core.with_headers(listed.clone()).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0.manifest, other.id);

        core.remove_manifest(&other.id, false).await.unwrap();
        assert!(core.with_headers(listed).await.is_err(), "a manifest that is missing is no experiment that has gone");
    });
}
