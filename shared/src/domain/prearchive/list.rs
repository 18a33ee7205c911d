//! Lists of sessions.

use super::session::{PrearchiveSession, lease_name};
use super::status::Status;
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::storage::{Store, StoreError};

impl<S: Store> Core<S> {
    /// The sessions of a project (or of `Unassigned`), oldest first.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn list_sessions(&self, project: &str) -> Result<Vec<PrearchiveSession>, StoreError> {
        let (roster, source) = self.prearchive_roster(project);
        let rows = roster.list(&source).await?;
        roster.fold_if_long(&source).await?;
        let mut sessions = Vec::with_capacity(rows.len());
        for listed in rows {
            // What is busy changes by itself when a lease ends, so a page may be behind.
            if listed.row.status.is_busy() {
                sessions.extend(self.session(&listed.member).await?.map(PrearchiveSession::without_log));
            } else {
                sessions.push(listed.row);
            }
        }
        Ok(sessions)
    }

    /// Finishes what a dead worker left of a project's sessions: archived ones leave, half deleted ones go.
    ///
    /// # Errors
    /// The store's failure.
    pub(crate) async fn finish_sessions(&self, project: &str) -> Result<u64, DomainError> {
        let (roster, source) = self.prearchive_roster(project);
        let mut finished = 0;
        for listed in roster.list(&source).await? {
            if !listed.row.status.is_busy() || self.leases.is_held(&lease_name(&listed.member)).await? {
                continue;
            }
            match self.hold_session(&listed.member).await {
                Ok(held) if held.session.status == Status::Deleting => self.delete_session(held).await?,
                Ok(held) => self.let_go(held).await?,
                Err(DomainError::NotFound { .. } | DomainError::Busy { .. }) => {}
                Err(error) => return Err(error),
            }
            finished += 1;
        }
        Ok(finished)
    }
}
