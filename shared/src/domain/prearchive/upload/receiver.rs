//! The way of each body: decompressed if it is compressed as a whole, written to a pack, looked at as it passes, and
//! what it holds of archives opened in their turn.

use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;

use bytes::Bytes;

use super::flow::{Coding, Content, Flow, State};
use super::rules::{Others, UploadRules};
use super::sink::{FileSink, FileSinks};
use super::sorter::{Nested, Sorter};
use super::spent::Spent;
use super::{Upload, UploadError};
use crate::domain::Core;
use crate::imaging::HeaderError;
use crate::intake::kind::SNIFF_BYTES;
use crate::intake::name::ShownName;
use crate::intake::{
    self, BodyKind, Decoder, EntryName, EntryVisitor, ExtentReader, IntakeError, PackReadError, SingleScanner, Summary,
    TarScanner, ZipScanner,
};
use crate::storage::pack::{self, PackReader, PackShape, PackWriter};
use crate::storage::{PackId, Store};

/// Bytes of a pack that are looked at at once.
const READ_BYTES: usize = 256 * 1024;

/// The name of a file that came without one, where it needs any.
const NAMELESS: &str = "upload.dcm";

/// Takes the bodies of one upload in.
pub struct Receiver<S: Store> {
    core: Core<S>,
    started_ms: u64,
    sorter: Sorter,
    /// Packs of which all bytes have come.
    packs: Vec<PackShape>,
    /// Writers of those of them whose last bytes are on their way to the store.
    flushing: Vec<PackWriter<S>>,
    /// The one of them that somebody else looks after.
    lent: Option<PackId>,
    /// The pack that is being written.
    writer: Option<PackWriter<S>>,
    /// Archives that wait to be opened.
    waiting: VecDeque<Waiting>,
    spent: Spent,
}

/// An archive inside the upload.
struct Waiting {
    shape: PackShape,
    file: Nested,
    depth: u32,
}

impl<S: Store> Receiver<S> {
    /// Nothing received yet.
    pub fn new(core: &Core<S>, rules: UploadRules) -> Self {
        let sorter = Sorter::new(rules, core.settings.dicom_file_name_template.clone());
        Self {
            core: core.clone(),
            started_ms: core.clock.now_ms(),
            sorter,
            packs: Vec::new(),
            flushing: Vec::new(),
            lent: None,
            writer: None,
            waiting: VecDeque::new(),
            spent: Spent::default(),
        }
    }

    /// Says that the first byte of the upload came earlier.
    pub fn begun_at(&mut self, at_ms: u64) {
        self.started_ms = self.started_ms.min(at_ms);
    }

    /// Takes a body in, and all that it holds. `next` gives its pieces.
    ///
    /// # Errors
    /// Why the whole upload is refused ([`Receiver::settle`] it then), or what `next` gives.
    pub async fn take<E: From<UploadError>>(
        &mut self,
        name: &str,
        mut next: impl AsyncFnMut() -> Result<Option<Bytes>, E>,
    ) -> Result<(), E> {
        let mut flow = self.flow(name, "", 0);
        while let Some(piece) = next().await? {
            self.spent.received_bytes = self.spent.received_bytes.saturating_add(piece.len() as u64);
            let limit_bytes = self.core.settings.limits.max_upload_bytes;
            if self.spent.received_bytes > limit_bytes {
                return Err(UploadError::from(IntakeError::UploadTooLarge { limit_bytes }).into());
            }
            self.push(&mut flow, &piece).await?;
        }
        self.end(flow).await?;
        Ok(self.open_waiting().await?)
    }

    /// Takes in a body that lies in a complete pack already. If it is refused, whoever gave the pack removes it.
    ///
    /// # Errors
    /// As [`Receiver::take`].
    pub async fn borrow(&mut self, name: &str, shape: PackShape) -> Result<(), UploadError> {
        self.lent = Some(shape.id);
        self.adopt(name, shape).await
    }

    /// Takes in a body that lies in a complete pack already, which becomes the upload's.
    ///
    /// # Errors
    /// As [`Receiver::take`].
    pub async fn adopt(&mut self, name: &str, shape: PackShape) -> Result<(), UploadError> {
        let mut flow = self.flow(name, "", 0);
        flow.content.adopted = Some(shape);
        self.packs.push(shape);
        self.spent.received_bytes = self.spent.received_bytes.saturating_add(shape.bytes);
        let reader = PackReader::new(self.core.blobs.clone(), shape);
        let mut offset = 0;
        while offset < shape.bytes {
            let piece = reader.read(offset, READ_BYTES).await?;
            offset = offset.saturating_add(piece.len() as u64);
            self.push(&mut flow, &piece).await?;
        }
        self.end(flow).await?;
        self.open_waiting().await
    }

    /// Opens the archives found inside, and those inside them.
    async fn open_waiting(&mut self) -> Result<(), UploadError> {
        while let Some(Waiting { shape, file, depth }) = self.waiting.pop_front() {
            // What is read back must be there.
            for mut writer in std::mem::take(&mut self.flushing) {
                writer.flush().await?;
            }
            self.spent.archives += 1;
            let pack = Rc::new(PackReader::new(self.core.blobs.clone(), shape));
            let mut bytes = ExtentReader::whole(pack, file.extent, file.crc32).map_err(unreadable)?;
            let mut flow = self.flow(&file.name, &file.name, depth);
            while let Some(piece) = bytes.next().await.map_err(unreadable)? {
                self.push(&mut flow, &piece).await?;
            }
            self.end(flow).await?;
        }
        Ok(())
    }

    fn flow(&self, name: &str, prefix: &str, depth: u32) -> Flow {
        Flow::new(name, prefix, depth, self.spent.left_of(&self.core.settings.limits, depth))
    }

    async fn push(&mut self, flow: &mut Flow, piece: &[u8]) -> Result<(), UploadError> {
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

    async fn decide_coding(&mut self, flow: &mut Flow) -> Result<(), UploadError> {
        let Coding::Undecided(head) = std::mem::replace(&mut flow.coding, Coding::Plain) else { return Ok(()) };
        let kind = BodyKind::of(&head);
        if let Some(compression) = kind.compression() {
            self.refuse_archive(&flow.content.name)?;
            let decoder = Decoder::new(compression, &flow.content.limits);
            flow.coding = Coding::Compressed(Box::new(decoder));
            flow.content.is_compressed = true;
            flow.content.adopted = None;
            flow.content.name = without_extension(&flow.content.name).to_owned();
        }
        Box::pin(self.push(flow, &head)).await
    }

    fn no_image(&self, name: &str) -> UploadError {
        match self.sorter.rules().others {
            Others::LeftOut => UploadError::Unsupported { kind: "neither an archive nor a DICOM file" },
            Others::Refused => {
                let reason = HeaderError::NotDicom.to_string();
                UploadError::NotAnImage { name: ShownName::new(name), reason }
            }
        }
    }

    /// A handler that takes one image takes no archive.
    fn refuse_archive(&self, name: &str) -> Result<(), UploadError> {
        if !self.sorter.rules().is_one_image {
            return Ok(());
        }
        let reason = "it is an archive; use import-handler=DICOM-zip or SI for archives".to_owned();
        Err(UploadError::NotAnImage { name: ShownName::new(name), reason })
    }

    /// Takes decompressed bytes.
    async fn write(&mut self, content: &mut Content, bytes: &[u8]) -> Result<(), UploadError> {
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
    async fn decide(&mut self, content: &mut Content) -> Result<(), UploadError> {
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
            BodyKind::Text | BodyKind::Unknown if content.depth == 0 => return Err(self.no_image(&content.name)),
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

    /// The body has ended: its pack is complete, and what it holds is sorted.
    async fn end(&mut self, mut flow: Flow) -> Result<(), UploadError> {
        if let Coding::Undecided(head) = &flow.coding {
            if head.is_empty() {
                return Err(UploadError::Empty);
            }
            self.decide_coding(&mut flow).await?;
        }
        if let Coding::Compressed(decoder) = flow.coding {
            decoder.finish().map_err(|error| self.as_whole(error))?;
        }
        let mut content = flow.content;
        if let State::Undecided(_) = content.state {
            self.decide(&mut content).await?;
        }
        let shape = match (content.adopted, &mut self.writer) {
            (Some(shape), _) => shape,
            (None, Some(writer)) => {
                let shape = writer.close().await?;
                self.packs.push(shape);
                // What is read back must be there; of anything else nobody needs to know yet.
                if let State::Single(_) = content.state {
                    self.flushing.extend(self.writer.take());
                } else {
                    writer.flush().await?;
                    self.writer = None;
                }
                shape
            }
            (None, None) => return Err(UploadError::Empty),
        };
        let opens_archives = content.depth < self.core.settings.limits.max_nesting && !self.sorter.rules().is_one_image;
        self.sorter.enter(shape.id, &content.prefix, opens_archives);
        let summary = match content.state {
            State::Zip(scanner) => {
                let reader = PackReader::new(self.core.blobs.clone(), shape);
                intake::zip::finish(*scanner, &reader, &mut self.sorter).await.map_err(|error| self.retold(error))?
            }
            State::Tar(scanner) => scanner.finish(&mut self.sorter).map_err(|error| self.retold(error))?,
            State::Single(scanner) => {
                self.sorter.entry(scanner.finish()?)?;
                Summary { files: 1, bytes: content.bytes, ..Summary::default() }
            }
            State::Undecided(_) => return Err(UploadError::Empty),
        };
        self.spent.entries = self.spent.entries.saturating_add(summary.files).saturating_add(summary.folders);
        // What was decompressed to get at the archive counts as well.
        let decompressed = if content.is_compressed { content.bytes } else { 0 };
        self.spent.inflated_bytes =
            self.spent.inflated_bytes.saturating_add(summary.bytes).saturating_add(decompressed);
        let depth = content.depth + 1;
        let found = std::mem::take(&mut self.sorter.nested);
        // Opening one costs far more than naming it, so none is opened when they are too many.
        let archives = self.waiting.len().saturating_add(found.len()) as u64;
        let limit = self.core.settings.limits.max_archives;
        if self.spent.archives.saturating_add(archives) > limit {
            return Err(IntakeError::TooManyArchives { limit }.into());
        }
        self.waiting.extend(found.into_iter().map(|file| Waiting { shape, file, depth }));
        Ok(())
    }

    fn retold(&self, error: UploadError) -> UploadError {
        match error {
            UploadError::Intake(error) => self.as_whole(error),
            other => other,
        }
    }

    /// An error of one archive, with the limits of the whole upload.
    fn as_whole(&self, error: IntakeError) -> UploadError {
        let limits = self.core.settings.limits;
        let error = match error {
            IntakeError::TooManyEntries { .. } => IntakeError::TooManyEntries { limit: limits.max_entries },
            IntakeError::InflatedTooLarge { limit_bytes } if limit_bytes < limits.max_inflated_bytes => {
                IntakeError::TotalRatio { limit: limits.max_ratio }
            }
            other => other,
        };
        error.into()
    }

    async fn finish(&mut self) -> Result<Upload<S>, UploadError> {
        self.sorter.check()?;
        let runs = self.sorter.studies.iter().flat_map(|study| &study.runs);
        let used: BTreeSet<_> = runs.map(|run| run.pack).collect();
        if self.packs.iter().any(|shape| !used.contains(&shape.id)) {
            // What is on its way to one of these must not arrive behind its removal.
            for writer in &mut self.flushing {
                writer.flush().await?;
            }
        }
        let (packs, unused) = std::mem::take(&mut self.packs).into_iter().partition(|shape| used.contains(&shape.id));
        self.packs = unused;
        Ok(Upload {
            started_ms: self.started_ms,
            lent: self.lent.filter(|lent| packs.iter().any(|shape: &PackShape| shape.id == *lent)),
            packs,
            flushing: std::mem::take(&mut self.flushing),
            studies: std::mem::take(&mut self.sorter.studies),
            ignored_count: self.sorter.ignored_count,
            odd_preambles: self.sorter.odd_preambles,
            verdicts: std::mem::take(&mut self.sorter.verdicts),
        })
    }

    /// All has come, or it went wrong: what it was, or why it is refused. Packs in which no image lies (those of archives
    /// inside archives, or all if it is refused) are removed.
    ///
    /// # Errors
    /// What went wrong, or [`UploadError::NothingParsable`] if there is no image in it.
    pub async fn settle<E: From<UploadError>>(mut self, taken: Result<(), E>) -> Result<Upload<S>, E> {
        let finished = match taken {
            Ok(()) => self.finish().await.map_err(E::from),
            Err(error) => Err(error),
        };
        match finished {
            Ok(upload) => {
                self.remove_packs().await;
                Ok(upload)
            }
            Err(error) => {
                self.abandon().await;
                Err(error)
            }
        }
    }

    async fn abandon(mut self) {
        if let Some(writer) = self.writer.take() {
            // If this fails the sweep does it later; why the upload is refused is what there is to tell.
            let _ = writer.abandon().await;
        }
        for mut writer in std::mem::take(&mut self.flushing) {
            // What is on its way must not arrive behind its removal.
            let _ = writer.flush().await;
        }
        self.remove_packs().await;
    }

    async fn remove_packs(&mut self) {
        let packs = std::mem::take(&mut self.packs);
        pack::remove_unwanted(&self.core.blobs, packs.into_iter().filter(|shape| Some(shape.id) != self.lent)).await;
    }
}

/// `image.dcm.gz` holds `image.dcm`.
pub(in crate::domain::prearchive) fn without_extension(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((stem, extension))
            if !stem.is_empty() && ["gz", "bz2", "xz"].iter().any(|known| extension.eq_ignore_ascii_case(known)) =>
        {
            stem
        }
        _ => name,
    }
}

fn unreadable(error: intake::ExtentError) -> UploadError {
    IntakeError::Pack(PackReadError::Store { offset: 0, source: Box::new(error) }).into()
}
