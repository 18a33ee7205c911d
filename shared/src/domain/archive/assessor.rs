//! Assessors: what is said of a session, or was made of it, with resources of its own.
//!
//! An assessor is an experiment that names the session it is one of; its label is taken from the labels of its
//! project's experiments. The session's record has the identifiers of its assessors. One is noted there before it is
//! made, so that whoever deletes the session finds all of them; one that was noted and never made is passed over.

use futures::future::join_all;

use super::change::ExperimentChange;
use super::experiment::{Experiment, lease_of};
use super::experiment_type::ExperimentType;
use super::subject_change::check_item_label;
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::imaging::types::SessionType;
use crate::imaging::{AssessorType, ImageSession};
use crate::storage::{Lease, StoreError};

/// Assessors of one session, at most: each is named in its record.
const MAX_ASSESSORS: usize = 1_000;

/// How many are read at once.
const WIDTH: usize = 8;

/// An assessor that is to be made.
#[derive(Debug, Clone)]
pub struct NewAssessor {
    /// The session's identifier.
    pub session: String,
    /// The label, which no other experiment of the project has.
    pub label: String,
    /// The data type.
    pub xsi_type: AssessorType,
    /// Who makes it.
    pub by: String,
    /// What is said of it.
    pub change: ExperimentChange,
}

impl Core {
    /// Makes an assessor of a session.
    ///
    /// # Errors
    /// [`DomainError::Exists`] if the project has an experiment of that label, [`DomainError::Refused`] if the session is
    /// locked, [`DomainError::Full`], [`DomainError::Invalid`], [`DomainError::NotFound`], [`DomainError::Busy`], or the
    /// store's failure.
    #[crate::boxed(?Send)]
    pub async fn create_assessor(&self, new: &NewAssessor) -> Result<Experiment, DomainError> {
        check_item_label(&new.label)?;
        let exists = || DomainError::Exists { what: format!("the experiment {:?} of the project", new.label) };
        self.with_experiment(&new.session, async |core, lease: &mut Lease, session| {
            session.demand_unlocked()?;
            if session.assessed.is_some() {
                let what = "An assessor cannot have assessors itself; add it to the session.".to_owned();
                return Err(DomainError::Invalid { what });
            }
            // The lease of this label is held already.
            if session.label == new.label {
                return Err(exists());
            }
            core.with_lease(&lease_of(&session.project, &new.label), "the experiment of this label", async |core| {
                if core.experiment_by_label(&session.project, &new.label).await?.is_some() {
                    return Err(exists());
                }
                core.make_assessor(lease, session, new).await
            })
            .await
        })
        .await
    }

    async fn make_assessor(
        &self,
        lease: &mut Lease,
        mut session: Experiment,
        new: &NewAssessor,
    ) -> Result<Experiment, DomainError> {
        let kind = ExperimentType::Assessor(new.xsi_type.clone());
        let mut assessor = self.drafted(&session.project, &new.label, kind, &new.by).await?;
        assessor.subject_id.clone_from(&session.subject_id);
        assessor.subject_label.clone_from(&session.subject_label);
        assessor.assessed = Some(session.id.clone());
        assessor.apply(&new.change)?;
        if session.assessors.len() >= MAX_ASSESSORS {
            session.assessors = self.assessors_of(&session).await?.into_iter().map(|found| found.id).collect();
        }
        if session.assessors.len() >= MAX_ASSESSORS {
            let what = format!("A session may have at most {MAX_ASSESSORS} assessors.");
            return Err(DomainError::Full { what });
        }
        // It has no images, but whoever reads an experiment's images finds that there are none.
        assessor.manifest = self.write_manifest(ImageSession::empty(SessionType::OTHER), Vec::new()).await?.id;
        assessor.id = self.new_item_id('E').await?;
        session.assessors.push(assessor.id.clone());
        self.set_experiment(lease, &session).await?;
        self.enter(&mut assessor).await?;
        Ok(assessor)
    }

    /// The assessors of a session, oldest first.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn assessors_of(&self, session: &Experiment) -> Result<Vec<Experiment>, StoreError> {
        let mut assessors = Vec::with_capacity(session.assessors.len());
        for some in session.assessors.chunks(WIDTH) {
            for found in join_all(some.iter().map(|id| self.experiment_by_id(id))).await {
                assessors.extend(found?.filter(|found| found.assessed.as_ref() == Some(&session.id)));
            }
        }
        Ok(assessors)
    }

    /// The assessor of a session that has this label or identifier.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn assessor(&self, session: &Experiment, name: &str) -> Result<Option<Experiment>, StoreError> {
        let is_of_session = |found: &Experiment| found.assessed.as_ref() == Some(&session.id);
        let by_label = self.experiment_by_label(&session.project, name).await?.filter(is_of_session);
        match by_label {
            Some(found) => Ok(Some(found)),
            None => Ok(self.experiment_by_id(name).await?.filter(is_of_session)),
        }
    }

    /// Refuses a change of an assessor whose session is locked.
    pub(crate) async fn demand_session_unlocked(&self, experiment: &Experiment) -> Result<(), DomainError> {
        let Some(id) = &experiment.assessed else { return Ok(()) };
        match self.experiment_by_id(id).await? {
            Some(session) => session.demand_unlocked(),
            None => Ok(()),
        }
    }

    /// Takes an assessor that was removed off its session's list. Should it not come to that, nobody minds.
    pub(super) async fn forget_assessor(&self, session: &str, id: &str) {
        let outcome = self
            .with_experiment(session, async |core, lease: &mut Lease, mut session| {
                session.assessors.retain(|known| known != id);
                core.set_experiment(lease, &session).await
            })
            .await;
        match outcome {
            Ok(()) | Err(DomainError::NotFound { .. }) => {}
            Err(error) => eprintln!("an assessor that was removed is named by its session still: {error}"),
        }
    }
}
