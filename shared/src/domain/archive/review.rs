//! Telling the webhooks of sessions that come into quarantine, and leave it.
//!
//! What somebody does to a session is told before the write that does it, under the session's lease and when nothing
//! stands against it any more: a crash between the two may tell of what did not happen, but never swallows what did. Told
//! again it has the same identifier.

use super::change::ExperimentChange;
use super::experiment::Experiment;
use super::tell::session_event;
use crate::domain::Core;
use crate::domain::history::Deed;
use crate::domain::webhooks::SessionEventKind;
use crate::storage::StoreError;

/// Who puts a session into quarantine, releases or rejects it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reviewer {
    /// The login name.
    pub by: String,
    /// Why (`event_reason`).
    pub reason: String,
}

impl Core {
    /// Tells of a change of an experiment that is about to be done, if it concerns the quarantine.
    pub(super) async fn tell_of_change(
        &self,
        before: &Experiment,
        after: &Experiment,
        change: &ExperimentChange,
    ) -> Result<(), StoreError> {
        let kind = match (before.is_quarantined(), after.is_quarantined()) {
            (false, true) => SessionEventKind::SessionQuarantined,
            (true, false) => SessionEventKind::SessionReleased,
            _ => return Ok(()),
        };
        let id = format!("review-{}-{}-{}", before.id, before.last_modified_ms(), kind.type_name());
        self.tell_of_review(after, kind, id, &change.reviewer).await
    }

    /// Tells that an experiment in quarantine is about to be deleted.
    pub(super) async fn tell_of_rejection(
        &self,
        experiment: &Experiment,
        reviewer: &Reviewer,
    ) -> Result<(), StoreError> {
        if !experiment.is_quarantined() {
            return Ok(());
        }
        let id = format!("review-{}-rejected", experiment.id);
        self.tell_of_review(experiment, SessionEventKind::SessionRejected, id, reviewer).await
    }

    /// Tells that an experiment waits for a review, if it does.
    pub(super) async fn tell_of_waiting(
        &self,
        experiment: &Experiment,
        id: String,
        reviewer: &Reviewer,
    ) -> Result<(), StoreError> {
        if !experiment.is_quarantined() {
            return Ok(());
        }
        self.tell_of_review(experiment, SessionEventKind::SessionQuarantined, id, reviewer).await
    }

    /// Notes and tells that what has arrived with this event waits for a review, if it does. That is told in any case: who
    /// uploads does not choose it.
    pub(super) async fn tell_of_arrival(
        &self,
        experiment: &Experiment,
        event: &str,
        deed: Deed<'_>,
    ) -> Result<(), StoreError> {
        if !experiment.is_quarantined() {
            return Ok(());
        }
        let reviewer = Reviewer { by: deed.by.to_owned(), reason: deed.cause.reason.clone() };
        self.remember(&experiment.project, experiment.as_item(), Deed { action: "Quarantined", ..deed }).await?;
        self.tell_of_waiting(experiment, format!("{event}-quarantined"), &reviewer).await
    }

    async fn tell_of_review(
        &self,
        experiment: &Experiment,
        kind: SessionEventKind,
        id: String,
        reviewer: &Reviewer,
    ) -> Result<(), StoreError> {
        // Messages are about sessions, not about their assessors.
        if experiment.assessed.is_some() {
            return Ok(());
        }
        let mut event = session_event(experiment, id, kind, self.clock.now_ms(), &reviewer.by);
        event.reason = Some(reviewer.reason.clone());
        self.announce(&event).await.map(drop)
    }
}
