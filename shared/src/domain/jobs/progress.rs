//! What a job tells those who follow it.

use serde::{Deserialize, Serialize};

use super::Job;

/// Messages that a job keeps; the oldest go.
const MAX_MESSAGES: usize = 100;

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// Work is going on.
    Processing,
    /// Something did not go well, and the rest goes on.
    Warning,
    /// It did not go well.
    Failed,
    /// It went well.
    Completed,
}

impl MessageKind {
    /// XNAT's word in a status list.
    pub fn word(self) -> &'static str {
        match self {
            Self::Processing => "PROCESSING",
            Self::Warning => "WARNING",
            Self::Failed => "FAILED",
            Self::Completed => "COMPLETED",
        }
    }

    /// XNAT's word in its event tracking.
    pub fn event_word(self) -> &'static str {
        match self {
            Self::Processing => "InProgress",
            Self::Warning => "Warning",
            Self::Failed => "Failed",
            Self::Completed => "Completed",
        }
    }
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobMessage {
    /// When, in milliseconds since the epoch.
    pub at_ms: u64,
    /// What it is about.
    pub kind: MessageKind,
    /// What there is to tell.
    pub text: String,
}

impl Job {
    /// Adds a message.
    pub(super) fn tell(&mut self, at_ms: u64, kind: MessageKind, text: impl Into<String>) {
        let text: String = text.into().chars().take(1_000).collect();
        self.messages.push(JobMessage { at_ms, kind, text });
        if self.messages.len() > MAX_MESSAGES {
            self.messages.remove(0);
        }
    }

    /// The job has come to its end: the last message says how.
    pub(super) fn finish(&mut self, now_ms: u64, results: &[String]) {
        self.finished_ms = Some(now_ms);
        let (kind, text) = match (self.total, self.failed) {
            // XNAT's last message names what came of it.
            (1, 0) => (MessageKind::Completed, results.join(";")),
            // Why the only one failed is the end of the whole, and is said once.
            (1, _) => {
                let why = self.messages.pop_if(|last| last.kind == MessageKind::Warning);
                (MessageKind::Failed, why.map(|last| last.text).unwrap_or_default())
            }
            (total, 0) => (MessageKind::Completed, format!("{total} sessions done.")),
            (total, failed) => (MessageKind::Failed, format!("{failed} of {total} sessions could not be done.")),
        };
        self.tell(now_ms, kind, text);
    }

    /// Whether it went well; nothing while it is under way.
    pub fn succeeded(&self) -> Option<bool> {
        self.finished_ms.map(|_| self.failed == 0)
    }
}
