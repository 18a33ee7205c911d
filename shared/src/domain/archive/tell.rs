//! Telling of what was archived: the history of the experiment, and the webhooks.

use serde::{Deserialize, Serialize};

use super::experiment::Experiment;
use super::request::ArchiveRequest;
use super::subject::Subject;
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::domain::history::{Cause, Deed, Item, ItemKind};
use crate::domain::ids::random_id;
use crate::domain::prearchive::session::{HeldSession, PrearchiveSession};
use crate::domain::webhooks::{SessionEvent, SessionEventKind};
use crate::storage::StoreError;

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

impl Core {
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
            // With the session's identifier telling it again changes nothing.
            let event = session_event(&experiment, session.id.clone(), told.kind, told.at_ms, &told.by);
            self.announce(&event).await?;
        }
        self.tell_of_arrival(&experiment, &session.id, deed).await
    }
}

impl Core {
    /// Puts a message of an experiment in the queue, as when it was archived.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn announce_experiment(&self, experiment: &Experiment, by: &str) -> Result<(), DomainError> {
        let (id, at_ms) = (random_id()?, self.clock.now_ms());
        let event = session_event(experiment, id, SessionEventKind::Archived, at_ms, by);
        self.announce(&event).await?;
        Ok(())
    }
}

/// What webhooks are told of an experiment.
pub(super) fn session_event(
    experiment: &Experiment,
    id: String,
    kind: SessionEventKind,
    at_ms: u64,
    by: &str,
) -> SessionEvent {
    SessionEvent {
        id,
        kind,
        at_ms,
        by: by.to_owned(),
        project: experiment.project.clone(),
        subject_id: experiment.subject_id.clone(),
        subject_label: experiment.subject_label.clone(),
        experiment: experiment.id.clone(),
        label: experiment.label.clone(),
        xsi_type: experiment.xsi_type.as_str().to_owned(),
        reason: None,
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
