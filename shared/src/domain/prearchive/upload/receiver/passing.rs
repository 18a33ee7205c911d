//! The way of a body: decompressed if it is compressed as a whole, written to a pack, looked at as it passes.

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
    pub(super) async fn push(&mut self, flow: &mut Flow, piece: &[u8]) -> Result<(), UploadError> {
        match &mut flow.coding {
            Coding::Undecided(head) => {
                head.extend_from_slice(piece);
                if head.len() >= SNIFF_BYTES { self.decide_coding(flow).await } else { Ok(()) }
            }
            Coding::Plain => self.write(&mut flow.content, piece).await,
            Coding::Compressed(decoder) => {
                let mut input = piece;
                loop {
                    let output = decoder.step(&mut input).map_err(|error| self.as_whole(error))?;
                    if output.is_empty() {
                        return Ok(());
                    }
                    self.write(&mut flow.content, output).await?;
                }
            }
        }
    }

    pub(super) async fn decide_coding(&mut self, flow: &mut Flow) -> Result<(), UploadError> {
        let Coding::Undecided(head) = std::mem::replace(&mut flow.coding, Coding::Plain) else { return Ok(()) };
        let kind = BodyKind::of(&head);
        if let Some(compression) = kind.compression() {
            self.refuse_archive(&flow.content.name)?;
            let decoder = Decoder::new(compression, &flow.content.limits).behind(self.spent.streams);
            flow.coding = Coding::Compressed(Box::new(decoder));
            flow.content.is_compressed = true;
            flow.content.adopted = None;
            flow.content.name = without_extension(&flow.content.name).to_owned();
        }
        Box::pin(self.push(flow, &head)).await
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
    pub(super) async fn write(&mut self, content: &mut Content, bytes: &[u8]) -> Result<(), UploadError> {
        content.bytes = content.bytes.saturating_add(bytes.len() as u64);
        match &mut content.state {
            State::Undecided(head) => {
                head.extend_from_slice(bytes);
                if head.len() >= SNIFF_BYTES { self.decide(content).await } else { Ok(()) }
            }
            state => {
                if let Some(writer) = &mut self.writer {
                    writer.write(bytes).await?;
                }
                state.push(bytes).map_err(|error| self.as_whole(error))
            }
        }
    }

    /// What it is shows in its first bytes; nothing is written before that is known.
    pub(super) async fn decide(&mut self, content: &mut Content) -> Result<(), UploadError> {
        let State::Undecided(head) = &mut content.state else { return Ok(()) };
        let head = std::mem::take(head);
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
        content.bytes = content.bytes.saturating_sub(head.len() as u64);
        Box::pin(self.write(content, &head)).await
    }
}
