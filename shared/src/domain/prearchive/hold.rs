//! Holding a session: one actor at a time, and what a dead one left half done is settled before the next begins.

use super::session::{HeldSession, PrearchiveSession, SessionPlace, lease_name};
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::storage::{Lease, StoreError, keys};

/// How long a request waits for whoever is at work on a session, in milliseconds: most are done in a moment, and a
/// client that goes on right after an answer should not meet what follows the answer.
const BRIEF_MS: u64 = 250;

impl Core {
    /// Takes a session for a change: nobody else may change it until it is stored or let go.
    ///
    /// # Errors
    /// [`DomainError::Busy`] if somebody has it, [`DomainError::NotFound`] if it is gone.
    #[crate::boxed(?Send)]
    pub async fn hold_session(&self, id: &str) -> Result<HeldSession, DomainError> {
        let busy = || DomainError::Busy { what: "this prearchive entry".to_owned() };
        let lease = self.leases.acquire(&lease_name(id)).await?.ok_or_else(busy)?;
        self.held(id, lease).await
    }

    /// As [`Core::hold_session`], but waits for whoever has it.
    ///
    /// # Errors
    /// As there, after a wait that is longer than a lease lives.
    #[crate::boxed(?Send)]
    pub async fn hold_session_patiently(&self, id: &str) -> Result<HeldSession, DomainError> {
        self.hold_within(id, self.patience_ms()).await
    }

    /// Does something as soon as nobody else is at work on what it needs.
    ///
    /// # Errors
    /// What `work` gives; [`DomainError::Busy`] only after a wait that is longer than a lease lives.
    pub(super) async fn patiently<T>(
        &self,
        mut work: impl AsyncFnMut() -> Result<T, DomainError>,
    ) -> Result<T, DomainError> {
        let mut patience = self.clock.patience(self.patience_ms());
        loop {
            match work().await {
                Err(DomainError::Busy { .. }) if patience.wait().await => {}
                done => return done,
            }
        }
    }

    async fn hold_within(&self, id: &str, patience_ms: u64) -> Result<HeldSession, DomainError> {
        let busy = || DomainError::Busy { what: "this prearchive entry".to_owned() };
        let lease = self.leases.acquire_within(&lease_name(id), patience_ms).await?.ok_or_else(busy)?;
        self.held(id, lease).await
    }

    /// As [`Core::hold_session`], of a session that was found at its place: if it has moved away meanwhile, whoever asks
    /// for something at that place finds nothing there.
    ///
    /// # Errors
    /// As there, and [`DomainError::NotFound`] if the session stands elsewhere by now.
    #[crate::boxed(?Send)]
    pub async fn hold_found(&self, found: &PrearchiveSession) -> Result<HeldSession, DomainError> {
        let held = self.hold_within(&found.id, BRIEF_MS).await?;
        self.demand_place(held, &found.place).await
    }

    /// As [`Core::hold_found`], but does not wait even for that long: of two who want the same at one moment, one is told
    /// that the other is at it.
    ///
    /// # Errors
    /// As there.
    #[crate::boxed(?Send)]
    pub async fn hold_found_at_once(&self, found: &PrearchiveSession) -> Result<HeldSession, DomainError> {
        let held = self.hold_session(&found.id).await?;
        self.demand_place(held, &found.place).await
    }

    /// As [`Core::hold_found`], but waits for whoever has it.
    ///
    /// # Errors
    /// As there, after a wait that is longer than a lease lives.
    #[crate::boxed(?Send)]
    pub async fn hold_found_patiently(&self, found: &PrearchiveSession) -> Result<HeldSession, DomainError> {
        let held = self.hold_session_patiently(&found.id).await?;
        self.demand_place(held, &found.place).await
    }

    async fn demand_place(&self, held: HeldSession, place: &SessionPlace) -> Result<HeldSession, DomainError> {
        if held.session.place == *place {
            return Ok(held);
        }
        self.let_go(held).await?;
        Err(DomainError::NotFound { what: format!("the session {} in the prearchive", place.uri()) })
    }

    async fn held(&self, id: &str, lease: Lease) -> Result<HeldSession, DomainError> {
        let found = match self.records.get::<PrearchiveSession>(&keys::session(id)).await {
            Ok(found) => found,
            Err(error) => {
                self.leases.release(lease).await?;
                return Err(error.into());
            }
        };
        let Some(session) = found else {
            self.leases.retire(lease).await?;
            return Err(DomainError::NotFound { what: "the session in the prearchive".to_owned() });
        };
        if self.is_unborn(&session).await? {
            self.leases.release(lease).await?;
            return Err(DomainError::NotFound { what: "the session in the prearchive".to_owned() });
        }
        self.recover(HeldSession { session, lease, repeated: Default::default() }).await
    }

    /// What a dead worker left half done is finished or taken back before anything new begins.
    async fn recover(&self, mut held: HeldSession) -> Result<HeldSession, DomainError> {
        if self.is_archived(&held.session).await? {
            self.leave_prearchive(held).await?;
            return Err(DomainError::NotFound { what: "the session in the prearchive".to_owned() });
        }
        if held.session.left.is_some() {
            self.finish_move(&mut held).await?;
        }
        if held.session.separating.is_some() {
            self.discard_unborn(&mut held).await?;
        }
        let intent = held.session.intent.take();
        if let Some(manifest) = intent.as_ref().and_then(|intent| intent.manifest.as_ref()) {
            self.remove_manifest(manifest, false).await?;
        }
        if intent.is_some() || held.session.status.is_busy() {
            held.session.status = match intent {
                Some(_) => self.unarchived(&held.session).await?,
                None => held.session.resting(),
            };
            self.store_session(&mut held).await?;
        }
        held.session.status = self.status_of(&held.session).await?;
        Ok(held)
    }

    /// Stores a held session and shows the change in the list.
    ///
    /// # Errors
    /// [`DomainError::Busy`] if the lease has run out, or the store's failure.
    pub(crate) async fn store_session(&self, held: &mut HeldSession) -> Result<(), DomainError> {
        let session = &held.session;
        let (roster, _) = self.prearchive_roster(&session.place.project);
        let touch = roster.touch(&session.id, Some(session.row)).await?;
        if !self.leases.keep(&mut held.lease).await? {
            return Err(DomainError::Busy { what: "this prearchive entry".to_owned() });
        }
        self.records.set(&keys::session(&session.id), session).await?;
        roster.settled(&session.id, touch).await?;
        Ok(())
    }

    /// Gives a held session back as it was last stored.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn let_go(&self, held: HeldSession) -> Result<(), StoreError> {
        self.leases.release(held.lease).await
    }
}
