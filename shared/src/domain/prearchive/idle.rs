//! Completing sessions by silence: who does not say that a session is complete has its session built some time after
//! the last file came.

use super::row::SessionRow;
use super::session::PrearchiveSession;
use crate::domain::Core;
use crate::domain::archive::{ArchiveRequest, Wish};
use crate::domain::error::DomainError;
use crate::storage::StoreError;

impl Core {
    /// Whether a session of a list looks as if it should be completed now.
    pub fn may_be_idle(&self, row: &SessionRow) -> bool {
        let idle_ms = self.settings.session_idle_seconds.saturating_mul(1000);
        row.completes_by_silence() && self.clock.now_ms().saturating_sub(row.lastmod_ms) >= idle_ms
    }

    async fn is_idle(&self, session: &PrearchiveSession) -> Result<bool, StoreError> {
        if !self.may_be_idle(&SessionRow::from(session)) {
            return Ok(false);
        }
        let idle_ms = self.settings.session_idle_seconds.saturating_mul(1000);
        let now_ms = self.clock.now_ms();
        let begun = self.segments_begun(&session.id).await?;
        let last = self.segment(&session.id, begun).await?;
        Ok(last.is_none_or(|last| now_ms.saturating_sub(last.at_ms) >= idle_ms))
    }

    /// Builds a session that nobody adds to any more, and archives it where that is wanted. `false` if it was not
    /// idle after all, or somebody else works on it.
    ///
    /// # Errors
    /// The store's failure; what stands against building or archiving is noted on the session.
    #[crate::boxed(?Send)]
    pub async fn complete_idle(&self, id: &str) -> Result<bool, DomainError> {
        let mut held = match self.hold_session(id).await {
            Ok(held) => held,
            Err(DomainError::NotFound { .. } | DomainError::Busy { .. }) => return Ok(false),
            Err(error) => return Err(error),
        };
        if !self.is_idle(&held.session).await? {
            self.let_go(held).await?;
            return Ok(false);
        }
        let built = match self.build(&mut held).await {
            Ok(()) => self.separate_if_wanted(&mut held).await,
            Err(error) => Err(error),
        };
        let session = held.session.clone();
        self.let_go(held).await?;
        let part = match built {
            Ok(part) => part,
            Err(DomainError::Store(error)) => return Err(error.into()),
            Err(_) => return Ok(true),
        };
        for session in part.iter().chain([&session]) {
            self.archive_complete(session).await?;
        }
        Ok(true)
    }

    /// Archives a session that is complete, where that is wanted.
    async fn archive_complete(&self, session: &PrearchiveSession) -> Result<(), DomainError> {
        if self.archives_by_itself(session, None).await? {
            let rules = self.rules_of(session, Wish::default()).await?;
            let request = ArchiveRequest { by: session.uploader.clone(), rules, ..Default::default() };
            // What stands against archiving is in the session's log.
            if let Err(DomainError::Store(error)) = self.archive(session, &request).await {
                return Err(error.into());
            }
            self.empty_trash_of(&session.id).await?;
        }
        Ok(())
    }
}
