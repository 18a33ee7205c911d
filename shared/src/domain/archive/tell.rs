//! Telling of what was archived: the history of the experiment, and the webhooks.

use serde::{Deserialize, Serialize};

use super::experiment::Experiment;
use super::request::ArchiveRequest;
use super::subject::Subject;
use crate::domain::Core;
use crate::domain::history::{Cause, Deed, Item, ItemKind};
use crate::domain::prearchive::session::{HeldSession, PrearchiveSession};
use crate::domain::webhooks::{SessionEvent, SessionEventKind};
use crate::storage::{Store, StoreError};

/// What is to be told when a session has become an experiment, or part of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Which of the two.
    pub kind: SessionEventKind,
    /// Who archives it.
    pub by: String,
    /// When, in milliseconds since the epoch.
    pub at_ms: u64,
    /// Where the session stood.
    pub from: String,
    /// Why.
    pub cause: Cause,
    /// Whether the webhooks are not told.
    pub is_silent: bool,
}

impl Told {
    /// What is to be told of archiving a session.
    pub(super) fn of(request: &ArchiveRequest, kind: SessionEventKind, held: &HeldSession, at_ms: u64) -> Self {
        Self {
            kind,
            by: request.by.clone(),
            at_ms,
            from: held.session.place.uri(),
            cause: request.cause.clone(),
            is_silent: request.is_silent,
        }
    }
}

impl<S: Store> Core<S> {
    /// Writes down that a session has been archived and puts the messages of it in the queue. Done before the session
    /// leaves the prearchive, so that a crash cannot swallow it; after one it may be done twice.
    ///
    /// # Errors
    /// The store's failure; to be called again then.
    pub(crate) async fn tell_of_archiving(&self, session: &PrearchiveSession) -> Result<(), StoreError> {
        let Some(intent) = &session.intent else { return Ok(()) };
        let (Some(told), Some(experiment)) = (&intent.told, self.experiment_by_id(&intent.experiment).await?) else {
            return Ok(());
        };
        let action = match told.kind {
            SessionEventKind::Merged => "Merged",
            // XNAT's name for it.
            _ => "Transfer",
        };
        let details = format!("from {}", told.from);
        let deed = Deed { by: &told.by, action, details: &details, cause: &told.cause };
        self.remember(&experiment.project, experiment.as_item(), deed).await?;
        if !told.is_silent {
            self.announce(&event(&experiment, session, told)).await?;
        }
        Ok(())
    }
}

/// The event has the session's identifier, so that telling it again changes nothing.
fn event(experiment: &Experiment, session: &PrearchiveSession, told: &Told) -> SessionEvent {
    SessionEvent {
        id: session.id.clone(),
        kind: told.kind,
        at_ms: told.at_ms,
        by: told.by.clone(),
        project: experiment.project.clone(),
        subject_id: experiment.subject_id.clone(),
        subject_label: experiment.subject_label.clone(),
        experiment: experiment.id.clone(),
        label: experiment.label.clone(),
        xsi_type: experiment.xsi_type.as_str().to_owned(),
        quarantine: None,
    }
}

impl Subject {
    /// As the history names it.
    pub fn as_item(&self) -> Item<'_> {
        Item { kind: ItemKind::Subject, id: &self.id, label: &self.label }
    }
}

impl Experiment {
    /// As the history names it.
    pub fn as_item(&self) -> Item<'_> {
        Item { kind: ItemKind::Experiment, id: &self.id, label: &self.label }
    }
}
