//! Jobs: long work that goes on after the answer, that any node may take up, and whose progress can be followed.
//!
//! A job's record says what is to be done and how far it has come; whoever holds its lease works on it. A worker that
//! dies leaves the lease to the next: whatever a job does to a session can be done twice.

mod import;
mod progress;
mod run;
mod watch;
mod work;

pub use import::{StoredImport, StoredImportError, import_result};
pub use progress::{JobMessage, MessageKind};
pub use watch::Watched;

use serde::{Deserialize, Serialize};

use super::Core;
use super::archive::ArchiveRequest;
use super::error::DomainError;
use super::prearchive::commit::CommitRequest;
use crate::storage::roster::RowSource;
use crate::storage::{Record, Roster, StoreError, keys};

/// Sessions that one job works on, at most.
pub const MAX_SESSIONS: usize = 10_000;

/// How long a finished job can be looked up, in milliseconds: a month, as XNAT keeps them.
const KEPT_MS: u64 = 30 * 24 * 3600 * 1000;

/// The longest key under which a job is followed, in characters.
const MAX_KEY_CHARACTERS: usize = 256;

/// Sessions on a page of a job: some 200 bytes each.
const ITEMS_PER_PAGE: usize = 500;

/// What a job does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum JobKind {
    /// Works on sessions that wait for it, one after the other.
    Sessions(SessionWork),
    /// Imports files of the user's cache: that is its one item.
    Import {
        /// What was asked for.
        import: Box<StoredImport>,
    },
}

/// What a job does with each of its sessions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub enum SessionWork {
    /// Moves it to another project.
    Move {
        /// The project.
        project: String,
    },
    /// Builds its document anew.
    Rebuild,
    /// Deletes it.
    Delete,
    /// Archives it.
    Archive {
        /// What was asked for.
        request: Box<ArchiveRequest>,
    },
    /// Builds it, and archives it where that is wanted.
    Commit {
        /// What was asked for.
        request: Box<CommitRequest>,
    },
}

/// A session that a job is to work on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobItem {
    /// The session's identifier.
    pub session: String,
    /// Where it stood when the job was made, for messages.
    pub uri: String,
}

/// A job.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Job {
    /// Its identifier.
    pub id: String,
    /// Whose it is.
    pub login: String,
    /// Under which of the user's keys it is followed.
    pub key: String,
    /// What it does. Nothing if the work is done within a request, which is at it as long as it holds
    /// the job's lease.
    pub kind: Option<JobKind>,
    /// When it was made, in milliseconds since the epoch.
    pub created_ms: u64,
    /// When it came to its end.
    pub finished_ms: Option<u64>,
    /// Sessions in all.
    pub total: u64,
    /// Sessions that are done with, well or not.
    pub next: u64,
    /// Sessions with which it did not go well.
    pub failed: u64,
    /// What there is to tell; the last messages.
    pub messages: Vec<JobMessage>,
    /// Its place in the list of jobs.
    pub place: u64,
}

impl Record for Job {
    const VERSION: u32 = 1;
}

#[derive(Serialize, Deserialize)]
struct JobItems {
    items: Vec<JobItem>,
}

impl Record for JobItems {
    const VERSION: u32 = 1;
}

/// Which job a key stands for.
#[derive(Serialize, Deserialize)]
struct JobRef {
    id: String,
}

impl Record for JobRef {
    const VERSION: u32 = 1;
}

/// What the list of jobs keeps.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct JobRow {
    finished_ms: Option<u64>,
}

const ROSTER: &str = "jobs";

/// A job that is to be made.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// Its identifier, which its sessions carry already.
    pub id: String,
    /// Whose it is.
    pub login: String,
    /// The key to follow it by; its identifier if none was chosen.
    pub key: Option<String>,
    /// What it does.
    pub kind: Option<JobKind>,
    /// The sessions.
    pub items: Vec<JobItem>,
}

impl Core {
    fn jobs(&self) -> (Roster, impl RowSource<JobRow>) {
        let records = self.records.clone();
        let source = move |id: String, place| {
            let records = records.clone();
            async move {
                let job: Option<Job> = records.get(&keys::job(&id)).await?;
                Ok(job.filter(|job| job.place == place).map(|job| JobRow { finished_ms: job.finished_ms }))
            }
        };
        (self.roster(ROSTER), source)
    }

    /// Makes a job. From the return on it is done, whatever happens; [`Core::run_job`] does it.
    ///
    /// # Errors
    /// [`DomainError::Invalid`] for a key that cannot be one, [`DomainError::Busy`] if the key's last job is still
    /// under way, or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn make_job(&self, new: NewJob) -> Result<Job, DomainError> {
        let key = new.key.unwrap_or_else(|| new.id.clone());
        self.demand_free_key(&new.login, &key).await?;
        let (roster, _) = self.jobs();
        for (page, items) in (0..).zip(new.items.chunks(ITEMS_PER_PAGE)) {
            self.records.set(&keys::job_items(&new.id, page), &JobItems { items: items.to_vec() }).await?;
        }
        let touch = roster.touch(&new.id, None).await?;
        let job = Job {
            id: new.id.clone(),
            login: new.login,
            key,
            kind: new.kind,
            created_ms: self.clock.now_ms(),
            finished_ms: None,
            total: new.items.len() as u64,
            next: 0,
            failed: 0,
            messages: Vec::new(),
            place: touch.place,
        };
        self.records.set(&keys::job_key(&job.login, &job.key), &JobRef { id: job.id.clone() }).await?;
        self.records.set(&keys::job(&job.id), &job).await?;
        roster.settled(&job.id, touch).await?;
        Ok(job)
    }

    /// Refuses a key that cannot be one, or whose last job is still under way.
    ///
    /// # Errors
    /// See [`Core::make_job`].
    #[crate::boxed(?Send)]
    pub async fn demand_free_key(&self, login: &str, key: &str) -> Result<(), DomainError> {
        let length = key.chars().count();
        if length == 0 || length > MAX_KEY_CHARACTERS || key.chars().any(char::is_control) {
            return Err(DomainError::Invalid {
                what: format!(
                    "The key to follow the work by must have 1 to {MAX_KEY_CHARACTERS} printable characters."
                ),
            });
        }
        if self.job_of(login, key).await?.is_some_and(|job| job.finished_ms.is_none()) {
            return Err(DomainError::Busy { what: "the work that is followed by this key".to_owned() });
        }
        Ok(())
    }

    /// The job that a user follows under a key.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn job_of(&self, login: &str, key: &str) -> Result<Option<Job>, StoreError> {
        let Some(reference) = self.records.get::<JobRef>(&keys::job_key(login, key)).await? else { return Ok(None) };
        let job: Option<Job> = self.records.get(&keys::job(&reference.id)).await?;
        Ok(job.filter(|job| job.login == login && job.key == key))
    }

    /// Whether a job still has work to do.
    pub(crate) async fn job_is_open(&self, id: &str) -> Result<bool, StoreError> {
        let job: Option<Job> = self.records.get(&keys::job(id)).await?;
        Ok(job.is_some_and(|job| job.finished_ms.is_none()))
    }

    /// Forgets a finished job of a user's. `false` if there is none under the key, or it is still under way.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn forget_job(&self, login: &str, key: &str) -> Result<bool, StoreError> {
        match self.job_of(login, key).await? {
            Some(job) if job.finished_ms.is_some() => {
                self.remove_job(&job).await?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    async fn remove_job(&self, job: &Job) -> Result<(), StoreError> {
        for page in 0..job.total.div_ceil(ITEMS_PER_PAGE as u64) {
            self.records.delete(&keys::job_items(&job.id, page)).await?;
        }
        let reference: Option<JobRef> = self.records.get(&keys::job_key(&job.login, &job.key)).await?;
        if reference.is_some_and(|reference| reference.id == job.id) {
            self.records.delete(&keys::job_key(&job.login, &job.key)).await?;
        }
        let (roster, _) = self.jobs();
        let touch = roster.touch(&job.id, Some(job.place)).await?;
        self.records.delete(&keys::job(&job.id)).await?;
        roster.settled(&job.id, touch).await
    }

    /// Goes on with jobs that nobody works on, and forgets those that ended long ago. Gives how many it went on with.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn run_due_jobs(&self) -> Result<u64, DomainError> {
        let (roster, source) = self.jobs();
        let mut gone_on = 0;
        for listed in roster.list(&source).await? {
            match listed.row.finished_ms {
                None => gone_on += u64::from(self.run_job(&listed.member).await?),
                Some(at_ms) if self.clock.now_ms().saturating_sub(at_ms) > KEPT_MS => {
                    if let Some(job) = self.records.get::<Job>(&keys::job(&listed.member)).await? {
                        self.remove_job(&job).await?;
                    }
                }
                Some(_) => {}
            }
        }
        roster.fold_if_long(&source).await?;
        Ok(gone_on)
    }
}
