//! More of an experiment that is there.

use std::collections::{BTreeSet, HashMap};

use super::assessors::StagedAssessor;
use super::rules::{demand_short, join_files, join_scans, join_session};
use super::{HeldLeases, Incoming, IncomingResource, IncomingScan, Taken, status_of};
use crate::domain::Core;
use crate::domain::archive::experiment::Experiment;
use crate::domain::archive::merge::session::fill_text;
use crate::domain::archive::scans::MAX_SCANS;
use crate::domain::archive::shelved::NextShelf;
use crate::domain::archive::trash::{AssessorChange, Change, Twin};
use crate::domain::catalog::{CatalogFile, FileNotes};
use crate::domain::error::DomainError;
use crate::domain::ids::random_id;
use crate::domain::manifest::{FILES_PER_PAGE, FileEntry, FullScan, StoredScan};
use crate::domain::resource::{ItemResource, MAX_RESOURCES};
use crate::domain::webhooks::SessionEventKind;
use crate::imaging::ImageSession;
use crate::imaging::session::Scan;
use crate::storage::StoreError;
use crate::storage::pack;

/// Files of all scans together, at most: they are looked at together.
const MAX_TOGETHER: u64 = 400_000;

/// The next revision of an experiment.
struct Revision {
    experiment: Experiment,
    /// The session with its scans; nothing if only assessors come.
    images: Option<(ImageSession, Vec<FullScan>)>,
    /// The catalogs that are written anew, with their files.
    catalogs: Vec<(Twin, Vec<CatalogFile>)>,
    /// The shelves of scans of which the next revision is written.
    shelves: Vec<NextShelf>,
    /// The assessors that come.
    assessors: Vec<StagedAssessor>,
}

impl Core {
    /// Adds to an experiment, whose lease the caller holds.
    pub(super) async fn add_to_experiment(
        &self,
        held: &mut HeldLeases,
        mut existing: Experiment,
        mut incoming: Incoming,
    ) -> Result<Taken, DomainError> {
        self.demand_settled(&existing).await?;
        existing.demand_unlocked()?;
        if existing.assessed.is_some() {
            let what = "The documents name an assessor where a session is wanted.".to_owned();
            return Err(DomainError::Invalid { what });
        }
        self.finish_change(&existing.id).await?;
        self.finish_superseded(&mut held.session, &mut existing).await?;
        self.demand_same_subject(&existing, &incoming).await?;
        demand_short(incoming.session.as_ref(), &incoming.scans)?;
        self.hold_assessors(held, &existing, &incoming).await?;
        let before = existing.clone();
        let (by, told) = (random_id()?, incoming.told(SessionEventKind::Merged, self.clock.now_ms())?);
        let is_of_assessors = incoming.is_of_assessors();
        let revision = self.next_revision(existing, &mut incoming, &by).await?;
        let (owners, kept) = (revision.owners(&incoming), revision.kept(&incoming));
        let changed: Vec<AssessorChange> = revision.assessors.iter().map(StagedAssessor::change).collect();
        let manifest = if is_of_assessors { before.manifest.clone() } else { random_id()? };
        let change = Change {
            manifest: manifest.clone(),
            file_pages: revision.files().div_ceil(FILES_PER_PAGE) as u64,
            scan_pages: revision.images.as_ref().map_or(0, |(_, scans)| scans.len()) as u64,
            catalogs: revision.twins().cloned().collect(),
            shelves: revision.shelves.iter().map(|next| next.twin.clone()).collect(),
            at_ms: self.clock.now_ms(),
            taken: (!changed.is_empty()).then_some(by),
            assessors: changed,
            told: Some(told),
        };
        let made = |experiment: Experiment| Taken {
            assessors: match (is_of_assessors, &change) {
                (true, Change { assessors, .. }) => assessors.iter().map(|one| one.id.clone()).collect(),
                (false, _) => Vec::new(),
            },
            experiment,
            is_new: false,
            kept,
        };
        let trash = self.write_trash(&before, Some(change.clone())).await.map_err(too_much)?;
        let outcome = self.write_revision(held, &change, revision, &incoming, &owners).await;
        let experiment = match outcome {
            Ok(experiment) => experiment,
            // Whether it was done is seen from the record alone.
            Err((error, new_owners)) => match self.experiment_by_id(&before.id).await? {
                Some(experiment) if change.is_done(Some(&experiment)) => experiment,
                _ => {
                    self.undo_taking(held, &trash).await?;
                    for owner in &new_owners {
                        pack::release(&self.records, &self.blobs, incoming.pack.id, owner).await?;
                    }
                    return Err(error);
                }
            },
        };
        self.conclude_or_leave(&trash, &experiment).await;
        Ok(made(experiment))
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

    async fn next_revision(
        &self,
        mut existing: Experiment,
        incoming: &mut Incoming,
        by: &str,
    ) -> Result<Revision, DomainError> {
        let rules = incoming.rules;
        let is_of_assessors = incoming.is_of_assessors();
        let assessors = self.staged_assessors(&mut existing, incoming, by).await?;
        if !assessors.is_empty() {
            existing.taken = Some(by.to_owned());
        }
        if is_of_assessors {
            let (catalogs, shelves) = Default::default();
            return Ok(Revision { experiment: existing, images: None, catalogs, shelves, assessors });
        }
        let old = self.manifest(&existing.manifest).await?;
        let Some(room) = MAX_TOGETHER.checked_sub(old.files.saturating_add(incoming.file_count() as u64)) else {
            let what = format!("The session would have more than {MAX_TOGETHER} files in its scans.");
            return Err(DomainError::Invalid { what });
        };
        let mut scans = self.full_scans(&old).await?;
        let coming: HashMap<(&str, &str), &FileNotes> = incoming
            .scans
            .iter()
            .flat_map(|IncomingScan { scan, resources, .. }| {
                resources.iter().map(|resource| ((scan.id.as_str(), resource.label.as_str()), &resource.notes))
            })
            .collect();
        let notes_of = |scan: &Scan, label: &str| coming.get(&(scan.id.as_str(), label)).map(|notes| (*notes).clone());
        let shelves = self.bring_shelves(&existing, &mut scans, room, notes_of).await?;
        join_scans(&mut scans, std::mem::take(&mut incoming.scans), rules)?;
        let shelves = shelves.take_out(&mut scans, &incoming.by, self.clock.now_ms())?;
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
            let whose = format!("The resource {}", resource.label);
            catalogs.push(self.joined_catalog(&mut existing, &whose, resource, incoming).await?);
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
        Ok(Revision { experiment: existing, images: Some((session, scans)), catalogs, shelves, assessors })
    }

    /// The catalog of a resource of an experiment with what comes, under a new identifier that the experiment has then.
    /// `whose` is how sentences name it.
    pub(super) async fn joined_catalog(
        &self,
        existing: &mut Experiment,
        whose: &str,
        resource: &IncomingResource,
        incoming: &Incoming,
    ) -> Result<(Twin, Vec<CatalogFile>), DomainError> {
        let new = random_id()?;
        let known = existing.resources.iter_mut().find(|known| known.label == resource.label);
        let old = known.as_ref().map(|known| known.catalog.clone());
        let mut told = match &old {
            Some(old) => self.files_of_catalog(old).await?,
            None => Vec::new(),
        };
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
        let joined = join_files(whose, entries, resource.files.clone(), incoming.rules)?;
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

    /// Writes a revision. If that fails, gives the names under which the pack was owned anew.
    async fn write_revision(
        &self,
        held: &mut HeldLeases,
        change: &Change,
        revision: Revision,
        incoming: &Incoming,
        owners: &[String],
    ) -> Result<Experiment, (DomainError, Vec<String>)> {
        let new_owners = self.own_pack(incoming.pack, owners).await.map_err(|error| (error, owners.to_vec()))?;
        let written = self.write_all_of(held, change, revision, incoming, !owners.is_empty()).await;
        written.map_err(|error| (error, new_owners))
    }

    async fn write_all_of(
        &self,
        held: &mut HeldLeases,
        change: &Change,
        revision: Revision,
        incoming: &Incoming,
        is_used: bool,
    ) -> Result<Experiment, DomainError> {
        let Revision { mut experiment, images, catalogs, shelves, assessors } = revision;
        for (twin, files) in catalogs {
            self.write_catalog_of(held, &twin, files).await?;
        }
        for next in shelves {
            self.write_next_shelf(&mut experiment, next, async || self.keep_all(held).await).await?;
        }
        self.write_staged(held, assessors).await?;
        let mut heads: Vec<StoredScan> = Vec::new();
        if let Some((session, scans)) = images {
            heads.extend(scans.iter().map(|scan| scan.stored.clone()));
            let keep = async || self.keep_all(held).await;
            experiment.manifest = self.write_full_manifest(change.manifest.clone(), session, scans, keep).await?.id;
        }
        self.store_experiment(&mut held.session, &mut experiment).await?;
        self.settle_pack(incoming, is_used).await?;
        let types = self.scan_types(&experiment.project).await?;
        self.learn_scan_types(&experiment.project, types, &heads).await?;
        Ok(experiment)
    }
}

/// What is noted of a XAR before it is taken may be too long for a record.
pub(super) fn too_much(error: DomainError) -> DomainError {
    match error {
        DomainError::Store(StoreError::TooLarge { .. }) => DomainError::Full {
            what: "The XAR has too many assessors and resources for one; send it in several.".to_owned(),
        },
        error => error,
    }
}

impl Revision {
    fn files(&self) -> usize {
        let scans = self.images.iter().flat_map(|(_, scans)| scans);
        scans.flat_map(|scan| &scan.files).map(Vec::len).sum()
    }

    fn twins(&self) -> impl Iterator<Item = &Twin> {
        let own = self.catalogs.iter().map(|(twin, _)| twin);
        own.chain(self.shelves.iter().flat_map(NextShelf::twins))
    }

    /// The files of the experiment itself.
    fn own_files(&self) -> impl Iterator<Item = &FileEntry> {
        let scans = self.images.iter().flat_map(|(_, scans)| scans);
        let of_scans = scans.flat_map(|scan| &scan.files).flatten();
        let on_shelves = self.shelves.iter().flat_map(|next| &next.catalogs);
        of_scans.chain(self.catalogs.iter().chain(on_shelves).flat_map(|(_, files)| files).map(|file| &file.file))
    }

    /// The numbers of the files of the pack that are in the revision.
    fn kept(&self, incoming: &Incoming) -> BTreeSet<u32> {
        let all = self.own_files().chain(self.assessors.iter().flat_map(StagedAssessor::files));
        all.filter(|file| file.pack == incoming.pack.id).map(|file| file.ordinal).collect()
    }

    /// The names under which the pack is owned, as far as files of it are in the revision.
    fn owners(&self, incoming: &Incoming) -> Vec<String> {
        let is_its_own = self.own_files().any(|file| file.pack == incoming.pack.id);
        let own = is_its_own.then(|| self.experiment.content.clone());
        own.into_iter().chain(self.assessors.iter().filter_map(|one| one.owner_in(incoming))).collect()
    }
}
