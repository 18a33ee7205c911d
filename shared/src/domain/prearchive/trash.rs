//! The trash: sessions that are gone from the prearchive and whose remains are still to be removed.
//!
//! Leaving the prearchive is one commit, the removal of the session's record. What belonged to the session is written
//! down before, so that whoever comes later can remove it; that costs what the session is large, and nobody waits for it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::place::Identity;
use super::segment::Segment;
use super::session::{HeldSession, PrearchiveSession, SessionPlace, SessionRef, lease_name};
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::storage::roster::RowSource;
use crate::storage::{Lease, PackId, Record, Roster, StoreError, keys, pack};

/// A session that has left, or is just leaving.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Trash {
    session: PrearchiveSession,
    /// Whether its files are an experiment's now.
    is_archived: bool,
    /// Its place in the list of what is in the trash.
    place: u64,
    /// Where its going stands in the log of its project's list.
    slot: u64,
}

impl Record for Trash {
    const VERSION: u32 = 1;
}

const ROSTER: &str = "trash";

/// A session of which nothing is left.
struct Emptied {
    /// The project in which it stood.
    project: String,
    /// Where its going stands in the log of that project's list.
    slot: u64,
    /// Where the end of its remains stands in the log of the trash.
    emptied_slot: u64,
}

impl Core {
    fn trash_roster(&self) -> (Roster, impl RowSource<()>) {
        let records = self.records.clone();
        let source = move |id: String, place| {
            let records = records.clone();
            async move {
                let found: Option<Trash> = records.get(&keys::trash(&id)).await?;
                Ok(found.filter(|found| found.place == place).map(drop))
            }
        };
        (self.roster(ROSTER), source)
    }

    /// Takes a held session out of the prearchive. Whoever calls this removes the remains afterwards with
    /// [`Core::empty_trash_of`]; should they not come to it, the sweep does.
    pub(super) async fn throw_away(&self, mut held: HeldSession, is_archived: bool) -> Result<(), DomainError> {
        let busy = || DomainError::Busy { what: "this prearchive entry".to_owned() };
        let (trash, _) = self.trash_roster();
        let id = held.session.id.clone();
        let thrown = trash.touch(&id, None).await?;
        let (sessions, _) = self.prearchive_roster(&held.session.place.project);
        let touch = sessions.touch(&id, Some(held.session.row)).await?;
        if !self.leases.keep(&mut held.lease).await? {
            return Err(busy());
        }
        let record = Trash { session: held.session.clone(), is_archived, place: thrown.place, slot: touch.slot };
        self.records.set(&keys::trash(&id), &record).await?;
        if !self.leases.holds(&held.lease) {
            return Err(busy());
        }
        self.records.delete(&keys::session(&id)).await?;
        sessions.settled(&id, touch).await?;
        self.leases.release(held.lease).await?;
        Ok(())
    }

    /// A session that is gone, as it was then, as long as its remains are there.
    pub(super) async fn as_thrown_away(&self, id: &str) -> Result<Option<PrearchiveSession>, StoreError> {
        let trash: Option<Trash> = self.records.get(&keys::trash(id)).await?;
        Ok(trash.map(|trash| trash.session))
    }

    /// Removes what is left of a session that has gone. Does nothing if it has nothing left.
    ///
    /// # Errors
    /// The store's failure; the sweep goes on then.
    #[crate::boxed(?Send)]
    pub async fn empty_trash_of(&self, id: &str) -> Result<(), DomainError> {
        let Some(mut lease) = self.leases.acquire(&lease_name(id)).await? else { return Ok(()) };
        let trash = match self.remove_remains(id, &mut lease).await {
            Ok(Some(trash)) => trash,
            outcome => {
                self.leases.release(lease).await?;
                return outcome.map(drop);
            }
        };
        self.leases.retire(lease).await?;
        // Lists that many sessions leave at once are folded on the way; see `Roster::is_long_at`.
        if Roster::is_long_at(trash.emptied_slot) {
            let (roster, source) = self.trash_roster();
            roster.fold_if_long(&source).await?;
        }
        if Roster::is_long_at(trash.slot) {
            let (sessions, rows) = self.prearchive_roster(&trash.project);
            sessions.fold_if_long(&rows).await?;
        }
        Ok(())
    }

    /// Removes what is in the trash of a session; gives what the lists are to be folded for. Nothing if there is nothing.
    async fn remove_remains(&self, id: &str, lease: &mut Lease) -> Result<Option<Emptied>, DomainError> {
        let Some(trash) = self.records.get::<Trash>(&keys::trash(id)).await? else { return Ok(None) };
        let session = &trash.session;
        // Whoever threw it away may have died just before the session's record went.
        if self.records.store().get(keys::session(id).as_str()).await?.is_some() {
            let (sessions, _) = self.prearchive_roster(&session.place.project);
            let touch = sessions.touch(id, Some(session.row)).await?;
            self.records.delete(&keys::session(id)).await?;
            sessions.settled(id, touch).await?;
        }
        for place in session.left.iter().chain([&session.place]) {
            self.forget_place(session, place).await?;
        }
        let packs = self.packs_of(session).await?;
        // An archived session's packs are the experiment's now, but for those that nothing in it needs: of images that
        // came twice, or of scans that were deleted. The segments go before the manifest, so that as long as there is a
        // pack to be released the manifest says which.
        let kept = match (trash.is_archived, &session.manifest) {
            (true, Some(manifest)) if !packs.is_empty() => self.packs_in_use(manifest).await?,
            // Without its document nothing tells what the experiment needs, so that all stays.
            (true, _) => None,
            (false, _) => Some(BTreeSet::new()),
        };
        if let Some(kept) = kept {
            for pack in packs.difference(&kept) {
                pack::release(&self.records, &self.blobs, *pack, id).await?;
                self.leases.keep(lease).await?;
            }
        }
        // An experiment that was made of the session has its catalogs and pages of files; one that was there before has
        // its own.
        let keeps_own = trash.is_archived && !session.is_to_be_merged();
        if !keeps_own {
            for resource in &session.resources {
                match trash.is_archived {
                    // The files are listed in the experiment's own catalogs.
                    true => self.drop_catalog(&resource.catalog).await?,
                    false => self.remove_catalog(resource.catalog_of(id)).await?,
                }
                self.leases.keep(lease).await?;
            }
        }
        self.remove_segments(id).await?;
        if let Some(manifest) = &session.manifest {
            self.remove_manifest(manifest, !keeps_own).await?;
        }
        let intended = session.intent.as_ref().and_then(|intent| intent.manifest.as_ref());
        if let Some(manifest) = intended.filter(|_| !trash.is_archived) {
            self.remove_manifest(manifest, false).await?;
        }
        let (roster, _) = self.trash_roster();
        let touch = roster.touch(id, Some(trash.place)).await?;
        self.records.delete(&keys::trash(id)).await?;
        let emptied_slot = touch.slot;
        roster.settled(id, touch).await?;
        Ok(Some(Emptied { project: trash.session.place.project, slot: trash.slot, emptied_slot }))
    }

    /// Removes what is left of all sessions that have gone; gives how many there were.
    ///
    /// # Errors
    /// The store's failure.
    pub(crate) async fn empty_trash(&self) -> Result<u64, DomainError> {
        let (roster, source) = self.trash_roster();
        let mut emptied = 0;
        for listed in roster.list(&source).await? {
            self.empty_trash_of(&listed.member).await?;
            emptied += 1;
        }
        roster.fold_if_long(&source).await?;
        Ok(emptied)
    }

    /// The packs of a session: every image came with a segment.
    async fn packs_of(&self, session: &PrearchiveSession) -> Result<BTreeSet<PackId>, StoreError> {
        let mut packs = BTreeSet::new();
        for number in 1..=self.segments_begun(&session.id).await? {
            packs.extend(self.segment(&session.id, number).await?.iter().flat_map(Segment::packs));
        }
        Ok(packs)
    }

    /// Gives back a place that a session has or had, and forgets that the session receives its study there.
    pub(super) async fn forget_place(
        &self,
        session: &PrearchiveSession,
        place: &SessionPlace,
    ) -> Result<(), DomainError> {
        let id = session.id.as_str();
        let is_ours = |found: Option<SessionRef>| found.is_some_and(|reference| reference.id == id);
        self.with_lease(&place.lease_name(), "this place in the prearchive", async |core| {
            let key = keys::session_place(&place.project, &place.timestamp, &place.folder);
            if is_ours(core.records.get(&key).await?) {
                core.free_place(place).await?;
            }
            Ok(())
        })
        .await?;
        self.forget_study(&session.identity_in(&place.project), id).await
    }

    /// Forgets that a session receives a study under a label, if it is this session.
    pub(super) async fn forget_study(&self, identity: &Identity, id: &str) -> Result<(), DomainError> {
        self.with_lease(&identity.lease_name(), "another upload of the same study", async |core| {
            let key = keys::session_study(&identity.project, &identity.study_uid, &identity.label);
            let found: Option<SessionRef> = core.records.get(&key).await?;
            if found.is_some_and(|reference| reference.id == id) {
                core.records.delete(&key).await?;
            }
            Ok(())
        })
        .await
    }
}
