//! What becomes of sessions once an upload was imported into them: they stay, or go on to the archive.

use serde::{Deserialize, Serialize};

use super::commit::{CommitRequest, Committed, SessionChange};
use super::gathered::Repeated;
use super::scan_fields::ScanWish;
use super::session::PrearchiveSession;
use crate::domain::Core;
use crate::domain::archive::{ArchiveRequest, Experiment, Wish};
use crate::domain::error::DomainError;
use crate::domain::history::Cause;

/// How an upload brings its sessions on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// They wait for more.
    #[default]
    Waiting,
    /// They are complete and built (`SI`): archived where that is wanted.
    Built,
    /// They are complete, which the request says: built now, and archived where that is wanted.
    Committed,
    /// There is no session: what came is in the archive already (`XAR`).
    Straight,
}

/// What is wanted of the sessions of an upload.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Onward {
    /// How they are brought on.
    pub way: Way,
    /// Who asks.
    pub by: String,
    /// Whether they are to be archived, as far as the request says.
    #[serde(default)]
    pub to_archive: Option<bool>,
    /// What to do with what is in the archive already.
    #[serde(default)]
    pub wish: Wish,
    /// Whether the archived session is marked as in quarantine.
    #[serde(default)]
    pub quarantine: bool,
    /// Why it is archived, for the history.
    #[serde(default)]
    pub cause: Cause,
    /// Whether nobody is to be told of it.
    #[serde(default)]
    pub is_silent: bool,
    /// Fields of scans that are to be set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scans: Vec<ScanWish>,
}

impl Onward {
    /// An upload can ask for the quarantine, not against it: others may have asked before it.
    fn quarantine(&self) -> Option<bool> {
        self.quarantine.then_some(true)
    }
}

/// Where a session has come to.
#[derive(Debug, Clone)]
pub enum Brought {
    /// It stays in the prearchive.
    Staged(Box<PrearchiveSession>),
    /// It is in the archive.
    Archived {
        /// The session that it was.
        session: String,
        /// What it is part of.
        experiment: Box<Experiment>,
    },
}

impl Brought {
    fn archived(session: &PrearchiveSession, experiment: Experiment) -> Self {
        Self::Archived { session: session.id.clone(), experiment: Box::new(experiment) }
    }

    /// Its address as services answer with it.
    pub fn uri(&self) -> String {
        match self {
            Self::Staged(session) => format!("/data{}", session.place.uri()),
            Self::Archived { experiment, .. } => format!(
                "/data/archive/projects/{}/subjects/{}/experiments/{}",
                experiment.project, experiment.subject_label, experiment.label
            ),
        }
    }
}

impl Core {
    /// Brings the sessions of an upload on, as is wanted. May be done again with those that are left when somebody dies
    /// over it.
    ///
    /// # Errors
    /// Why a session could not be archived; the others are brought on all the same.
    #[crate::boxed(?Send)]
    pub async fn bring_on(
        &self,
        sessions: Vec<PrearchiveSession>,
        onward: &Onward,
    ) -> Result<Vec<Brought>, DomainError> {
        match self.bring_on_noting(sessions, onward, &mut Repeated::default()).await {
            (brought, None) => Ok(brought),
            (_, Some(error)) => Err(error),
        }
    }

    /// As [`Core::bring_on`]; adds to `repeated` what building shows of files that are the same as others. Gives those that
    /// were brought on in any case, and why the first of the others was not.
    #[crate::boxed(?Send)]
    pub async fn bring_on_noting(
        &self,
        sessions: Vec<PrearchiveSession>,
        onward: &Onward,
        repeated: &mut Repeated,
    ) -> (Vec<Brought>, Option<DomainError>) {
        let mut brought = Vec::with_capacity(sessions.len());
        let mut refused = None;
        for session in sessions {
            let outcome = match onward.way {
                Way::Waiting | Way::Straight => Ok(vec![Brought::Staged(Box::new(session))]),
                Way::Built => self.bring_built(session, onward, &mut refused).await,
                Way::Committed => self.bring_committed(&session, onward, repeated).await.map(|one| vec![one]),
            };
            match outcome {
                Ok(some) => brought.extend(some),
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        (brought, refused)
    }

    async fn bring_built(
        &self,
        session: PrearchiveSession,
        onward: &Onward,
        refused: &mut Option<DomainError>,
    ) -> Result<Vec<Brought>, DomainError> {
        let session = match onward.scans.as_slice() {
            [] => session,
            wishes => self.set_scan_fields_of(&session, wishes).await?,
        };
        // A PET/MR study may be wanted as two sessions.
        let sessions = match self.separate(&session).await? {
            Some((pet, mr)) => vec![pet, mr],
            None => vec![session],
        };
        let mut brought = Vec::with_capacity(sessions.len());
        for session in sessions {
            if !self.archives_by_itself(&session, onward.to_archive).await? {
                brought.push(Brought::Staged(Box::new(session)));
                continue;
            }
            let request = ArchiveRequest {
                by: onward.by.clone(),
                rules: self.rules_of(&session, onward.wish).await?,
                quarantine: onward.quarantine(),
                cause: onward.cause.clone(),
                is_silent: onward.is_silent,
                ..ArchiveRequest::default()
            };
            let outcome = match self.archive(&session, &request).await {
                Ok(experiment) => Ok(Brought::archived(&session, experiment)),
                Err(error) => self.archived_meanwhile(&session, error).await,
            };
            match outcome {
                Ok(one) => brought.push(one),
                Err(error) => *refused = refused.take().or(Some(error)),
            }
        }
        Ok(brought)
    }

    async fn bring_committed(
        &self,
        session: &PrearchiveSession,
        onward: &Onward,
        repeated: &mut Repeated,
    ) -> Result<Brought, DomainError> {
        let request = CommitRequest {
            by: onward.by.clone(),
            to_archive: onward.to_archive,
            wish: onward.wish,
            quarantine: onward.quarantine(),
            cause: onward.cause.clone(),
            is_silent: onward.is_silent,
            change: SessionChange { scans: onward.scans.clone(), ..SessionChange::default() },
        };
        // Another upload may just add to it, and commit it as well.
        let committed = self.patiently(async || {
            let held = self.hold_found_patiently(session).await?;
            self.commit_noting(held, &request, repeated).await
        });
        match committed.await {
            Ok(Committed::Archived(experiment)) => Ok(Brought::archived(session, *experiment)),
            Ok(Committed::Staged(session)) => Ok(Brought::Staged(session)),
            Err(error) => self.archived_meanwhile(session, error).await,
        }
    }

    /// Where a session has come to that somebody else archived, with all that it held, after this upload had joined it.
    async fn archived_meanwhile(
        &self,
        session: &PrearchiveSession,
        error: DomainError,
    ) -> Result<Brought, DomainError> {
        match (error, self.experiment_of(&session.id).await?) {
            (DomainError::NotFound { .. }, Some(experiment)) => Ok(Brought::archived(session, experiment)),
            (error, _) => Err(error),
        }
    }
}
