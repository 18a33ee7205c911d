//! Removing what the archive holds.
//!
//! An experiment's record is what makes it one: with that it is gone for everybody. A copy in the trash, written
//! before, says which files are still to be removed; the sweep works the trash off.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::experiment::Experiment;
use super::subject::{LabelRef, Subject};
use crate::domain::Core;
use crate::domain::catalog::CatalogRef;
use crate::domain::error::DomainError;
use crate::domain::manifest::Manifest;
use crate::storage::roster::RowSource;
use crate::storage::{PackId, Record, Roster, Store, StoreError, keys, pack};

/// An experiment whose files are to be removed.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Trash {
    experiment: Experiment,
    /// Its place in the list of the trash.
    place: u64,
}

impl Record for Trash {
    const VERSION: u32 = 1;
}

const TRASH: &str = "experiment-trash";

impl<S: Store> Core<S> {
    fn experiment_trash(&self) -> (Roster<S>, impl RowSource<Trash>) {
        let records = self.records.clone();
        let source = move |id: String, place| {
            let records = records.clone();
            async move {
                let found: Option<Trash> = records.get(&keys::experiment_trash(&id)).await?;
                Ok(found.filter(|found| found.place == place))
            }
        };
        (self.roster(TRASH), source)
    }

    /// Deletes an experiment with its files. From the one write on that does it nobody finds it; should the rest fail
    /// or be cut off, the sweep does it.
    ///
    /// # Errors
    /// [`DomainError::NotFound`], [`DomainError::Busy`] while it is being archived, or the store's failure.
    pub async fn delete_experiment(&self, id: &str) -> Result<(), DomainError> {
        let missing = || DomainError::not_found("experiment", id);
        let found = self.experiment_by_id(id).await?.ok_or_else(missing)?;
        // A session that has become this experiment but has not left the prearchive would come back without files.
        if self.records.store().get(keys::session(&found.content).as_str()).await?.is_some() {
            match self.hold_session_patiently(&found.content).await {
                Err(DomainError::NotFound { .. }) => {}
                Err(error) => return Err(error),
                Ok(held) => {
                    self.let_go(held).await?;
                    return Err(DomainError::Busy { what: "this experiment, which is being archived,".to_owned() });
                }
            }
        }
        let (roster, _) = self.experiment_trash();
        self.with_lease(&found.lease_name(), "this experiment", async |core| {
            let experiment = core.experiment_by_id(id).await?.ok_or_else(missing)?;
            let trash_touch = roster.touch(id, None).await?;
            let (experiments, source) = core.experiment_roster(&found.project);
            let touch = experiments.touch(id, Some(experiment.place)).await?;
            let trash = Trash { experiment, place: trash_touch.place };
            core.records.set(&keys::experiment_trash(id), &trash).await?;
            core.records.delete(&keys::experiment(id)).await?;
            roster.settled(id, trash_touch).await?;
            experiments.settled(id, touch).await?;
            experiments.fold_if_long(&source).await?;
            core.empty_experiment_trash(&roster, trash).await
        })
        .await
    }

    /// Removes the files of deleted experiments that are still there.
    ///
    /// # Errors
    /// The store's failure; to be called again then.
    pub(crate) async fn finish_deleted_experiments(&self) -> Result<(), DomainError> {
        let (roster, source) = self.experiment_trash();
        for listed in roster.list(&source).await? {
            let id = listed.member.as_str();
            let outcome = self
                .with_lease(&listed.row.experiment.lease_name(), "this experiment", async |core| {
                    let Some(trash) = core.records.get::<Trash>(&keys::experiment_trash(id)).await? else {
                        return Ok(());
                    };
                    // Whoever was about to delete it died before: it stays, and so do its files.
                    if core.experiment_by_id(id).await?.is_some() {
                        return core.forget_trash(&roster, &trash).await.map_err(DomainError::from);
                    }
                    core.empty_experiment_trash(&roster, trash).await
                })
                .await;
            match outcome {
                Ok(()) | Err(DomainError::Busy { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        roster.fold_if_long(&source).await?;
        Ok(())
    }

    /// Removes what only a deleted experiment needed. May be done again from the start at any time.
    async fn empty_experiment_trash(&self, roster: &Roster<S>, trash: Trash) -> Result<(), DomainError> {
        let experiment = &trash.experiment;
        // The manifest says which packs to release, so that it goes after them.
        if let Some(manifest) = self.records.get::<Manifest>(&keys::manifest(&experiment.manifest)).await? {
            let mut packs: BTreeSet<PackId> = BTreeSet::new();
            for page in 0..manifest.file_pages {
                let files = self.file_page_if_there(&manifest, page).await?;
                self.forget_digests(&files).await?;
                packs.extend(files.into_iter().map(|file| file.pack));
            }
            for pack in packs {
                pack::release(&self.records, &self.blobs, pack, &experiment.content).await?;
            }
            self.remove_manifest(&experiment.manifest, true).await?;
        }
        self.remove_catalogs(&experiment.resources, &experiment.content).await?;
        for catalog in &experiment.discarded {
            self.remove_catalog(CatalogRef { id: catalog, owner: &experiment.content }).await?;
        }
        for scan in &experiment.shelved_scans {
            self.remove_shelf(&keys::scan_shelf(&experiment.id, scan), &experiment.content).await?;
        }
        for manifest in experiment.superseded.iter().filter(|id| **id != experiment.manifest) {
            self.remove_manifest(manifest, false).await?;
        }
        let label = keys::experiment_label(&experiment.project, &experiment.label);
        if self.records.get::<LabelRef>(&label).await?.is_some_and(|reference| reference.id == experiment.id) {
            self.records.delete(&label).await?;
        }
        self.records.delete(&keys::content(&experiment.content)).await?;
        Ok(self.forget_trash(roster, &trash).await?)
    }

    async fn forget_trash(&self, roster: &Roster<S>, trash: &Trash) -> Result<(), StoreError> {
        let id = trash.experiment.id.as_str();
        let touch = roster.touch(id, Some(trash.place)).await?;
        self.records.delete(&keys::experiment_trash(id)).await?;
        roster.settled(id, touch).await
    }

    /// As [`Core::delete_experiment`], unless it is locked.
    ///
    /// # Errors
    /// As there, and [`DomainError::Refused`].
    pub async fn delete_unlocked_experiment(&self, id: &str) -> Result<(), DomainError> {
        self.experiment_that_is(id).await?.demand_unlocked()?;
        self.delete_experiment(id).await
    }

    /// Deletes a subject; `with_experiments` says that its experiments may go with it.
    ///
    /// # Errors
    /// [`DomainError::Conflict`] if it has some that may not, [`DomainError::Refused`] if one is locked,
    /// [`DomainError::Busy`], or the store's failure; what was deleted until then is gone.
    pub async fn delete_subject_with(&self, subject: &Subject, with_experiments: bool) -> Result<(), DomainError> {
        let mut experiments = self.list_experiments(&subject.project).await?;
        experiments.retain(|experiment| experiment.subject_id == subject.id);
        // Files without the records that name them could never be found again.
        if !with_experiments && !experiments.is_empty() {
            return Err(DomainError::Conflict {
                reason: format!(
                    "The subject {} still has experiments; delete them first, or delete the subject with \
                     removeFiles=true.",
                    subject.label
                ),
            });
        }
        for experiment in &experiments {
            experiment.demand_unlocked()?;
        }
        for experiment in experiments {
            match self.delete_unlocked_experiment(&experiment.id).await {
                Err(DomainError::NotFound { .. }) => {}
                done => done?,
            }
        }
        self.delete_subject(subject).await
    }

    /// Deletes a subject, which should have no experiments any more. Its record goes first; a label that is left
    /// behind by a crash leads to nothing and is overwritten by the next subject of that label.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn delete_subject(&self, subject: &Subject) -> Result<(), DomainError> {
        self.with_lease(&subject.lease_name(), "the subject", async |core| {
            let shelf = core.condemn_subject_shelf(&subject.id).await?;
            let (roster, source) = core.subject_roster(&subject.project);
            let touch = roster.touch(&subject.id, Some(subject.place)).await?;
            core.records.delete(&keys::subject(&subject.id)).await?;
            let label = keys::subject_label(&subject.project, &subject.label);
            if core.records.get::<LabelRef>(&label).await?.is_some_and(|reference| reference.id == subject.id) {
                core.records.delete(&label).await?;
            }
            roster.settled(&subject.id, touch).await?;
            roster.fold_if_long(&source).await?;
            if let Some(noted) = shelf {
                core.remove_subject_shelf(&subject.id, noted).await?;
            }
            Ok(())
        })
        .await
    }
}
