//! Taking an upload in: each body goes into a pack as it arrives, and what it holds is sorted by study.
//!
//! A zip, a tar and a single file are kept as they come. What is compressed as a whole, and archives inside archives,
//! cannot be entered in the middle, so their content goes into a pack of its own, inflated.

mod arriving;
mod flow;
mod receiver;
mod rules;
mod sink;
mod sorter;
mod spent;
mod verdict;

pub use arriving::{Arriving, ContentCoding};
pub use receiver::Receiver;
pub(super) use receiver::without_extension;
pub use rules::{Formats, Naming, Others, UploadRules};
pub(in crate::domain) use sink::{FileFound, FileSinks};
pub use sorter::ArrivedStudy;
pub(super) use sorter::StudyRun;
pub use verdict::{Outcome, Reason, ToldVerdict, Verdict};

use bytes::Bytes;
use futures::stream::Stream;

use crate::domain::Core;
use crate::intake::name::ShownName;
use crate::intake::{IntakeError, PackReadError, PackSource};
use crate::storage::pack::{PackReader, PackShape, PackWriter};
use crate::storage::{PackId, StoreError};

/// Why an upload is refused. Nothing of it is kept.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// The body ended before it was complete, or the connection broke.
    #[error("the upload was cut off after {received_bytes} bytes ({reason}); send it again")]
    CutOff {
        /// Bytes that arrived.
        received_bytes: u64,
        /// What the transport said.
        reason: String,
    },
    /// There is no body.
    #[error("the upload is empty; send a zip of DICOM files, or one DICOM file, as the body")]
    Empty,
    /// The body is of a kind that is not taken in.
    #[error("the upload is {kind}; send a zip of DICOM files, or one DICOM file")]
    Unsupported {
        /// What it looks like, as a noun phrase.
        kind: &'static str,
    },
    /// The archive or one of its entries is refused.
    #[error(transparent)]
    Intake(#[from] IntakeError),
    /// There is no image in it.
    #[error("Upload did not include parsable files for session generation. {why}")]
    NothingParsable {
        /// What the files are instead, as a sentence.
        why: String,
    },
    /// A file that must be an image is none.
    #[error("unable to read DICOM object {name}: {reason}")]
    NotAnImage {
        /// The file's name.
        name: ShownName,
        /// Why it cannot be read.
        reason: String,
    },
    /// More studies than one upload may hold.
    #[error("the upload holds more than {limit} studies; send them in several uploads")]
    TooManyStudies {
        /// The limit.
        limit: usize,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Studies in one upload, at most: each costs its own records and its own line of the answer.
pub const MAX_STUDIES: usize = 1_000;

/// An upload that has been taken in. Its packs are not committed.
pub struct Upload {
    /// When its first byte was taken, in milliseconds since the epoch.
    pub started_ms: u64,
    /// The packs in which files of its studies lie.
    pub packs: Vec<PackShape>,
    /// Writers of packs whose last bytes are on their way to the store.
    pub(super) flushing: Vec<PackWriter>,
    /// The one of them that somebody else looks after until it is committed.
    pub lent: Option<PackId>,
    /// The studies, in order of their first files.
    pub studies: Vec<ArrivedStudy>,
    /// How many files were left out.
    pub ignored_count: u64,
    /// Files with a preamble that is neither empty nor TIFF.
    pub odd_preambles: u64,
    /// Files that end before their pixel data does.
    pub cut_off: u64,
    /// What became of each file, if the rules asked for that.
    pub verdicts: Vec<Verdict>,
}

/// Where a body comes from.
pub trait Body: Stream<Item = Result<Bytes, String>> + Unpin {}

impl<T: Stream<Item = Result<Bytes, String>> + Unpin> Body for T {}

impl PackSource for PackReader {
    async fn read(&self, offset: u64, len: usize) -> Result<Bytes, PackReadError> {
        PackReader::read(self, offset, len)
            .await
            .map_err(|error| PackReadError::Store { offset, source: Box::new(error) })
    }

    fn len(&self) -> u64 {
        self.bytes()
    }
}

/// Takes one body in. `name` is the file's name if the body is a single file.
///
/// # Errors
/// [`UploadError`]; what was written is removed again then.
pub async fn receive<B: Body>(
    core: &Core,
    rules: UploadRules,
    mut body: Arriving<B>,
    name: &str,
) -> Result<Upload, UploadError> {
    let mut receiver = Receiver::new(core, rules);
    let taken = receiver.take(name, async || body.next().await).await;
    receiver.settle(taken).await
}
