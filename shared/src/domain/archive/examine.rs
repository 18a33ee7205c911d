//! What stands against archiving a session: the one place that archiving and validating ask.

use std::collections::HashMap;

use super::experiment::{Experiment, LOCKED};
use super::merge::finding::first_refusal;
use super::merge::session::{fill_fields, fill_session, fill_text};
use super::merge::{Finding, Reason, merge_scans};
use super::request::ArchiveRequest;
use super::resources::ResourceMerge;
use super::shelved::MetShelves;
use super::subject::Subject;
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::domain::ids::clean_label;
use crate::domain::manifest::{FullScan, Manifest, Resource, StoredScan};
use crate::domain::prearchive::PrearchiveSession;
use crate::domain::prearchive::commit::MAX_FIELDS;
use crate::domain::prearchive::status::{Action, Status};
use crate::imaging::ImageSession;
use crate::imaging::session::Scan;
use crate::storage::StoreError;

/// Files of all scans of a merged session, at most: they are looked at together.
const MAX_MERGED_FILES: u64 = 400_000;

/// Sessions that can be merged into one, at most: each is named in its record.
const MAX_MERGES: usize = 1_000;

/// Where a session is to go.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub project: String,
    /// The label of the experiment; empty if there is none.
    pub label: String,
    /// The label or identifier of the subject; empty if there is none.
    pub subject: String,
}

/// The images of a session that is to be archived.
pub(super) enum Content {
    /// As its document says.
    Stored(Box<Manifest>),
    /// As building it would say.
    Built(Box<ImageSession>, Vec<FullScan>),
}

impl Content {
    fn session(&self) -> &ImageSession {
        match self {
            Self::Stored(manifest) => &manifest.session,
            Self::Built(session, _) => session,
        }
    }

    fn files(&self) -> u64 {
        match self {
            Self::Stored(manifest) => manifest.files,
            Self::Built(_, scans) => scans.iter().flat_map(|scan| &scan.files).map(|files| files.len() as u64).sum(),
        }
    }

    /// The scans without their files.
    async fn heads(&self, core: &Core) -> Result<Vec<StoredScan>, StoreError> {
        match self {
            Self::Stored(manifest) => core.scans(manifest).await,
            Self::Built(_, scans) => Ok(scans.iter().map(|scan| scan.stored.clone()).collect()),
        }
    }

    async fn scans(&self, core: &Core) -> Result<Vec<FullScan>, StoreError> {
        match self {
            Self::Stored(manifest) => core.full_scans(manifest).await,
            Self::Built(_, scans) => Ok(scans.clone()),
        }
    }
}

/// How far to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// Until it is clear that archiving is refused.
    UntilRefused,
    /// At everything.
    All,
}

/// What was found.
pub(super) struct Examination {
    /// All that is to be told, in the order of XNAT's codes.
    pub findings: Vec<Finding>,
    /// The session as the request wants it: with the fields that it sets.
    pub session: PrearchiveSession,
    /// The subject, if it is there.
    pub subject: Option<Subject>,
    /// The experiment that it meets, and what the two make together; `None` if it meets none.
    pub merge: Option<Merge>,
}

/// Two sessions as one.
pub(super) struct Merge {
    pub existing: Experiment,
    pub session: ImageSession,
    pub scans: Vec<FullScan>,
    pub resources: Vec<ResourceMerge>,
    /// The resources of scans that stand on shelves; while they are worked out they are among those of the scans.
    pub shelves: MetShelves,
}

impl Examination {
    /// Refuses what has something against it.
    ///
    /// # Errors
    /// [`DomainError::Conflict`], or [`DomainError::Invalid`] if the request is at fault.
    pub fn demand(&self) -> Result<(), DomainError> {
        let Some(found) = first_refusal(&self.findings) else { return Ok(()) };
        let text = found.message.clone();
        Err(match found.reason.is_of_request() {
            true => DomainError::Invalid { what: text },
            false => DomainError::Conflict { reason: text },
        })
    }
}

impl Core {
    /// What stands against archiving a session like that. Nothing is changed.
    ///
    /// # Errors
    /// [`DomainError::Busy`] or [`DomainError::WrongState`] as the session is, [`DomainError::Invalid`] for a session
    /// of no project, [`DomainError::NothingParsable`] for one without images, or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn validate_archiving(
        &self,
        session: &PrearchiveSession,
        request: &ArchiveRequest,
    ) -> Result<Vec<Finding>, DomainError> {
        session.allow(Action::Archive)?;
        demand_assigned(session)?;
        let content = if session.status == Status::Receiving {
            let (image, scans) = self
                .preview(session)
                .await?
                .ok_or_else(|| DomainError::NothingParsable { why: "the session holds no image".to_owned() })?;
            Content::Built(Box::new(image), scans)
        } else {
            self.stored_content(session).await?
        };
        let target = self.archive_target(session, request).await?;
        Ok(self.examine(session, &content, &target, request, Depth::All).await?.findings)
    }

    pub(super) async fn stored_content(&self, session: &PrearchiveSession) -> Result<Content, DomainError> {
        let Some(manifest) = &session.manifest else {
            return Err(DomainError::WrongState { status: Status::Receiving.as_str(), action: "archived" });
        };
        Ok(Content::Stored(Box::new(self.manifest(manifest).await?)))
    }

    /// Where a session is to go.
    pub(super) async fn archive_target(
        &self,
        session: &PrearchiveSession,
        request: &ArchiveRequest,
    ) -> Result<Target, DomainError> {
        let project = session.place.project.clone();
        let chosen = |wanted: &Option<String>, own: &str| {
            clean_label(wanted.as_deref().filter(|wanted| !wanted.trim().is_empty()).unwrap_or(own))
        };
        let mut label = chosen(&request.label, &session.name);
        if self.experiment_by_label(&project, &label).await?.is_none()
            && let Some(named) = self.experiment_by_id(&label).await?.filter(|named| named.project == project)
        {
            label = named.label;
        }
        Ok(Target { project, label, subject: chosen(&request.subject, &session.subject) })
    }

    /// Looks at everything that can stand against archiving a session.
    pub(super) async fn examine(
        &self,
        session: &PrearchiveSession,
        content: &Content,
        target: &Target,
        request: &ArchiveRequest,
        depth: Depth,
    ) -> Result<Examination, DomainError> {
        let mut found = Examination { findings: Vec::new(), session: session.clone(), subject: None, merge: None };
        let existing = self.examine_target(&mut found, target, request).await?;
        if !request.change.scans.is_empty() {
            match found.session.take_scan_wishes(&request.change.scans, &content.heads(self).await?) {
                Ok(()) => {}
                Err(DomainError::Invalid { what }) => found.findings.push(Finding::new(Reason::BadFields, what)),
                Err(error) => return Err(error),
            }
        }
        if let Some(existing) = &existing {
            compare_sessions(&mut found.findings, existing, content.session(), request);
        }
        let may_stop = depth == Depth::UntilRefused;
        if may_stop && first_refusal(&found.findings).is_some() {
            return Ok(found);
        }
        match existing {
            Some(existing) => self.examine_merge(&mut found, existing, content, request).await?,
            None if may_stop => {}
            None => {
                let scans = content.scans(self).await?;
                found.findings.extend(merge_scans(Vec::new(), scans, request.rules).findings);
            }
        }
        found.findings.sort_by_key(|finding| (finding.reason.code(), finding.reason));
        Ok(found)
    }

    /// Project, label, subject and fields; gives the experiment that is there.
    async fn examine_target(
        &self,
        found: &mut Examination,
        target: &Target,
        request: &ArchiveRequest,
    ) -> Result<Option<Experiment>, DomainError> {
        let findings = &mut found.findings;
        let mut find = |reason, text: &str| findings.push(Finding::new(reason, text));
        if request.project.as_ref().is_some_and(|wanted| *wanted != target.project) {
            find(
                Reason::OtherProject,
                "Invalid modification of session project via archive process. Move the session first.",
            );
        }
        if target.label.is_empty() {
            find(Reason::NoLabel, "unable to deduce session label");
        }
        match found.session.apply(&request.change) {
            Ok(()) => {}
            Err(DomainError::Invalid { what }) => find(Reason::BadFields, &what),
            Err(error) => return Err(error),
        }
        if let Err(error) = request.cause.check() {
            find(Reason::BadFields, &error.to_string());
        }
        let existing = match target.label.as_str() {
            "" => None,
            label => self.experiment_by_label(&target.project, label).await?,
        };
        let existing = match existing {
            Some(shared) if shared.project != target.project => {
                let text = format!(
                    "The label {} is in use in the project for a session that belongs to another project.",
                    target.label
                );
                find(Reason::LabelShared, &text);
                None
            }
            existing => existing,
        };
        if target.subject.is_empty() {
            find(Reason::NoSubject, "Unable to identify subject.");
            return Ok(existing);
        }
        found.subject = self.find_subject(&target.project, &target.subject).await?;
        match (&existing, &found.subject) {
            (Some(existing), subject) => {
                if subject.as_ref().is_none_or(|subject| subject.id != existing.subject_id) {
                    let text = format!(
                        "Invalid modification of session subject via archive process.: {} Already Exists for another \
                         Subject",
                        existing.label
                    );
                    find(Reason::OtherSubject, &text);
                }
            }
            (None, None) => {
                let text = format!("The subject {} does not exist and will be created.", target.subject);
                find(Reason::NewSubject, &text);
            }
            (None, Some(_)) => {}
        }
        Ok(existing)
    }

    /// Scans, files and resources.
    async fn examine_merge(
        &self,
        found: &mut Examination,
        existing: Experiment,
        content: &Content,
        request: &ArchiveRequest,
    ) -> Result<(), DomainError> {
        let old = self.manifest(&existing.manifest).await?;
        if old.files.saturating_add(content.files()) > MAX_MERGED_FILES {
            let text = format!("The merged session would have more than {MAX_MERGED_FILES} images.");
            found.findings.push(Finding::new(Reason::TooLarge, text));
            return Ok(());
        }
        if existing.merged.len() >= MAX_MERGES {
            let text = format!("{MAX_MERGES} sessions have been merged into this one already.");
            found.findings.push(Finding::new(Reason::TooLarge, text));
            return Ok(());
        }
        let mut fields = existing.fields.clone();
        fill_fields(&mut fields, &found.session.fields);
        if fields.len() > MAX_FIELDS {
            let text = format!("More than {MAX_FIELDS} fields of the merged session would be set by hand.");
            found.findings.push(Finding::new(Reason::TooLarge, text));
        }
        let mut session = old.session.clone();
        fill_session(&mut session, content.session());
        let (mut old_scans, mut new_scans) = (self.full_scans(&old).await?, content.scans(self).await?);
        found.session.say_of_scans(new_scans.iter_mut().map(|scan| &mut scan.stored));
        let room = MAX_MERGED_FILES.saturating_sub(old.files.saturating_add(content.files()));
        let coming: HashMap<(&str, &str), &Resource> = new_scans
            .iter()
            .flat_map(|FullScan { stored: StoredScan { scan, resources, .. }, .. }| {
                resources.iter().map(|resource| ((scan.uid.as_str(), resource.label.as_str()), resource))
            })
            .collect();
        let notes_of = |scan: &Scan, label: &str| coming.get(&(scan.uid.as_str(), label)).map(|new| new.notes());
        let shelves = match self.bring_shelves(&existing, &mut old_scans, room, notes_of).await {
            Err(DomainError::Full { what }) => {
                found.findings.push(Finding::new(Reason::TooLarge, what));
                return Ok(());
            }
            brought => brought?,
        };
        let merged = merge_scans(old_scans, new_scans, request.rules);
        found.findings.extend(merged.findings);
        found.findings.extend(shelves.compare(&merged.scans));
        let (findings, resources) =
            self.compare_resources(&existing.resources, &found.session.resources, request.rules).await?;
        found.findings.extend(findings);
        let mut existing = existing;
        existing.fields = fields;
        fill_text(&mut existing.visit, &found.session.visit);
        fill_text(&mut existing.protocol, &found.session.protocol);
        found.merge = Some(Merge { existing, session, scans: merged.scans, resources, shelves });
        Ok(())
    }
}

/// Refuses a session of no project.
pub(super) fn demand_assigned(session: &PrearchiveSession) -> Result<(), DomainError> {
    if session.place.is_unassigned() {
        return Err(DomainError::Invalid { what: "Cannot archive sessions from the Unassigned folder.".to_owned() });
    }
    Ok(())
}

/// What the two sessions are, before anybody looks at their scans.
fn compare_sessions(findings: &mut Vec<Finding>, existing: &Experiment, new: &ImageSession, request: &ArchiveRequest) {
    let mut find = |reason, text: &str| findings.push(Finding::new(reason, text));
    if existing.status == LOCKED {
        let text = format!("The session {} is locked in the archive; unlock it first.", existing.label);
        find(Reason::Locked, &text);
    }
    if !request.rules.merges() {
        find(Reason::SessionExists, "Session already exists, retry with overwrite enabled");
    }
    if existing.xsi_type != new.xsi_type {
        let text = format!(
            "Invalid modification of session modality via archive process.  Data may require a manual merge. ({} is \
             there, {} was sent.)",
            existing.xsi_type, new.xsi_type
        );
        find(Reason::OtherModality, &text);
    }
    let is_other = !existing.uid.is_empty() && !new.uid.is_empty() && existing.uid != new.uid;
    if is_other && !request.rules.overrides() {
        find(Reason::OtherStudy, "Invalid modification of session UID via archive process.");
    }
}
