//! Archiving: a session of the prearchive becomes an experiment. No file is moved.

use serde::{Deserialize, Serialize};

use super::experiment::Experiment;
use super::subject::LabelRef;
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::domain::ids::clean_label;
use crate::domain::manifest::{Manifest, StoredScan};
use crate::domain::prearchive::session::{ArchiveIntent, HeldSession, PrearchiveSession};
use crate::domain::prearchive::status::{Action, Status};
use crate::domain::project::QuarantineCode;
use crate::storage::{Store, keys};

/// What to do when the session exists in the archive already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overwrite {
    /// Refuse.
    #[default]
    None,
    /// Add what is not there yet.
    Append,
    /// Add, and replace what is there.
    Delete,
}

impl Overwrite {
    /// The word that a client wrote, in any case; absent or empty is `none`.
    ///
    /// # Errors
    /// [`DomainError::Invalid`] for another word.
    pub fn parse(text: Option<&str>) -> Result<Self, DomainError> {
        match text.map(str::to_ascii_lowercase).as_deref() {
            None | Some("" | "none") => Ok(Self::None),
            Some("append") => Ok(Self::Append),
            Some("delete" | "override") => Ok(Self::Delete),
            Some(_) => {
                Err(DomainError::Invalid { what: "The parameter overwrite must be none, append or delete.".to_owned() })
            }
        }
    }
}

/// How a session is to be archived.
#[derive(Debug, Clone, Default)]
pub struct ArchiveRequest {
    /// Who asks.
    pub by: String,
    /// The target project, if it is named; it must be the session's own.
    pub project: Option<String>,
    /// The subject's label or identifier, if another than the session's is wanted.
    pub subject: Option<String>,
    /// The label, if another than the session's is wanted.
    pub label: Option<String>,
    /// What to do when the session exists already.
    pub overwrite: Overwrite,
    /// Whether the experiment is marked as in quarantine.
    pub quarantine: bool,
}

/// The quality a new scan is given: the first of XNAT's default list.
const FIRST_QUALITY: &str = "usable";

impl<S: Store> Core<S> {
    /// Archives a session that was found at its place.
    ///
    /// # Errors
    /// [`DomainError::Busy`] if somebody works on it, [`DomainError::Conflict`] if the archive stands against it (the
    /// session is then in CONFLICT), [`DomainError::Invalid`] for a request that cannot be, or the store's failure.
    pub async fn archive(
        &self,
        found: &PrearchiveSession,
        request: &ArchiveRequest,
    ) -> Result<Experiment, DomainError> {
        let mut held = self.hold_found_at_once(found).await?;
        let outcome = self.archive_held(&mut held, request).await;
        // Whatever went wrong behind the commit, the experiment is there; the session is gone for every reader.
        let committed = match (&outcome, &held.session.intent) {
            (Ok(experiment), _) => Some(experiment.clone()),
            (Err(_), Some(intent)) => {
                let found = self.experiment_by_id(&intent.experiment).await?;
                found.filter(|found| found.content == held.session.id)
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
            // What cannot be merged needs a decision as well.
            DomainError::Conflict { .. } | DomainError::NotImplemented { .. } => Status::Conflict,
            _ if held.session.status == Status::Archiving => Status::Ready,
            _ => return Ok(()),
        };
        if let Some(intent) = held.session.intent.take() {
            self.remove_manifest(&intent.manifest, false).await?;
        }
        held.session.status = status;
        let now_ms = self.clock.now_ms();
        held.session.note(now_ms, format!("Archiving failed: {error}"));
        self.store_session(held).await
    }

    async fn archive_held(&self, held: &mut HeldSession, request: &ArchiveRequest) -> Result<Experiment, DomainError> {
        if held.session.status == Status::Receiving {
            // Files came after the last build, or nobody has built it yet.
            self.build(held).await?;
        }
        held.session.allow(Action::Archive)?;
        if held.session.place.is_unassigned() {
            return Err(DomainError::Invalid {
                what: "Cannot archive sessions from the Unassigned folder.".to_owned(),
            });
        }
        let project = held.session.place.project.clone();
        if request.project.as_ref().is_some_and(|wanted| *wanted != project) {
            return Err(DomainError::Conflict {
                reason: "Invalid modification of session project via archive process. Move the session first."
                    .to_owned(),
            });
        }
        let chosen = |wanted: &Option<String>, own: &str| clean_label(wanted.as_deref().unwrap_or(own));
        let label = chosen(&request.label, &held.session.name);
        if label.is_empty() {
            return Err(DomainError::Invalid { what: "unable to deduce session label".to_owned() });
        }
        let subject = chosen(&request.subject, &held.session.subject);
        if subject.is_empty() {
            return Err(DomainError::Invalid { what: "Unable to identify subject.".to_owned() });
        }
        let lease = format!("experiment/{project}/{label}");
        self.with_lease(&lease, "the session of this label in the archive", async |core| {
            if core.experiment_by_label(&project, &label).await?.is_some() {
                return match request.overwrite {
                    Overwrite::None => Err(DomainError::Conflict {
                        reason: "Session already exists, retry with overwrite enabled".to_owned(),
                    }),
                    Overwrite::Append | Overwrite::Delete => Err(DomainError::NotImplemented {
                        what: "This version cannot merge into an archived session; archive under another label."
                            .to_owned(),
                    }),
                };
            }
            core.commit_experiment(held, request, &project, &subject, &label).await
        })
        .await
    }

    async fn commit_experiment(
        &self,
        held: &mut HeldSession,
        request: &ArchiveRequest,
        project: &str,
        subject: &str,
        label: &str,
    ) -> Result<Experiment, DomainError> {
        let Some(manifest) = held.session.manifest.clone() else {
            return Err(DomainError::WrongState { status: Status::Receiving.as_str(), action: "archived" });
        };
        let manifest = self.manifest(&manifest).await?;
        let subject = self.subject_for(project, subject, &request.by).await?;
        let archived = self.archived_manifest(&manifest).await?;
        let mut resources = held.session.resources.clone();
        let numbers = resources.iter_mut().map(|resource| &mut resource.number).collect();
        self.number("xnat_abstractresource_id", numbers).await?;
        let id = self.new_item_id('E').await?;
        held.session.intent = Some(ArchiveIntent { experiment: id.clone(), manifest: archived.id.clone() });
        held.session.status = Status::Archiving;
        self.store_session(held).await?;
        // Whoever adds files looks at the status after it has written its segment, so none can be overlooked.
        if self.has_unbuilt(&held.session).await? {
            return Err(DomainError::Busy { what: "this prearchive entry, which is receiving files,".to_owned() });
        }
        let target = self.project_by_id(project).await?.ok_or_else(|| DomainError::not_found("project", project))?;
        let quarantine = request.quarantine || target.quarantine_code == QuarantineCode::On;
        let (roster, source) = self.experiment_roster(project);
        let touch = roster.touch(&id, None).await?;
        let experiment = Experiment {
            id: id.clone(),
            project: project.to_owned(),
            label: label.to_owned(),
            subject_id: subject.id,
            subject_label: subject.label,
            xsi_type: manifest.session.xsi_type.clone(),
            uid: manifest.session.uid.clone(),
            date: manifest.session.date.clone().unwrap_or_default(),
            manifest: archived.id,
            content: held.session.id.clone(),
            status: if quarantine { "quarantine" } else { "active" }.to_owned(),
            fields: held.session.fields.clone(),
            visit: held.session.visit.clone(),
            protocol: held.session.protocol.clone(),
            insert_ms: self.clock.now_ms(),
            insert_user: request.by.clone(),
            resources,
            discarded: Vec::new(),
            shelved_scans: Vec::new(),
            superseded: Vec::new(),
            place: touch.place,
        };
        let reference = LabelRef { id: id.clone() };
        self.records.set(&keys::content(&held.session.id), &reference).await?;
        self.records.set(&keys::experiment_label(project, label), &reference).await?;
        if !self.leases.keep(&mut held.lease).await? {
            return Err(DomainError::Busy { what: "this prearchive entry".to_owned() });
        }
        self.records.set(&keys::experiment(&id), &experiment).await?;
        roster.settled(&id, touch).await?;
        roster.fold_if_long(&source).await?;
        Ok(experiment)
    }

    /// The manifest as the archive keeps it: scans have a type, a quality and numbers, resources have numbers.
    async fn archived_manifest(&self, manifest: &Manifest) -> Result<Manifest, DomainError> {
        let mut scans: Vec<StoredScan> = self.scans(manifest).await?;
        let mut resources: Vec<&mut u64> = Vec::new();
        let mut numbers: Vec<&mut u64> = Vec::new();
        for scan in &mut scans {
            scan.scan_type = Some(scan_type(scan.scan.series_description.as_deref()));
            scan.quality = Some(FIRST_QUALITY.to_owned());
            numbers.push(&mut scan.number);
            resources.extend(scan.resources.iter_mut().map(|resource| &mut resource.number));
        }
        self.number("xnat_imagescandata_id", numbers).await?;
        self.number("xnat_abstractresource_id", resources).await?;
        self.derive_manifest(manifest, scans).await
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

/// XNAT's rule where no scan of the project says otherwise: the series description, else `unknown`.
fn scan_type(series_description: Option<&str>) -> String {
    let text = series_description.unwrap_or_default();
    let text = text.strip_prefix("INVALID: ").unwrap_or(text).trim();
    if text.is_empty() { "unknown".to_owned() } else { text.chars().take(255).collect() }
}
