//! Taking an upload in: the body goes into a pack as it arrives, and what it holds is sorted by study.

mod sorter;

pub use sorter::ArrivedStudy;

use bytes::Bytes;
use futures::stream::{Stream, StreamExt};

use self::sorter::Sorter;
use crate::domain::Core;
use crate::imaging::{DicomHeader, HeaderError, HeaderLimits, HeaderReader, Progress};
use crate::intake::kind::SNIFF_BYTES;
use crate::intake::{
    self, BodyKind, EntryName, EntrySink, EntryVisitor, IntakeError, PackReadError, PackSource, SingleScanner,
    SinkFactory, ZipScanner,
};
use crate::limits::Limits;
use crate::storage::pack::{PackReader, PackShape, PackWriter};
use crate::storage::{Store, StoreError};

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

/// A body that has been taken in. Its pack is complete, but not committed.
pub struct Upload {
    /// When its first byte was taken, in milliseconds since the epoch.
    pub started_ms: u64,
    /// Where the bytes lie.
    pub shape: PackShape,
    /// The studies, in order of their first files.
    pub studies: Vec<ArrivedStudy>,
    /// Files that are no images of a study, with the reason; the first of them.
    pub ignored: Vec<(String, String)>,
    /// How many files were ignored.
    pub ignored_count: u64,
    /// Files with a preamble that is neither empty nor TIFF.
    pub odd_preambles: u64,
}

/// Where the body comes from.
pub trait Body: Stream<Item = Result<Bytes, String>> + Unpin {}

impl<T: Stream<Item = Result<Bytes, String>> + Unpin> Body for T {}

impl<S: Store> PackSource for PackReader<S> {
    async fn read(&self, offset: u64, len: usize) -> Result<Bytes, PackReadError> {
        PackReader::read(self, offset, len)
            .await
            .map_err(|error| PackReadError::Store { offset, source: Box::new(error) })
    }

    fn len(&self) -> u64 {
        self.bytes()
    }
}

/// Reads the DICOM header of one file as it passes.
pub struct HeadSink {
    reader: HeaderReader,
    is_done: bool,
}

impl HeadSink {
    fn new(limits: HeaderLimits) -> Self {
        Self { reader: HeaderReader::new(limits), is_done: false }
    }
}

impl EntrySink for HeadSink {
    type Output = Result<Box<DicomHeader>, HeaderError>;

    fn push(&mut self, bytes: &[u8]) {
        self.is_done = self.reader.push(bytes) == Progress::Done;
    }

    fn wants_more(&self) -> bool {
        !self.is_done
    }

    fn finish(self) -> Self::Output {
        self.reader.finish().map(Box::new)
    }
}

struct HeadSinks(HeaderLimits);

impl SinkFactory for HeadSinks {
    type Sink = HeadSink;

    fn open(&mut self, _: &EntryName) -> HeadSink {
        HeadSink::new(self.0)
    }
}

enum Scanner {
    Zip(ZipScanner<HeadSinks>),
    Single(SingleScanner<HeadSink>),
}

impl Scanner {
    fn push(&mut self, bytes: &[u8]) -> Result<(), IntakeError> {
        match self {
            Self::Zip(scanner) => scanner.push(bytes),
            Self::Single(scanner) => scanner.push(bytes),
        }
    }
}

fn header_limits(limits: &Limits) -> HeaderLimits {
    HeaderLimits {
        max_header_bytes: limits.max_header_bytes,
        max_value_bytes: limits.max_value_bytes,
        max_depth: limits.max_depth,
    }
}

fn scanner(first: &[u8], name: &str, limits: &Limits) -> Result<Scanner, UploadError> {
    let kind = match BodyKind::of(first) {
        BodyKind::Zip | BodyKind::EmptyZip => {
            return Ok(Scanner::Zip(ZipScanner::new(*limits, HeadSinks(header_limits(limits)))));
        }
        BodyKind::Dicom | BodyKind::DicomWithoutPreamble => {
            let name = EntryName::parse(name, limits).or_else(|_| EntryName::parse("upload.dcm", limits));
            let name = name.map_err(|_| UploadError::Unsupported { kind: "a file whose name cannot be used" })?;
            let sink = HeadSink::new(header_limits(limits));
            return Ok(Scanner::Single(SingleScanner::new(*limits, name, sink)));
        }
        BodyKind::Gzip => "gzip data, which this version does not take",
        BodyKind::Bzip2 => "bzip2 data, which this version does not take",
        BodyKind::Xz => "xz data, which this version does not take",
        BodyKind::Tar => "a tar archive, which this version does not take",
        BodyKind::Ecat7 => "an ECAT file, which this version does not take",
        _ => "neither a zip nor a DICOM file",
    };
    Err(UploadError::Unsupported { kind })
}

/// Takes a body in. `name` is the file's name if the body is a single file.
///
/// # Errors
/// [`UploadError`]; what was written is removed again then.
pub async fn receive<S: Store>(core: &Core<S>, body: impl Body, name: &str) -> Result<Upload, UploadError> {
    let mut writer = None;
    match stream(core, body, name, &mut writer).await {
        Ok(upload) => Ok(upload),
        Err(error) => {
            if let Some(writer) = writer {
                // If this fails as well the sweep does it later; the first error is the one to tell.
                let _ = writer.abandon().await;
            }
            Err(error)
        }
    }
}

async fn stream<S: Store>(
    core: &Core<S>,
    mut body: impl Body,
    name: &str,
    writer: &mut Option<PackWriter<S>>,
) -> Result<Upload, UploadError> {
    let limits = core.settings.limits;
    let started_ms = core.clock.now_ms();
    let mut received_bytes = 0_u64;
    let mut head: Vec<u8> = Vec::new();
    let mut scan: Option<Scanner> = None;
    loop {
        let piece = body.next().await.transpose();
        let piece = piece.map_err(|reason| UploadError::CutOff { received_bytes, reason })?;
        let is_end = piece.is_none();
        let piece = piece.unwrap_or_default();
        received_bytes = received_bytes.saturating_add(piece.len() as u64);
        if received_bytes > limits.max_upload_bytes {
            return Err(IntakeError::UploadTooLarge { limit_bytes: limits.max_upload_bytes }.into());
        }
        match &mut scan {
            Some(scan) => {
                if let Some(writer) = writer.as_mut() {
                    writer.write(&piece).await?;
                }
                scan.push(&piece)?;
            }
            None => {
                // What it is shows in its first bytes; nothing is written before that is known.
                head.extend_from_slice(&piece);
                if head.len() >= SNIFF_BYTES || is_end {
                    if head.is_empty() {
                        return Err(UploadError::Empty);
                    }
                    let mut chosen = scanner(&head, name, &limits)?;
                    chosen.push(&head)?;
                    let mut started = PackWriter::start(&core.records, core.blobs.clone()).await?;
                    let written = started.write(&head).await;
                    *writer = Some(started);
                    written?;
                    scan = Some(chosen);
                    head = Vec::new();
                }
            }
        }
        if is_end {
            break;
        }
    }
    let (Some(scan), Some(writer)) = (scan, writer.as_mut()) else { return Err(UploadError::Empty) };
    let mut sorter = Sorter::default();
    let shape = match scan {
        Scanner::Single(scanner) => {
            sorter.entry(scanner.finish()?)?;
            sorter.check()?;
            writer.finish().await?
        }
        Scanner::Zip(scanner) => {
            let shape = writer.finish().await?;
            let reader = PackReader::new(core.blobs.clone(), shape);
            intake::zip::finish(scanner, &reader, &mut sorter).await?;
            sorter.check()?;
            shape
        }
    };
    let Sorter { studies, ignored, ignored_count, odd_preambles, .. } = sorter;
    Ok(Upload { started_ms, shape, studies, ignored, ignored_count, odd_preambles })
}
