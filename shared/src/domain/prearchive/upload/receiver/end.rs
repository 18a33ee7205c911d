//! The end of a body, and of the whole upload.

use std::collections::BTreeSet;

use super::{Receiver, Waiting};
use crate::domain::prearchive::upload::flow::{Coding, Flow, State};
use crate::domain::prearchive::upload::{Upload, UploadError};
use crate::intake::{self, EntryVisitor, IntakeError, Summary};
use crate::storage::pack::{self, PackReader, PackShape};

impl Receiver {
    /// The body has ended: its pack is complete, and what it holds is sorted.
    pub(super) async fn end(&mut self, mut flow: Flow) -> Result<(), UploadError> {
        if let Coding::Undecided(head) = &mut flow.coding {
            if head.is_empty() {
                return self.empty(&flow.content.name);
            }
            let head = std::mem::take(head).into();
            self.decide_coding(&mut flow, head).await?;
        }
        if let Coding::Compressed(decoder) = flow.coding {
            self.spent.streams = decoder.spent_streams();
            decoder.finish().map_err(|error| self.as_whole(error))?;
        }
        let mut content = flow.content;
        if let State::Undecided(head) = &mut content.state {
            let head = std::mem::take(head).into();
            self.decide(&mut content, head).await?;
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
        self.sorter.enter(shape.id, &content.prefix, opens_archives, 0);
        let summary = match content.state {
            State::Zip(scanner) => {
                let reader = PackReader::new(self.core.blobs.clone(), shape);
                intake::zip::finish(*scanner, &reader, &mut self.sorter).await.map_err(|error| self.retold(error))?
            }
            State::Tar(scanner) => scanner.finish(&mut self.sorter).map_err(|error| self.retold(error))?,
            State::Single(scanner) => {
                self.sorter.is_nameless = content.is_nameless;
                self.sorter.entry(scanner.finish()?)?;
                self.sorter.is_nameless = false;
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

    pub(super) fn retold(&self, error: UploadError) -> UploadError {
        match error {
            UploadError::Intake(error) => self.as_whole(error),
            other => other,
        }
    }

    /// An error of one archive, with the limits of the whole upload.
    pub(super) fn as_whole(&self, error: IntakeError) -> UploadError {
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

    pub(super) async fn finish(&mut self) -> Result<Upload, UploadError> {
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
            cut_off: self.sorter.cut_off,
            verdicts: std::mem::take(&mut self.sorter.verdicts),
        })
    }

    /// All has come, or it went wrong: what it was, or why it is refused. Packs in which no image lies (those of archives
    /// inside archives, or all if it is refused) are removed.
    ///
    /// # Errors
    /// What went wrong, or [`UploadError::NothingParsable`] if there is no image in it.
    pub async fn settle<E: From<UploadError>>(mut self, taken: Result<(), E>) -> Result<Upload, E> {
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

    pub(super) async fn abandon(mut self) {
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

    pub(super) async fn remove_packs(&mut self) {
        let packs = std::mem::take(&mut self.packs);
        pack::remove_unwanted(&self.core.blobs, packs.into_iter().filter(|shape| Some(shape.id) != self.lent)).await;
    }
}
