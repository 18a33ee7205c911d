//! Assessors that come with a XAR: they are staged in their records, and seen when their session's record says that the
//! XAR was taken.

use super::rules::demand_paths;
use super::{HeldLeases, Incoming, IncomingAssessor, IncomingResource};
use crate::domain::Core;
use crate::domain::archive::assessor::MAX_ASSESSORS;
use crate::domain::archive::change::{ExperimentChange, set_fields};
use crate::domain::archive::experiment::{Experiment, QUARANTINE, lease_of};
use crate::domain::archive::experiment_type::ExperimentType;
use crate::domain::archive::staged::{NextRevision, Staged};
use crate::domain::archive::subject::LabelRef;
use crate::domain::archive::subject_change::check_item_label;
use crate::domain::archive::trash::{AssessorChange, Twin};
use crate::domain::catalog::CatalogFile;
use crate::domain::error::DomainError;
use crate::domain::ids::random_id;
use crate::domain::manifest::FileEntry;
use crate::domain::resource::{ItemResource, MAX_RESOURCES};
use crate::imaging::types::SessionType;
use crate::imaging::{Field, ImageSession};
use crate::storage::{StoreError, keys};

/// An assessor as its record is to be until the XAR is taken.
pub(super) struct StagedAssessor {
    record: Experiment,
    is_new: bool,
    /// The catalogs that are written anew, with their files.
    catalogs: Vec<(Twin, Vec<CatalogFile>)>,
}

impl StagedAssessor {
    /// What the trash says of it.
    pub fn change(&self) -> AssessorChange {
        AssessorChange {
            id: self.record.id.clone(),
            label: self.record.label.clone(),
            content: self.record.content.clone(),
            manifest: self.is_new.then(|| self.record.manifest.clone()),
            catalogs: self.catalogs.iter().map(|(twin, _)| twin.clone()).collect(),
        }
    }

    /// Its identifier, if it is new.
    pub fn new_id(&self) -> Option<&str> {
        self.is_new.then_some(self.record.id.as_str())
    }

    /// The files of the catalogs that are written anew.
    pub fn files(&self) -> impl Iterator<Item = &FileEntry> {
        self.catalogs.iter().flat_map(|(_, files)| files).map(|file| &file.file)
    }

    /// The name under which it owns a pack, if a file of that is in it.
    pub fn owner_in(&self, incoming: &Incoming) -> Option<String> {
        let uses = self.files().any(|file| file.pack == incoming.pack.id);
        uses.then(|| self.record.content.clone())
    }
}

impl Core {
    /// Takes the leases of the assessors that a XAR describes, in the order of their labels.
    pub(super) async fn hold_assessors(
        &self,
        held: &mut HeldLeases,
        session: &Experiment,
        incoming: &Incoming,
    ) -> Result<(), DomainError> {
        let mut labels = Vec::with_capacity(incoming.assessors.len());
        for new in &incoming.assessors {
            let label = match self.named_assessor(session, new).await? {
                Some(found) => found.label,
                None => new.label.clone(),
            };
            check_item_label(&label)?;
            if label == session.label {
                return Err(taken_label(&label));
            }
            labels.push(label);
        }
        labels.sort_unstable();
        labels.dedup();
        for label in labels {
            let lease = self.leases.acquire_within(&lease_of(&session.project, &label), self.patience_ms()).await?;
            held.assessors.push(lease.ok_or_else(|| DomainError::Busy { what: format!("the assessor {label}") })?);
        }
        Ok(())
    }

    /// The assessor of a session that a document means: the one of this label, else the one of this identifier.
    async fn named_assessor(
        &self,
        session: &Experiment,
        new: &IncomingAssessor,
    ) -> Result<Option<Experiment>, StoreError> {
        match self.assessor(session, &new.label).await? {
            None if !new.id.is_empty() => self.assessor(session, &new.id).await,
            found => Ok(found),
        }
    }

    /// What the assessors of a XAR become. Their leases are held; nothing is written yet. `by` is the XAR's identifier.
    pub(super) async fn staged_assessors(
        &self,
        session: &mut Experiment,
        incoming: &mut Incoming,
        by: &str,
    ) -> Result<Vec<StagedAssessor>, DomainError> {
        let mut staged = Vec::with_capacity(incoming.assessors.len());
        for new in std::mem::take(&mut incoming.assessors) {
            staged.push(match self.named_assessor(session, &new).await? {
                Some(found) => self.changed_assessor(found, new, incoming, by).await?,
                None => self.drafted_assessor(session, new, incoming, by).await?,
            });
        }
        let coming = staged.iter().filter(|one| one.is_new).count();
        if session.assessors.len() + coming > MAX_ASSESSORS {
            session.assessors = self.assessors_of(session).await?.into_iter().map(|found| found.id).collect();
        }
        if session.assessors.len() + coming > MAX_ASSESSORS {
            let what = format!("A session may have at most {MAX_ASSESSORS} assessors.");
            return Err(DomainError::Full { what });
        }
        session.assessors.extend(staged.iter().filter_map(|one| one.new_id().map(str::to_owned)));
        Ok(staged)
    }

    async fn drafted_assessor(
        &self,
        session: &Experiment,
        mut new: IncomingAssessor,
        incoming: &Incoming,
        by: &str,
    ) -> Result<StagedAssessor, DomainError> {
        check_item_label(&new.label)?;
        if self.experiment_by_label(&session.project, &new.label).await?.is_some() {
            return Err(taken_label(&new.label));
        }
        let kind = ExperimentType::Assessor(new.xsi_type.clone());
        let mut record = self.drafted(&session.project, &new.label, kind, &incoming.by).await?;
        record.apply(&ExperimentChange { fields: std::mem::take(&mut new.fields), ..ExperimentChange::default() })?;
        if incoming.quarantine {
            QUARANTINE.clone_into(&mut record.status);
        }
        record.subject_id.clone_from(&session.subject_id);
        record.subject_label.clone_from(&session.subject_label);
        record.assessed = Some(session.id.clone());
        record.manifest = random_id()?;
        record.staged = Some(Box::new(Staged { by: by.to_owned(), next: None }));
        demand_few(new.resources.len())?;
        let mut catalogs = Vec::with_capacity(new.resources.len());
        for resource in &mut new.resources {
            demand_paths(&whose(&new.label, &resource.label), &mut resource.files)?;
            let (label, notes, catalog) = (resource.label.clone(), resource.notes.clone(), random_id()?);
            let twin = Twin { old: None, new: catalog.clone() };
            record.resources.push(ItemResource { label, notes, number: 0, catalog, is_made: true });
            catalogs.push((twin, self.as_catalog_files(resource, &incoming.by)));
        }
        let numbers = record.resources.iter_mut().map(|one| &mut one.number).collect();
        self.number("xnat_abstractresource_id", numbers).await?;
        record.id = self.new_item_id('E').await?;
        Ok(StagedAssessor { record, is_new: true, catalogs })
    }

    async fn changed_assessor(
        &self,
        mut found: Experiment,
        new: IncomingAssessor,
        incoming: &Incoming,
        by: &str,
    ) -> Result<StagedAssessor, DomainError> {
        found.demand_unlocked()?;
        if found.xsi_type.as_str() != new.xsi_type.as_str() {
            let reason = "Specified xsiType differs from existing xsiType".to_owned();
            return Err(DomainError::Conflict { reason });
        }
        let mut next = found.clone();
        let is_gap = |field: &Field| !found.fields.iter().any(|known| known.path == field.path);
        let fields: Vec<Field> =
            new.fields.into_iter().filter(|field| incoming.rules.overrides() || is_gap(field)).collect();
        set_fields(&mut next.fields, &fields)?;
        if let Some(date) = fields.iter().rev().find(|field| field.path == "date") {
            next.date = date.value.to_string();
        }
        if incoming.quarantine {
            QUARANTINE.clone_into(&mut next.status);
        }
        let mut catalogs = Vec::with_capacity(new.resources.len());
        for resource in &new.resources {
            let IncomingResource { label, .. } = resource;
            catalogs.push(self.joined_catalog(&mut next, &whose(&found.label, label), resource, incoming).await?);
        }
        demand_few(next.resources.len())?;
        let unnumbered = next.resources.iter_mut().map(|one| &mut one.number).filter(|number| **number == 0);
        self.number("xnat_abstractresource_id", unnumbered.collect()).await?;
        let Experiment { fields, resources, date, status, .. } = next;
        let next = Some(NextRevision { fields, resources, date, status });
        found.staged = Some(Box::new(Staged { by: by.to_owned(), next }));
        Ok(StagedAssessor { record: found, is_new: false, catalogs })
    }

    /// Writes what is staged: nobody sees it before the session's record says that the XAR was taken. The trash names
    /// all of it already.
    pub(super) async fn write_staged(
        &self,
        held: &mut HeldLeases,
        staged: Vec<StagedAssessor>,
    ) -> Result<(), DomainError> {
        for StagedAssessor { record, is_new, catalogs } in staged {
            self.keep_all(held).await?;
            if is_new {
                let reference = LabelRef { id: record.id.clone() };
                self.records.set(&keys::content(&record.content), &reference).await?;
                self.records.set(&keys::experiment_label(&record.project, &record.label), &reference).await?;
            }
            self.records.set(&keys::experiment(&record.id), &record).await?;
            if is_new {
                let session = ImageSession::empty(SessionType::OTHER);
                let keep = async || self.keep_all(held).await;
                self.write_full_manifest(record.manifest.clone(), session, Vec::new(), keep).await?;
            }
            for (twin, files) in catalogs {
                self.write_catalog_of(held, &twin, files).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn keep_all(&self, held: &mut HeldLeases) -> Result<(), DomainError> {
        for lease in held.all() {
            self.keep(lease, "this experiment").await?;
        }
        Ok(())
    }
}

fn demand_few(resources: usize) -> Result<(), DomainError> {
    if resources <= MAX_RESOURCES {
        return Ok(());
    }
    Err(DomainError::Invalid { what: format!("An item may have at most {MAX_RESOURCES} resources.") })
}

fn whose(assessor: &str, resource: &str) -> String {
    format!("The resource {resource} of the assessor {assessor}")
}

fn taken_label(label: &str) -> DomainError {
    DomainError::Conflict { reason: format!("The label {label} is that of another experiment of the project.") }
}
