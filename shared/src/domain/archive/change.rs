//! Making experiments without an upload, and changing what is said of them.

use super::experiment::{ACTIVE, Experiment, LOCKED, QUARANTINE, lease_of};
use super::experiment_type::ExperimentType;
use super::review::Reviewer;
use super::scan_change::ScanChange;
use super::subject::LabelRef;
use super::subject_change::check_item_label;
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::domain::ids::random_id;
use crate::domain::project::QuarantineCode;
use crate::imaging::fields::known_path;
use crate::imaging::types::SessionType;
use crate::imaging::{Field, ImageSession};
use crate::storage::{Lease, keys};

/// Fields that may be set on one experiment or scan, at most: they stand in its record.
pub(super) const MAX_FIELDS: usize = 200;
/// Bytes of a field's path or value, at most.
const MAX_FIELD_BYTES: usize = 1024;

/// An experiment that is to be made.
#[derive(Debug, Clone)]
pub struct NewExperiment {
    /// The project's identifier.
    pub project: String,
    /// The subject's label or identifier; a subject of this label is made if there is none.
    pub subject: String,
    /// The label.
    pub label: String,
    /// The data type.
    pub xsi_type: SessionType,
    /// StudyInstanceUID, if it is known.
    pub uid: String,
    /// Who makes it.
    pub by: String,
    /// What is said of it.
    pub change: ExperimentChange,
}

/// What is to become of the status of an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusChange {
    /// `quarantine`
    Quarantine,
    /// `active`
    Activate,
    /// `locked`: nobody may change it.
    Lock,
    /// From `locked` to `active`.
    Unlock,
}

/// What is to be changed of an experiment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ExperimentChange {
    /// Fields by their paths; an empty text takes away what was set by hand.
    pub fields: Vec<Field>,
    /// Its status.
    pub status: Option<StatusChange>,
    /// Scans that are made or changed, by their IDs.
    pub scans: Vec<(String, ScanChange)>,
    /// Whether all other scans are removed with their files.
    pub removes_other_scans: bool,
    /// Who changes it, and why: for what webhooks are told of the quarantine.
    pub reviewer: Reviewer,
    /// Whether scans without a type get one: that of earlier scans of the project.
    pub fixes_scan_types: bool,
}

impl ExperimentChange {
    fn concerns_scans(&self) -> bool {
        !self.scans.is_empty() || self.removes_other_scans || self.fixes_scan_types
    }
}

/// Sets fields of a list; each replaces the one of the same path, and an empty text takes it away.
///
/// # Errors
/// [`DomainError::Invalid`] for what is too long or too much.
pub(super) fn set_fields(fields: &mut Vec<Field>, new: &[Field]) -> Result<(), DomainError> {
    let too_many =
        || DomainError::Invalid { what: format!("More than {MAX_FIELDS} fields of this item would be set by hand.") };
    // Most may replace or take away what is there, but each is compared with all.
    if new.len() > 5 * MAX_FIELDS {
        return Err(too_many());
    }
    for field in new {
        let value = field.value.to_string();
        if field.path.len() > MAX_FIELD_BYTES || value.len() > MAX_FIELD_BYTES || value.chars().any(char::is_control) {
            return Err(DomainError::Invalid {
                what: format!("A field may have at most {MAX_FIELD_BYTES} bytes and no control characters."),
            });
        }
        fields.retain(|known| known_path(&known.path) != field.path);
        if !value.is_empty() {
            fields.push(field.clone());
        }
    }
    if fields.len() <= MAX_FIELDS {
        return Ok(());
    }
    Err(too_many())
}

impl Experiment {
    pub(super) fn apply(&mut self, change: &ExperimentChange) -> Result<(), DomainError> {
        match change.status {
            Some(StatusChange::Unlock) if self.status == LOCKED => self.status = ACTIVE.to_owned(),
            _ => self.demand_unlocked()?,
        }
        set_fields(&mut self.fields, &change.fields)?;
        let date = change.fields.iter().rev().find(|field| field.path == "date");
        if let Some(date) = date {
            self.date = date.value.to_string();
        }
        match change.status {
            Some(StatusChange::Quarantine) => self.status = QUARANTINE.to_owned(),
            Some(StatusChange::Activate) => self.status = ACTIVE.to_owned(),
            Some(StatusChange::Lock) => self.status = LOCKED.to_owned(),
            Some(StatusChange::Unlock) | None => {}
        }
        Ok(())
    }
}

impl Core {
    /// Does something to an experiment while nobody else changes it. A lock is not looked at.
    ///
    /// # Errors
    /// [`DomainError::NotFound`], [`DomainError::Busy`], what `work` gives, or the store's failure.
    pub(crate) async fn with_experiment<T>(
        &self,
        id: &str,
        work: impl AsyncFnOnce(&Self, &mut Lease, Experiment) -> Result<T, DomainError>,
    ) -> Result<T, DomainError> {
        let busy = || DomainError::Busy { what: "this experiment".to_owned() };
        let found = self.experiment_that_is(id).await?;
        let name = found.lease_name();
        let mut lease = self.leases.acquire_within(&name, self.patience_ms()).await?.ok_or_else(busy)?;
        let outcome = match self.experiment_that_is(id).await {
            Ok(experiment) if experiment.lease_name() == name => work(self, &mut lease, experiment).await,
            Ok(_) => Err(busy()),
            Err(error) => Err(error),
        };
        self.leases.release(lease).await?;
        outcome
    }

    /// Makes an experiment without scans.
    ///
    /// # Errors
    /// [`DomainError::Exists`], [`DomainError::Invalid`], [`DomainError::Busy`], or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn create_experiment(&self, new: &NewExperiment) -> Result<Experiment, DomainError> {
        check_item_label(&new.label)?;
        let lease = lease_of(&new.project, &new.label);
        self.with_lease(&lease, "the experiment of this label", async |core| {
            if core.experiment_by_label(&new.project, &new.label).await?.is_some() {
                return Err(DomainError::Exists { what: format!("the experiment {:?} of the project", new.label) });
            }
            core.make_empty_experiment(new).await
        })
        .await
    }

    async fn make_empty_experiment(&self, new: &NewExperiment) -> Result<Experiment, DomainError> {
        if self.find_subject(&new.project, &new.subject).await?.is_none() {
            check_item_label(&new.subject)?;
        }
        let mut experiment = self.drafted(&new.project, &new.label, new.xsi_type.clone().into(), &new.by).await?;
        experiment.apply(&new.change)?;
        experiment.uid.clone_from(&new.uid);
        let scans = self.new_scans(&new.project, &new.change).await?;
        let subject = self.subject_for(&new.project, &new.subject, &new.by).await?;
        experiment.subject_id = subject.id.clone();
        let session = ImageSession { uid: new.uid.clone(), ..ImageSession::empty(new.xsi_type.clone()) };
        experiment.manifest = self.write_full_manifest(random_id()?, session, scans, async || Ok(())).await?.id;
        experiment.id = self.new_item_id('E').await?;
        let reviewer = Reviewer { by: new.by.clone(), reason: new.change.reviewer.reason.clone() };
        self.tell_of_waiting(&experiment, format!("review-{}-made", experiment.id), &reviewer).await?;
        self.with_subject_in(&subject.id, &new.project, async |core, lease: &mut Lease, subject| {
            experiment.subject_label = subject.called_in(&new.project).to_owned();
            core.keep(lease, "the subject").await?;
            core.enter(&mut experiment).await
        })
        .await?;
        Ok(experiment)
    }

    /// An experiment as its project wants a new one, without identifier, subject and manifest.
    pub(super) async fn drafted(
        &self,
        project: &str,
        label: &str,
        xsi_type: ExperimentType,
        by: &str,
    ) -> Result<Experiment, DomainError> {
        let missing = || DomainError::not_found("project", project);
        let found = self.project_by_id(project).await?.ok_or_else(missing)?;
        Ok(Experiment {
            id: String::new(),
            project: project.to_owned(),
            label: label.to_owned(),
            subject_id: String::new(),
            subject_label: String::new(),
            xsi_type,
            uid: String::new(),
            date: String::new(),
            manifest: String::new(),
            content: random_id()?,
            merged: Vec::new(),
            status: if found.quarantine_code == QuarantineCode::On { QUARANTINE } else { ACTIVE }.to_owned(),
            fields: Vec::new(),
            visit: String::new(),
            protocol: String::new(),
            insert_ms: self.clock.now_ms(),
            insert_user: by.to_owned(),
            resources: Vec::new(),
            discarded: Vec::new(),
            placed: Vec::new(),
            shelved_scans: Vec::new(),
            superseded: Vec::new(),
            shares: Vec::new(),
            assessed: None,
            assessors: Vec::new(),
            taken: None,
            staged: None,
            changed_ms: 0,
            place: 0,
        })
    }

    /// Puts a new experiment into its project's list and under its label; writing its record is the commit. The caller
    /// holds the lease of the label.
    pub(super) async fn enter(&self, experiment: &mut Experiment) -> Result<(), DomainError> {
        let (roster, source) = self.experiment_roster(&experiment.project);
        let touch = roster.touch(&experiment.id, None).await?;
        experiment.place = touch.place;
        let reference = LabelRef { id: experiment.id.clone() };
        self.records.set(&keys::content(&experiment.content), &reference).await?;
        self.records.set(&keys::experiment_label(&experiment.project, &experiment.label), &reference).await?;
        self.records.set(&keys::experiment(&experiment.id), experiment).await?;
        roster.settled(&experiment.id, touch).await?;
        roster.fold_if_long(&source).await?;
        Ok(())
    }

    /// Changes what is said of an experiment, its status or its scans: in one write, that of its record.
    ///
    /// # Errors
    /// [`DomainError::NotFound`], [`DomainError::Refused`] if it is locked, [`DomainError::Invalid`],
    /// [`DomainError::Conflict`] if a scan has another data type, [`DomainError::Busy`], or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn change_experiment(&self, id: &str, change: &ExperimentChange) -> Result<Experiment, DomainError> {
        self.with_experiment(id, async |core, lease: &mut Lease, mut experiment| {
            core.demand_session_unlocked(&experiment).await?;
            if !change.concerns_scans() {
                let before = experiment.clone();
                experiment.apply(change)?;
                core.restore_date(&mut experiment).await?;
                core.tell_of_change(&before, &experiment, change).await?;
                core.store_experiment(lease, &mut experiment).await?;
                return Ok(experiment);
            }
            experiment.clone().apply(change)?;
            let before = core.settled_for_scans(lease, experiment).await?;
            let mut experiment = before.clone();
            experiment.apply(change)?;
            core.restore_date(&mut experiment).await?;
            let old = core.manifest(&experiment.manifest).await?;
            let mut scans = core.scans(&old).await?;
            core.apply_to_scans(&experiment.project, &mut scans, change).await?;
            core.tell_of_change(&before, &experiment, change).await?;
            core.commit_scans(lease, before, &mut experiment, &old, scans).await?;
            Ok(experiment)
        })
        .await
    }
}

impl Core {
    /// Where nobody says a date by hand any more, that of the headers counts.
    async fn restore_date(&self, experiment: &mut Experiment) -> Result<(), DomainError> {
        if experiment.date.is_empty() {
            experiment.date = self.manifest(&experiment.manifest).await?.session.date.unwrap_or_default();
        }
        Ok(())
    }
}
