//! What the headers say of many experiments at once, for lists.

use futures::future::join_all;

use super::experiment::Experiment;
use crate::domain::Core;
use crate::domain::manifest::Manifest;
use crate::imaging::ImageSession;
use crate::storage::{StoreError, keys};

/// How many records are read at once.
const WIDTH: usize = 8;
/// How often an experiment is looked at again that was changed between reading it and its manifest.
const MAX_READS: usize = 4;

impl Core {
    /// Each of these experiments with its session, without scans. One that was changed since it was listed comes as it
    /// is now; one that has gone is left out.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn with_headers(
        &self,
        experiments: Vec<Experiment>,
    ) -> Result<Vec<(Experiment, ImageSession)>, StoreError> {
        let mut found = Vec::with_capacity(experiments.len());
        for some in experiments.chunks(WIDTH) {
            for one in join_all(some.iter().map(|experiment| self.headers_of(experiment))).await {
                found.extend(one?);
            }
        }
        Ok(found)
    }

    async fn headers_of(&self, listed: &Experiment) -> Result<Option<(Experiment, ImageSession)>, StoreError> {
        let mut experiment = listed.clone();
        for _ in 0..MAX_READS {
            if let Some(manifest) = self.records.get::<Manifest>(&keys::manifest(&experiment.manifest)).await? {
                return Ok(Some((experiment, manifest.session)));
            }
            let Some(now) = self.experiment_by_id(&experiment.id).await? else { return Ok(None) };
            experiment = now;
        }
        let key = keys::manifest(&experiment.manifest);
        Err(StoreError::Corrupt { key: key.to_string(), reason: "it is missing".to_owned() })
    }
}
