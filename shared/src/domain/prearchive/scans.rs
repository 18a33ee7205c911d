//! Deleting one scan of a session.

use std::collections::BTreeSet;

use super::segment::Segment;
use super::session::{HeldSession, RemovedSeries};
use super::status::{Action, Status};
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::domain::manifest::{Manifest, StoredScan};
use crate::storage::{PackId, StoreError, keys, pack};

/// Series that can be deleted of one session, at most: each is kept in the session's record.
const MAX_REMOVED_SERIES: usize = 1_000;

impl Core {
    /// Deletes a scan of a held session: its document no longer has it, and building does not bring it back. Images of
    /// the series that come later make it anew.
    ///
    /// # Errors
    /// [`DomainError::NotFound`] for an unknown scan, [`DomainError::WrongState`], [`DomainError::Invalid`] if too many
    /// were deleted, or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn delete_scan(&self, held: &mut HeldSession, scan: &str) -> Result<(), DomainError> {
        held.session.allow(Action::Edit)?;
        if held.session.status == Status::Receiving && held.session.manifest.is_some() {
            self.build(held).await?;
        }
        let missing = || DomainError::not_found("scan", scan);
        let manifest = self.manifest(held.session.manifest.as_ref().ok_or_else(missing)?).await?;
        let (gone, left): (Vec<StoredScan>, Vec<StoredScan>) =
            self.scans(&manifest).await?.into_iter().partition(|stored| stored.scan.id == scan);
        let Some(gone) = gone.into_iter().next() else { return Err(missing()) };
        if held.session.removed_series.len() >= MAX_REMOVED_SERIES {
            return Err(DomainError::Invalid {
                what: format!("More than {MAX_REMOVED_SERIES} scans of this session were deleted; delete the session."),
            });
        }
        let upto_segment = held.session.folded_segments;
        held.session.removed_series.retain(|removed| removed.series_uid != gone.scan.uid);
        held.session.removed_series.push(RemovedSeries { series_uid: gone.scan.uid.clone(), upto_segment });
        let derived = self.derive_manifest(&manifest, left).await?;
        let now_ms = self.clock.now_ms();
        held.session.note(now_ms, format!("The scan {scan} was deleted."));
        held.session.lastmod_ms = now_ms;
        held.session.manifest = Some(derived.id);
        self.store_session(held).await?;
        self.remove_manifest(&manifest.id, false).await?;
        Ok(())
    }

    /// Releases the packs of a session in which no file of it lies any more. Takes what the session is large; to be
    /// called after the answer. What is not released here is released with the session.
    ///
    /// It needs no lease: it looks only at what its manifest was built from, and no later document refers to a pack
    /// again that this one has given up.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn release_unused_packs(&self, id: &str) -> Result<(), DomainError> {
        let Some(session) = self.session(id).await? else { return Ok(()) };
        let Some(manifest) = &session.manifest else { return Ok(()) };
        let mut packs = BTreeSet::new();
        for number in (1..=session.folded_segments).filter(|number| session.has_folded(*number)) {
            packs.extend(self.segment(id, number).await?.iter().flat_map(Segment::packs));
        }
        let Some(used) = self.packs_in_use(manifest).await? else { return Ok(()) };
        for pack in packs.difference(&used) {
            pack::release(&self.records, &self.blobs, *pack, id).await?;
        }
        Ok(())
    }

    /// The packs in which the files of a manifest's scans lie; `None` if the manifest is gone.
    pub(super) async fn packs_in_use(&self, manifest: &str) -> Result<Option<BTreeSet<PackId>>, StoreError> {
        let mut used = BTreeSet::new();
        let Some(manifest) = self.records.get::<Manifest>(&keys::manifest(manifest)).await? else { return Ok(None) };
        for stored in self.scans(&manifest).await? {
            for resource in &stored.resources {
                let mut page = 0;
                while let Some(files) = self.files_on_page(&manifest, resource, page).await? {
                    used.extend(files.iter().map(|file| file.pack));
                    page += 1;
                }
            }
        }
        Ok(Some(used))
    }
}
