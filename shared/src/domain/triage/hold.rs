//! Holding a project's quarantine: one actor at a time.

use std::collections::BTreeSet;

use super::TriageFolder;
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::domain::ids::random_id;
use crate::storage::{Lease, Roster, StoreError, keys};

/// The quarantine of a project, which nobody else may change meanwhile, and the folder of it that is in hand; `None` if
/// there is none of this label.
pub(super) struct HeldFolder {
    pub project: String,
    pub label: String,
    pub lease: Lease,
    pub folder: Option<TriageFolder>,
}

impl HeldFolder {
    /// The folder, which must be there.
    pub fn found(&self) -> Result<TriageFolder, DomainError> {
        self.folder.clone().ok_or_else(|| DomainError::not_found("folder", &self.label))
    }

    /// Takes a folder in hand as it is known.
    pub fn turn_to(&mut self, folder: TriageFolder) {
        self.label = folder.label.clone();
        self.folder = Some(folder);
    }
}

pub(super) fn busy() -> DomainError {
    DomainError::Busy { what: "the quarantine of this project".to_owned() }
}

impl Core {
    /// Does something to a folder while nobody else changes the project's quarantine. An approval whose worker has died
    /// is brought to its end first.
    ///
    /// # Errors
    /// [`DomainError::Busy`], what `work` gives, or the store's failure.
    pub(super) async fn with_folder<T>(
        &self,
        project: &str,
        label: &str,
        work: impl AsyncFnOnce(&Self, &mut HeldFolder) -> Result<T, DomainError>,
    ) -> Result<T, DomainError> {
        let mut held = self.hold_quarantine(project).await?;
        let outcome = match self.take_in_hand(&mut held, label).await {
            Ok(()) => work(self, &mut held).await,
            Err(error) => Err(error),
        };
        self.leases.release(held.lease).await?;
        outcome
    }

    /// Does something while nobody else changes the quarantines of these projects. Everybody takes them in the same order.
    ///
    /// # Errors
    /// As [`Core::with_folder`].
    pub(super) async fn with_quarantines<T>(
        &self,
        projects: &BTreeSet<&str>,
        work: impl AsyncFnOnce(&Self, &mut Vec<HeldFolder>) -> Result<T, DomainError>,
    ) -> Result<T, DomainError> {
        let mut held = Vec::with_capacity(projects.len());
        let mut refused = None;
        for project in projects {
            match self.hold_quarantine(project).await {
                Ok(quarantine) => held.push(quarantine),
                Err(error) => {
                    refused = Some(error);
                    break;
                }
            }
        }
        let outcome = match refused {
            None => work(self, &mut held).await,
            Some(error) => Err(error),
        };
        for quarantine in held {
            self.leases.release(quarantine.lease).await?;
        }
        outcome
    }

    async fn hold_quarantine(&self, project: &str) -> Result<HeldFolder, DomainError> {
        let name = format!("triage/{project}");
        let lease = self.leases.acquire_within(&name, self.patience_ms()).await?.ok_or_else(busy)?;
        Ok(HeldFolder { project: project.to_owned(), label: String::new(), lease, folder: None })
    }

    /// Takes the folder of this label in hand. An approval of it whose worker has died is brought to its end first.
    pub(super) async fn take_in_hand(&self, held: &mut HeldFolder, label: &str) -> Result<(), DomainError> {
        held.label = label.to_owned();
        held.folder = self.records.get(&keys::triage(&held.project, &held.label)).await?;
        match &held.folder {
            Some(folder) if folder.approval.is_some() => self.settle(held).await,
            _ => Ok(()),
        }
    }

    pub(super) async fn keep_folder(&self, held: &mut HeldFolder) -> Result<(), DomainError> {
        if self.leases.keep(&mut held.lease).await? { Ok(()) } else { Err(busy()) }
    }

    /// Makes the folder of a held label; the caller has seen that there is none.
    pub(super) async fn new_folder(&self, held: &mut HeldFolder, by: &str) -> Result<TriageFolder, DomainError> {
        self.demand_folder_place(&held.project).await?;
        let number = self.records.increment(&keys::triage_counter(&held.project), 1).await?;
        Ok(TriageFolder {
            project: held.project.clone(),
            label: held.label.clone(),
            number: u64::try_from(number).unwrap_or(0),
            place: 0,
            catalog: random_id()?,
            by: by.to_owned(),
            target: None,
            overwrite: false,
            reason: String::new(),
            made_ms: self.clock.now_ms(),
            is_made: false,
            is_filled: false,
            approval: None,
        })
    }

    /// Refuses one more folder than may be. What uploads that never ended left behind does not count.
    async fn demand_folder_place(&self, project: &str) -> Result<(), DomainError> {
        let (roster, source) = self.triage_folders(project);
        let most = self.settings.max_triage_folders;
        let count = roster.list(&source).await?.iter().filter(|listed| !listed.row.is_new).count();
        if (count as u64) < most {
            return Ok(());
        }
        Err(DomainError::Full {
            what: format!(
                "The quarantine of this project has {most} folders, which is all it may have; some must be approved or \
                 deleted first."
            ),
        })
    }

    /// Stores the folder and shows the change in the list.
    pub(super) async fn store_folder(&self, held: &mut HeldFolder, folder: TriageFolder) -> Result<(), DomainError> {
        let (roster, source) = self.triage_folders(&held.project);
        let touch = roster.touch(&held.label, Some(folder.place).filter(|place| *place > 0)).await?;
        self.write_folder(held, TriageFolder { place: touch.place, ..folder }).await?;
        roster.settled(&held.label, touch).await?;
        if Roster::is_long_at(touch.slot) {
            roster.fold_if_long(&source).await?;
        }
        Ok(())
    }

    /// Stores the folder, of which the list shows nothing new.
    pub(super) async fn write_folder(&self, held: &mut HeldFolder, folder: TriageFolder) -> Result<(), DomainError> {
        self.keep_folder(held).await?;
        match self.records.set(&keys::triage(&held.project, &held.label), &folder).await {
            Err(StoreError::TooLarge { .. }) => Err(DomainError::Invalid {
                what: "What is said of this upload is too long to be kept; name fewer files in one request.".to_owned(),
            }),
            done => {
                done?;
                held.folder = Some(folder);
                Ok(())
            }
        }
    }

    /// Removes the record of the folder, which is the commit of whatever takes it away.
    pub(super) async fn drop_folder(&self, held: &mut HeldFolder) -> Result<(), DomainError> {
        let folder = held.found()?;
        let (roster, source) = self.triage_folders(&held.project);
        let touch = roster.touch(&held.label, Some(folder.place)).await?;
        self.keep_folder(held).await?;
        self.records.delete(&keys::triage(&held.project, &held.label)).await?;
        held.folder = None;
        roster.settled(&held.label, touch).await?;
        if Roster::is_long_at(touch.slot) {
            roster.fold_if_long(&source).await?;
        }
        Ok(())
    }
}
