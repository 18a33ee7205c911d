//! The way of a body: decompressed if it is compressed as a whole, written to a pack, looked at as it passes.

use std::ops::Deref;

use bytes::Bytes;

use super::{Receiver, without_extension};
use crate::domain::prearchive::upload::UploadError;
use crate::domain::prearchive::upload::flow::{Coding, Content, Flow, NAMELESS, State};
use crate::domain::prearchive::upload::rules::Others;
use crate::domain::prearchive::upload::sink::{FileSink, FileSinks};
use crate::imaging::HeaderError;
use crate::intake::kind::SNIFF_BYTES;
use crate::intake::name::ShownName;
use crate::intake::{BodyKind, Decoder, EntryName, SingleScanner, TarScanner, ZipScanner};

impl Receiver {
    pub(super) async fn push(&mut self, flow: &mut Flow, piece: Bytes) -> Result<(), UploadError> {
        match &mut flow.coding {
            Coding::Undecided(head) => match enough_to_sniff(head, piece) {
                Some(head) => self.decide_coding(flow, head).await,
                None => Ok(()),
            },
            Coding::Plain => self.write(&mut flow.content, Piece::Owned(piece)).await,
            Coding::Compressed(decoder) => {
                let mut input: &[u8] = &piece;
                loop {
                    let output = decoder.step(&mut input).map_err(|error| self.as_whole(error))?;
                    if output.is_empty() {
                        return Ok(());
                    }
                    self.write(&mut flow.content, Piece::Lent(output)).await?;
                }
            }
        }
    }

    /// Decides how the body is compressed by its first bytes, and takes them.
    pub(super) async fn decide_coding(&mut self, flow: &mut Flow, head: Bytes) -> Result<(), UploadError> {
        let kind = BodyKind::of(&head);
        flow.coding = Coding::Plain;
        if let Some(compression) = kind.compression() {
            self.refuse_archive(&flow.content.name)?;
            let decoder = Decoder::new(compression, &flow.content.limits).behind(self.spent.streams);
            flow.coding = Coding::Compressed(Box::new(decoder));
            flow.content.is_compressed = true;
            flow.content.adopted = None;
            flow.content.name = without_extension(&flow.content.name).to_owned();
        }
        Box::pin(self.push(flow, head)).await
    }

    pub(super) fn no_image(&self, name: &str) -> UploadError {
        match self.sorter.rules().others {
            Others::LeftOut => UploadError::Unsupported { kind: "neither an archive nor a DICOM file" },
            Others::Refused => {
                let reason = HeaderError::NotDicom.to_string();
                UploadError::NotAnImage { name: ShownName::new(name), reason }
            }
        }
    }

    /// A handler that takes one image takes no archive.
    pub(super) fn refuse_archive(&self, name: &str) -> Result<(), UploadError> {
        if !self.sorter.rules().is_one_image {
            return Ok(());
        }
        let reason = "it is an archive; use import-handler=DICOM-zip or SI for archives".to_owned();
        Err(UploadError::NotAnImage { name: ShownName::new(name), reason })
    }

    /// Takes decompressed bytes.
    pub(super) async fn write(&mut self, content: &mut Content, piece: Piece<'_>) -> Result<(), UploadError> {
        if let State::Undecided(head) = &mut content.state {
            let piece = match piece {
                Piece::Owned(bytes) => bytes,
                Piece::Lent(bytes) => Bytes::copy_from_slice(bytes),
            };
            return match enough_to_sniff(head, piece) {
                Some(head) => self.decide(content, head).await,
                None => Ok(()),
            };
        }
        content.bytes = content.bytes.saturating_add(piece.len() as u64);
        // Looked at first: the writer can take over only what nobody else holds.
        content.state.push(&piece).map_err(|error| self.as_whole(error))?;
        match (&mut self.writer, piece) {
            (Some(writer), Piece::Owned(bytes)) => Ok(writer.take(bytes).await?),
            (Some(writer), Piece::Lent(bytes)) => Ok(writer.write(bytes).await?),
            (None, _) => Ok(()),
        }
    }

    /// What it is shows in its first bytes; nothing is written before that is known.
    pub(super) async fn decide(&mut self, content: &mut Content, head: Bytes) -> Result<(), UploadError> {
        let limits = content.limits;
        let kind = BodyKind::of(&head);
        if kind.is_archive() {
            self.refuse_archive(&content.name)?;
        }
        content.state = match kind {
            BodyKind::Zip | BodyKind::EmptyZip => State::Zip(Box::new(ZipScanner::new(limits, FileSinks(limits)))),
            BodyKind::Tar => State::Tar(Box::new(TarScanner::new(limits, FileSinks(limits)))),
            BodyKind::Empty => return Err(UploadError::Empty),
            // An archive's file may be anything. A whole body that is nothing we know is not worth storing.
            BodyKind::Text | BodyKind::Unknown if content.depth == 0 && !self.leaves_out() => {
                return Err(self.no_image(&content.name));
            }
            _ => {
                let name = EntryName::parse(&content.name, &limits).or_else(|_| EntryName::parse(NAMELESS, &limits));
                let name = name.map_err(|_| UploadError::Unsupported { kind: "a file whose name cannot be used" })?;
                State::Single(Box::new(SingleScanner::new(limits, name, FileSink::new(&limits))))
            }
        };
        if content.adopted.is_none() {
            self.writer = Some(self.core.start_pack().await?);
        }
        Box::pin(self.write(content, Piece::Owned(head))).await
    }
}

/// Bytes on their way.
pub(super) enum Piece<'a> {
    /// They may be kept.
    Owned(Bytes),
    /// They are gone after this step.
    Lent(&'a [u8]),
}

impl Deref for Piece<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Owned(bytes) => bytes,
            Self::Lent(bytes) => bytes,
        }
    }
}

/// Gathers the first bytes until they show what they are the first of. A piece that is long enough is not copied.
fn enough_to_sniff(head: &mut Vec<u8>, piece: Bytes) -> Option<Bytes> {
    if head.is_empty() && piece.len() >= SNIFF_BYTES {
        return Some(piece);
    }
    head.extend_from_slice(&piece);
    (head.len() >= SNIFF_BYTES).then(|| std::mem::take(head).into())
}
