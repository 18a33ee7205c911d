//! Importing files of a user's cache in the background. The same files again change nothing, so that whoever comes after a
//! dead worker begins anew; once they are sessions of the prearchive, which the job says then, only what comes after that
//! is left.

use std::rc::Rc;

use serde::{Deserialize, Serialize};

use super::{Job, JobKind, MessageKind};
use crate::accounts::account::{Account, Login};
use crate::accounts::{Identity, User, Via};
use crate::domain::Core;
use crate::domain::digests::ReadError;
use crate::domain::error::DomainError;
use crate::domain::manifest::FileEntry;
use crate::domain::prearchive::import::ImportRequest;
use crate::domain::prearchive::onward::{Brought, Onward};
use crate::domain::prearchive::upload::{Receiver, Upload, UploadError, UploadRules};
use crate::intake::ExtentReader;
use crate::storage::{Lease, StoreError, keys};

/// How often an import is tried while somebody else is at work on its sessions; each time it waits longer than a lease
/// lives.
const MAX_TRIES: u32 = 3;

/// An import of files of a user's cache.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredImport {
    /// The files: of each the label of its resource, and its path there.
    pub files: Vec<(String, String)>,
    /// What they may hold.
    pub rules: UploadRules,
    /// Where they are to go.
    pub request: ImportRequest,
    /// What is wanted of their sessions.
    pub onward: Onward,
    /// The sessions that they became, once they are imported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sessions: Option<Vec<String>>,
}

/// Why stored files are not imported.
#[derive(Debug, thiserror::Error)]
pub enum StoredImportError {
    /// They are refused.
    #[error(transparent)]
    Upload(#[from] UploadError),
    /// They cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// They cannot be placed, or the store failed.
    #[error(transparent)]
    Domain(#[from] DomainError),
    /// Whoever worked on it was too slow, and is not to go on.
    #[error("somebody else works on this import; try again")]
    LeaseLost,
}

impl From<StoreError> for StoredImportError {
    fn from(error: StoreError) -> Self {
        Self::Domain(error.into())
    }
}

impl StoredImportError {
    /// The failure of a store that may be well again later, if it is one.
    fn passing(self) -> Result<StoreError, Self> {
        let is_passing =
            |error: &StoreError| matches!(error, StoreError::Unavailable { .. } | StoreError::Failed { .. });
        match self {
            Self::Upload(UploadError::Store(error)) if is_passing(&error) => Ok(error),
            Self::Read(ReadError::Store(error)) if is_passing(&error) => Ok(error),
            Self::Domain(DomainError::Store(error)) if is_passing(&error) => Ok(error),
            other => Err(other),
        }
    }
}

/// XNAT's last message to those who follow an import.
pub fn import_result(uris: &[String]) -> String {
    let is_archived = uris.first().is_some_and(|uri| uri.starts_with("/data/archive/"));
    let kind = if is_archived { "Archive" } else { "Prearchive" };
    let uris: Vec<&str> = uris.iter().map(|uri| uri.strip_prefix("/data").unwrap_or(uri)).collect();
    format!("{kind}:{}", uris.join(";"))
}

impl Core {
    /// Works on the import of a job, whose lease is held.
    pub(super) async fn run_import(
        &self,
        mut job: Job,
        mut import: StoredImport,
        mut lease: Lease,
    ) -> Result<bool, DomainError> {
        let mut tries = 1;
        let outcome = loop {
            match self.import_stored(&mut job, &mut import, &mut lease).await {
                Err(StoredImportError::Domain(DomainError::Busy { .. })) if tries < MAX_TRIES => tries += 1,
                // Somebody else may be at it already.
                Err(StoredImportError::LeaseLost) => return Ok(true),
                outcome => break outcome,
            }
        };
        let now_ms = self.clock.now_ms();
        let mut results = Vec::new();
        match outcome.map_err(StoredImportError::passing) {
            Ok(uris) => results.push(import_result(&uris)),
            Err(Ok(error)) => {
                self.leases.release(lease).await?;
                return Err(error.into());
            }
            Err(Err(error)) => {
                job.failed = 1;
                job.tell(now_ms, MessageKind::Warning, error.to_string());
            }
        }
        job.next = job.total;
        job.finish(now_ms, &results);
        self.store_ended(&job, &mut lease).await?;
        self.leases.release(lease).await?;
        Ok(true)
    }

    /// Imports the files, unless that was done, and brings their sessions on. Gives where these have come to.
    async fn import_stored(
        &self,
        job: &mut Job,
        import: &mut StoredImport,
        lease: &mut Lease,
    ) -> Result<Vec<String>, StoredImportError> {
        let ids = match &import.sessions {
            Some(ids) => ids.clone(),
            None => {
                let login = Login::parse(&job.login).ok();
                let account = match &login {
                    Some(login) => self.account_of(login).await?,
                    None => None,
                };
                let gone = || DomainError::Invalid { what: "The account of whoever asked for it is gone.".to_owned() };
                let account = account.ok_or_else(gone)?;
                let upload = self.received_from_cache(&account.login, import, lease).await?;
                let files: u64 = upload.studies.iter().map(|study| study.files).sum();
                let text = format!("Received {files} image(s) of {} study(ies).", upload.studies.len());
                job.tell(self.clock.now_ms(), MessageKind::Processing, text);
                let identity = Identity::User(Box::new(User { account, via: Via::Password }));
                let request = ImportRequest { identity, ..import.request.clone() };
                let sessions = self.import(upload, &request).await?.sessions;
                let ids: Vec<String> = sessions.into_iter().map(|session| session.id).collect();
                import.sessions = Some(ids.clone());
                job.kind = Some(JobKind::Import { import: Box::new(import.clone()) });
                self.keep_import(lease).await?;
                self.records.set(&keys::job(&job.id), job).await?;
                ids
            }
        };
        let (mut sessions, mut uris) = (Vec::new(), Vec::new());
        for id in ids {
            // Whoever died over a session holds it for a while.
            match self.hold_session_patiently(&id).await {
                Ok(held) => {
                    sessions.push(held.session.clone());
                    self.let_go(held).await?;
                }
                Err(DomainError::NotFound { .. }) => {
                    if let Some(experiment) = self.experiment_of(&id).await? {
                        uris.push(Brought::Archived { session: id, experiment: Box::new(experiment) }.uri());
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.keep_import(lease).await?;
        for brought in self.bring_on(sessions, &import.onward).await? {
            if let Brought::Archived { session, .. } = &brought {
                self.empty_trash_of(session).await?;
            }
            uris.push(brought.uri());
        }
        Ok(uris)
    }

    async fn keep_import(&self, lease: &mut Lease) -> Result<(), StoredImportError> {
        if self.leases.keep(lease).await? { Ok(()) } else { Err(StoredImportError::LeaseLost) }
    }

    async fn account_of(&self, login: &Login) -> Result<Option<Account>, StoredImportError> {
        let found = Account::load(&self.records, login).await;
        let failed = |error: crate::accounts::AccountError| DomainError::Invalid { what: error.to_string() };
        Ok(found.map_err(failed)?)
    }

    async fn received_from_cache(
        &self,
        login: &Login,
        import: &StoredImport,
        lease: &mut Lease,
    ) -> Result<Upload, StoredImportError> {
        let mut receiver = Receiver::new(self, import.rules.clone());
        receiver.expect(import.files.len());
        let mut taken = Ok(());
        for (label, path) in &import.files {
            taken = match self.cache_file(login, label, path).await {
                Ok(Some(found)) => self.receive_stored(&mut receiver, &found.file, Some(&mut *lease)).await,
                Ok(None) => Err(DomainError::Invalid { what: "Unknown src file.".to_owned() }.into()),
                Err(error) => Err(error.into()),
            };
            if taken.is_err() {
                break;
            }
        }
        receiver.settle(taken).await
    }

    /// Takes a stored file in, as if it came as the body. A lease is kept meanwhile.
    ///
    /// # Errors
    /// Why it is refused or cannot be read, or that the lease was lost.
    #[crate::boxed(?Send)]
    pub async fn receive_stored(
        &self,
        receiver: &mut Receiver,
        file: &FileEntry,
        mut lease: Option<&mut Lease>,
    ) -> Result<(), StoredImportError> {
        let pack = Rc::new(self.pack_reader(file.pack).await?);
        let mut bytes = ExtentReader::whole(pack, file.extent, file.crc32).map_err(ReadError::from)?;
        let name = file.name.rsplit('/').next().unwrap_or_default();
        let next = async || -> Result<_, StoredImportError> {
            if let Some(lease) = lease.as_deref_mut() {
                self.keep_import(lease).await?;
            }
            Ok(bytes.next().await.map_err(ReadError::from)?)
        };
        receiver.take(name, next).await
    }
}
