//! Deleting a project.
//!
//! A tombstone says what is about to go, then the project's record goes, which is the deletion: from then on nobody
//! finds the project, nor anything in it. What it held is removed afterwards, by whoever comes first; until all of it
//! is gone the tombstone stands in a list that the sweep works off. It stays for good and keeps the identifier from
//! being used again.

use serde::{Deserialize, Serialize};

use super::{LEASE, Project};
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::domain::history::ItemKind;
use crate::storage::roster::RowSource;
use crate::storage::{Record, Roster, StoreError, keys};

/// What is left of a deleted project.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Tombstone {
    /// Its identifier.
    id: String,
    /// Names that stood for it.
    aliases: Vec<String>,
    /// Who deleted it.
    by: String,
    /// When, in milliseconds since the epoch.
    at_ms: u64,
    /// Whether all that it held is gone.
    done: bool,
    /// Its place in the list of what is to be done.
    place: u64,
}

impl Record for Tombstone {
    const VERSION: u32 = 1;
}

const ROSTER: &str = "deleted-projects";

impl Core {
    fn deleted_projects(&self) -> (Roster, impl RowSource<Tombstone>) {
        let records = self.records.clone();
        let source = move |id: String, place| {
            let records = records.clone();
            async move {
                let found: Option<Tombstone> = records.get(&keys::project_tombstone(&id)).await?;
                Ok(found.filter(|tombstone| !tombstone.done && tombstone.place == place))
            }
        };
        (self.roster(ROSTER), source)
    }

    /// Refuses a name that was the identifier of a project. XNAT's rule: what refers to the old one must never reach
    /// another.
    pub(super) async fn demand_never_deleted(&self, id: &str) -> Result<(), DomainError> {
        if self.records.get::<Tombstone>(&keys::project_tombstone(id)).await?.is_none()
            || self.project_by_id(id).await?.is_some()
        {
            return Ok(());
        }
        Err(DomainError::Refused {
            what: format!("The ID {id} belonged to a project that was deleted and cannot be used again."),
        })
    }

    /// Deletes the project of this identifier: when this returns nobody finds it. What it held is removed by
    /// [`Core::finish_deleted_projects`], which the caller should call next.
    ///
    /// # Errors
    /// [`DomainError::NotFound`]; [`DomainError::Conflict`] if it holds something that was not said to go with it; or
    /// the store's failure.
    #[crate::boxed(?Send)]
    pub async fn delete_project(&self, id: &str, with_content: bool, by: &str) -> Result<(), DomainError> {
        self.with_lease(LEASE, "the list of projects", async |core| {
            let project = core.project_by_id(id).await?.ok_or_else(|| DomainError::not_found("project", id))?;
            // Files without the records that name them could never be found again, so that nothing is kept of a
            // project that goes; whoever deletes it must say so.
            if !with_content && core.holds_anything(id).await? {
                return Err(DomainError::Conflict {
                    reason: format!(
                        "The project {id} still holds sessions, experiments, subjects, resources or files in quarantine; \
                         delete them first, or delete the project with removeFiles=true."
                    ),
                });
            }
            core.bury(project, by).await
        })
        .await
    }

    async fn holds_anything(&self, id: &str) -> Result<bool, StoreError> {
        Ok(!self.list_sessions(id).await?.is_empty()
            || !self.list_experiments(id).await?.is_empty()
            || !self.list_subjects(id).await?.is_empty()
            || self.project_has_shelf(id).await?
            || self.project_has_triage(id).await?)
    }

    async fn bury(&self, project: Project, by: &str) -> Result<(), DomainError> {
        let id = project.id.as_str();
        let (pending, _) = self.deleted_projects();
        let pending_touch = pending.touch(id, None).await?;
        let (projects, _) = self.projects();
        let touch = projects.touch(id, Some(project.place)).await?;
        let tombstone = Tombstone {
            id: id.to_owned(),
            aliases: project.fields.aliases.clone(),
            by: by.to_owned(),
            at_ms: self.clock.now_ms(),
            done: false,
            place: pending_touch.place,
        };
        self.records.set(&keys::project_tombstone(id), &tombstone).await?;
        self.records.delete(&keys::project(id)).await?;
        pending.settled(id, pending_touch).await?;
        projects.settled(id, touch).await?;
        Ok(())
    }

    /// Removes what deleted projects held. Gives how many of them are done with; what somebody works on just now is
    /// left for the next call.
    ///
    /// # Errors
    /// The store's failure; to be called again then.
    #[crate::boxed(?Send)]
    pub async fn finish_deleted_projects(&self) -> Result<u64, DomainError> {
        let (roster, source) = self.deleted_projects();
        let mut finished = 0;
        for listed in roster.list(&source).await? {
            let Some(lease) = self.leases.acquire(&format!("deleted-project/{}", listed.member)).await? else {
                continue;
            };
            let outcome = self.finish_deleted_project(&roster, listed.row).await;
            self.leases.release(lease).await?;
            match outcome {
                Ok(is_done) => finished += u64::from(is_done),
                Err(error) => leave_if_busy(error)?,
            }
        }
        roster.fold_if_long(&source).await?;
        Ok(finished)
    }

    async fn finish_deleted_project(&self, roster: &Roster, tombstone: Tombstone) -> Result<bool, DomainError> {
        let id = tombstone.id.clone();
        if !self.is_buried(roster, &tombstone).await? {
            return Ok(false);
        }
        let (sessions, rows) = self.prearchive_roster(&id);
        for session in sessions.list(&rows).await? {
            match self.hold_session_patiently(&session.member).await {
                Ok(held) => match self.delete_session(held).await {
                    Ok(()) => self.empty_trash_of(&session.member).await?,
                    Err(error) => leave_if_busy(error)?,
                },
                Err(error) => leave_if_busy(error)?,
            }
        }
        for experiment in self.list_experiments(&id).await? {
            self.delete_experiment_of(&id, &experiment.id).await.or_else(leave_if_busy)?;
        }
        for subject in self.list_subjects(&id).await? {
            match self.rescue_subject(&subject.id).await {
                Ok(true) => {}
                Ok(false) => self.delete_subject(&subject).await.or_else(leave_if_busy)?,
                Err(error) => leave_if_busy(error)?,
            }
        }
        let is_shared_with = self.withdraw_shared(&id).await?;
        self.forget_webhooks(&id).await?;
        self.remove_triage_of_project(&id).await.or_else(leave_if_busy)?;
        self.remove_project_shelf(&id).await.or_else(leave_if_busy)?;
        // Uploads that began before the deletion may still end; none is let in that is older than the retention.
        let retention_ms = self.settings.upload_retention_seconds.saturating_mul(1000).max(self.patience_ms());
        if self.clock.now_ms() < tombstone.at_ms.saturating_add(retention_ms)
            || is_shared_with
            || self.holds_anything(&id).await?
        {
            return Ok(false);
        }
        self.forget_history(ItemKind::Project, &id).await?;
        self.forget_scan_types(&id).await?;
        self.forget_triage(&id).await?;
        let touch = roster.touch(&id, Some(tombstone.place)).await?;
        self.records.set(&keys::project_tombstone(&id), &Tombstone { done: true, ..tombstone }).await?;
        roster.settled(&id, touch).await?;
        Ok(true)
    }

    /// Whether the project is deleted. If whoever was about to delete it died before, it stays: the tombstone goes.
    async fn is_buried(&self, roster: &Roster, tombstone: &Tombstone) -> Result<bool, DomainError> {
        self.with_lease(LEASE, "the list of projects", async |core| {
            let id = tombstone.id.as_str();
            if core.project_by_id(id).await?.is_some() {
                let touch = roster.touch(id, Some(tombstone.place)).await?;
                core.records.delete(&keys::project_tombstone(id)).await?;
                roster.settled(id, touch).await?;
                return Ok(false);
            }
            for alias in &tombstone.aliases {
                core.remove_alias(alias, id).await?;
            }
            Ok(true)
        })
        .await
    }
}

/// What somebody works on, or has removed meanwhile, does not keep the rest from being removed.
fn leave_if_busy(error: DomainError) -> Result<(), DomainError> {
    match error {
        DomainError::Busy { .. } | DomainError::WrongState { .. } | DomainError::NotFound { .. } => Ok(()),
        error => Err(error),
    }
}
