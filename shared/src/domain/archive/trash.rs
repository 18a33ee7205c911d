//! The trash of the archive: experiments that are gone, and what changes of others have put out of use.
//!
//! A record in the trash is written before the write that it belongs to: the removal of the experiment's record, or the
//! one that flips it to its new revision. Whoever comes later sees by the experiment's record whether that write was
//! done, and removes what is out of use then: the old revision, or what was written for the new one.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::experiment::{Experiment, lease_of};
use super::take::conclude::{Leases, ToldTaking};
use crate::domain::Core;
use crate::domain::catalog::CatalogRef;
use crate::domain::error::DomainError;
use crate::domain::history::ItemKind;
use crate::domain::manifest::Manifest;
use crate::domain::shelf::ShelvedScan;
use crate::storage::roster::RowSource;
use crate::storage::{PackId, Record, Roster, StoreError, keys, pack};

/// An experiment, as it was before it was deleted or changed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Trash {
    pub experiment: Experiment,
    /// What is written for its next revision, which may be its first; `None` if it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
    /// Its place in the list of the trash.
    pub place: u64,
}

impl Record for Trash {
    const VERSION: u32 = 1;
}

/// What is written for the next revision of an experiment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Change {
    /// Its manifest.
    pub manifest: String,
    /// The pages of files of that.
    pub file_pages: u64,
    /// The pages of scans of that, at most.
    pub scan_pages: u64,
    /// The catalogs that are written anew, those on shelves of scans among them.
    pub catalogs: Vec<Twin>,
    /// The shelves of scans of which a revision is written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shelves: Vec<ShelfTwin>,
    /// When, in milliseconds since the epoch.
    pub at_ms: u64,
    /// The XAR that is taken, by its identifier, if it has assessors: the experiment's record says then that it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<String>,
    /// The assessors that are made or changed with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assessors: Vec<AssessorChange>,
    /// What is to be told of it, and was not yet. Until then the assessors may not be settled either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<ToldTaking>,
}

/// What is written for an assessor.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct AssessorChange {
    /// Its identifier.
    pub id: String,
    /// Its label.
    pub label: String,
    /// The name under which its packs are owned.
    pub content: String,
    /// Its manifest, if it is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
    /// Its catalogs that are written anew.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub catalogs: Vec<Twin>,
}

impl Change {
    /// Whether the write that commits it was done.
    pub fn is_done(&self, present: Option<&Experiment>) -> bool {
        present.is_some_and(|present| match &self.taken {
            Some(_) => present.taken == self.taken,
            None => present.manifest == self.manifest,
        })
    }
}

/// A catalog that is written anew.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Twin {
    /// The one that it takes the place of, if there is one.
    pub old: Option<String>,
    /// Its identifier.
    pub new: String,
}

/// The shelf of a scan of which the next revision is written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ShelfTwin {
    /// The present one.
    pub old: ShelvedScan,
    /// The next one.
    pub new: ShelvedScan,
}

const ROSTER: &str = "experiment-trash";

/// How long an old revision is left to those who are reading it, in milliseconds: some download it.
const READERS_MS: u64 = 10 * 60 * 1000;

impl Core {
    pub(super) fn experiment_trash(&self) -> (Roster, impl RowSource<Trash>) {
        let records = self.records.clone();
        let source = move |id: String, place| {
            let records = records.clone();
            async move {
                let found: Option<Trash> = records.get(&keys::experiment_trash(&id)).await?;
                Ok(found.filter(|found| found.place == place))
            }
        };
        (self.roster(ROSTER), source)
    }

    /// Puts an experiment into the trash, before it is deleted or changed. Done under its lease, when what an earlier
    /// change put there is gone ([`Core::finish_change`]).
    pub(super) async fn write_trash(
        &self,
        experiment: &Experiment,
        change: Option<Change>,
    ) -> Result<Trash, DomainError> {
        let (roster, _) = self.experiment_trash();
        let touch = roster.touch(&experiment.id, None).await?;
        let trash = Trash { experiment: experiment.clone(), change, place: touch.place };
        self.records.set(&keys::experiment_trash(&experiment.id), &trash).await?;
        roster.settled(&experiment.id, touch).await?;
        Ok(trash)
    }

    pub(super) async fn forget_trash(&self, trash: &Trash) -> Result<(), StoreError> {
        let (roster, _) = self.experiment_trash();
        let id = trash.experiment.id.as_str();
        let touch = roster.touch(id, Some(trash.place)).await?;
        self.records.delete(&keys::experiment_trash(id)).await?;
        roster.settled(id, touch).await
    }

    /// Empties the trash of the archive, but for old revisions that may still be read.
    ///
    /// # Errors
    /// The store's failure; to be called again then.
    pub(crate) async fn finish_deleted_experiments(&self) -> Result<(), DomainError> {
        let (roster, source) = self.experiment_trash();
        for listed in roster.list(&source).await? {
            let id = listed.member.as_str();
            let outcome = self
                .with_lease(&listed.row.experiment.lease_name(), "this experiment", async |core| {
                    let trash: Option<Trash> = core.records.get(&keys::experiment_trash(id)).await?;
                    match trash {
                        Some(trash) => core.sweep_trash(trash).await,
                        None => Ok(()),
                    }
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

    async fn sweep_trash(&self, trash: Trash) -> Result<(), DomainError> {
        let present = self.experiment_by_id(&trash.experiment.id).await?;
        match (&trash.change, present) {
            (None, None) => self.empty_experiment_trash(trash).await,
            // Whoever was about to delete it died before: it stays, and so do its files.
            (None, Some(_)) => Ok(self.forget_trash(&trash).await?),
            (Some(change), present) => {
                let is_done = change.is_done(present.as_ref());
                if let Some(present) = present.as_ref().filter(|_| is_done) {
                    self.conclude_taking(&trash, present, Leases::ToBeTaken).await?;
                }
                if is_done && self.clock.now_ms().saturating_sub(change.at_ms) < READERS_MS {
                    return Ok(());
                }
                self.remove_unused(&trash, change, present.as_ref()).await
            }
        }
    }

    /// Removes what a change of an experiment has put out of use, or what was written for one that was not done. Called
    /// under the experiment's lease.
    ///
    /// # Errors
    /// The store's failure; to be called again then.
    pub(super) async fn finish_change(&self, id: &str) -> Result<(), DomainError> {
        let Some(trash) = self.records.get::<Trash>(&keys::experiment_trash(id)).await? else { return Ok(()) };
        let Some(change) = &trash.change else { return Ok(()) };
        let present = self.experiment_by_id(id).await?;
        if let Some(present) = present.as_ref().filter(|present| change.is_done(Some(*present))) {
            self.conclude_taking(&trash, present, Leases::ToBeTaken).await?;
        }
        self.remove_unused(&trash, change, present.as_ref()).await
    }

    async fn remove_unused(
        &self,
        trash: &Trash,
        change: &Change,
        present: Option<&Experiment>,
    ) -> Result<(), DomainError> {
        let old = &trash.experiment;
        let is_done = change.is_done(present);
        let live = present.unwrap_or(old);
        for twin in &change.catalogs {
            self.remove_unused_twin(twin, &old.content, is_done).await?;
        }
        for ShelfTwin { old: before, new } in &change.shelves {
            let unused = if is_done { before } else { new };
            self.records.delete(&unused.key(&old.id)).await?;
        }
        for assessor in &change.assessors {
            if is_done {
                for twin in &assessor.catalogs {
                    self.remove_unused_twin(twin, &assessor.content, true).await?;
                }
                continue;
            }
            self.with_lease(&lease_of(&old.project, &assessor.label), "an assessor of this session", async |core| {
                core.unstage_assessor(assessor, &old.project, change.taken.as_deref().unwrap_or_default()).await
            })
            .await?;
        }
        if change.manifest == old.manifest {
            // Only assessors came.
        } else if is_done {
            self.remove_revision(&old.manifest, live).await?;
        } else {
            // Its files are those of the present revision, and of a session that has them still.
            for page in 0..change.file_pages {
                self.records.delete(&keys::manifest_files(&change.manifest, page)).await?;
            }
            for page in 0..change.scan_pages {
                self.records.delete(&keys::manifest_scans(&change.manifest, page)).await?;
            }
            self.records.delete(&keys::manifest(&change.manifest)).await?;
            if present.is_none() {
                // It was to be made and never was.
                self.forget_names(old).await?;
            }
        }
        Ok(self.forget_trash(trash).await?)
    }

    /// Of a catalog and the one that is to take its place, removes the one that does not count.
    async fn remove_unused_twin(&self, twin: &Twin, owner: &str, is_done: bool) -> Result<(), StoreError> {
        let (unused, used) =
            if is_done { (twin.old.as_ref(), Some(&twin.new)) } else { (Some(&twin.new), twin.old.as_ref()) };
        let Some(id) = unused else { return Ok(()) };
        let kept = match used {
            Some(used) => self.packs_of_catalog(used).await?,
            None => BTreeSet::new(),
        };
        self.remove_twin(CatalogRef { id, owner }, &kept).await
    }

    /// Removes a manifest that is an experiment's no more, and releases the packs that the experiment needs no more.
    async fn remove_revision(&self, id: &str, live: &Experiment) -> Result<(), DomainError> {
        let Some(old) = self.records.get::<Manifest>(&keys::manifest(id)).await? else { return Ok(()) };
        let present = self.manifest(&live.manifest).await?;
        let mut used = BTreeSet::new();
        for page in 0..present.file_pages {
            used.extend(self.file_page(&present, page).await?.iter().map(|file| file.pack));
        }
        self.add_packs_of_catalogs(&live.content, &mut used).await?;
        let mut released: BTreeSet<PackId> = BTreeSet::new();
        for page in 0..old.file_pages {
            let mut files = self.file_page_if_there(&old, page).await?;
            files.retain(|file| !used.contains(&file.pack));
            self.forget_digests(&files).await?;
            for file in files {
                if released.insert(file.pack) {
                    self.release_as(live, file.pack).await?;
                }
            }
        }
        Ok(self.remove_manifest(id, old.files_of != present.files_of).await?)
    }

    /// Says that an experiment needs a pack no more, under whichever names it owns it.
    pub(super) async fn release_as(&self, experiment: &Experiment, id: PackId) -> Result<(), StoreError> {
        for owner in pack::owners(&self.records, id).await? {
            if experiment.owns_as(&owner) {
                pack::release(&self.records, &self.blobs, id, &owner).await?;
            }
        }
        Ok(())
    }

    /// Removes the names by which an experiment that is gone, or never came, is found.
    async fn forget_names(&self, experiment: &Experiment) -> Result<(), StoreError> {
        self.forget_experiment_label((&experiment.project, &experiment.label), &experiment.id).await?;
        for owner in experiment.owners() {
            self.records.delete(&keys::content(owner)).await?;
        }
        Ok(())
    }

    /// Removes what only a deleted experiment needed, its assessors among it. May be done again from the start at any
    /// time.
    pub(super) async fn empty_experiment_trash(&self, trash: Trash) -> Result<(), DomainError> {
        self.remove_assessors(&trash.experiment).await?;
        self.empty_trash_of_one(trash).await
    }

    /// As [`Core::empty_experiment_trash`], of an experiment that has no assessors.
    pub(super) async fn empty_trash_of_one(&self, trash: Trash) -> Result<(), DomainError> {
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
                self.release_as(experiment, pack).await?;
            }
            self.remove_manifest(&experiment.manifest, true).await?;
        }
        self.remove_catalogs(&experiment.resources, &experiment.content).await?;
        for catalog in &experiment.discarded {
            self.remove_catalog(CatalogRef { id: catalog, owner: &experiment.content }).await?;
        }
        for placed in &experiment.placed {
            self.remove_catalog(placed.catalog_of(&experiment.content)).await?;
        }
        for shelved in &experiment.shelved_scans {
            self.remove_shelf(&shelved.key(&experiment.id), &experiment.content).await?;
        }
        for manifest in experiment.superseded.iter().filter(|id| **id != experiment.manifest) {
            self.remove_manifest(manifest, false).await?;
        }
        self.forget_shared_labels(experiment).await?;
        self.forget_names(experiment).await?;
        // The project's history still has what was done to it.
        self.forget_history(ItemKind::Experiment, &experiment.id).await?;
        self.forget_trash(&trash).await.map_err(Into::into)
    }
}
