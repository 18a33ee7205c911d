//! Holding an item together with a label in another project.

use crate::domain::Core;
use crate::domain::archive::experiment::lease_of;
use crate::domain::archive::subject::lease_name;
use crate::domain::archive::{Experiment, Subject};
use crate::domain::error::DomainError;
use crate::storage::Lease;

/// The leases under which an item gets a label in another project, or loses it: its own, and that of the label there.
pub(super) struct BothLeases {
    pub own: Lease,
    pub there: Lease,
}

impl Core {
    async fn with_both<T>(
        &self,
        own: &str,
        there: &str,
        what: &str,
        work: impl AsyncFnOnce(&Self, &mut BothLeases) -> Result<T, DomainError>,
    ) -> Result<T, DomainError> {
        let busy = || DomainError::Busy { what: what.to_owned() };
        // Two leases are taken in one order by everybody.
        let (first, second) = if own <= there { (own, there) } else { (there, own) };
        let first_lease = self.leases.acquire_within(first, self.patience_ms()).await?.ok_or_else(busy)?;
        let second_lease = match self.leases.acquire_within(second, self.patience_ms()).await {
            Ok(Some(lease)) => lease,
            none => {
                self.leases.release(first_lease).await?;
                return Err(none.err().map_or_else(busy, DomainError::from));
            }
        };
        let mut leases = match own <= there {
            true => BothLeases { own: first_lease, there: second_lease },
            false => BothLeases { own: second_lease, there: first_lease },
        };
        let outcome = work(self, &mut leases).await;
        self.leases.release(leases.own).await?;
        self.leases.release(leases.there).await?;
        outcome
    }

    /// Does something to an experiment while nobody else changes it or gives this label away.
    pub(super) async fn with_experiment_and_label<T>(
        &self,
        id: &str,
        (project, label): (&str, &str),
        work: impl AsyncFnOnce(&Self, &mut BothLeases, Experiment) -> Result<T, DomainError>,
    ) -> Result<T, DomainError> {
        let own = self.experiment_that_is(id).await?.lease_name();
        self.with_both(&own, &lease_of(project, label), "this experiment", async |core, leases| {
            match core.experiment_that_is(id).await? {
                experiment if experiment.lease_name() == own => work(core, leases, experiment).await,
                // It was moved meanwhile.
                _ => Err(DomainError::Busy { what: "this experiment".to_owned() }),
            }
        })
        .await
    }

    /// Does something to a subject while nobody else changes it or gives this label away.
    pub(super) async fn with_subject_and_label<T>(
        &self,
        id: &str,
        (project, label): (&str, &str),
        work: impl AsyncFnOnce(&Self, &mut BothLeases, Subject) -> Result<T, DomainError>,
    ) -> Result<T, DomainError> {
        let own = self.subject_that_is(id).await?.lease_name();
        self.with_both(&own, &lease_name(project, label), "the subject", async |core, leases| {
            match core.subject_that_is(id).await? {
                subject if subject.lease_name() == own => work(core, leases, subject).await,
                _ => Err(DomainError::Busy { what: "the subject".to_owned() }),
            }
        })
        .await
    }

    /// Keeps both leases alive.
    ///
    /// # Errors
    /// [`DomainError::Busy`] if one has run out, or the store's failure.
    pub(super) async fn keep_both(&self, leases: &mut BothLeases, what: &str) -> Result<(), DomainError> {
        self.keep(&mut leases.own, what).await?;
        self.keep(&mut leases.there, what).await
    }
}
