//! Beginning an upload, and the uploads that a user has begun.

use super::{NewUpload, Progress, ResumableUpload};
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::domain::ids::random_id;
use crate::storage::{PackId, StoreError, keys};

/// Open uploads of one user, at most.
const MAX_OPEN: usize = 100;

/// What is kept with an upload of query, name and metadata, in bytes, at most.
const MAX_QUERY_BYTES: usize = 8 * 1024;

impl Core {
    /// A user's uploads that have not come to their end, without those that are so old that the sweep removes them.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn open_resumable_uploads(&self, login: &str) -> Result<Vec<ResumableUpload>, StoreError> {
        let kept_ms = self.settings.upload_retention_seconds.saturating_mul(1000);
        let (roster, source) = self.resumable_uploads();
        let mut open = Vec::new();
        for listed in roster.list(&source).await? {
            if !listed.row.is_open || listed.row.login != login {
                continue;
            }
            // The list is behind while bytes come; the record is not.
            let upload: Option<ResumableUpload> = self.records.get(&keys::resumable(&listed.member)).await?;
            let is_kept = |upload: &ResumableUpload| {
                upload.is_open() && self.clock.now_ms().saturating_sub(upload.touched_ms) <= kept_ms
            };
            open.extend(upload.filter(is_kept));
        }
        Ok(open)
    }

    /// Begins an upload of which nothing has come yet.
    ///
    /// # Errors
    /// [`DomainError::Invalid`] if it has no byte or too long parameters, [`DomainError::Refused`] if the user has too
    /// many open ones, or the store's failure. Its size was looked at before.
    #[crate::boxed(?Send)]
    pub async fn begin_resumable(&self, new: NewUpload) -> Result<ResumableUpload, DomainError> {
        if new.bytes == 0 {
            return Err(DomainError::Invalid { what: "An upload must have at least one byte.".to_owned() });
        }
        if new.query.len() + new.name.len() + new.metadata.len() > MAX_QUERY_BYTES {
            return Err(DomainError::Invalid {
                what: format!("The parameters of an upload may have at most {MAX_QUERY_BYTES} bytes."),
            });
        }
        let lease = format!("begin-upload/{}", new.login);
        self.with_lease(&lease, "the list of your uploads", async |core| core.begin_counted(new).await).await
    }

    async fn begin_counted(&self, new: NewUpload) -> Result<ResumableUpload, DomainError> {
        if self.open_resumable_uploads(&new.login).await?.len() >= MAX_OPEN {
            return Err(DomainError::Refused {
                what: format!(
                    "You have {MAX_OPEN} unfinished uploads, which GET of this address lists; finish or delete some of \
                     them first."
                ),
            });
        }
        let (roster, source) = self.resumable_uploads();
        let pack = self.records.increment(&keys::sequence("pack"), 1).await?;
        let id = random_id()?;
        let touch = roster.touch(&id, None).await?;
        let upload = ResumableUpload {
            id: id.clone(),
            login: new.login,
            query: new.query,
            name: new.name,
            metadata: new.metadata,
            bytes: new.bytes,
            offset: 0,
            progress: Progress::Receiving,
            touched_ms: self.clock.now_ms(),
            onward: None,
            pack: PackId::from_number(u64::try_from(pack).unwrap_or(0)),
            place: touch.place,
        };
        self.records.set(&keys::resumable(&id), &upload).await?;
        roster.settled(&id, touch).await?;
        roster.fold_if_long(&source).await?;
        Ok(upload)
    }
}
