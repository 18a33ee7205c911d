//! Work that is done within its own request, and is followed by others while it is under way.

use super::{Job, MessageKind, NewJob};
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::domain::ids::random_id;
use crate::storage::{Lease, keys};

/// Work that is under way in this request.
pub struct Watched {
    job: Job,
    lease: Lease,
    /// When the last message was written, in milliseconds since the epoch.
    told_ms: u64,
    /// Whether the last message only says how much has come, and gives way to the next of its kind.
    is_progress: bool,
}

/// How often it is said how much has come, in milliseconds.
const PROGRESS_STEP_MS: u64 = 2_000;

impl Core {
    /// Begins work that can be followed under a key of the user's.
    ///
    /// # Errors
    /// As [`Core::make_job`].
    #[crate::boxed(?Send)]
    pub async fn watch(&self, login: &str, key: &str, first: &str) -> Result<Watched, DomainError> {
        self.demand_free_key(login, key).await?;
        let id = random_id()?;
        let busy = || DomainError::Busy { what: "the work that is followed by this key".to_owned() };
        // Held until the end: whoever finds the job without its lease knows that its request is dead.
        let lease = self.leases.acquire(&super::run::lease_name(&id)).await?.ok_or_else(busy)?;
        let new = NewJob { id, login: login.to_owned(), key: Some(key.to_owned()), kind: None, items: Vec::new() };
        let job = self.make_job(new).await?;
        let mut watched = Watched { job, lease, told_ms: 0, is_progress: false };
        watched.job.total = 1;
        self.tell(&mut watched, first).await?;
        Ok(watched)
    }

    /// Says how far the work has come.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn tell(&self, watched: &mut Watched, text: &str) -> Result<(), DomainError> {
        watched.is_progress = false;
        self.write_down(watched, text).await
    }

    /// Says how much has come, unless that was said a moment ago.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn tell_progress(&self, watched: &mut Watched, bytes: u64) -> Result<(), DomainError> {
        if self.clock.now_ms().saturating_sub(watched.told_ms) < PROGRESS_STEP_MS {
            return Ok(());
        }
        if std::mem::replace(&mut watched.is_progress, true) {
            watched.job.messages.pop();
        }
        self.write_down(watched, &format!("Received {} MB.", bytes / 1_000_000)).await
    }

    async fn write_down(&self, watched: &mut Watched, text: &str) -> Result<(), DomainError> {
        watched.told_ms = self.clock.now_ms();
        watched.job.tell(watched.told_ms, MessageKind::Processing, text);
        if self.leases.keep(&mut watched.lease).await? {
            self.records.set(&keys::job(&watched.job.id), &watched.job).await?;
        }
        Ok(())
    }

    /// Says what came of the work: its results, or why it failed.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn conclude(&self, mut watched: Watched, outcome: Result<&str, &str>) -> Result<(), DomainError> {
        let now_ms = self.clock.now_ms();
        watched.job.next = 1;
        watched.job.finished_ms = Some(now_ms);
        match outcome {
            Ok(result) => watched.job.tell(now_ms, MessageKind::Completed, result),
            Err(reason) => {
                watched.job.failed = 1;
                watched.job.tell(now_ms, MessageKind::Failed, reason);
            }
        }
        self.store_ended(&watched.job, &mut watched.lease).await?;
        self.leases.release(watched.lease).await?;
        Ok(())
    }
}
