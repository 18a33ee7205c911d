//! Archiving: a session of the prearchive becomes an experiment, or part of one. No file is moved.

use super::examine::{Depth, Examination, Target, demand_assigned};
use super::experiment::{ACTIVE, Experiment, QUARANTINE, lease_of};
use super::request::ArchiveRequest;
use super::subject::{LabelRef, Subject};
use super::tell::Told;
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::domain::manifest::{Manifest, StoredScan};
use crate::domain::prearchive::session::{ArchiveIntent, HeldSession, PrearchiveSession};
use crate::domain::prearchive::status::{Action, Status};
use crate::domain::webhooks::SessionEventKind;
use crate::storage::{Lease, keys};

/// The quality a new scan is given: the first of XNAT's default list.
pub(super) const FIRST_QUALITY: &str = "usable";

impl Core {
    /// Archives a session that was found at its place.
    ///
    /// # Errors
    /// [`DomainError::Busy`] if somebody works on it, [`DomainError::Conflict`] if the archive stands against it (the
    /// session is then in CONFLICT), [`DomainError::Invalid`] for a request that cannot be, or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn archive(
        &self,
        found: &PrearchiveSession,
        request: &ArchiveRequest,
    ) -> Result<Experiment, DomainError> {
        let held = self.hold_found_at_once(found).await?;
        self.archive_held(held, request).await
    }

    /// Archives a held session, or gives it back.
    ///
    /// # Errors
    /// As [`Core::archive`].
    #[crate::boxed(?Send)]
    pub async fn archive_held(
        &self,
        mut held: HeldSession,
        request: &ArchiveRequest,
    ) -> Result<Experiment, DomainError> {
        let outcome = self.find_place(&mut held, request).await;
        // Whatever went wrong behind the commit, the experiment is there; the session is gone for every reader.
        let committed = match (&outcome, &held.session.intent) {
            (Ok(experiment), _) => Some(experiment.clone()),
            (Err(_), Some(intent)) => {
                let found = self.experiment_by_id(&intent.experiment).await?;
                found.filter(|found| found.owns_as(&held.session.id))
            }
            (Err(_), None) => None,
        };
        if let Some(experiment) = committed {
            self.leave_prearchive(held).await?;
            return Ok(experiment);
        }
        if let Err(error) = &outcome {
            self.undo(&mut held, error).await?;
        }
        self.let_go(held).await?;
        outcome
    }

    async fn undo(&self, held: &mut HeldSession, error: &DomainError) -> Result<(), DomainError> {
        let status = match error {
            DomainError::Conflict { .. } => Status::Conflict,
            _ if held.session.status == Status::Archiving => self.unarchived(&held.session).await?,
            _ => return Ok(()),
        };
        if let Some(manifest) = held.session.intent.take().and_then(|intent| intent.manifest) {
            self.remove_manifest(&manifest, false).await?;
        }
        held.session.status = status;
        let now_ms = self.clock.now_ms();
        held.session.note(now_ms, format!("Archiving failed: {error}"));
        self.store_session(held).await
    }

    /// Finds out where the session is to go, and archives it there while nobody else changes anything at that place.
    async fn find_place(&self, held: &mut HeldSession, request: &ArchiveRequest) -> Result<Experiment, DomainError> {
        if held.session.status == Status::Receiving {
            // Files came after the last build, or nobody has built it yet.
            self.build(held).await?;
        }
        held.session.allow(Action::Archive)?;
        demand_assigned(&held.session)?;
        let target = self.archive_target(&held.session, request).await?;
        let existing = self.experiment_by_label(&target.project, &target.label).await?;
        if let Some(existing) = existing.filter(|existing| existing.project == target.project) {
            let HeldSession { lease, .. } = &mut *held;
            let keep = async || self.keep(lease, "this prearchive entry").await;
            self.settle_content(&existing, keep).await?;
        }
        let lease = self.leases.acquire_within(&lease_of(&target.project, &target.label), self.patience_ms()).await?;
        let busy = || DomainError::Busy { what: "the session of this label in the archive".to_owned() };
        let mut lease = lease.ok_or_else(busy)?;
        let outcome = self.archive_at(held, &mut lease, &target, request).await;
        self.leases.release(lease).await?;
        outcome
    }

    /// Keeps a lease alive.
    ///
    /// # Errors
    /// [`DomainError::Busy`] if it has run out, or the store's failure.
    pub(super) async fn keep(&self, lease: &mut Lease, what: &str) -> Result<(), DomainError> {
        match self.leases.keep(lease).await? {
            true => Ok(()),
            false => Err(DomainError::Busy { what: what.to_owned() }),
        }
    }

    async fn archive_at(
        &self,
        held: &mut HeldSession,
        lease: &mut Lease,
        target: &Target,
        request: &ArchiveRequest,
    ) -> Result<Experiment, DomainError> {
        let content = self.stored_content(&held.session).await?;
        let mut found = self.examine(&held.session, &content, target, request, Depth::UntilRefused).await?;
        found.demand()?;
        match found.merge.take() {
            Some(merge) => self.merge_into(held, lease, merge, request).await,
            None => self.make_experiment(held, found, target, request).await,
        }
    }

    /// The subject that a session goes to; it is made if it is not there.
    async fn subject_of(
        &self,
        found: &mut Examination,
        target: &Target,
        request: &ArchiveRequest,
    ) -> Result<Subject, DomainError> {
        match found.subject.take() {
            Some(subject) => Ok(subject),
            None => self.subject_for(&target.project, &target.subject, &request.by).await,
        }
    }

    async fn make_experiment(
        &self,
        held: &mut HeldSession,
        mut found: Examination,
        target: &Target,
        request: &ArchiveRequest,
    ) -> Result<Experiment, DomainError> {
        let Target { project, label, .. } = target;
        let Some(manifest) = held.session.manifest.clone() else {
            return Err(DomainError::WrongState { status: Status::Receiving.as_str(), action: "archived" });
        };
        let manifest = self.manifest(&manifest).await?;
        let subject = self.subject_of(&mut found, target, request).await?;
        let (archived, scans) = self.archived_manifest(&found.session, project, &manifest).await?;
        let mut resources = found.session.resources;
        let numbers = resources.iter_mut().map(|resource| &mut resource.number).collect();
        self.number("xnat_abstractresource_id", numbers).await?;
        let id = self.new_item_id('E').await?;
        let manifest_id = archived.id.clone();
        let told = Told::of(request, SessionEventKind::Archived, held, self.clock.now_ms());
        let intent = ArchiveIntent { experiment: id.clone(), manifest: Some(archived.id), told: Some(told) };
        self.declare(held, intent).await?;
        let target = self.project_by_id(project).await?.ok_or_else(|| DomainError::not_found("project", project))?;
        let quarantine = request.quarantines(&held.session, &target);
        let (roster, source) = self.experiment_roster(project);
        let touch = roster.touch(&id, None).await?;
        let now_ms = self.clock.now_ms();
        let mut experiment = Experiment {
            id: id.clone(),
            project: project.to_owned(),
            label: label.to_owned(),
            subject_label: String::new(),
            subject_id: subject.id.clone(),
            xsi_type: manifest.session.xsi_type.clone().into(),
            uid: manifest.session.uid.clone(),
            date: manifest.session.date.clone().unwrap_or_default(),
            manifest: manifest_id,
            content: held.session.id.clone(),
            merged: Vec::new(),
            status: if quarantine { QUARANTINE } else { ACTIVE }.to_owned(),
            fields: found.session.fields,
            visit: found.session.visit,
            protocol: found.session.protocol,
            insert_ms: now_ms,
            insert_user: request.by.clone(),
            resources,
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
            place: touch.place,
        };
        let reference = LabelRef { id: id.clone() };
        self.records.set(&keys::content(&held.session.id), &reference).await?;
        self.records.set(&keys::experiment_label(project, label), &reference).await?;
        // Whoever takes the subject out of the project, or moves it, finds the experiment or is found to have done so.
        self.with_subject_in(&subject.id, project, async |core, lease: &mut Lease, subject| {
            experiment.subject_label = subject.called_in(project).to_owned();
            core.keep(&mut held.lease, "this prearchive entry").await?;
            core.keep(lease, "the subject").await?;
            Ok(core.records.set(&keys::experiment(&id), &experiment).await?)
        })
        .await?;
        roster.settled(&id, touch).await?;
        roster.fold_if_long(&source).await?;
        self.learn_scan_types(project, self.scan_types(project).await?, &scans).await?;
        Ok(experiment)
    }

    /// Says in the session's record what is about to be made of it.
    ///
    /// # Errors
    /// [`DomainError::Busy`] if files have arrived since it was built, or the store's failure.
    pub(super) async fn declare(&self, held: &mut HeldSession, intent: ArchiveIntent) -> Result<(), DomainError> {
        held.session.intent = Some(intent);
        held.session.status = Status::Archiving;
        self.store_session(held).await?;
        // Whoever adds files looks at the status after it has written its segment, so none can be overlooked.
        if self.has_unbuilt(&held.session).await? {
            return Err(DomainError::Busy { what: "this prearchive entry, which is receiving files,".to_owned() });
        }
        Ok(())
    }

    /// The manifest as the archive keeps it, and its scans.
    async fn archived_manifest(
        &self,
        session: &PrearchiveSession,
        project: &str,
        manifest: &Manifest,
    ) -> Result<(Manifest, Vec<StoredScan>), DomainError> {
        let mut scans: Vec<StoredScan> = self.staged_scans(session, manifest).await?;
        self.dress_scans(project, scans.iter_mut().collect()).await?;
        let archived = self.derive_manifest(manifest, scans.clone()).await?;
        Ok((archived, scans))
    }

    /// Gives new scans a type, a quality and a number, and new resources a number.
    pub(super) async fn dress_scans(&self, project: &str, scans: Vec<&mut StoredScan>) -> Result<(), DomainError> {
        let types = self.scan_types(project).await?;
        let mut resources: Vec<&mut u64> = Vec::new();
        let mut numbers: Vec<&mut u64> = Vec::new();
        for scan in scans {
            if scan.scan_type.is_none() {
                scan.scan_type = Some(types.of(scan));
            }
            scan.quality.get_or_insert_with(|| FIRST_QUALITY.to_owned());
            numbers.extend(Some(&mut scan.number).filter(|number| **number == 0));
            let of_resources = scan.resources.iter_mut().map(|resource| &mut resource.number);
            resources.extend(of_resources.filter(|number| **number == 0));
        }
        self.number("xnat_imagescandata_id", numbers).await?;
        self.number("xnat_abstractresource_id", resources).await
    }

    /// Gives each item a number that no other on the server has.
    pub(crate) async fn number(&self, sequence: &str, items: Vec<&mut u64>) -> Result<(), DomainError> {
        let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
        if count == 0 {
            return Ok(());
        }
        let last = self.records.increment(&keys::sequence(sequence), count).await?;
        let first = u64::try_from(last.saturating_sub(count)).unwrap_or(0) + 1;
        for (number, item) in (first..).zip(items) {
            *item = number;
        }
        Ok(())
    }
}
