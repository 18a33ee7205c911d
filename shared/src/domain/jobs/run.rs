//! Working on a job, session by session.

use super::{ITEMS_PER_PAGE, Job, JobItem, JobItems, MessageKind};
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::storage::{Store, StoreError, keys};

/// How often a job tries a session that somebody else is at work on; each time it waits longer than a lease lives.
const MAX_TRIES: u32 = 3;

impl<S: Store> Core<S> {
    /// Works on a job until it is done, if nobody else does. `true` if this worker did something.
    ///
    /// # Errors
    /// The store's failure; the next worker goes on then.
    pub async fn run_job(&self, id: &str) -> Result<bool, DomainError> {
        let Some(mut lease) = self.leases.acquire(&format!("job/{id}")).await? else { return Ok(false) };
        let Some(mut job) = self.records.get::<Job>(&keys::job(id)).await?.filter(|job| job.finished_ms.is_none())
        else {
            self.leases.release(lease).await?;
            return Ok(false);
        };
        let mut page: Option<(u64, Vec<JobItem>)> = None;
        let mut results = Vec::new();
        while job.next < job.total {
            let item = self.item(&job, &mut page).await?;
            let now_ms = self.clock.now_ms();
            match self.work_until_free(&job, &item).await {
                Ok(result) => {
                    job.tell(now_ms, MessageKind::Processing, result.clone());
                    results.push(result);
                }
                // The store may be well again later; a record that cannot be read will not be.
                Err(DomainError::Store(error @ (StoreError::Unavailable { .. } | StoreError::Failed { .. }))) => {
                    self.leases.release(lease).await?;
                    return Err(error.into());
                }
                Err(error) => {
                    job.failed += 1;
                    job.tell(now_ms, MessageKind::Warning, format!("{}: {error}", item.uri));
                }
            }
            job.next += 1;
            if !self.leases.keep(&mut lease).await? {
                return Ok(true);
            }
            if job.next < job.total {
                self.records.set(&keys::job(id), &job).await?;
            }
        }
        job.finish(self.clock.now_ms(), &results);
        let (roster, _) = self.jobs();
        let touch = roster.touch(id, Some(job.place)).await?;
        if !self.leases.keep(&mut lease).await? {
            return Ok(true);
        }
        self.records.set(&keys::job(id), &job).await?;
        roster.settled(id, touch).await?;
        self.leases.release(lease).await?;
        Ok(true)
    }

    /// Works on a session; if somebody is in the way, again when they have gone.
    async fn work_until_free(&self, job: &Job, item: &JobItem) -> Result<String, DomainError> {
        let mut tries = 1;
        loop {
            match self.work(job, item, tries == MAX_TRIES).await {
                Err(DomainError::Busy { .. }) if tries < MAX_TRIES => tries += 1,
                outcome => return outcome,
            }
        }
    }

    /// The session that is next, and the page it stands on for those that follow.
    async fn item(&self, job: &Job, page: &mut Option<(u64, Vec<JobItem>)>) -> Result<JobItem, StoreError> {
        let per_page = ITEMS_PER_PAGE as u64;
        let number = job.next / per_page;
        if page.as_ref().is_none_or(|(held, _)| *held != number) {
            let found: Option<JobItems> = self.records.get(&keys::job_items(&job.id, number)).await?;
            *page = found.map(|found| (number, found.items));
        }
        let index = usize::try_from(job.next % per_page).unwrap_or(usize::MAX);
        let item = page.as_ref().and_then(|(_, items)| items.get(index)).cloned();
        item.ok_or_else(|| StoreError::Corrupt {
            key: keys::job_items(&job.id, number).to_string(),
            reason: "it does not hold what the job says".to_owned(),
        })
    }
}
