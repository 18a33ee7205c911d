//! The lists of what is shared with a project.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;

use super::share_with;
use crate::domain::Core;
use crate::domain::archive::{Experiment, Subject};
use crate::storage::roster::RowSource;
use crate::storage::{Roster, StoreError, keys};

/// How many records are read at once.
const WIDTH: usize = 16;

impl Core {
    /// The experiments that are shared with a project: their identifiers.
    pub(super) fn shared_experiments(&self, project: &str) -> (Roster, impl RowSource<()>) {
        let (records, with) = (self.records.clone(), project.to_owned());
        let source = move |id: String, place| {
            let (records, with) = (records.clone(), with.clone());
            async move {
                let found: Option<Experiment> = records.get(&keys::experiment(&id)).await?;
                let share = found.as_ref().and_then(|found| share_with(&found.shares, &with));
                Ok(share.filter(|share| share.place == place).map(|_| ()))
            }
        };
        (self.roster(format!("shared-experiments/{project}")), source)
    }

    /// The subjects that are shared with a project: their identifiers.
    pub(super) fn shared_subjects(&self, project: &str) -> (Roster, impl RowSource<()>) {
        let (records, with) = (self.records.clone(), project.to_owned());
        let source = move |id: String, place| {
            let (records, with) = (records.clone(), with.clone());
            async move {
                let found: Option<Subject> = records.get(&keys::subject(&id)).await?;
                let share = found.as_ref().and_then(|found| share_with(&found.shares, &with));
                Ok(share.filter(|share| share.place == place).map(|_| ()))
            }
        };
        (self.roster(format!("shared-subjects/{project}")), source)
    }

    /// The experiments of other projects that are shared with a project, in the order in which they were. Reads one
    /// record more for each.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn list_shared_experiments(&self, project: &str) -> Result<Vec<Experiment>, StoreError> {
        let (roster, source) = self.shared_experiments(project);
        let listed = roster.list(&source).await?;
        roster.fold_if_long(&source).await?;
        let mut experiments = Vec::with_capacity(listed.len());
        for some in listed.chunks(WIDTH) {
            for found in join_all(some.iter().map(|listed| self.experiment_by_id(&listed.member))).await {
                experiments.extend(found?.filter(|found| share_with(&found.shares, project).is_some()));
            }
        }
        Ok(experiments)
    }

    /// The subjects of other projects that are shared with a project, in the order in which they were. Reads one record
    /// more for each.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn list_shared_subjects(&self, project: &str) -> Result<Vec<Subject>, StoreError> {
        let (roster, source) = self.shared_subjects(project);
        let listed = roster.list(&source).await?;
        roster.fold_if_long(&source).await?;
        let mut subjects = Vec::with_capacity(listed.len());
        for some in listed.chunks(WIDTH) {
            for found in join_all(some.iter().map(|listed| self.subject_by_id(&listed.member))).await {
                subjects.extend(found?.filter(|found| share_with(&found.shares, project).is_some()));
            }
        }
        Ok(subjects)
    }

    /// To which projects the subjects of some experiments belong, by the subjects' identifiers. The lists of `likely`
    /// projects are looked at first.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn projects_of_subjects(
        &self,
        likely: &[String],
        experiments: impl Iterator<Item = &Experiment>,
    ) -> Result<BTreeMap<String, String>, StoreError> {
        let mut homes = BTreeMap::new();
        for project in likely {
            let subjects = self.list_subjects(project).await?;
            homes.extend(subjects.into_iter().map(|subject| (subject.id, subject.project)));
        }
        let others: BTreeSet<&str> = experiments
            .map(|experiment| experiment.subject_id.as_str())
            .filter(|id| !homes.contains_key(*id))
            .collect();
        let others: Vec<&str> = others.into_iter().collect();
        for some in others.chunks(WIDTH) {
            for found in join_all(some.iter().map(|id| self.subject_by_id(id))).await {
                homes.extend(found?.map(|subject| (subject.id, subject.project)));
            }
        }
        Ok(homes)
    }

    /// The experiments of a subject that belong to a project, which need not be the subject's own.
    ///
    /// # Errors
    /// The store's failure.
    pub(in crate::domain) async fn experiments_of_subject(
        &self,
        project: &str,
        subject: &str,
    ) -> Result<Vec<Experiment>, StoreError> {
        let mut experiments = self.list_experiments(project).await?;
        experiments.retain(|experiment| experiment.subject_id == subject);
        Ok(experiments)
    }
}
