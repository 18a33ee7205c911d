//! Moving a session to another project.

use super::session::{HeldSession, PrearchiveSession, SessionPlace, SessionRef};
use super::status::Action;
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::storage::keys;

impl Core {
    /// Moves a held session to another project, under its timestamp and folder. One write moves it, so that it stands
    /// in one project at every moment. The session is given back in any case.
    ///
    /// # Errors
    /// [`DomainError::NotFound`] for an unknown project, [`DomainError::Exists`] if the place is taken there (or the
    /// session is there already), [`DomainError::WrongState`], or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn move_session(&self, mut held: HeldSession, project: &str) -> Result<PrearchiveSession, DomainError> {
        let moved = self.move_held(&mut held, project).await;
        let session = held.session.clone();
        self.let_go(held).await?;
        moved.map(|()| session)
    }

    async fn move_held(&self, held: &mut HeldSession, project: &str) -> Result<(), DomainError> {
        held.session.allow(Action::Move)?;
        let old = held.session.place.clone();
        let new = SessionPlace::new(project, &old.timestamp, &old.folder);
        self.demand_project_of(&new).await?;
        if new == old {
            return Err(DomainError::Exists { what: format!("The session {}", new.uri()) });
        }
        self.receive_study_in(&held.session, &new.project).await?;
        let lease = new.lease_name();
        self.with_lease(&lease, "this place in the prearchive", async |core| {
            core.take_place(&new, &held.session.id).await?;
            core.commit_move(held, &old, new).await
        })
        .await?;
        self.finish_move(held).await
    }

    /// Makes a place a session's own, unless another session stands there. Called under the place's lease.
    async fn take_place(&self, place: &SessionPlace, id: &str) -> Result<(), DomainError> {
        if self.find_session_at(place).await?.is_some_and(|found| found.id != id) {
            return Err(DomainError::Exists { what: format!("The session {}", place.uri()) });
        }
        let claim = keys::session_place_claim(&place.project, &place.timestamp, &place.folder);
        self.records.increment(&claim, 1).await?;
        Ok(self.mark_place(place, id).await?)
    }

    async fn commit_move(
        &self,
        held: &mut HeldSession,
        old: &SessionPlace,
        new: SessionPlace,
    ) -> Result<(), DomainError> {
        let id = held.session.id.clone();
        let (from, _) = self.prearchive_roster(&old.project);
        let (to, _) = self.prearchive_roster(&new.project);
        let gone = from.touch(&id, Some(held.session.row)).await?;
        let come = to.touch(&id, None).await?;
        if !self.leases.keep(&mut held.lease).await? {
            return Err(DomainError::Busy { what: "this prearchive entry".to_owned() });
        }
        let now_ms = self.clock.now_ms();
        let mut moved = held.session.clone();
        moved.note(now_ms, format!("Moved from {} to {}.", old.project, new.project));
        moved.place = new;
        moved.left = Some(old.clone());
        moved.row = come.place;
        moved.lastmod_ms = now_ms;
        moved.status = moved.resting();
        self.records.set(&keys::session(&id), &moved).await?;
        held.session = moved;
        from.settled(&id, gone).await?;
        to.settled(&id, come).await?;
        Ok(())
    }

    /// Lets a session receive its study in another project, unless another session does there. It does nothing as long
    /// as the session does not stand in that project, so it is written before the move, and a mover who dies right after
    /// it has left nothing undone that matters.
    async fn receive_study_in(&self, session: &PrearchiveSession, project: &str) -> Result<(), DomainError> {
        let identity = session.identity_in(project);
        self.with_lease(&identity.lease_name(), "another upload of the same study", async |core| {
            if !core.receiver_now(&identity).await?.is_some_and(|found| found.status.allows(Action::Receive)) {
                let key = keys::session_study(&identity.project, &identity.study_uid, &identity.label);
                core.records.set(&key, &SessionRef { id: session.id.clone() }).await?;
            }
            Ok(())
        })
        .await
    }

    /// Gives back what a moved session has left.
    pub(super) async fn finish_move(&self, held: &mut HeldSession) -> Result<(), DomainError> {
        let Some(left) = held.session.left.clone() else { return Ok(()) };
        self.forget_place(&held.session, &left).await?;
        if !self.leases.keep(&mut held.lease).await? {
            return Err(DomainError::Busy { what: "this prearchive entry".to_owned() });
        }
        held.session.left = None;
        self.records.set(&keys::session(&held.session.id), &held.session).await?;
        Ok(())
    }
}
