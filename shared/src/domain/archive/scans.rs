//! Making, changing and removing scans of an experiment: a new manifest takes the place of the old.
//!
//! What is not, or no longer, the experiment's manifest is listed as superseded in its record, before it is written and
//! until it is removed; whoever changes the scans next goes on where a dead worker stopped.

use std::collections::{BTreeMap, BTreeSet};

use super::change::ExperimentChange;
use super::experiment::Experiment;
use super::scan_change::ScanChange;
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::domain::ids::{is_folder_name, random_id};
use crate::domain::manifest::{FullScan, Manifest, StoredScan};
use crate::imaging::session::Scan;
use crate::imaging::types::ScanType;
use crate::storage::{Lease, PackId, StoreError, keys};

/// Scans of one experiment, at most: each that is made by hand rewrites their list.
pub const MAX_SCANS: usize = 10_000;

/// What came of putting a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutScan {
    /// It was made.
    Made,
    /// It was there and was changed.
    Changed,
}

fn new_scan(id: &str, xsi_type: ScanType, number: u64) -> StoredScan {
    let scan = Scan::empty(id, xsi_type);
    StoredScan { scan, scan_type: None, quality: None, number, resources: Vec::new(), shelf: Vec::new() }
}

/// The smallest number that is no scan's ID.
fn free_id(scans: &[StoredScan]) -> String {
    let taken: BTreeSet<&str> = scans.iter().map(|stored| stored.scan.id.as_str()).collect();
    (1_u64..).map(|number| number.to_string()).find(|id| !taken.contains(id.as_str())).unwrap_or_default()
}

impl Core {
    /// Makes a scan, or changes the one that is there.
    ///
    /// # Errors
    /// [`DomainError::Conflict`] if it is there with another data type, [`DomainError::Invalid`] for an ID or field that
    /// cannot be or a new scan without type, [`DomainError::NotFound`], [`DomainError::Refused`] if the experiment is
    /// locked, [`DomainError::Busy`], or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn put_scan(&self, experiment: &str, id: &str, change: &ScanChange) -> Result<PutScan, DomainError> {
        let mut number = 0;
        self.number("xnat_imagescandata_id", vec![&mut number]).await?;
        self.change_scans(experiment, |scans| put_into(scans, id, change, number)).await
    }

    /// Makes a scan; without an ID it gets the smallest number that is free. Gives its ID.
    ///
    /// # Errors
    /// As [`Core::put_scan`], and [`DomainError::Exists`].
    #[crate::boxed(?Send)]
    pub async fn create_scan(
        &self,
        experiment: &str,
        id: Option<&str>,
        change: &ScanChange,
    ) -> Result<String, DomainError> {
        let mut number = 0;
        self.number("xnat_imagescandata_id", vec![&mut number]).await?;
        self.change_scans(experiment, |scans| {
            let id = id.map_or_else(|| free_id(scans), str::to_owned);
            if scans.iter().any(|stored| stored.scan.id == id) {
                return Err(DomainError::Exists { what: format!("the scan {id:?}") });
            }
            scans.push(made_scan(scans, &id, change, number)?);
            Ok(id)
        })
        .await
    }

    /// Removes a scan with its files.
    ///
    /// # Errors
    /// [`DomainError::NotFound`], [`DomainError::Refused`] if the experiment is locked, [`DomainError::Busy`], or the
    /// store's failure.
    #[crate::boxed(?Send)]
    pub async fn delete_archived_scan(&self, experiment: &str, id: &str) -> Result<(), DomainError> {
        self.change_scans(experiment, |scans| {
            let before = scans.len();
            scans.retain(|stored| stored.scan.id != id);
            if scans.len() == before { Err(DomainError::not_found("scan", id)) } else { Ok(()) }
        })
        .await
    }

    async fn change_scans<T>(
        &self,
        id: &str,
        change: impl FnOnce(&mut Vec<StoredScan>) -> Result<T, DomainError>,
    ) -> Result<T, DomainError> {
        self.with_experiment(id, async |core, lease: &mut Lease, experiment| {
            experiment.demand_unlocked()?;
            let before = core.settled_for_scans(lease, experiment).await?;
            let old = core.manifest(&before.manifest).await?;
            let mut scans = core.scans(&old).await?;
            let outcome = change(&mut scans)?;
            let mut experiment = before.clone();
            core.commit_scans(lease, before, &mut experiment, &old, scans).await?;
            Ok(outcome)
        })
        .await
    }

    /// An experiment whose scans are to be changed, when what earlier changes left behind is gone.
    pub(super) async fn settled_for_scans(
        &self,
        lease: &mut Lease,
        mut experiment: Experiment,
    ) -> Result<Experiment, DomainError> {
        if experiment.assessed.is_some() {
            return Err(DomainError::Invalid { what: "An assessor has no scans; those are its session's.".to_owned() });
        }
        // What a merge wrote is told from what it replaced by the experiment's manifest.
        self.finish_change(&experiment.id).await?;
        self.finish_superseded(lease, &mut experiment).await?;
        Ok(experiment)
    }

    /// Writes an experiment with other scans. `before` is its record as it is stored, `old` its manifest, perhaps with
    /// what is to be said of the session from now on.
    pub(super) async fn commit_scans(
        &self,
        lease: &mut Lease,
        mut before: Experiment,
        experiment: &mut Experiment,
        old: &Manifest,
        scans: Vec<StoredScan>,
    ) -> Result<(), DomainError> {
        let types_before: BTreeMap<_, _> =
            self.scans(old).await?.into_iter().map(|stored| (stored.scan.id, stored.scan_type)).collect();
        let is_typed = |stored: &&StoredScan| {
            stored.scan_type.is_some() && types_before.get(&stored.scan.id) != Some(&stored.scan_type)
        };
        let typed: Vec<StoredScan> = scans.iter().filter(is_typed).cloned().collect();
        let new = random_id()?;
        before.superseded.push(new.clone());
        self.set_experiment(lease, &before).await?;
        self.derive_manifest_as(new.clone(), old, scans).await?;
        experiment.superseded = vec![old.id.clone()];
        experiment.manifest = new;
        self.store_experiment(lease, experiment).await?;
        // As with those of new sessions, the next one teaches the same if this fails.
        if let Err(error) = self.correct_scan_types(&experiment.project, &typed).await {
            eprintln!("the types of changed scans are not learnt: {error}");
        }
        // The change is done; should this fail, the next one does it.
        if let Err(error) = self.finish_superseded(lease, experiment).await {
            eprintln!("what a change of an experiment's scans left behind stays until the next change: {error}");
        }
        Ok(())
    }

    /// Makes, changes and removes scans as a change of their experiment says.
    pub(super) async fn apply_to_scans(
        &self,
        project: &str,
        scans: &mut Vec<StoredScan>,
        change: &ExperimentChange,
    ) -> Result<(), DomainError> {
        let is_named = |stored: &StoredScan| change.scans.iter().any(|(id, _)| stored.scan.id == *id);
        if change.removes_other_scans {
            scans.retain(is_named);
        }
        for (id, change) in &change.scans {
            put_into(scans, id, change, 0)?;
        }
        if change.fixes_scan_types {
            let types = self.scan_types(project).await?;
            for stored in scans.iter_mut().filter(|stored| stored.scan_type.is_none()) {
                stored.scan_type = Some(types.of(stored));
            }
        }
        let numbers = scans.iter_mut().map(|stored| &mut stored.number).filter(|number| **number == 0).collect();
        self.number("xnat_imagescandata_id", numbers).await
    }

    /// The scans of an experiment that is to be made.
    pub(super) async fn new_scans(
        &self,
        project: &str,
        change: &ExperimentChange,
    ) -> Result<Vec<FullScan>, DomainError> {
        let mut scans = Vec::new();
        self.apply_to_scans(project, &mut scans, change).await?;
        Ok(scans.into_iter().map(|stored| FullScan { stored, files: Vec::new() }).collect())
    }

    /// Removes manifests that are not the experiment's, shelves of scans that it has no more, and packs in which
    /// nothing of it lies any more.
    pub(super) async fn finish_superseded(
        &self,
        lease: &mut Lease,
        experiment: &mut Experiment,
    ) -> Result<(), DomainError> {
        if experiment.superseded.is_empty() {
            return Ok(());
        }
        let present = self.manifest(&experiment.manifest).await?;
        let scans = self.scans(&present).await?;
        let (kept, gone): (Vec<_>, Vec<_>) = std::mem::take(&mut experiment.shelved_scans)
            .into_iter()
            .partition(|shelved| scans.iter().any(|stored| stored.scan.id == shelved.scan));
        for shelved in gone {
            self.remove_shelf(&shelved.key(&experiment.id), &experiment.content).await?;
        }
        experiment.shelved_scans = kept;
        let numbers: BTreeSet<u64> =
            scans.iter().flat_map(|stored| &stored.resources).map(|resource| resource.number).collect();
        let mut needed: Option<BTreeSet<PackId>> = None;
        for id in std::mem::take(&mut experiment.superseded) {
            let found: Option<Manifest> = self.records.get(&keys::manifest(&id)).await?;
            let Some(old) = found.filter(|_| id != experiment.manifest) else {
                self.remove_unfinished_manifest(&id, &present).await?;
                continue;
            };
            let old_scans = match self.scans(&old).await {
                // Its removal has begun, so what it alone needed has been given back.
                Err(StoreError::Corrupt { .. }) => Vec::new(),
                found => found?,
            };
            for stored in old_scans {
                for resource in stored.resources.iter().filter(|resource| !numbers.contains(&resource.number)) {
                    if needed.is_none() {
                        needed = Some(self.packs_needed(experiment, &present).await?);
                    }
                    let mut page = 0;
                    while let Some(files) = self.files_on_page(&old, resource, page).await? {
                        page += 1;
                        self.leases.keep(lease).await?;
                        let unneeded = |pack: &PackId| needed.as_ref().is_none_or(|needed| !needed.contains(pack));
                        let (gone, _): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| unneeded(&file.pack));
                        self.forget_digests(&gone).await?;
                        let packs: BTreeSet<PackId> = gone.into_iter().map(|file| file.pack).collect();
                        for pack in packs {
                            self.release_pack(pack, &experiment.content, true).await?;
                        }
                    }
                }
            }
            self.remove_manifest(&old.id, false).await?;
        }
        self.set_experiment(lease, experiment).await
    }

    /// Removes what may have been written of a manifest whose head never came.
    async fn remove_unfinished_manifest(&self, id: &str, like: &Manifest) -> Result<(), StoreError> {
        if id == like.id {
            return Ok(());
        }
        // One scan more than there are may have begun one page more.
        for page in 0..=like.scan_pages.saturating_add(1) {
            self.records.delete(&keys::manifest_scans(id, page)).await?;
        }
        Ok(())
    }

    /// The packs in which files of an experiment lie.
    async fn packs_needed(&self, experiment: &Experiment, manifest: &Manifest) -> Result<BTreeSet<PackId>, StoreError> {
        let mut packs = BTreeSet::new();
        for stored in self.scans_of(experiment, manifest).await? {
            for resource in &stored.resources {
                let mut page = 0;
                while let Some(files) = self.files_on_page(manifest, resource, page).await? {
                    packs.extend(files.into_iter().map(|file| file.pack));
                    page += 1;
                }
            }
        }
        self.add_packs_of_catalogs(&experiment.content, &mut packs).await?;
        Ok(packs)
    }
}

/// Makes a scan of this number, or changes the one that is there.
fn put_into(scans: &mut Vec<StoredScan>, id: &str, change: &ScanChange, number: u64) -> Result<PutScan, DomainError> {
    if let Some(stored) = scans.iter_mut().find(|stored| stored.scan.id == id) {
        if change.xsi_type.as_ref().is_some_and(|wanted| *wanted != stored.scan.xsi_type) {
            let reason = "Specified xsiType differs from existing xsiType".to_owned();
            return Err(DomainError::Conflict { reason });
        }
        change.apply(stored)?;
        return Ok(PutScan::Changed);
    }
    scans.push(made_scan(scans, id, change, number)?);
    Ok(PutScan::Made)
}

fn made_scan(scans: &[StoredScan], id: &str, change: &ScanChange, number: u64) -> Result<StoredScan, DomainError> {
    if !is_folder_name(id) {
        let what = "A scan's ID must be 1 to 128 letters, digits, underscores, hyphens or dots.".to_owned();
        return Err(DomainError::Invalid { what });
    }
    if scans.len() >= MAX_SCANS {
        return Err(DomainError::Full { what: format!("An experiment may have at most {MAX_SCANS} scans.") });
    }
    let Some(xsi_type) = change.xsi_type.clone() else {
        let what = "A new scan needs a data type; name it with xsiType=, such as xnat:mrScanData.".to_owned();
        return Err(DomainError::Invalid { what });
    };
    let mut stored = new_scan(id, xsi_type, number);
    change.apply(&mut stored)?;
    Ok(stored)
}
