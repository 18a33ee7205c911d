//! How a session is to be archived.

use serde::{Deserialize, Serialize};

use super::merge::Rules;
use crate::domain::history::Cause;
use crate::domain::prearchive::commit::SessionChange;
use crate::domain::prearchive::session::PrearchiveSession;
use crate::domain::project::{Project, QuarantineCode};

/// How a session is to be archived.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ArchiveRequest {
    /// Who asks.
    pub by: String,
    /// The target project, if it is named; it must be the session's own.
    #[serde(default)]
    pub project: Option<String>,
    /// The subject's label or identifier, if another than the session's is wanted.
    #[serde(default)]
    pub subject: Option<String>,
    /// The label, if another than the session's is wanted. It may be the identifier of an experiment of the project.
    #[serde(default)]
    pub label: Option<String>,
    /// What to do when the session exists already.
    #[serde(default)]
    pub rules: Rules,
    /// Whether the experiment is marked as in quarantine; if nothing is said, what an upload has said counts. Either way it
    /// is where the project wants it.
    #[serde(default)]
    pub quarantine: Option<bool>,
    /// What is to be said of the session besides its images.
    #[serde(default)]
    pub change: SessionChange,
    /// Why it is archived, for the history.
    #[serde(default)]
    pub cause: Cause,
    /// Whether nobody is to be told of it (XNAT's `triggerPipelines=false`).
    #[serde(default)]
    pub is_silent: bool,
}

impl ArchiveRequest {
    /// Whether what a session becomes, or becomes part of, is marked as in quarantine in this project.
    pub(super) fn quarantines(&self, session: &PrearchiveSession, project: &Project) -> bool {
        self.quarantine.unwrap_or(session.quarantine) || project.quarantine_code == QuarantineCode::On
    }
}
