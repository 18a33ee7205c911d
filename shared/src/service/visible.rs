//! Which items of the archive somebody may see.

use std::collections::BTreeMap;

use super::Call;
use crate::domain::access::Right;
use crate::domain::archive::{Experiment, Subject};
use crate::http::ClientError;

impl Call {
    /// Whether whoever asks may see an experiment: by reading a project that it is in. While it is in quarantine, only its
    /// own counts.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn sees_experiment(&self, experiment: &Experiment) -> Result<bool, ClientError> {
        match experiment.is_quarantined() {
            true => self.sees_quarantined(&experiment.project).await,
            false => self.reads_any(experiment.projects()).await,
        }
    }

    /// Whether whoever asks may see a subject: by reading a project that it is in.
    ///
    /// # Errors
    /// The store's failure.
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

    /// Takes those experiments out of a list that are in quarantine in a project that hides them from whoever asks. The
    /// list holds what whoever asks may read otherwise.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn without_hidden(&self, experiments: Vec<Experiment>) -> Result<Vec<Experiment>, ClientError> {
        let mut shown_in: BTreeMap<String, bool> = BTreeMap::new();
        let mut visible = Vec::with_capacity(experiments.len());
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
                    continue;
                }
            }
            visible.push(experiment);
        }
        Ok(visible)
    }

    /// Whether whoever asks may see what is in quarantine in the project of this identifier.
    async fn sees_quarantined(&self, project: &str) -> Result<bool, ClientError> {
        let project = self.site.core.find_project(project).await?;
        Ok(project.is_some_and(|project| project.shows_quarantined(&self.identity)))
    }
}
