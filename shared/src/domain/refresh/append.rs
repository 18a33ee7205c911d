//! Taking up files that were put by hand into the folders of resources.

use super::{RefreshTarget, Refreshed};
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::domain::shelf::placed::Taken;
use crate::domain::shelf::{ShelfOf, ShelvedScan};

/// What was taken up in one resource.
pub(super) struct Appended {
    scan: Option<String>,
    assessor: Option<String>,
    label: String,
    taken: Taken,
}

impl Appended {
    /// Notes it with what a refresh says of the same resource.
    pub fn note(self, done: &mut [Refreshed]) {
        let is_same =
            |one: &&mut Refreshed| (&one.scan, &one.assessor, &one.label) == (&self.scan, &self.assessor, &self.label);
        if let Some(one) = done.iter_mut().find(is_same) {
            one.appended = self.taken.files;
            one.not_appended_count = self.taken.left.len() as u64;
            one.not_appended = self.taken.left;
            one.not_appended.truncate(super::MAX_NAMED);
        }
    }
}

impl Core {
    /// Takes up what waits beside the resources that are to be refreshed.
    ///
    /// # Errors
    /// As [`Core::refresh`].
    pub(super) async fn append(&self, target: &RefreshTarget, by: &str) -> Result<Vec<Appended>, DomainError> {
        let only = target.resource.as_deref();
        let mut shelves = vec![(target.of.clone(), None, None)];
        match &target.of {
            ShelfOf::Scan { scan, .. } => shelves = vec![(target.of.clone(), Some(scan.clone()), None)],
            ShelfOf::Experiment(id) if only.is_none() => {
                let experiment = self.experiment_that_is(id).await?;
                for ShelvedScan { scan, .. } in &experiment.shelved_scans {
                    let of = ShelfOf::Scan { experiment: id.clone(), scan: scan.clone() };
                    shelves.push((of, Some(scan.clone()), None));
                }
                for assessor in self.assessors_of(&experiment).await? {
                    shelves.push((ShelfOf::Experiment(assessor.id.clone()), None, Some(assessor.id)));
                }
            }
            ShelfOf::Experiment(_) | ShelfOf::Project(_) | ShelfOf::Subject(_) => {}
        }
        let mut all = Vec::new();
        for (of, scan, assessor) in shelves {
            for placed in self.placed_on(&of).await? {
                let Some(taken) = self.take_placed(&of, &placed.label, only, by).await? else { continue };
                all.push(Appended { scan: scan.clone(), assessor: assessor.clone(), label: placed.label, taken });
            }
        }
        Ok(all)
    }
}
