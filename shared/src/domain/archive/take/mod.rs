//! Taking what documents describe, with its files, into the archive: a new experiment, or more of one that is there.
//!
//! All files lie in one pack, which has arrived whole. The experiment's next revision is written beside the present one
//! (or beside nothing), and one write, that of the experiment's record, flips to it. Before that the trash says what is
//! written ([`super::trash`]), so that whoever comes after a crash knows what to remove.

mod add;
mod assessors;
pub(super) mod conclude;
mod make;
mod rules;

use super::Rules;
use super::experiment::{Experiment, QUARANTINE, lease_of};
use super::subject::Subject;
use super::subject_change::check_item_label;
use super::trash::{Trash, Twin};
use crate::domain::Core;
use crate::domain::catalog::{CatalogFile, FileNotes};
use crate::domain::error::DomainError;
use crate::domain::history::Cause;
use crate::domain::ids::random_id;
use crate::domain::manifest::{FileEntry, FullScan, NewScan};
use crate::domain::prearchive::upload::{Outcome, Verdict};
use crate::domain::project::QuarantineCode;
use crate::domain::webhooks::SessionEventKind;
use crate::imaging::session::{ImageSession, Scan};
use crate::imaging::{AssessorType, Field};
use crate::storage::Lease;
use crate::storage::pack::{self, PackShape};
use conclude::{Leases, ToldTaking};
use std::collections::{BTreeMap, BTreeSet};

/// A resource with its files.
#[derive(Debug, Clone)]
pub struct IncomingResource {
    /// Its label.
    pub label: String,
    /// What is said of it.
    pub notes: FileNotes,
    /// What is said of single files, by their paths. Those of scans have no room for it.
    pub said: BTreeMap<String, FileNotes>,
    /// Its files, which all lie in the one pack.
    pub files: Vec<FileEntry>,
}

/// A scan with its resources.
#[derive(Debug, Clone)]
pub struct IncomingScan {
    /// What it is.
    pub scan: Scan,
    /// Whether its frames are those of the images that come, as no document says how many the scan has.
    pub counts_frames: bool,
    /// XNAT's scan type.
    pub scan_type: Option<String>,
    /// XNAT's quality label.
    pub quality: Option<String>,
    /// Its resources.
    pub resources: Vec<IncomingResource>,
}

/// An assessor with its resources.
#[derive(Debug, Clone)]
pub struct IncomingAssessor {
    /// Its identifier, if the document says one; else empty.
    pub id: String,
    /// Its label.
    pub label: String,
    /// Its data type.
    pub xsi_type: AssessorType,
    /// What is said of it.
    pub fields: Vec<Field>,
    /// Its resources.
    pub resources: Vec<IncomingResource>,
}

/// How documents name the session.
#[derive(Debug, Clone)]
pub struct Named {
    /// The project's identifier.
    pub project: String,
    /// The subject's identifier or label.
    pub subject: Option<String>,
    /// The session's label, or identifier.
    pub label: Option<String>,
    /// The session's identifier, if the document says one.
    pub id: Option<String>,
}

/// What is to become part of the archive.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// Where.
    pub named: Named,
    /// The session without its scans; `None` if only scans or assessors are described, of a session that is there.
    pub session: Option<ImageSession>,
    /// Visit.
    pub visit: String,
    /// Protocol.
    pub protocol: String,
    /// Scans.
    pub scans: Vec<IncomingScan>,
    /// Assessors.
    pub assessors: Vec<IncomingAssessor>,
    /// Resources of the session itself.
    pub resources: Vec<IncomingResource>,
    /// The pack of all files, which is complete.
    pub pack: PackShape,
    /// Whether somebody else removes the pack if nothing comes of it, and may bring it once more.
    pub is_lent: bool,
    /// Whether documents name projects that an item is shared with: that is passed over.
    pub passes_shares_over: bool,
    /// Who brings it.
    pub by: String,
    /// What to do with what is there.
    pub rules: Rules,
    /// Whether the experiment is marked as in quarantine.
    pub quarantine: bool,
    /// Why, for the history.
    pub cause: Cause,
    /// Whether nobody is to be told.
    pub is_silent: bool,
}

/// What it has become part of.
#[derive(Debug, Clone)]
pub struct Taken {
    /// The experiment.
    pub experiment: Experiment,
    /// Whether it is new.
    pub is_new: bool,
    /// The identifiers of its assessors that came, if nothing else did.
    pub assessors: Vec<String>,
    /// The files that are kept, by their numbers in the pack; of the others the same were there already.
    kept: BTreeSet<u32>,
}

impl Taken {
    /// The addresses of what came.
    pub fn uris(&self) -> Vec<String> {
        let session = format!("/data/archive/experiments/{}", self.experiment.id);
        match self.assessors.as_slice() {
            [] => vec![session],
            assessors => assessors.iter().map(|id| format!("{session}/assessors/{id}")).collect(),
        }
    }

    /// Marks the files that were there already.
    pub fn note_repeated(&self, verdicts: &mut [Verdict]) {
        for verdict in verdicts {
            if verdict.place.is_some_and(|(_, number)| !self.kept.contains(&number)) {
                verdict.outcome = Outcome::Duplicate;
            }
        }
    }
}

/// The leases that whoever takes a XAR in holds.
struct HeldLeases {
    /// That of the session.
    session: Lease,
    /// Those of its assessors that come.
    assessors: Vec<Lease>,
}

impl HeldLeases {
    fn all(&mut self) -> impl Iterator<Item = &mut Lease> {
        std::iter::once(&mut self.session).chain(&mut self.assessors)
    }
}

impl Incoming {
    fn resources(&self) -> impl Iterator<Item = &IncomingResource> {
        let of_scans = self.scans.iter().flat_map(|scan| &scan.resources);
        of_scans.chain(self.assessors.iter().flat_map(|one| &one.resources)).chain(&self.resources)
    }

    fn file_count(&self) -> usize {
        self.resources().map(|resource| resource.files.len()).sum()
    }

    /// Whether it is of nothing but assessors.
    fn is_of_assessors(&self) -> bool {
        self.session.is_none() && self.scans.is_empty() && !self.assessors.is_empty()
    }

    /// What is to be told of it once it was taken.
    fn told(&self, kind: SessionEventKind, at_ms: u64) -> Result<ToldTaking, DomainError> {
        let mut details = format!("{} file(s) of a XAR", self.file_count());
        if self.passes_shares_over {
            details.push_str("; the projects that its documents name under sharing were passed over");
        }
        Ok(ToldTaking {
            event: random_id()?,
            kind: (!self.is_of_assessors()).then_some(kind),
            by: self.by.clone(),
            at_ms,
            details,
            cause: self.cause.clone(),
            is_silent: self.is_silent,
        })
    }
}

impl IncomingScan {
    /// As a manifest keeps it.
    fn into_full(self) -> FullScan {
        let descriptions: Vec<String> = self.resources.iter().map(|one| one.notes.description.clone()).collect();
        let resources = self.resources.into_iter();
        let resources =
            resources.map(|one| (one.label, one.notes.content, one.notes.format, one.files)).collect::<Vec<_>>();
        let mut full = FullScan::from(NewScan { scan: self.scan, resources });
        for (resource, description) in full.stored.resources.iter_mut().zip(descriptions) {
            resource.description = description;
        }
        full.stored.scan_type = self.scan_type;
        full.stored.quality = self.quality;
        full
    }
}

impl Core {
    /// Takes it in: all of it, or nothing, and its pack is removed then.
    ///
    /// # Errors
    /// [`DomainError::Invalid`] for what cannot be, [`DomainError::Conflict`] for what stands against it in the
    /// archive, [`DomainError::Refused`] if the experiment is locked, [`DomainError::NotFound`], [`DomainError::Busy`],
    /// or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn take_in(&self, incoming: Incoming) -> Result<Taken, DomainError> {
        let (shape, is_lent) = (incoming.pack, incoming.is_lent);
        let outcome = self.find_and_take(incoming).await;
        if outcome.is_err() && !is_lent && pack::find(&self.records, shape.id).await?.is_none() {
            pack::remove_unwanted(&self.blobs, [shape]).await;
        }
        outcome
    }

    async fn find_and_take(&self, incoming: Incoming) -> Result<Taken, DomainError> {
        let project = &incoming.named.project;
        self.project_by_id(project).await?.ok_or_else(|| DomainError::not_found("project", project))?;
        let found = self.named_experiment(&incoming.named).await?;
        let label = match &found {
            Some(found) => found.label.clone(),
            None => incoming.named.label.clone().unwrap_or_default(),
        };
        check_item_label(&label)?;
        if let Some(found) = &found {
            self.settle_content(found, async || Ok(())).await?;
        }
        let busy = || DomainError::Busy { what: "the session of this label in the archive".to_owned() };
        let lease = self.leases.acquire_within(&lease_of(project, &label), self.patience_ms()).await?;
        let mut held = HeldLeases { session: lease.ok_or_else(busy)?, assessors: Vec::new() };
        let outcome = match self.named_experiment(&incoming.named).await {
            Ok(Some(now)) if now.label != label => Err(busy()),
            Ok(Some(now)) => self.add_to_experiment(&mut held, now, incoming).await,
            Ok(None) if found.is_some() => Err(busy()),
            Ok(None) => self.make_from_documents(&mut held, &label, incoming).await,
            Err(error) => Err(error),
        };
        for lease in held.assessors {
            self.leases.release(lease).await?;
        }
        self.leases.release(held.session).await?;
        outcome
    }

    /// The experiment that the documents mean: the one of this label, else the one of this identifier.
    async fn named_experiment(&self, named: &Named) -> Result<Option<Experiment>, DomainError> {
        let texts = [&named.label, &named.id].into_iter().flatten().filter(|text| !text.is_empty());
        for (place, text) in texts.enumerate() {
            if place == 0
                && let Some(found) = self.experiment_by_label(&named.project, text).await?
            {
                if found.project == named.project {
                    return Ok(Some(found));
                }
                return Err(DomainError::Conflict {
                    reason: format!(
                        "The label {text} is that of a session which is shared with the project; it is changed in the \
                         project that it belongs to."
                    ),
                });
            }
            let by_id = self.experiment_by_id(text).await?;
            if let Some(found) = by_id.filter(|found| found.project == named.project) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The subject that the documents name, which must be there.
    async fn named_subject(&self, named: &Named) -> Result<Subject, DomainError> {
        let missing = || DomainError::Invalid { what: "Could not process XAR file - Invalid subject.".to_owned() };
        let name = named.subject.as_deref().filter(|name| !name.is_empty()).ok_or_else(missing)?;
        self.find_subject(&named.project, name).await?.ok_or_else(missing)
    }

    async fn is_to_be_reviewed(&self, incoming: &Incoming) -> Result<bool, DomainError> {
        let project = self.project_by_id(&incoming.named.project).await?;
        Ok(incoming.quarantine || project.is_some_and(|project| project.quarantine_code == QuarantineCode::On))
    }

    /// Writes a catalog that nothing refers to yet.
    async fn write_catalog_of(
        &self,
        held: &mut HeldLeases,
        twin: &Twin,
        mut files: Vec<CatalogFile>,
    ) -> Result<(), DomainError> {
        files.sort_by(|a, b| a.file.name.cmp(&b.file.name));
        self.write_catalog(&twin.new, files, async || self.keep_all(held).await).await
    }

    fn as_catalog_files(&self, resource: &IncomingResource, by: &str) -> Vec<CatalogFile> {
        let at_ms = self.clock.now_ms();
        let file = |file: &FileEntry| CatalogFile {
            file: file.clone(),
            by: by.to_owned(),
            at_ms,
            notes: resource.said.get(&file.name).unwrap_or(&resource.notes).clone(),
            wish: None,
        };
        resource.files.iter().map(file).collect()
    }

    /// Makes those whose files lie in the pack its owners, beside those who are already. Gives those who were not.
    async fn own_pack(&self, shape: PackShape, wanted: &[String]) -> Result<Vec<String>, DomainError> {
        // Whoever brought the same pack before may have died over it.
        let known = pack::owners(&self.records, shape.id).await?;
        let new: Vec<String> = wanted.iter().filter(|owner| !known.contains(owner)).cloned().collect();
        if new.is_empty() {
            return Ok(new);
        }
        let mut owners = wanted.to_vec();
        for owner in known {
            if !owners.contains(&owner) && self.content_is_alive(&owner).await? {
                owners.push(owner);
            }
        }
        pack::commit(&self.records, shape, owners, self.clock.now_ms()).await?;
        Ok(new)
    }

    /// The pack has served: it is sealed, or removed if all its files were there already.
    async fn settle_pack(&self, incoming: &Incoming, is_used: bool) -> Result<(), DomainError> {
        if is_used {
            pack::seal(&self.records, incoming.pack.id).await?;
        } else if !incoming.is_lent {
            pack::remove_unwanted(&self.blobs, [incoming.pack]).await;
        }
        Ok(())
    }

    /// Does what comes after the commit. Should it fail, the sweep does it.
    async fn conclude_or_leave(&self, trash: &Trash, experiment: &Experiment) -> bool {
        match self.conclude_taking(trash, experiment, Leases::Held).await {
            Ok(()) => true,
            Err(error) => {
                eprintln!("a XAR was taken, and is told of by the sweep: {error}");
                false
            }
        }
    }
}

fn status_of(is_to_be_reviewed: bool, otherwise: &str) -> String {
    if is_to_be_reviewed { QUARANTINE } else { otherwise }.to_owned()
}
