//! Taking what documents describe, with its files, into the archive: a new experiment, or more of one that is there.
//!
//! All files lie in one pack, which has arrived whole. The experiment's next revision is written beside the present one
//! (or beside nothing), and one write, that of the experiment's record, flips to it. Before that the trash says what is
//! written ([`super::trash`]), so that whoever comes after a crash knows what to remove.

mod add;
mod make;
mod rules;

use super::Rules;
use super::experiment::{Experiment, QUARANTINE, lease_of};
use super::subject::Subject;
use super::subject_change::check_item_label;
use super::tell::session_event;
use super::trash::Twin;
use crate::domain::Core;
use crate::domain::catalog::{CatalogBuilder, CatalogFile, FileNotes};
use crate::domain::error::DomainError;
use crate::domain::history::{Cause, Deed};
use crate::domain::ids::random_id;
use crate::domain::manifest::{FileEntry, FullScan, NewScan};
use crate::domain::project::QuarantineCode;
use crate::domain::webhooks::SessionEventKind;
use crate::imaging::session::{ImageSession, Scan};
use crate::storage::Lease;
use crate::storage::pack::{self, PackShape};

/// A resource with its files.
#[derive(Debug, Clone)]
pub struct IncomingResource {
    /// Its label.
    pub label: String,
    /// What is said of it.
    pub notes: FileNotes,
    /// Its files, which all lie in the one pack.
    pub files: Vec<FileEntry>,
}

/// A scan with its resources.
#[derive(Debug, Clone)]
pub struct IncomingScan {
    /// What it is.
    pub scan: Scan,
    /// XNAT's scan type.
    pub scan_type: Option<String>,
    /// XNAT's quality label.
    pub quality: Option<String>,
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
    /// The session without its scans; `None` if only scans are described, of a session that is there.
    pub session: Option<ImageSession>,
    /// Visit.
    pub visit: String,
    /// Protocol.
    pub protocol: String,
    /// Scans.
    pub scans: Vec<IncomingScan>,
    /// Resources of the session itself.
    pub resources: Vec<IncomingResource>,
    /// The pack of all files, which is complete.
    pub pack: PackShape,
    /// Whether somebody else removes the pack if nothing comes of it, and may bring it once more.
    pub is_lent: bool,
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
}

impl Incoming {
    fn has_files(&self) -> bool {
        let of_scans = self.scans.iter().flat_map(|scan| &scan.resources);
        of_scans.chain(&self.resources).any(|resource| !resource.files.is_empty())
    }

    fn file_count(&self) -> usize {
        let of_scans = self.scans.iter().flat_map(|scan| &scan.resources);
        of_scans.chain(&self.resources).map(|resource| resource.files.len()).sum()
    }
}

impl IncomingScan {
    /// As a manifest keeps it.
    fn into_full(self) -> FullScan {
        let resources = self.resources.into_iter();
        let resources =
            resources.map(|one| (one.label, one.notes.content, one.notes.format, one.files)).collect::<Vec<_>>();
        let mut full = FullScan::from(NewScan { scan: self.scan, resources });
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
        let (by, cause, is_silent) = (incoming.by.clone(), incoming.cause.clone(), incoming.is_silent);
        let details = format!("{} file(s) of a XAR", incoming.file_count());
        let taken = match self.find_and_take(incoming).await {
            Ok(taken) => taken,
            Err(error) => {
                if !is_lent && pack::find(&self.records, shape.id).await?.is_none() {
                    pack::remove_unwanted(&self.blobs, [shape]).await;
                }
                return Err(error);
            }
        };
        self.tell_of_taking(&taken, Deed { by: &by, action: "", details: &details, cause: &cause }, is_silent).await?;
        Ok(taken)
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
        let mut lease = lease.ok_or_else(busy)?;
        let outcome = match self.named_experiment(&incoming.named).await {
            Ok(Some(now)) if now.label != label => Err(busy()),
            Ok(Some(now)) => self.add_to_experiment(&mut lease, now, incoming).await,
            Ok(None) if found.is_some() => Err(busy()),
            Ok(None) => self.make_from_documents(&mut lease, &label, incoming).await,
            Err(error) => Err(error),
        };
        self.leases.release(lease).await?;
        outcome
    }

    /// The experiment that the documents mean: the one of this label, else the one of this identifier.
    async fn named_experiment(&self, named: &Named) -> Result<Option<Experiment>, DomainError> {
        let texts = [&named.label, &named.id].into_iter().flatten().filter(|text| !text.is_empty());
        for (place, text) in texts.enumerate() {
            if place == 0
                && let Some(found) = self.experiment_by_label(&named.project, text).await?
            {
                return Ok(Some(found));
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
        lease: &mut Lease,
        twin: &Twin,
        mut files: Vec<CatalogFile>,
    ) -> Result<(), DomainError> {
        files.sort_by(|a, b| a.file.name.cmp(&b.file.name));
        let mut builder = CatalogBuilder::new(self, &twin.new);
        for (number, file) in files.into_iter().enumerate() {
            if number.is_multiple_of(256) {
                self.keep(lease, "this experiment").await?;
            }
            builder.push(file).await?;
        }
        builder.finish().await
    }

    fn as_catalog_files(&self, resource: &IncomingResource, by: &str) -> Vec<CatalogFile> {
        let (at_ms, notes) = (self.clock.now_ms(), &resource.notes);
        let file =
            |file: &FileEntry| CatalogFile { file: file.clone(), by: by.to_owned(), at_ms, notes: notes.clone() };
        resource.files.iter().map(file).collect()
    }

    async fn tell_of_taking(&self, taken: &Taken, deed: Deed<'_>, is_silent: bool) -> Result<(), DomainError> {
        let experiment = &taken.experiment;
        let (kind, action) = match taken.is_new {
            true => (SessionEventKind::Archived, "Transfer"),
            false => (SessionEventKind::Merged, "Merged"),
        };
        self.remember(&experiment.project, experiment.as_item(), Deed { action, ..deed }).await?;
        if is_silent {
            return Ok(());
        }
        let event = session_event(experiment, random_id()?, kind, self.clock.now_ms(), deed.by);
        self.announce(&event).await?;
        Ok(())
    }
}

fn status_of(is_to_be_reviewed: bool, otherwise: &str) -> String {
    if is_to_be_reviewed { QUARANTINE } else { otherwise }.to_owned()
}
