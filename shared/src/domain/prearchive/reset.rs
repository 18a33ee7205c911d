//! Setting a session's status by hand: what an operator does when something looks stuck.

use super::session::HeldSession;
use super::status::{Action, Status};
use crate::domain::Core;
use crate::domain::error::DomainError;

impl Core {
    /// Computes a held session's status anew from what there is; what was queued for it is taken back.
    ///
    /// # Errors
    /// [`DomainError::Busy`] or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn reset_status(&self, held: &mut HeldSession) -> Result<(), DomainError> {
        held.session.allow(Action::Reset)?;
        held.session.status = held.session.resting();
        self.store_session(held).await
    }

    /// Sets a held session's status. Only states in which nobody works on it can be set: the others come and go with
    /// the work.
    ///
    /// # Errors
    /// [`DomainError::Invalid`] for a state that cannot be set by hand, [`DomainError::WrongState`] for READY without
    /// a session document, or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn set_status(&self, held: &mut HeldSession, status: Status) -> Result<(), DomainError> {
        held.session.allow(Action::Reset)?;
        match status {
            Status::Ready | Status::Conflict | Status::Error if held.session.manifest.is_none() => {
                return Err(DomainError::Invalid {
                    what: format!(
                        "The session has no document yet, so it cannot be {}; build it first.",
                        status.as_str()
                    ),
                });
            }
            Status::Receiving | Status::Ready | Status::Conflict | Status::Error => {}
            other => {
                return Err(DomainError::Invalid {
                    what: format!(
                        "{} says that work on the session is under way and cannot be set by hand; ask for the work, or \
                         set RECEIVING, READY, CONFLICT or ERROR.",
                        other.as_str()
                    ),
                });
            }
        }
        held.session.status = status;
        let now_ms = self.clock.now_ms();
        held.session.note(now_ms, format!("The status was set to {} by hand.", status.as_str()));
        self.store_session(held).await
    }

    /// Computes the status of every session of a project anew that nobody works on; gives how many there are.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn resync_sessions(&self, project: &str) -> Result<u64, DomainError> {
        let mut seen = 0;
        let (roster, source) = self.prearchive_roster(project);
        for listed in roster.list(&source).await? {
            match self.hold_session(&listed.member).await {
                Ok(mut held) => {
                    let status = held.session.status;
                    if !matches!(status, Status::Conflict | Status::Error) && !status.is_queued() {
                        held.session.status = held.session.resting();
                    }
                    self.store_session(&mut held).await?;
                    self.let_go(held).await?;
                    seen += 1;
                }
                Err(DomainError::NotFound { .. } | DomainError::Busy { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(seen)
    }
}
