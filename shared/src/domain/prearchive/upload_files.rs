//! Taking in files of any kind: each goes into a pack of its own as it arrives.

use bytes::Bytes;
use crc32fast::Hasher;

use super::unpack::UnpackedFile;
use super::upload::{Arriving, Body, UploadError};
use crate::domain::Core;
use crate::intake::form::{FormError, FormReader};
use crate::intake::name::{NameError, ShownName};
use crate::intake::{EntryName, IntakeError};
use crate::limits::Limits;
use crate::storage::pack::{self, PackShape, PackWriter};
use crate::storage::{Store, StoreError};

/// Files in one form, at most: all of them are received before the first is kept.
pub const MAX_FORM_FILES: usize = 1_000;

/// Bytes of all fields of a form that are no files, at most.
const MAX_FIELD_BYTES: usize = 64 * 1024;

/// Why files are refused. Nothing of them is kept.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// The body is cut off, or too large.
    #[error(transparent)]
    Upload(#[from] UploadError),
    /// There is no file.
    #[error("there is no file in the request; send it as the body (with inbody=true) or as a part of a form")]
    NoFile,
    /// There is one where none is wanted.
    #[error("the form has a file, where nothing but fields is wanted")]
    FileNotWanted,
    /// The form is broken.
    #[error(transparent)]
    Form(#[from] FormError),
    /// More files than one form may have.
    #[error("the form has more than {limit} files; send them in several requests")]
    TooManyFiles {
        /// The limit.
        limit: usize,
    },
    /// Fields that are larger than any form needs.
    #[error("the fields of the form have more than {limit_bytes} bytes together")]
    FieldsTooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// A name that no file may have.
    #[error("the name of the file {name} is not allowed: {problem}; rename it")]
    Name {
        /// The name.
        name: ShownName,
        /// What is wrong with it.
        problem: NameError,
    },
}

impl From<StoreError> for FilesError {
    fn from(error: StoreError) -> Self {
        Self::Upload(error.into())
    }
}

impl From<IntakeError> for FilesError {
    fn from(error: IntakeError) -> Self {
        Self::Upload(error.into())
    }
}

/// A file that has been received. Its pack is complete, but not committed.
#[derive(Debug, Clone)]
pub struct ReceivedFile {
    /// Its name.
    pub name: EntryName,
    /// Where its bytes lie.
    pub shape: PackShape,
    /// CRC-32 of its bytes.
    pub crc32: u32,
    /// When its first byte was taken, in milliseconds since the epoch.
    pub started_ms: u64,
    /// If it is an archive that was unpacked: what is to be stored in its stead.
    pub unpacked: Option<Vec<UnpackedFile>>,
}

impl ReceivedFile {
    /// How many files are to be stored.
    pub fn count(&self) -> u64 {
        self.unpacked.as_ref().map_or(1, |files| files.len() as u64)
    }

    /// Bytes of the files that are to be stored.
    pub fn bytes(&self) -> u64 {
        let of_files =
            |files: &Vec<UnpackedFile>| files.iter().map(|file| file.extent.len).fold(0, u64::saturating_add);
        self.unpacked.as_ref().map_or(self.shape.bytes, of_files)
    }
}

/// A form that has been received.
#[derive(Debug, Default)]
pub struct ReceivedForm {
    /// The fields that are no files, with their values.
    pub fields: Vec<(String, String)>,
    /// The files, named as the form names them.
    pub files: Vec<ReceivedFile>,
}

/// A checked path of a file.
///
/// # Errors
/// [`FilesError::Name`].
pub fn file_name(text: &str, limits: &Limits) -> Result<EntryName, FilesError> {
    EntryName::parse(text, limits).map_err(|problem| FilesError::Name { name: ShownName::new(text), problem })
}

/// One file on its way into its pack.
struct Incoming<S> {
    writer: PackWriter<S>,
    crc: Hasher,
    started_ms: u64,
}

impl<S: Store> Incoming<S> {
    async fn start(core: &Core<S>) -> Result<Self, FilesError> {
        let writer = core.start_pack().await?;
        Ok(Self { writer, crc: Hasher::new(), started_ms: core.clock.now_ms() })
    }

    async fn push(&mut self, name: &EntryName, piece: &[u8], limits: &Limits) -> Result<(), FilesError> {
        if self.writer.bytes().saturating_add(piece.len() as u64) > limits.max_entry_bytes {
            let too_large = IntakeError::EntryTooLarge { entry: name.into(), limit_bytes: limits.max_entry_bytes };
            return Err(UploadError::from(too_large).into());
        }
        self.crc.update(piece);
        Ok(self.writer.write(piece).await?)
    }

    async fn finish(&mut self, name: EntryName) -> Result<ReceivedFile, FilesError> {
        let shape = self.writer.finish().await?;
        Ok(ReceivedFile {
            name,
            shape,
            crc32: self.crc.clone().finalize(),
            started_ms: self.started_ms,
            unpacked: None,
        })
    }

    /// Gives what was received, or removes it all.
    async fn settle(self, outcome: Result<ReceivedFile, FilesError>) -> Result<ReceivedFile, FilesError> {
        if outcome.is_err() {
            // If this fails as well the sweep does it later; the first error is the one to tell.
            let _ = self.writer.abandon().await;
        }
        outcome
    }
}

/// Receives a body that is one file.
///
/// # Errors
/// [`FilesError`]; what was written is removed again then.
pub async fn receive_file<S: Store, B: Body>(
    core: &Core<S>,
    mut arriving: Arriving<B>,
    name: EntryName,
) -> Result<ReceivedFile, FilesError> {
    let limits = core.settings.limits;
    let first = loop {
        match arriving.next().await? {
            None => return Err(FilesError::NoFile),
            Some(piece) if piece.is_empty() => {}
            Some(piece) => break piece,
        }
    };
    let mut incoming = Incoming::start(core).await?;
    let outcome = async {
        incoming.push(&name, &first, &limits).await?;
        while let Some(piece) = arriving.next().await? {
            incoming.push(&name, &piece, &limits).await?;
        }
        incoming.finish(name).await
    }
    .await;
    incoming.settle(outcome).await
}

/// Receives a `multipart/form-data` body: every part with a file name is a file, under the last part of that name.
///
/// # Errors
/// [`FilesError`]; what was written is removed again then.
pub async fn receive_form<S: Store, B: Body>(
    core: &Core<S>,
    arriving: Arriving<B>,
    boundary: &str,
) -> Result<ReceivedForm, FilesError> {
    let mut received = ReceivedForm::default();
    match receive_parts(core, arriving, boundary, &mut received).await {
        Ok(()) => Ok(received),
        Err(error) => {
            core.abandon_files(received.files).await;
            Err(error)
        }
    }
}

/// The fields of a `multipart/form-data` body that was read whole.
///
/// # Errors
/// [`FilesError`] for a form that is broken, or that has a file.
pub async fn form_fields(boundary: &str, body: Vec<u8>) -> Result<Vec<(String, String)>, FilesError> {
    let mut left = Some(Bytes::from(body)).filter(|body| !body.is_empty());
    let mut form = FormReader::new(boundary);
    let mut fields = Vec::new();
    while let Some(mut part) = form.part(async || Ok::<_, FilesError>(left.take())).await? {
        if part.file_name().is_some() {
            return Err(FilesError::FileNotWanted);
        }
        let mut value = Vec::new();
        while let Some(piece) = form.piece(&mut part, async || Ok::<_, FilesError>(left.take())).await? {
            value.extend_from_slice(&piece);
        }
        let name = part.name().unwrap_or_default().to_owned();
        fields.push((name, String::from_utf8_lossy(&value).into_owned()));
    }
    Ok(fields)
}

async fn next<B: Body>(arriving: &mut Arriving<B>) -> Result<Option<Bytes>, FilesError> {
    Ok(arriving.next().await?)
}

async fn receive_parts<S: Store, B: Body>(
    core: &Core<S>,
    mut arriving: Arriving<B>,
    boundary: &str,
    received: &mut ReceivedForm,
) -> Result<(), FilesError> {
    let limits = core.settings.limits;
    let mut form = FormReader::new(boundary);
    let mut field_bytes = 0_usize;
    while let Some(mut part) = form.part(async || next(&mut arriving).await).await? {
        let Some(sent) = part.file_name().map(str::to_owned) else {
            let mut value = Vec::new();
            let name = part.name().unwrap_or_default().to_owned();
            field_bytes = field_bytes.saturating_add(name.len());
            while let Some(piece) = form.piece(&mut part, async || next(&mut arriving).await).await? {
                field_bytes = field_bytes.saturating_add(piece.len());
                if field_bytes > MAX_FIELD_BYTES {
                    return Err(FilesError::FieldsTooLarge { limit_bytes: MAX_FIELD_BYTES });
                }
                value.extend_from_slice(&piece);
            }
            received.fields.push((name, String::from_utf8_lossy(&value).into_owned()));
            continue;
        };
        if sent.is_empty() {
            // What browsers send for a field without a chosen file.
            while form.piece(&mut part, async || next(&mut arriving).await).await?.is_some() {}
            continue;
        }
        if received.files.len() >= MAX_FORM_FILES {
            return Err(FilesError::TooManyFiles { limit: MAX_FORM_FILES });
        }
        let name = file_name(sent.rsplit(['/', '\\']).next().unwrap_or_default(), &limits)?;
        let mut incoming = Incoming::start(core).await?;
        let outcome = async {
            while let Some(piece) = form.piece(&mut part, async || next(&mut arriving).await).await? {
                incoming.push(&name, &piece, &limits).await?;
            }
            incoming.finish(name).await
        }
        .await;
        received.files.push(incoming.settle(outcome).await?);
    }
    if received.files.is_empty() { Err(FilesError::NoFile) } else { Ok(()) }
}

impl<S: Store> Core<S> {
    /// Removes files that were received and are not wanted after all.
    pub async fn abandon_files(&self, files: Vec<ReceivedFile>) {
        pack::remove_unwanted(&self.blobs, files.into_iter().map(|file| file.shape)).await;
    }
}
