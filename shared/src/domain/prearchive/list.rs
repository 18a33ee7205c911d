//! Lists of sessions.

use futures::future::join_all;

use super::row::SessionRow;
use super::session::lease_name;
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::storage::StoreError;
use crate::storage::roster::Listed;

/// A part of a project's list.
#[derive(Debug, Clone, Default)]
pub struct SessionPage {
    /// The rows.
    pub rows: Vec<SessionRow>,
    /// How many rows were passed over before them; fewer than asked for only if the list has no more.
    pub passed: usize,
}

impl Core {
    /// The sessions of a project (or of `Unassigned`), in the order in which they came there.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn list_sessions(&self, project: &str) -> Result<Vec<SessionRow>, StoreError> {
        let (roster, source) = self.prearchive_roster(project);
        let listed = roster.list(&source).await?;
        self.rows_now(project, listed).await
    }

    /// At most `limit` sessions of a project, in the order in which they came there, after the first `offset`. What it
    /// costs follows `limit`.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
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
    #[crate::boxed(?Send)]
    pub async fn fold_sessions(&self, project: &str) -> Result<(), StoreError> {
        let (roster, source) = self.prearchive_roster(project);
        roster.fold_if_long(&source).await?;
        Ok(())
    }

    /// As [`Core::finish_sessions`], unless somebody else is at it for this project: then there is nothing to do.
    ///
    /// # Errors
    /// As there.
    #[crate::boxed(?Send)]
    pub async fn finish_sessions_alone(&self, project: &str) -> Result<(), DomainError> {
        let Some(mut lease) = self.leases.acquire(&format!("finish-sessions/{project}")).await? else { return Ok(()) };
        let outcome = self.finish_while(project, async || self.leases.keep(&mut lease).await).await;
        self.leases.release(lease).await?;
        outcome.map(drop)
    }

    /// Goes on with what dead workers left of a project's sessions, and completes those that nobody adds to any more.
    /// Gives how many there were of both.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn finish_sessions(&self, project: &str) -> Result<(u64, u64), DomainError> {
        self.finish_while(project, async || Ok(true)).await
    }

    /// The same as long as `goes_on` says so, which is asked on the way.
    async fn finish_while(
        &self,
        project: &str,
        mut goes_on: impl AsyncFnMut() -> Result<bool, StoreError>,
    ) -> Result<(u64, u64), DomainError> {
        let (roster, source) = self.prearchive_roster(project);
        let (mut finished, mut completed) = (0, 0);
        for some in roster.list(&source).await?.chunks(FINISHED_AT_ONCE) {
            let work = some.iter().map(|listed| self.finish_session(&listed.member, &listed.row));
            for outcome in join_all(work).await {
                match outcome? {
                    Finished::Completed => completed += 1,
                    Finished::Recovered => finished += 1,
                    Finished::Nothing => {}
                }
            }
            if !goes_on().await? {
                break;
            }
        }
        roster.fold_if_long(&source).await?;
        Ok((finished, completed))
    }

    async fn finish_session(&self, id: &str, row: &SessionRow) -> Result<Finished, DomainError> {
        if self.may_be_idle(row) {
            let is_done = self.complete_idle(id).await?;
            return Ok(if is_done { Finished::Completed } else { Finished::Nothing });
        }
        if !row.status.is_busy() || self.leases.is_held(&lease_name(id)).await? {
            return Ok(Finished::Nothing);
        }
        match self.hold_session(id).await {
            Ok(held) => self.let_go(held).await?,
            Err(DomainError::NotFound { .. } | DomainError::Busy { .. }) => {}
            Err(error) => return Err(error),
        }
        Ok(Finished::Recovered)
    }
}

/// Sessions that one worker finishes at once: they share the price of the store's commits.
const FINISHED_AT_ONCE: usize = 8;

/// What was done to a session of a list.
enum Finished {
    Nothing,
    Recovered,
    Completed,
}
