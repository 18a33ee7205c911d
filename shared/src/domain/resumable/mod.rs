//! Uploads that may be broken off and gone on with: the bytes lie in a pack that grows until all have come.
//!
//! The record says how many bytes are safe; a worker that dies has written more at most, which the next writes again.
//! The last byte counts as received only when the import that it completes is done: whoever asks before that is told to
//! send the end once more.

mod append;
mod begin;
mod finish;
mod sweep;
mod verdicts;

pub use append::{Appending, longer_than_missing};

use serde::{Deserialize, Serialize};

use super::Core;
use super::error::DomainError;
use super::prearchive::onward::Onward;
use crate::storage::pack::{CHUNK_BYTES, PackShape};
use crate::storage::roster::RowSource;
use crate::storage::{PackId, Record, Roster, StoreError, keys};

/// How far an upload has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Progress {
    /// Bytes are missing.
    Receiving,
    /// All have come, and are being imported.
    Importing,
    /// It was imported.
    Imported {
        /// What the import service answered.
        uris: Vec<String>,
    },
    /// It was refused; nothing of it is kept.
    Refused {
        /// Why.
        reason: String,
    },
}

/// An upload that may be broken off.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ResumableUpload {
    /// Its identifier, which nobody can guess.
    pub id: String,
    /// Whose it is.
    pub login: String,
    /// The parameters of the import, as a query.
    pub query: String,
    /// The name of the file, empty if it has none.
    pub name: String,
    /// What the client says of the file, as it came (tus 1.0.0, `Upload-Metadata`).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub metadata: String,
    /// Bytes in all.
    pub bytes: u64,
    /// Bytes that are safe.
    pub offset: u64,
    /// How far it has come.
    pub progress: Progress,
    /// The last change, in milliseconds since the epoch.
    pub touched_ms: u64,
    /// What is wanted of its sessions once it is imported; written down before that is begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onward: Option<Onward>,
    pack: PackId,
    place: u64,
}

impl Record for ResumableUpload {
    const VERSION: u32 = 1;
}

/// What the list of uploads keeps.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct UploadRow {
    login: String,
    pack: PackId,
    touched_ms: u64,
    is_open: bool,
}

/// An upload that is to be begun.
#[derive(Debug, Clone, Default)]
pub struct NewUpload {
    /// Whose it is.
    pub login: String,
    /// The parameters of the import, as a query.
    pub query: String,
    /// The name of the file, empty if it has none.
    pub name: String,
    /// What the client says of the file, as it came.
    pub metadata: String,
    /// Bytes in all.
    pub bytes: u64,
}

const ROSTER: &str = "resumable";

fn lease_name(id: &str) -> String {
    format!("resumable/{id}")
}

impl ResumableUpload {
    /// Whether it has not come to its end.
    pub fn is_open(&self) -> bool {
        matches!(self.progress, Progress::Receiving | Progress::Importing)
    }

    /// The bytes that a client need not send again. The last one counts when the import is done, so that a client whose
    /// import was broken off comes back for it.
    pub fn received(&self) -> u64 {
        match self.progress {
            Progress::Importing => self.bytes.saturating_sub(1),
            _ => self.offset,
        }
    }

    /// The pack in which all its bytes lie, once they have come.
    pub fn shape(&self) -> PackShape {
        PackShape { id: self.pack, bytes: self.bytes, chunk_bytes: CHUNK_BYTES as u32 }
    }
}

impl Core {
    fn resumable_uploads(&self) -> (Roster, impl RowSource<UploadRow>) {
        let records = self.records.clone();
        let source = move |id: String, place| {
            let records = records.clone();
            async move {
                let upload: Option<ResumableUpload> = records.get(&keys::resumable(&id)).await?;
                Ok(upload.filter(|upload| upload.place == place).map(|upload| UploadRow {
                    is_open: upload.is_open(),
                    login: upload.login,
                    pack: upload.pack,
                    touched_ms: upload.touched_ms,
                }))
            }
        };
        (self.roster(ROSTER), source)
    }

    /// A user's upload of this identifier.
    ///
    /// # Errors
    /// [`DomainError::NotFound`], also for the upload of another, or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn resumable_upload(&self, login: &str, id: &str) -> Result<ResumableUpload, DomainError> {
        let found: Option<ResumableUpload> = self.records.get(&keys::resumable(id)).await?;
        let missing = || DomainError::NotFound { what: "this upload".to_owned() };
        found.filter(|upload| upload.login == login).ok_or_else(missing)
    }

    /// Stores a change of an upload. Only its end shows in the list.
    async fn store_resumable(&self, upload: &ResumableUpload) -> Result<(), StoreError> {
        if upload.is_open() {
            return self.records.set(&keys::resumable(&upload.id), upload).await;
        }
        let (roster, _) = self.resumable_uploads();
        let touch = roster.touch(&upload.id, Some(upload.place)).await?;
        self.records.set(&keys::resumable(&upload.id), upload).await?;
        roster.settled(&upload.id, touch).await
    }
}
