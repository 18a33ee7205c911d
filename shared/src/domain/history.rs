//! History: who did what to an item of the archive, when and why.
//!
//! Each item has a log of its own, and a project's log has what was done to its items as well, so that what is deleted
//! can still be looked up. A log is a counter and one record for each event; nothing is ever changed in it.

use serde::{Deserialize, Serialize};

use super::Core;
use super::error::DomainError;
use crate::storage::{Record, StoreError, keys};

/// Events that one answer lists, at most.
pub const MAX_EVENTS: u64 = 1_000;

/// Bytes of a reason or comment, at most.
const MAX_TEXT_BYTES: usize = 1_024;

/// How many events are read at once.
const WIDTH: usize = 16;

/// What kind of item it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    /// A project.
    Project,
    /// A subject.
    Subject,
    /// An experiment, with its scans and resources.
    Experiment,
}

impl ItemKind {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Subject => "subject",
            Self::Experiment => "experiment",
        }
    }
}

/// Which item something is done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item<'a> {
    /// Its kind.
    pub kind: ItemKind,
    /// Its identifier.
    pub id: &'a str,
    /// Its label, for readers.
    pub label: &'a str,
}

/// Why something is done, as whoever does it says (XNAT's `event_reason`, `event_comment`, `event_type`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// `event_reason`
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// `event_comment`
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
    /// `event_type`
    #[serde(rename = "type", default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
}

impl Cause {
    /// Refuses texts that are too long or have control characters other than line ends.
    ///
    /// # Errors
    /// [`DomainError::Invalid`].
    pub fn check(&self) -> Result<(), DomainError> {
        for (name, text) in
            [("event_reason", &self.reason), ("event_comment", &self.comment), ("event_type", &self.kind)]
        {
            if text.len() > MAX_TEXT_BYTES || text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
                return Err(DomainError::Invalid {
                    what: format!(
                        "The parameter {name} may have at most {MAX_TEXT_BYTES} bytes and no control characters."
                    ),
                });
            }
        }
        Ok(())
    }
}

/// What was done to an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When, in milliseconds since the epoch.
    pub at_ms: u64,
    /// Who did it.
    pub by: String,
    /// What was done, such as `Transfer` (XNAT's name for archiving) or `Removed`.
    pub action: String,
    /// What it was done to.
    pub kind: ItemKind,
    /// That item's identifier.
    pub id: String,
    /// That item's label.
    pub label: String,
    /// What exactly, for readers: the scan, the resource, the number of files.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub details: String,
    /// Why.
    #[serde(flatten)]
    pub cause: Cause,
}

impl Record for Event {
    const VERSION: u32 = 1;
}

/// What is to be written into the history.
#[derive(Debug, Clone, Copy)]
pub struct Deed<'a> {
    /// Who did it.
    pub by: &'a str,
    /// What was done.
    pub action: &'a str,
    /// What exactly.
    pub details: &'a str,
    /// Why.
    pub cause: &'a Cause,
}

impl Core {
    /// Writes down what was done to an item of a project. Called when it is done, before it is answered for.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn remember(&self, project: &str, item: Item<'_>, deed: Deed<'_>) -> Result<(), StoreError> {
        let event = self.event(item, deed);
        let in_project = self.log_event(ItemKind::Project, project, &event);
        if item.kind == ItemKind::Project {
            return in_project.await;
        }
        // Neither log depends on the other, and whoever archives waits for both.
        let (own, in_project) = futures::join!(self.log_event(item.kind, item.id, &event), in_project);
        own.and(in_project)
    }

    /// Writes down that an item of a project was removed, whose own log is gone.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn remember_removal(&self, project: &str, item: Item<'_>, deed: Deed<'_>) -> Result<(), StoreError> {
        self.log_event(ItemKind::Project, project, &self.event(item, deed)).await
    }

    /// Writes down what was done to an item in its own log alone: its project is told of something else.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn remember_of_item(&self, item: Item<'_>, deed: Deed<'_>) -> Result<(), StoreError> {
        self.log_event(item.kind, item.id, &self.event(item, deed)).await
    }

    fn event(&self, item: Item<'_>, deed: Deed<'_>) -> Event {
        Event {
            at_ms: self.clock.now_ms(),
            by: deed.by.to_owned(),
            action: deed.action.to_owned(),
            kind: item.kind,
            id: item.id.to_owned(),
            label: item.label.to_owned(),
            details: deed.details.chars().take(MAX_TEXT_BYTES).collect(),
            cause: deed.cause.clone(),
        }
    }

    async fn log_event(&self, kind: ItemKind, id: &str, event: &Event) -> Result<(), StoreError> {
        let number = self.records.increment(&keys::history_counter(kind.as_str(), id), 1).await?;
        let number = u64::try_from(number).unwrap_or(0);
        self.records.set(&keys::history_event(kind.as_str(), id, number), event).await
    }

    /// The events of an item, newest first, `limit` of them behind the first `offset`.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn history(&self, kind: ItemKind, id: &str, offset: u64, limit: u64) -> Result<Vec<Event>, StoreError> {
        let count = self.records.store().counter(keys::history_counter(kind.as_str(), id).as_str()).await?;
        let newest = u64::try_from(count).unwrap_or(0).saturating_sub(offset);
        let oldest = newest.saturating_sub(limit.min(MAX_EVENTS));
        let mut events = Vec::new();
        let numbers: Vec<u64> = (oldest + 1..=newest).rev().collect();
        for some in numbers.chunks(WIDTH) {
            let keys: Vec<_> = some.iter().map(|number| keys::history_event(kind.as_str(), id, *number)).collect();
            for found in futures::future::join_all(keys.iter().map(|key| self.records.get::<Event>(key))).await {
                // Whoever took a number and died wrote nothing under it.
                events.extend(found?);
            }
        }
        Ok(events)
    }

    /// Removes the log of a project that is gone for good, or of an item in it.
    ///
    /// # Errors
    /// The store's failure; to be called again then.
    #[crate::boxed(?Send)]
    pub async fn forget_history(&self, kind: ItemKind, id: &str) -> Result<(), StoreError> {
        let counter = keys::history_counter(kind.as_str(), id);
        let count = self.records.store().counter(counter.as_str()).await?;
        for number in 1..=u64::try_from(count).unwrap_or(0) {
            self.records.delete(&keys::history_event(kind.as_str(), id, number)).await?;
        }
        self.records.delete(&counter).await
    }
}
