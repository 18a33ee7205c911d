//! Merging a session of the prearchive into an experiment.
//!
//! The experiment's next revision is written beside the present one: a manifest with pages of files of its own, and
//! catalogs of those resources that the session has as well, also of those on shelves of scans. One write, that of the
//! experiment's record, flips to it. Before that the trash says what is written ([`super::trash`]), so that whoever comes after a crash knows what to remove.

use super::examine::Merge;
use super::experiment::{Experiment, QUARANTINE};
use super::merge::session::fill_text;
use super::request::ArchiveRequest;
use super::shelved::NextShelf;
use super::subject::LabelRef;
use super::tell::Told;
use super::trash::{Change, Twin};
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::domain::ids::random_id;
use crate::domain::manifest::{FILES_PER_PAGE, StoredScan};
use crate::domain::prearchive::session::{ArchiveIntent, HeldSession};
use crate::domain::resource::ItemResource;
use crate::domain::webhooks::SessionEventKind;
use crate::storage::{Lease, keys};

impl Core {
    /// Makes a held session part of an experiment. `lease` is that of the experiment.
    ///
    /// # Errors
    /// [`DomainError::Busy`] or the store's failure; unless the experiment has the session's files then, it is as it was.
    pub(super) async fn merge_into(
        &self,
        held: &mut HeldSession,
        lease: &mut Lease,
        mut merge: Merge,
        request: &ArchiveRequest,
    ) -> Result<Experiment, DomainError> {
        self.demand_settled(&merge.existing).await?;
        merge.existing.demand_unlocked()?;
        let id = merge.existing.id.clone();
        self.finish_change(&id).await?;
        // What the merge is to say of it is not stored before its commit.
        let mut present = self.experiment_that_is(&id).await?;
        self.finish_superseded(lease, &mut present).await?;
        merge.existing.superseded = present.superseded;
        merge.existing.shelved_scans = present.shelved_scans;
        let outcome = self.write_merge(held, lease, merge, request).await;
        if outcome.is_err() {
            // What was written is of no use, unless the commit was done all the same. The sweep does it otherwise.
            if let Err(error) = self.finish_change(&id).await {
                eprintln!("what was written for a merge stays until the next sweep: {error}");
            }
        }
        outcome
    }

    async fn write_merge(
        &self,
        held: &mut HeldSession,
        lease: &mut Lease,
        merge: Merge,
        request: &ArchiveRequest,
    ) -> Result<Experiment, DomainError> {
        let Merge { mut existing, session, mut scans, resources, shelves } = merge;
        let shelves = shelves.take_out(&mut scans, &request.by, self.clock.now_ms())?;
        self.dress_scans(&existing.project, scans.iter_mut().map(|scan| &mut scan.stored).collect()).await?;
        let mut twins = Vec::with_capacity(resources.len());
        for resource in &resources {
            twins.push(Twin { old: resource.old.as_ref().map(|old| old.catalog.clone()), new: random_id()? });
        }
        let files: usize = scans.iter().flat_map(|scan| &scan.files).map(Vec::len).sum();
        let manifest = random_id()?;
        let before = self.experiment_by_id(&existing.id).await?;
        let before = before.ok_or_else(|| DomainError::not_found("experiment", &existing.id))?;
        let change = Change {
            manifest: manifest.clone(),
            file_pages: files.div_ceil(FILES_PER_PAGE) as u64,
            scan_pages: scans.len() as u64,
            catalogs: twins.iter().chain(shelves.iter().flat_map(NextShelf::twins)).cloned().collect(),
            shelves: shelves.iter().map(|next| next.twin.clone()).collect(),
            at_ms: self.clock.now_ms(),
            taken: None,
            assessors: Vec::new(),
            told: None,
        };
        self.write_trash(&before, Some(change)).await?;
        let told = Told::of(request, SessionEventKind::Merged, held, self.clock.now_ms());
        let intent = ArchiveIntent { experiment: existing.id.clone(), manifest: None, told: Some(told) };
        self.declare(held, intent).await?;

        let owner = existing.content.clone();
        let HeldSession { session: staged, lease: own, .. } = &mut *held;
        let mut keep = async || {
            self.keep(own, "this prearchive entry").await?;
            self.keep(lease, "the session of this label in the archive").await
        };
        let mut added = Vec::new();
        for (resource, twin) in resources.iter().zip(&twins) {
            self.write_merged_catalog(&twin.new, resource, &owner, &mut keep).await?;
            match existing.resources.iter_mut().find(|known| known.label == resource.new.label) {
                Some(known) => known.catalog.clone_from(&twin.new),
                None => added.push(ItemResource { number: 0, catalog: twin.new.clone(), ..resource.new.clone() }),
            }
        }
        self.number("xnat_abstractresource_id", added.iter_mut().map(|resource| &mut resource.number).collect())
            .await?;
        existing.resources.extend(added);
        for next in shelves {
            self.write_next_shelf(&mut existing, next, &mut keep).await?;
        }
        let heads: Vec<StoredScan> = scans.iter().map(|scan| scan.stored.clone()).collect();
        let manifest = self.write_full_manifest(manifest, session, scans, &mut keep).await?;

        let target = self.project_by_id(&existing.project).await?;
        let target = target.ok_or_else(|| DomainError::not_found("project", &existing.project))?;
        if request.quarantines(staged, &target) {
            QUARANTINE.clone_into(&mut existing.status);
        }
        fill_text(&mut existing.uid, &manifest.session.uid);
        fill_text(&mut existing.date, manifest.session.date.as_deref().unwrap_or_default());
        existing.changed_ms = self.clock.now_ms();
        existing.manifest = manifest.id;
        existing.merged.push(staged.id.clone());
        let project = existing.project.clone();
        let (roster, source) = self.experiment_roster(&project);
        let touch = roster.touch(&existing.id, Some(existing.place)).await?;
        self.records.set(&keys::content(&staged.id), &LabelRef { id: existing.id.clone() }).await?;
        keep().await?;
        self.records.set(&keys::experiment(&existing.id), &existing).await?;
        roster.settled(&existing.id, touch).await?;
        roster.fold_if_long(&source).await?;
        self.learn_scan_types(&project, self.scan_types(&project).await?, &heads).await?;
        Ok(existing)
    }
}
