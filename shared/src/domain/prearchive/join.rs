//! Adding to a session that is being received, while others do the same.
//!
//! Nobody holds the session for it: the files are added by writing a segment, and whoever works on the session notices
//! segments that came meanwhile. What cannot be noticed any more, because the session went to the archive or was
//! deleted just then, is noticed here, by looking at the session again afterwards.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::gathered::Gathered;
use super::import::ImportRequest;
use super::make::NewSession;
use super::notes::ImportNotes;
use super::place::Identity;
use super::segment::Segment;
use super::session::{PrearchiveSession, lease_name};
use super::status::{Action, Status};
use super::target::{Begun, SessionChoice, Target};
use super::upload::StudyRun;
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::domain::ids::random_id;
use crate::storage::pack;
use crate::storage::{Lease, PackId, StoreError, keys};

/// How old the time of a session's last change may be in its record while files arrive, in milliseconds: the record is
/// not written for every file.
const LASTMOD_STEP_MS: u64 = 10_000;

/// How often a session may vanish under an upload before it gives up.
const MAX_TRIES: u32 = 5;

/// What became of a segment that was written without holding the session.
enum Joined {
    /// The session has it.
    Kept(Box<PrearchiveSession>),
    /// The session went away without it.
    Missed,
}

impl Core {
    /// The session to which a study can be added right now.
    pub(super) async fn open_receiver(
        &self,
        identity: &Identity,
        request: &ImportRequest,
    ) -> Result<Option<SessionChoice>, DomainError> {
        let found = self.receiver_of(identity, request).await?;
        let open = found.filter(|session| session.status.allows(Action::Receive));
        Ok(open.map(|session| SessionChoice::Open(Box::new(session))))
    }

    /// Adds a study's files to a session; to another if that one goes away meanwhile.
    pub(super) async fn join(
        &self,
        mut session: PrearchiveSession,
        mut segment: Segment,
        mut runs: Vec<StudyRun>,
        mut target: Target,
        request: &ImportRequest,
        notes: &ImportNotes,
    ) -> Result<PrearchiveSession, DomainError> {
        for _ in 0..MAX_TRIES {
            if request.quarantine && !session.quarantine {
                session = self.ask_for_quarantine(session).await?;
            }
            if let Joined::Kept(joined) = self.append_openly(&session, target.begun.take(), &segment).await? {
                return self.show_arrival(*joined, request, notes).await;
            }
            // The packs are owned under the name of a session that is gone, and may be given back with it at any time.
            let old: Vec<PackId> = runs.iter().map(|run| run.pack).collect();
            let (lease, next) = self.next_receiver(&target.identity, request).await?;
            let id = match &next {
                Some(next) => next.id.clone(),
                None => random_id()?,
            };
            let copied = self.copy_runs(&mut runs, &id, request).await;
            for pack in old {
                // The sweep does it later if this fails.
                let _ = pack::release(&self.records, &self.blobs, pack, &session.id).await;
            }
            let made = match (copied, next) {
                (Ok(copied), Some(next)) => {
                    segment = copied;
                    session = next;
                    None
                }
                (Ok(copied), None) => {
                    let new = NewSession::of(id, &target);
                    Some(self.make_session_at(new, &copied, Gathered::default(), request, notes).await)
                }
                (Err(error), _) => Some(Err(error)),
            };
            self.leases.release(lease).await?;
            if let Some(made) = made {
                return made;
            }
        }
        Err(DomainError::Busy { what: "this prearchive entry".to_owned() })
    }

    /// The session that receives a study whose session went away, and the study's lease.
    async fn next_receiver(
        &self,
        identity: &Identity,
        request: &ImportRequest,
    ) -> Result<(Lease, Option<PrearchiveSession>), DomainError> {
        self.patiently(async || {
            self.under_study_lease(identity, async |core| core.receiver_of(identity, request).await).await
        })
        .await
    }

    /// Remembers with a session that it is to be in quarantine once it is archived, before it gets the files of whoever
    /// asks for that: whoever archives them knows of it.
    async fn ask_for_quarantine(&self, session: PrearchiveSession) -> Result<PrearchiveSession, DomainError> {
        let mut held = match self.hold_session_patiently(&session.id).await {
            Ok(held) => held,
            // It is gone, and does not get the files.
            Err(DomainError::NotFound { .. }) => return Ok(session),
            Err(error) => return Err(error),
        };
        held.session.quarantine = true;
        let stored = self.store_session(&mut held).await;
        let session = held.session.clone();
        self.let_go(held).await?;
        stored?;
        Ok(session)
    }

    /// Writes the segment, as far as that was not begun, and looks whether the session still takes
    /// it over.
    async fn append_openly(
        &self,
        session: &PrearchiveSession,
        begun: Option<Begun>,
        segment: &Segment,
    ) -> Result<Joined, DomainError> {
        let id = session.id.as_str();
        let number = match begun {
            Some(Begun { number, written: Some(_) }) => number,
            Some(Begun { number, written: None }) => {
                self.write_segment(id, number, segment).await?;
                number
            }
            None => self.append_segment(id, segment).await?,
        };
        let mut patience = self.clock.patience(self.patience_ms());
        loop {
            let now: Option<PrearchiveSession> = self.records.get(&keys::session(id)).await?;
            let Some(now) = now else { break };
            if self.is_archived(&now).await? {
                break;
            }
            // Whoever archives looks for files that came after it has written that it does so.
            let is_archiving = now.status == Status::Archiving && self.leases.is_held(&lease_name(id)).await?;
            if !is_archiving || now.has_folded(number) {
                return Ok(Joined::Kept(Box::new(now)));
            }
            if !patience.wait().await {
                return Err(DomainError::Busy { what: "this prearchive entry".to_owned() });
            }
        }
        if self.was_taken_along(session, number, segment).await? {
            return Ok(Joined::Kept(Box::new(session.clone())));
        }
        self.take_back(id, number).await?;
        Ok(Joined::Missed)
    }

    /// Whether a session that is gone had taken the segment over before it went.
    async fn was_taken_along(
        &self,
        session: &PrearchiveSession,
        number: u64,
        segment: &Segment,
    ) -> Result<bool, DomainError> {
        if let Some(last) = self.as_thrown_away(&session.id).await? {
            return Ok(last.has_folded(number));
        }
        let Some(experiment) = self.experiment_of(&session.id).await? else { return Ok(false) };
        let used = self.packs_in_use(&experiment.manifest).await?.unwrap_or_default();
        Ok(segment.packs().all(|pack| used.contains(&pack)))
    }

    /// Removes a segment that nobody will ever read.
    pub(super) async fn take_back(&self, id: &str, number: u64) -> Result<(), StoreError> {
        self.records.delete(&keys::segment(id, number)).await?;
        // The remains of the session may have been removed before the number was taken.
        if self.records.store().get(keys::trash(id).as_str()).await?.is_none() {
            self.records.delete(&keys::segment_counter(id)).await?;
        }
        Ok(())
    }

    /// Copies the packs of files that were owned by a session that is gone.
    async fn copy_runs(
        &self,
        runs: &mut [StudyRun],
        owner: &str,
        request: &ImportRequest,
    ) -> Result<Segment, DomainError> {
        for run in runs.iter_mut() {
            let reader = self.pack_reader(run.pack).await?;
            let mut writer = self.start_pack().await?;
            let mut offset = 0;
            while offset < reader.bytes() {
                let piece: Bytes = reader.read(offset, usize::MAX).await?;
                writer.write(&piece).await?;
                offset += piece.len() as u64;
            }
            let copy = writer.finish().await?;
            pack::commit(&self.records, copy, vec![owner.to_owned()], self.clock.now_ms()).await?;
            run.pack = copy.id;
        }
        self.write_segment_pages(runs, &request.by, &mut BTreeMap::new()).await
    }

    /// Shows in the session's record, and so in the list, that files have arrived, unless that shows already.
    async fn show_arrival(
        &self,
        session: PrearchiveSession,
        request: &ImportRequest,
        notes: &ImportNotes,
    ) -> Result<PrearchiveSession, DomainError> {
        let now_ms = self.clock.now_ms();
        let is_shown = session.status == Status::Receiving
            && now_ms.saturating_sub(session.lastmod_ms) < LASTMOD_STEP_MS
            && request.is_told_by(&session)
            && notes.is_empty();
        if is_shown {
            return Ok(session);
        }
        let mut held = match self.hold_session_patiently(&session.id).await {
            Ok(held) => held,
            // It has gone on its way, with the files.
            Err(DomainError::NotFound { .. } | DomainError::Busy { .. }) => return Ok(session),
            Err(error) => return Err(error),
        };
        held.session.lastmod_ms = now_ms;
        held.session.take_over(request, now_ms);
        notes.write(&mut held.session, now_ms);
        let stored = self.store_session(&mut held).await;
        let session = held.session.clone();
        self.let_go(held).await?;
        stored?;
        Ok(session)
    }
}
