//! Taking in files of any kind as they arrive. A file that is sent alone goes into a pack of its own; the small files of
//! one form share a pack, as each pack costs records of its own.

mod fields;
mod form;
mod incoming;

pub use fields::form_fields;
pub use form::{MAX_FORM_FILES, ReceivedForm, receive_fields_and_files, receive_form};

use std::collections::BTreeMap;

use bytes::Bytes;

use super::unpack::UnpackedFile;
use super::upload::{Arriving, Body, UploadError};
use crate::domain::Core;
use crate::intake::form::FormError;
use crate::intake::name::{NameError, ShownName};
use crate::intake::{EntryName, Extent, IntakeError};
use crate::limits::Limits;
use crate::storage::StoreError;
use crate::storage::pack::{self, PackShape};
use incoming::Incoming;

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
    /// The pack in which its bytes lie, alone or with other files of the same request.
    pub shape: PackShape,
    /// Where in the pack they lie.
    pub extent: Extent,
    /// Its number among the files of the pack.
    pub ordinal: u32,
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
        self.unpacked.as_ref().map_or(self.extent.len, of_files)
    }

    /// Whether its pack holds nothing else. Archives always lie alone.
    pub fn is_alone(&self) -> bool {
        self.extent.len == self.shape.bytes
    }
}

/// A checked path of a file.
///
/// # Errors
/// [`FilesError::Name`].
pub fn file_name(text: &str, limits: &Limits) -> Result<EntryName, FilesError> {
    EntryName::parse(text, limits).map_err(|problem| FilesError::Name { name: ShownName::new(text), problem })
}

/// Receives a body that is one file.
///
/// # Errors
/// [`FilesError`]; what was written is removed again then.
pub async fn receive_file<B: Body>(
    core: &Core,
    mut arriving: Arriving<B>,
    name: EntryName,
) -> Result<ReceivedFile, FilesError> {
    let limit_bytes = core.settings.limits.max_entry_bytes;
    let next = async || -> Result<_, FilesError> { Ok(arriving.next().await?) };
    receive_pieces(core, name, limit_bytes, next).await
}

/// Receives one file of which `next` gives the pieces; an empty one is none.
///
/// # Errors
/// What is wrong with it, or what `next` gives; what was written is removed again then.
pub async fn receive_pieces<E: From<FilesError>>(
    core: &Core,
    name: EntryName,
    limit_bytes: u64,
    mut next: impl AsyncFnMut() -> Result<Option<Bytes>, E>,
) -> Result<ReceivedFile, E> {
    let first = loop {
        match next().await? {
            None => return Err(FilesError::NoFile.into()),
            Some(piece) if piece.is_empty() => {}
            Some(piece) => break piece,
        }
    };
    let mut incoming = Incoming::start(core, limit_bytes).await?;
    let outcome = async {
        incoming.push(&name, &first).await?;
        while let Some(piece) = next().await? {
            incoming.push(&name, &piece).await?;
        }
        Ok(incoming.finish(name).await?)
    }
    .await;
    if outcome.is_err() {
        incoming.abandon().await;
    }
    outcome
}

impl Core {
    /// Removes files that were received and are not wanted after all. A pack that has an owner already stays: others
    /// of its files were wanted.
    #[crate::boxed(?Send)]
    pub async fn abandon_files(&self, files: Vec<ReceivedFile>) {
        let shapes: BTreeMap<_, PackShape> = files.into_iter().map(|file| (file.shape.id, file.shape)).collect();
        let mut unwanted = Vec::with_capacity(shapes.len());
        for shape in shapes.into_values() {
            // What cannot be found out now the sweep finds out later.
            if matches!(pack::find(&self.records, shape.id).await, Ok(None)) {
                unwanted.push(shape);
            }
        }
        pack::remove_unwanted(&self.blobs, unwanted).await;
    }
}
