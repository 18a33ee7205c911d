//! What comes after a XAR was taken: its assessors are written as they are from now on, and it is told. The trash says
//! what is to be done, so that whoever comes after a crash does it.

use serde::{Deserialize, Serialize};

use super::HeldLeases;
use crate::domain::Core;
use crate::domain::archive::experiment::{Experiment, lease_of};
use crate::domain::archive::tell::session_event;
use crate::domain::archive::trash::{AssessorChange, Change, Trash};
use crate::domain::catalog::CatalogRef;
use crate::domain::error::DomainError;
use crate::domain::history::{Cause, Deed, Item, ItemKind};
use crate::domain::webhooks::SessionEventKind;
use crate::storage::{StoreError, keys};

/// What is to be told of a XAR that was taken.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::domain::archive) struct ToldTaking {
    /// The identifier of the event, with which telling it again changes nothing.
    pub event: String,
    /// What became of the session; nothing if only assessors of it came.
    pub kind: Option<SessionEventKind>,
    /// Who brought it.
    pub by: String,
    /// When, in milliseconds since the epoch.
    pub at_ms: u64,
    /// What exactly.
    pub details: String,
    /// Why.
    pub cause: Cause,
    /// Whether the webhooks are not told.
    pub is_silent: bool,
}

/// Who holds the leases of the assessors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::domain::archive) enum Leases {
    /// Whoever calls.
    Held,
    /// Nobody yet.
    ToBeTaken,
}

impl Core {
    /// Does what comes after a XAR was taken, unless it was done. The caller holds the session's lease. May be done again;
    /// the history may have it twice after a crash.
    ///
    /// # Errors
    /// [`DomainError::Busy`] or the store's failure; to be called again then.
    pub(in crate::domain::archive) async fn conclude_taking(
        &self,
        trash: &Trash,
        session: &Experiment,
        leases: Leases,
    ) -> Result<(), DomainError> {
        let Some(change) = &trash.change else { return Ok(()) };
        let Some(told) = &change.told else { return Ok(()) };
        for assessor in &change.assessors {
            let (core, lease) = (self, lease_of(&session.project, &assessor.label));
            match leases {
                Leases::Held => core.settle_assessor(assessor, session).await?,
                Leases::ToBeTaken => {
                    core.with_lease(&lease, "an assessor of this session", async |core| {
                        core.settle_assessor(assessor, session).await
                    })
                    .await?;
                }
            }
        }
        self.tell_of_taking(session, change, told).await?;
        let done = Change { told: None, ..change.clone() };
        let trash = Trash { change: Some(done), ..trash.clone() };
        Ok(self.records.set(&keys::experiment_trash(&trash.experiment.id), &trash).await?)
    }

    /// Writes an assessor as it is now that its session's record says that the XAR was taken.
    async fn settle_assessor(&self, change: &AssessorChange, session: &Experiment) -> Result<(), DomainError> {
        let found: Option<Experiment> = self.records.get(&keys::experiment(&change.id)).await?;
        let Some(found) = found else { return Ok(()) };
        let is_to_be_listed = change.manifest.is_some() && found.place == 0;
        if found.staged.is_none() && !is_to_be_listed {
            return Ok(());
        }
        let Some(mut found) = found.seen_with(Some(session)) else { return Ok(()) };
        if is_to_be_listed {
            return self.enter(&mut found).await;
        }
        let (roster, source) = self.experiment_roster(&found.project);
        let touch = roster.touch(&found.id, Some(found.place)).await?;
        found.changed_ms = self.clock.now_ms();
        self.records.set(&keys::experiment(&found.id), &found).await?;
        roster.settled(&found.id, touch).await?;
        roster.fold_if_long(&source).await?;
        Ok(())
    }

    /// Takes back what was written of a XAR that could not be taken; all leases are held.
    pub(super) async fn undo_taking(&self, held: &mut HeldLeases, trash: &Trash) -> Result<(), DomainError> {
        // Whoever finishes a change takes the leases of the assessors.
        for lease in std::mem::take(&mut held.assessors) {
            self.leases.release(lease).await?;
        }
        self.finish_change(&trash.experiment.id).await
    }

    /// Takes back what was staged of an assessor with a XAR that was not taken.
    pub(in crate::domain::archive) async fn unstage_assessor(
        &self,
        change: &AssessorChange,
        project: &str,
        by: &str,
    ) -> Result<(), DomainError> {
        for twin in &change.catalogs {
            let kept = match &twin.old {
                Some(old) => self.packs_of_catalog(old).await?,
                None => Default::default(),
            };
            self.remove_twin(CatalogRef { id: &twin.new, owner: &change.content }, &kept).await?;
        }
        let found: Option<Experiment> = self.records.get(&keys::experiment(&change.id)).await?;
        let found = found.filter(|found| found.staged.as_ref().is_some_and(|staged| staged.by == by));
        let Some(manifest) = &change.manifest else {
            // It was there before, and stays as it was.
            if let Some(mut found) = found {
                found.staged = None;
                self.records.set(&keys::experiment(&found.id), &found).await?;
            }
            return Ok(());
        };
        if let Some(found) = found {
            self.records.delete(&keys::experiment(&found.id)).await?;
        }
        self.remove_manifest(manifest, true).await?;
        self.forget_experiment_label((project, &change.label), &change.id).await?;
        Ok(self.records.delete(&keys::content(&change.content)).await?)
    }

    async fn tell_of_taking(&self, session: &Experiment, change: &Change, told: &ToldTaking) -> Result<(), StoreError> {
        let ToldTaking { by, details, cause, .. } = told;
        let deed = |action| Deed { by, action, details, cause };
        for AssessorChange { id, label, manifest, .. } in &change.assessors {
            let action = if manifest.is_some() { "Created" } else { "Modified" };
            self.remember(&session.project, Item { kind: ItemKind::Experiment, id, label }, deed(action)).await?;
        }
        let Some(kind) = told.kind else { return Ok(()) };
        // XNAT's name for archiving.
        let action = if kind == SessionEventKind::Merged { "Merged" } else { "Transfer" };
        self.remember(&session.project, session.as_item(), deed(action)).await?;
        if !told.is_silent {
            let event = session_event(session, told.event.clone(), kind, told.at_ms, by);
            self.announce(&event).await?;
        }
        self.tell_of_arrival(session, &told.event, deed(action)).await
    }
}
