//! Forms: every part with a file name is a file.

use bytes::Bytes;

use super::incoming::{Incoming, demand_size, stored_at};
use super::{FilesError, ReceivedFile, file_name};
use crate::domain::Core;
use crate::domain::prearchive::upload::{Arriving, Body};
use crate::intake::form::{FormReader, Part};
use crate::intake::kind::SNIFF_BYTES;
use crate::intake::{BodyKind, EntryName};
use crate::storage::pack::{CHUNK_BYTES, PackShape, PackWriter};

/// Files in one form, at most: all of them are received before the first is kept.
pub const MAX_FORM_FILES: usize = 1_000;

/// Bytes of all fields of a form that are no files, at most.
const MAX_FIELD_BYTES: usize = 64 * 1024;

/// Files of no more bytes share a pack: a larger one fills chunks of its own, so that it costs little to keep it apart,
/// and its bytes are given back with it alone.
const SMALL_BYTES: usize = CHUNK_BYTES;

/// A form that has been received.
#[derive(Debug, Default)]
pub struct ReceivedForm {
    /// The fields that are no files, with their values.
    pub fields: Vec<(String, String)>,
    /// The files, named as the form names them.
    pub files: Vec<ReceivedFile>,
}

/// Receives a `multipart/form-data` body: every part with a file name is a file, under the last part of that name.
///
/// # Errors
/// [`FilesError`], also for a form without files; what was written is removed again then.
pub async fn receive_form<B: Body>(
    core: &Core,
    arriving: Arriving<B>,
    boundary: &str,
) -> Result<ReceivedForm, FilesError> {
    let form = receive_fields_and_files(core, arriving, boundary).await?;
    if form.files.is_empty() { Err(FilesError::NoFile) } else { Ok(form) }
}

/// As [`receive_form`], also of a form that has no files.
///
/// # Errors
/// [`FilesError`]; what was written is removed again then.
pub async fn receive_fields_and_files<B: Body>(
    core: &Core,
    arriving: Arriving<B>,
    boundary: &str,
) -> Result<ReceivedForm, FilesError> {
    let mut receiving = Receiving {
        core,
        arriving,
        form: FormReader::new(boundary),
        received: ReceivedForm::default(),
        small: Vec::new(),
        shared: None,
        started_ms: core.clock.now_ms(),
    };
    match receiving.run().await {
        Ok(()) => Ok(receiving.received),
        Err(error) => {
            if let Some(writer) = receiving.shared.take() {
                // If this fails the sweep does it later; why the form is refused is what there is to tell.
                let _ = writer.abandon().await;
            }
            core.abandon_files(receiving.received.files).await;
            Err(error)
        }
    }
}

/// A form that is being received.
struct Receiving<'a, B> {
    core: &'a Core,
    arriving: Arriving<B>,
    form: FormReader,
    received: ReceivedForm,
    /// Which of the files lie in the shared pack.
    small: Vec<usize>,
    /// The pack that small files share.
    shared: Option<PackWriter>,
    started_ms: u64,
}

impl<B: Body> Receiving<'_, B> {
    async fn part(&mut self) -> Result<Option<Part>, FilesError> {
        let arriving = &mut self.arriving;
        self.form.part(async || -> Result<_, FilesError> { Ok(arriving.next().await?) }).await
    }

    async fn piece(&mut self, part: &mut Part) -> Result<Option<Bytes>, FilesError> {
        let arriving = &mut self.arriving;
        self.form.piece(part, async || -> Result<_, FilesError> { Ok(arriving.next().await?) }).await
    }

    async fn run(&mut self) -> Result<(), FilesError> {
        let mut field_bytes = 0_usize;
        while let Some(mut part) = self.part().await? {
            let Some(sent) = part.file_name().map(str::to_owned) else {
                self.field(&mut part, &mut field_bytes).await?;
                continue;
            };
            if sent.is_empty() {
                // What browsers send for a field without a chosen file.
                while self.piece(&mut part).await?.is_some() {}
                continue;
            }
            if self.received.files.len() >= MAX_FORM_FILES {
                return Err(FilesError::TooManyFiles { limit: MAX_FORM_FILES });
            }
            let name = file_name(sent.rsplit(['/', '\\']).next().unwrap_or_default(), &self.core.settings.limits)?;
            self.file(&mut part, name).await?;
        }
        if let Some(writer) = &mut self.shared {
            let shape = writer.finish().await?;
            self.shared = None;
            for place in std::mem::take(&mut self.small) {
                self.received.files.get_mut(place).into_iter().for_each(|file| file.shape = shape);
            }
        }
        Ok(())
    }

    async fn field(&mut self, part: &mut Part, field_bytes: &mut usize) -> Result<(), FilesError> {
        let mut value = Vec::new();
        let name = part.name().unwrap_or_default().to_owned();
        *field_bytes = field_bytes.saturating_add(name.len());
        while let Some(piece) = self.piece(part).await? {
            *field_bytes = field_bytes.saturating_add(piece.len());
            if *field_bytes > MAX_FIELD_BYTES {
                return Err(FilesError::FieldsTooLarge { limit_bytes: MAX_FIELD_BYTES });
            }
            value.extend_from_slice(&piece);
        }
        self.received.fields.push((name, String::from_utf8_lossy(&value).into_owned()));
        Ok(())
    }

    /// Receives a file: where it goes is decided when it has ended or has grown large.
    async fn file(&mut self, part: &mut Part, name: EntryName) -> Result<(), FilesError> {
        let limit_bytes = self.core.settings.limits.max_entry_bytes;
        let mut head: Vec<u8> = Vec::new();
        let mut is_small = true;
        while is_small && let Some(piece) = self.piece(part).await? {
            demand_size(&name, head.len().saturating_add(piece.len()) as u64, limit_bytes)?;
            head.extend_from_slice(&piece);
            is_small = head.len() <= SMALL_BYTES;
        }
        let kind = BodyKind::of(head.get(..SNIFF_BYTES).unwrap_or(&head));
        // What an archive holds is found by its place from the pack's start on.
        if is_small && !kind.is_archive() && kind.compression().is_none() {
            return self.share(name, &head).await;
        }
        let mut incoming = Incoming::start(self.core, limit_bytes).await?;
        let outcome = async {
            incoming.push(&name, &head).await?;
            drop(head);
            while let Some(piece) = self.piece(part).await? {
                incoming.push(&name, &piece).await?;
            }
            incoming.finish(name).await
        }
        .await;
        match outcome {
            Ok(file) => self.received.files.push(file),
            Err(error) => {
                incoming.abandon().await;
                return Err(error);
            }
        }
        Ok(())
    }

    async fn share(&mut self, name: EntryName, bytes: &[u8]) -> Result<(), FilesError> {
        let writer = match &mut self.shared {
            Some(writer) => writer,
            place => place.insert(self.core.start_pack().await?),
        };
        let extent = stored_at(writer.bytes(), bytes.len() as u64);
        writer.write(bytes).await?;
        let id = writer.id().await?;
        let ordinal = u32::try_from(self.small.len()).unwrap_or(u32::MAX);
        self.small.push(self.received.files.len());
        self.received.files.push(ReceivedFile {
            name,
            // Its length is known when all have come.
            shape: PackShape { id, bytes: 0, chunk_bytes: CHUNK_BYTES as u32 },
            extent,
            ordinal,
            crc32: crc32fast::hash(bytes),
            started_ms: self.started_ms,
            unpacked: None,
        });
        Ok(())
    }
}
