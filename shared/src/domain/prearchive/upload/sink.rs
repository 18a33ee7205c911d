//! What looks at each file of an upload as its bytes pass: its first bytes say what it is.

use crate::imaging::{DicomHeader, HeaderError, HeaderLimits, ImageReader, Progress};
use crate::intake::kind::SNIFF_BYTES;
use crate::intake::{BodyKind, EntryName, EntrySink, SinkFactory};
use crate::limits::Limits;

/// What a file turned out to be.
pub enum FileFound {
    /// An image, or nothing that can be read.
    Image(Result<Box<DicomHeader>, HeaderError>),
    /// An archive or a compressed file.
    Archive,
}

enum State {
    Deciding(Vec<u8>),
    Image(Box<ImageReader>, bool),
    Archive,
}

/// Looks at one file.
pub struct FileSink {
    limits: HeaderLimits,
    state: State,
}

impl FileSink {
    pub(super) fn new(limits: &Limits) -> Self {
        let limits = HeaderLimits {
            max_header_bytes: limits.max_header_bytes,
            max_value_bytes: limits.max_value_bytes,
            max_depth: limits.max_depth,
        };
        Self { limits, state: State::Deciding(Vec::new()) }
    }

    fn decide(&mut self) {
        let State::Deciding(head) = &mut self.state else { return };
        let head = std::mem::take(head);
        if BodyKind::of(&head).is_archive() {
            self.state = State::Archive;
            return;
        }
        let mut reader = ImageReader::new(self.limits);
        let is_done = reader.push(&head) == Progress::Done;
        self.state = State::Image(Box::new(reader), is_done);
    }
}

impl EntrySink for FileSink {
    type Output = FileFound;

    fn push(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        if let State::Deciding(head) = &mut self.state {
            let (now, later) = bytes.split_at(SNIFF_BYTES.saturating_sub(head.len()).min(bytes.len()));
            head.extend_from_slice(now);
            rest = later;
            if head.len() >= SNIFF_BYTES {
                self.decide();
            }
        }
        if let State::Image(reader, is_done) = &mut self.state
            && !*is_done
            && !rest.is_empty()
        {
            *is_done = reader.push(rest) == Progress::Done;
        }
    }

    fn wants_more(&self) -> bool {
        match &self.state {
            State::Deciding(_) => true,
            State::Image(_, is_done) => !is_done,
            State::Archive => false,
        }
    }

    fn finish(mut self) -> FileFound {
        self.decide();
        match self.state {
            State::Image(reader, _) => FileFound::Image(reader.finish().map(Box::new)),
            State::Archive => FileFound::Archive,
            // Deciding always leads on to one of the others.
            State::Deciding(_) => FileFound::Image(Err(HeaderError::NotDicom)),
        }
    }
}

/// Makes a sink for each file of an archive.
pub struct FileSinks(pub(in crate::domain) Limits);

impl SinkFactory for FileSinks {
    type Sink = FileSink;

    fn open(&mut self, _: &EntryName) -> FileSink {
        FileSink::new(&self.0)
    }
}
