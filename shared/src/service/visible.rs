//! Which items of the archive somebody may see.

use std::collections::{BTreeMap, BTreeSet};

use super::Call;
use crate::domain::access::Right;
use crate::domain::archive::{Experiment, Subject};
use crate::http::ClientError;

impl Call {
    /// Whether whoever asks may see an experiment: by reading a project that it is in. While it is in quarantine, only its
    /// own counts. An assessor is hidden with its session.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn sees_experiment(&self, experiment: &Experiment) -> Result<bool, ClientError> {
        let mut is_quarantined = experiment.is_quarantined();
        if let Some(session) = &experiment.assessed {
            let session = self.site.core.experiment_by_id(session).await?;
            is_quarantined |= session.is_some_and(|session| session.is_quarantined());
        }
        match is_quarantined {
            true => self.sees_quarantined(&experiment.project).await,
            false => self.reads_any(experiment.projects()).await,
        }
    }

    /// Whether whoever asks may see a subject: by reading a project that it is in.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn sees_subject(&self, subject: &Subject) -> Result<bool, ClientError> {
        self.reads_any(subject.projects()).await
    }

    async fn reads_any(&self, projects: impl Iterator<Item = &str>) -> Result<bool, ClientError> {
        for project in projects {
            if self.may(project, Right::Read).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes those experiments out of a list that are in quarantine in a project that hides them from whoever asks, and the
    /// assessors of these. The list holds what whoever asks may read otherwise, and each assessor's session.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn without_hidden(&self, experiments: Vec<Experiment>) -> Result<Vec<Experiment>, ClientError> {
        let mut shown_in: BTreeMap<String, bool> = BTreeMap::new();
        let mut visible = Vec::with_capacity(experiments.len());
        let mut hidden: BTreeSet<String> = BTreeSet::new();
        for experiment in experiments {
            if experiment.is_quarantined() {
                let is_shown = match shown_in.get(&experiment.project) {
                    Some(is_shown) => *is_shown,
                    None => {
                        let is_shown = self.sees_quarantined(&experiment.project).await?;
                        shown_in.insert(experiment.project.clone(), is_shown);
                        is_shown
                    }
                };
                if !is_shown {
                    hidden.insert(experiment.id);
                    continue;
                }
            }
            visible.push(experiment);
        }
        visible.retain(|experiment| experiment.assessed.as_ref().is_none_or(|session| !hidden.contains(session)));
        Ok(visible)
    }

    /// Whether whoever asks may see what is in quarantine in the project of this identifier.
    async fn sees_quarantined(&self, project: &str) -> Result<bool, ClientError> {
        let project = self.site.core.find_project(project).await?;
        Ok(project.is_some_and(|project| project.shows_quarantined(&self.identity)))
    }
}
