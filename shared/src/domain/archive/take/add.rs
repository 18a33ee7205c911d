//! More of an experiment that is there.

use super::rules::{demand_short, join_files, join_scans, join_session};
use super::{Incoming, IncomingResource, Taken, status_of};
use crate::domain::Core;
use crate::domain::archive::experiment::Experiment;
use crate::domain::archive::merge::session::fill_text;
use crate::domain::archive::scans::MAX_SCANS;
use crate::domain::archive::trash::{Change, Twin};
use crate::domain::catalog::{CatalogCursor, CatalogFile};
use crate::domain::error::DomainError;
use crate::domain::ids::random_id;
use crate::domain::manifest::{FILES_PER_PAGE, FileEntry, FullScan, StoredScan};
use crate::domain::resource::{ItemResource, MAX_RESOURCES};
use crate::domain::shelf::Shelf;
use crate::imaging::ImageSession;
use crate::storage::pack;
use crate::storage::{Lease, keys};

/// Files of all scans together, at most: they are looked at together.
const MAX_TOGETHER: usize = 400_000;

/// The next revision of an experiment.
struct Revision {
    experiment: Experiment,
    session: ImageSession,
    scans: Vec<FullScan>,
    /// The catalogs that are written anew, with their files.
    catalogs: Vec<(Twin, Vec<CatalogFile>)>,
}

impl Core {
    /// Adds to an experiment, whose lease the caller holds.
    pub(super) async fn add_to_experiment(
        &self,
        lease: &mut Lease,
        mut existing: Experiment,
        mut incoming: Incoming,
    ) -> Result<Taken, DomainError> {
        self.demand_settled(&existing).await?;
        existing.demand_unlocked()?;
        self.finish_change(&existing.id).await?;
        self.finish_superseded(lease, &mut existing).await?;
        self.demand_same_subject(&existing, &incoming).await?;
        demand_short(incoming.session.as_ref(), &incoming.scans)?;
        let before = existing.clone();
        let revision = self.next_revision(existing, &mut incoming).await?;
        let is_used = revision.uses(&incoming);
        // Whoever brought the same pack before may have died over it.
        let owners = pack::owners(&self.records, incoming.pack.id).await?;
        let is_owned = owners.iter().any(|owner| before.owns_as(owner));
        let manifest = random_id()?;
        let change = Change {
            manifest: manifest.clone(),
            file_pages: revision.files().div_ceil(FILES_PER_PAGE) as u64,
            scan_pages: revision.scans.len() as u64,
            catalogs: revision.catalogs.iter().map(|(twin, _)| twin.clone()).collect(),
            at_ms: self.clock.now_ms(),
        };
        self.write_trash(&before, Some(change)).await?;
        let outcome = self.write_revision(lease, &manifest, revision, &incoming, (is_used, is_owned)).await;
        match outcome {
            Ok(experiment) => Ok(Taken { experiment, is_new: false }),
            // Whether it was done is seen from the record alone.
            Err(error) => match self.experiment_by_id(&before.id).await? {
                Some(experiment) if experiment.manifest == manifest => Ok(Taken { experiment, is_new: false }),
                _ => {
                    self.finish_change(&before.id).await?;
                    if is_used && !is_owned {
                        pack::release(&self.records, &self.blobs, incoming.pack.id, &before.content).await?;
                    }
                    Err(error)
                }
            },
        }
    }

    async fn demand_same_subject(&self, existing: &Experiment, incoming: &Incoming) -> Result<(), DomainError> {
        // Who describes only scans does not say.
        if incoming.session.is_none() && incoming.named.subject.is_none() {
            return Ok(());
        }
        let subject = self.named_subject(&incoming.named).await?;
        if subject.id == existing.subject_id {
            return Ok(());
        }
        Err(DomainError::Conflict {
            reason: format!(
                "Invalid modification of session subject via archive process.: {} Already Exists for another Subject",
                existing.label
            ),
        })
    }

    async fn next_revision(&self, mut existing: Experiment, incoming: &mut Incoming) -> Result<Revision, DomainError> {
        let rules = incoming.rules;
        let old = self.manifest(&existing.manifest).await?;
        if usize::try_from(old.files).unwrap_or(usize::MAX).saturating_add(incoming.file_count()) > MAX_TOGETHER {
            let what = format!("The session would have more than {MAX_TOGETHER} files in its scans.");
            return Err(DomainError::Invalid { what });
        }
        let mut scans = self.full_scans(&old).await?;
        self.demand_not_hidden(&existing, &scans, incoming).await?;
        join_scans(&mut scans, std::mem::take(&mut incoming.scans), rules)?;
        if scans.len() > MAX_SCANS {
            return Err(DomainError::Full { what: format!("An experiment may have at most {MAX_SCANS} scans.") });
        }
        let session = match incoming.session.take() {
            Some(new) => join_session(old.session, &mut existing.fields, new, rules)?,
            None => old.session,
        };
        self.dress_scans(&existing.project, scans.iter_mut().map(|scan| &mut scan.stored).collect()).await?;
        let mut catalogs = Vec::new();
        for resource in &incoming.resources {
            catalogs.push(self.joined_catalog(&mut existing, resource, incoming).await?);
        }
        if existing.resources.len() > MAX_RESOURCES {
            let what = format!("An item may have at most {MAX_RESOURCES} resources.");
            return Err(DomainError::Invalid { what });
        }
        let new = existing.resources.iter_mut().map(|one| &mut one.number).filter(|number| **number == 0);
        self.number("xnat_abstractresource_id", new.collect()).await?;
        if incoming.quarantine {
            existing.status = status_of(true, &existing.status);
        } else {
            existing.status = status_of(self.is_to_be_reviewed(incoming).await?, &existing.status);
        }
        if rules.overrides() {
            existing.uid.clone_from(&session.uid);
            existing.date = session.date.clone().unwrap_or_default();
        }
        fill_text(&mut existing.uid, &session.uid);
        fill_text(&mut existing.date, session.date.as_deref().unwrap_or_default());
        for (own, new) in [(&mut existing.visit, &incoming.visit), (&mut existing.protocol, &incoming.protocol)] {
            if rules.overrides() && !new.is_empty() {
                own.clone_from(new);
            }
            fill_text(own, new);
        }
        Ok(Revision { experiment: existing, session, scans, catalogs })
    }

    /// Resources of scans whose lists of files were changed in the archive stand on shelves: what is added to the scan
    /// would be hidden behind them.
    async fn demand_not_hidden(
        &self,
        existing: &Experiment,
        old: &[FullScan],
        incoming: &Incoming,
    ) -> Result<(), DomainError> {
        for new in incoming.scans.iter().filter(|new| existing.shelved_scans.contains(&new.scan.id)) {
            let id = &new.scan.id;
            let Some(shelf) = self.records.get::<Shelf>(&keys::scan_shelf(&existing.id, id)).await? else { continue };
            let stored = old.iter().filter(|scan| scan.stored.scan.id == *id).flat_map(|scan| &scan.stored.resources);
            let hidden: Vec<&str> = stored
                .filter(|resource| shelf.hides(resource.number, &resource.label))
                .map(|resource| resource.label.as_str())
                .collect();
            for IncomingResource { label, .. } in &new.resources {
                if hidden.contains(&label.as_str()) || shelf.hides(0, label) {
                    return Err(DomainError::Conflict {
                        reason: format!(
                            "The resource {label} of scan {id} was changed in the archive; add files to it there instead."
                        ),
                    });
                }
            }
        }
        Ok(())
    }

    /// The catalog of a resource of the session with what comes, under a new identifier that the experiment has then.
    async fn joined_catalog(
        &self,
        existing: &mut Experiment,
        resource: &IncomingResource,
        incoming: &Incoming,
    ) -> Result<(Twin, Vec<CatalogFile>), DomainError> {
        let whose = format!("The resource {}", resource.label);
        let new = random_id()?;
        let known = existing.resources.iter_mut().find(|known| known.label == resource.label);
        let old = known.as_ref().map(|known| known.catalog.clone());
        let mut told: Vec<CatalogFile> = Vec::new();
        if let Some(old) = &old {
            let mut cursor = CatalogCursor::new(old);
            while let Some(files) = self.next_files(&mut cursor).await? {
                told.extend(files);
            }
        }
        match known {
            Some(known) => known.catalog.clone_from(&new),
            None => existing.resources.push(ItemResource {
                label: resource.label.clone(),
                notes: resource.notes.clone(),
                number: 0,
                catalog: new.clone(),
                is_made: true,
            }),
        }
        let entries: Vec<FileEntry> = told.iter().map(|file| file.file.clone()).collect();
        let joined = join_files(&whose, entries, resource.files.clone(), incoming.rules)?;
        told.extend(self.as_catalog_files(resource, &incoming.by));
        let is_in = |file: &CatalogFile| {
            let found = joined.binary_search_by(|entry| entry.name.cmp(&file.file.name));
            found.ok().and_then(|at| joined.get(at)).is_some_and(|entry| *entry == file.file)
        };
        told.retain(is_in);
        // A file that came again is there once.
        told.sort_by(|a, b| a.file.name.cmp(&b.file.name));
        told.dedup_by(|later, earlier| later.file.name == earlier.file.name);
        Ok((Twin { old, new }, told))
    }

    async fn write_revision(
        &self,
        lease: &mut Lease,
        manifest: &str,
        revision: Revision,
        incoming: &Incoming,
        (is_used, is_owned): (bool, bool),
    ) -> Result<Experiment, DomainError> {
        let Revision { mut experiment, session, scans, catalogs } = revision;
        if is_used && !is_owned {
            let owner = experiment.content.clone();
            pack::commit(&self.records, incoming.pack, vec![owner], self.clock.now_ms()).await?;
        }
        for (twin, files) in catalogs {
            self.write_catalog_of(lease, &twin, files).await?;
        }
        let heads: Vec<StoredScan> = scans.iter().map(|scan| scan.stored.clone()).collect();
        let keep = async || self.keep(lease, "this experiment").await;
        let manifest = self.write_full_manifest(manifest.to_owned(), session, scans, keep).await?;
        experiment.manifest = manifest.id;
        self.store_experiment(lease, &mut experiment).await?;
        if is_used {
            pack::seal(&self.records, incoming.pack.id).await?;
        } else if !incoming.is_lent {
            // All its files were there already.
            pack::remove_unwanted(&self.blobs, [incoming.pack]).await;
        }
        let types = self.scan_types(&experiment.project).await?;
        self.learn_scan_types(&experiment.project, types, &heads).await?;
        Ok(experiment)
    }
}

impl Revision {
    fn files(&self) -> usize {
        self.scans.iter().flat_map(|scan| &scan.files).map(Vec::len).sum()
    }

    /// Whether a file of the pack is in it.
    fn uses(&self, incoming: &Incoming) -> bool {
        let of_scans = self.scans.iter().flat_map(|scan| &scan.files).flatten();
        let own = self.catalogs.iter().flat_map(|(_, files)| files).map(|file| &file.file);
        of_scans.chain(own).any(|file| file.pack == incoming.pack.id)
    }
}
