//! Taking the bodies of one upload in, and opening what they hold of archives in their turn.

mod adopt;
mod end;
mod passing;

use std::collections::VecDeque;
use std::rc::Rc;

use bytes::Bytes;

use super::UploadError;
use super::flow::Flow;
use super::rules::{Others, UploadRules};
use super::sorter::{Nested, Sorter};
use super::spent::Spent;
use crate::domain::Core;
use crate::imaging::HeaderError;
use crate::intake::{self, ExtentReader, IntakeError, PackReadError};
use crate::storage::PackId;
use crate::storage::pack::{PackReader, PackShape, PackWriter};

/// Takes the bodies of one upload in.
pub struct Receiver {
    core: Core,
    started_ms: u64,
    sorter: Sorter,
    /// Packs of which all bytes have come.
    packs: Vec<PackShape>,
    /// Writers of those of them whose last bytes are on their way to the store.
    flushing: Vec<PackWriter>,
    /// The one of them that somebody else looks after.
    lent: Option<PackId>,
    /// The pack that is being written.
    writer: Option<PackWriter>,
    /// Archives that wait to be opened.
    waiting: VecDeque<Waiting>,
    /// Whether the body that comes is one of several.
    is_one_of_several: bool,
    /// The pack of which files were looked at last that share one.
    shared: Option<adopt::Shared>,
    spent: Spent,
}

/// An archive inside the upload.
struct Waiting {
    shape: PackShape,
    file: Nested,
    depth: u32,
}

impl Receiver {
    /// Nothing received yet.
    pub fn new(core: &Core, rules: UploadRules) -> Self {
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
            is_one_of_several: false,
            shared: None,
            spent: Spent::default(),
        }
    }

    /// Says that the first byte of the upload came earlier.
    pub fn begun_at(&mut self, at_ms: u64) {
        self.started_ms = self.started_ms.min(at_ms);
    }

    /// Says how many bodies will come: among several, one that is no image is treated as a file of an archive is.
    pub fn expect(&mut self, bodies: usize) {
        self.is_one_of_several = bodies > 1;
    }

    /// Whether a body that is no image is left out, and does not refuse the upload.
    fn leaves_out(&self) -> bool {
        self.is_one_of_several && self.sorter.rules().others == Others::LeftOut
    }

    /// A body has no byte.
    fn empty(&mut self, name: &str) -> Result<(), UploadError> {
        if !self.leaves_out() {
            return Err(UploadError::Empty);
        }
        self.sorter.leave_out(name, HeaderError::NotDicom.code(), "it is empty")
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
            self.push(&mut flow, piece).await?;
        }
        self.end(flow).await?;
        Ok(self.open_waiting().await?)
    }

    /// Opens the archives found inside, and those inside them.
    async fn open_waiting(&mut self) -> Result<(), UploadError> {
        // Those of one pack wait one behind the other, and often lie in one chunk, which is fetched once then.
        let mut last: Option<(PackShape, Rc<PackReader>)> = None;
        while let Some(Waiting { shape, file, depth }) = self.waiting.pop_front() {
            // What is read back must be there.
            for mut writer in std::mem::take(&mut self.flushing) {
                writer.flush().await?;
            }
            self.spent.archives += 1;
            let pack = match last.take() {
                Some((of, reader)) if of == shape => reader,
                _ => Rc::new(PackReader::new(self.core.blobs.clone(), shape)),
            };
            last = Some((shape, pack.clone()));
            let mut bytes = ExtentReader::whole(pack, file.extent, file.crc32).map_err(unreadable)?;
            let mut flow = self.flow(&file.name, &file.name, depth);
            while let Some(piece) = bytes.next().await.map_err(unreadable)? {
                self.push(&mut flow, piece).await?;
            }
            self.end(flow).await?;
        }
        Ok(())
    }

    fn flow(&self, name: &str, prefix: &str, depth: u32) -> Flow {
        Flow::new(name, prefix, depth, self.spent.left_of(&self.core.settings.limits, depth))
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
