//! Working on a job, session by session.

use super::{ITEMS_PER_PAGE, Job, JobItem, JobItems, JobKind, MessageKind, SessionWork};
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::storage::{Lease, StoreError, keys};

/// How often a job tries a session that somebody else is at work on; each time it waits longer than a lease lives.
const MAX_TRIES: u32 = 3;

/// How long a request that others follow may say nothing until it is taken for dead, in milliseconds: it may be busy with
/// a large archive.
const SILENCE_MS: u64 = 10 * 60 * 1000;

/// The lease that whoever works on a job holds.
pub(super) fn lease_name(id: &str) -> String {
    format!("job/{id}")
}

impl Core {
    /// Works on a job until it is done, if nobody else does. `true` if this worker did something.
    ///
    /// # Errors
    /// The store's failure; the next worker goes on then.
    #[crate::boxed(?Send)]
    pub async fn run_job(&self, id: &str) -> Result<bool, DomainError> {
        let Some(mut lease) = self.leases.acquire(&lease_name(id)).await? else { return Ok(false) };
        let Some(mut job) = self.records.get::<Job>(&keys::job(id)).await?.filter(|job| job.finished_ms.is_none())
        else {
            self.leases.release(lease).await?;
            return Ok(false);
        };
        let Some(kind) = job.kind.clone() else {
            let now_ms = self.clock.now_ms();
            let told_ms = job.messages.last().map_or(job.created_ms, |last| last.at_ms);
            if now_ms.saturating_sub(told_ms) < SILENCE_MS {
                self.leases.release(lease).await?;
                return Ok(false);
            }
            job.finished_ms = Some(now_ms);
            job.failed = 1;
            job.tell(now_ms, MessageKind::Failed, "The request was broken off; send it again.");
            self.store_ended(&job, &mut lease).await?;
            self.leases.release(lease).await?;
            return Ok(true);
        };
        let work = match kind {
            JobKind::Import { import } => return self.run_import(job, *import, lease).await,
            JobKind::Sessions(work) => work,
        };
        let mut page: Option<(u64, Vec<JobItem>)> = None;
        let mut results = Vec::new();
        while job.next < job.total {
            let item = self.item(&job, &mut page).await?;
            let now_ms = self.clock.now_ms();
            match self.work_until_free(&job, &work, &item).await {
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
        self.store_ended(&job, &mut lease).await?;
        self.leases.release(lease).await?;
        Ok(true)
    }

    /// Stores a job that has come to its end, if the lease is still held.
    pub(super) async fn store_ended(&self, job: &Job, lease: &mut Lease) -> Result<(), StoreError> {
        let (roster, _) = self.jobs();
        let touch = roster.touch(&job.id, Some(job.place)).await?;
        if !self.leases.keep(lease).await? {
            return Ok(());
        }
        self.records.set(&keys::job(&job.id), job).await?;
        roster.settled(&job.id, touch).await
    }

    /// Works on a session; if somebody is in the way, again when they have gone.
    async fn work_until_free(&self, job: &Job, work: &SessionWork, item: &JobItem) -> Result<String, DomainError> {
        let mut tries = 1;
        loop {
            match self.work(job, work, item, tries == MAX_TRIES).await {
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
