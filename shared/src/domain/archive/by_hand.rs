//! What was changed in the archive by hand and cannot be merged with what a session brings.

use super::experiment::{Experiment, LOCKED};
use super::merge::{Finding, Reason};
use crate::domain::Core;
use crate::domain::manifest::FullScan;
use crate::domain::shelf::Shelf;
use crate::storage::{StoreError, keys};

impl Core {
    /// A lock, and resources of scans whose lists of files were changed in the archive: these stand on shelves, and images
    /// that are merged in would be hidden behind them.
    pub(super) async fn compare_with_changes(
        &self,
        existing: &Experiment,
        old: &[FullScan],
        new: &[FullScan],
    ) -> Result<Vec<Finding>, StoreError> {
        let mut findings = Vec::new();
        if existing.status == LOCKED {
            let text = format!("The session {} is locked in the archive; unlock it first.", existing.label);
            findings.push(Finding::new(Reason::Locked, text));
        }
        for id in &existing.shelved_scans {
            let Some(uid) = old.iter().map(|scan| &scan.stored.scan).find(|scan| scan.id == *id).map(|scan| &scan.uid)
            else {
                continue;
            };
            let Some(shelf) = self.records.get::<Shelf>(&keys::scan_shelf(&existing.id, id)).await? else { continue };
            let old_resources =
                old.iter().filter(|scan| scan.stored.scan.id == *id).flat_map(|scan| &scan.stored.resources);
            let hidden: Vec<&str> = old_resources
                .filter(|resource| shelf.hides(resource.number, &resource.label))
                .map(|resource| resource.label.as_str())
                .collect();
            let incoming =
                new.iter().filter(|scan| scan.stored.scan.uid == *uid).flat_map(|scan| &scan.stored.resources);
            for resource in incoming {
                if hidden.contains(&resource.label.as_str()) || shelf.hides(0, &resource.label) {
                    let text = format!(
                        "The resource {} of scan {id} was changed in the archive; add files to it there instead.",
                        resource.label
                    );
                    findings.push(Finding::new(Reason::ChangedByHand, text));
                }
            }
        }
        Ok(findings)
    }
}
