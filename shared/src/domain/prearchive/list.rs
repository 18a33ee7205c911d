//! Lists of sessions.

use super::row::SessionRow;
use super::session::lease_name;
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::storage::roster::Listed;
use crate::storage::{Store, StoreError};

/// A part of a project's list.
#[derive(Debug, Clone, Default)]
pub struct SessionPage {
    /// The rows.
    pub rows: Vec<SessionRow>,
    /// How many rows were passed over before them; fewer than asked for only if the list has no more.
    pub passed: usize,
}

impl<S: Store> Core<S> {
    /// The sessions of a project (or of `Unassigned`), oldest first.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn list_sessions(&self, project: &str) -> Result<Vec<SessionRow>, StoreError> {
        let (roster, source) = self.prearchive_roster(project);
        let listed = roster.list(&source).await?;
        self.rows_now(project, listed).await
    }

    /// At most `limit` sessions of a project, oldest first, after the first `offset`. What it costs follows `limit`.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn page_of_sessions(
        &self,
        project: &str,
        offset: usize,
        limit: usize,
    ) -> Result<SessionPage, StoreError> {
        let (roster, source) = self.prearchive_roster(project);
        let page = roster.page(&source, offset, limit).await?;
        Ok(SessionPage { rows: self.rows_now(project, page.rows).await?, passed: page.passed })
    }

    async fn rows_now(&self, project: &str, listed: Vec<Listed<SessionRow>>) -> Result<Vec<SessionRow>, StoreError> {
        let mut rows = Vec::with_capacity(listed.len());
        for listed in listed {
            // What is busy or queued changes by itself when a lease or a job ends, so a page may be behind.
            if listed.row.status.is_busy() || listed.row.status.is_queued() {
                rows.extend(self.session(&listed.member).await?.as_ref().map(SessionRow::from));
            } else {
                rows.push(listed.row.within(project));
            }
        }
        Ok(rows)
    }

    /// Folds the log of a project's list if it has grown long: whoever reads the list gains.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn fold_sessions(&self, project: &str) -> Result<(), StoreError> {
        let (roster, source) = self.prearchive_roster(project);
        roster.fold_if_long(&source).await?;
        Ok(())
    }

    /// Goes on with what dead workers left of a project's sessions, and completes those that nobody adds to any more.
    /// Gives how many there were of both.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn finish_sessions(&self, project: &str) -> Result<(u64, u64), DomainError> {
        let (roster, source) = self.prearchive_roster(project);
        let (mut finished, mut completed) = (0, 0);
        for listed in roster.list(&source).await? {
            if self.may_be_idle(&listed.row) {
                completed += u64::from(self.complete_idle(&listed.member).await?);
                continue;
            }
            if !listed.row.status.is_busy() || self.leases.is_held(&lease_name(&listed.member)).await? {
                continue;
            }
            match self.hold_session(&listed.member).await {
                Ok(held) => self.let_go(held).await?,
                Err(DomainError::NotFound { .. } | DomainError::Busy { .. }) => {}
                Err(error) => return Err(error),
            }
            finished += 1;
        }
        roster.fold_if_long(&source).await?;
        Ok((finished, completed))
    }
}
