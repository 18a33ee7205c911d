//! Removing a session with everything that is only its own.

use std::collections::BTreeSet;

use super::session::HeldSession;
use super::status::{Action, Status};
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::storage::{PackId, Store, StoreError, keys, pack};

impl<S: Store> Core<S> {
    /// Deletes a held session: its row, its document, its files. What a crash leaves is done by the next deletion.
    ///
    /// # Errors
    /// [`DomainError::WrongState`] if the state forbids it, or the store's failure.
    pub async fn delete_session(&self, mut held: HeldSession) -> Result<(), DomainError> {
        held.session.allow(Action::Delete)?;
        held.session.status = Status::Deleting;
        self.store_session(&mut held).await?;
        for pack in self.packs_of(&held).await? {
            pack::release(&self.records, &self.blobs, pack, &held.session.id).await?;
        }
        if let Some(manifest) = &held.session.manifest {
            self.remove_manifest(manifest, true).await?;
        }
        self.leave_prearchive(held).await
    }

    /// The packs of a session: every file came with a segment.
    async fn packs_of(&self, held: &HeldSession) -> Result<BTreeSet<PackId>, StoreError> {
        let mut packs = BTreeSet::new();
        for number in 1..=self.segments_begun(&held.session.id).await? {
            packs.extend(self.segment(&held.session.id, number).await?.map(|segment| segment.pack));
        }
        Ok(packs)
    }

    /// Takes a session out of the prearchive: its segments, its indexes, and last its record.
    pub(crate) async fn leave_prearchive(&self, mut held: HeldSession) -> Result<(), DomainError> {
        let session = &held.session;
        self.remove_segments(&session.id).await?;
        if session.intent.is_some() {
            // Archived: the archive's manifest has the pages of files now.
            if let Some(manifest) = &session.manifest {
                self.remove_manifest(manifest, false).await?;
            }
        }
        let (roster, _) = self.prearchive_roster(&session.place.project);
        let touch = roster.touch(&session.id, Some(session.row)).await?;
        if !self.leases.keep(&mut held.lease).await? {
            return Err(DomainError::Busy { what: "this prearchive entry".to_owned() });
        }
        let session = &held.session;
        self.records.delete(&keys::session_study(&session.place.project, &session.tag, &session.name)).await?;
        self.free_place(&session.place).await?;
        self.records.delete(&keys::session(&session.id)).await?;
        roster.settled(&session.id, touch).await?;
        self.leases.retire(held.lease).await?;
        Ok(())
    }
}
