//! From an upload to sessions: each study finds the session that receives it, or makes one.

use super::build::Gathered;
use super::place::{ForcedPlace, Identity};
use super::segment::Segment;
use super::session::{HeldSession, PrearchiveSession, SessionRef};
use super::status::{Action, Status};
use super::upload::{ArrivedStudy, Upload};
use crate::accounts;
use crate::domain::access::Right;
use crate::domain::error::DomainError;
use crate::domain::ids::{UNASSIGNED, clean_label, random_id};
use crate::domain::{Core, project::PrearchiveCode};
use crate::imaging::naming::{self, AutoArchive};
use crate::storage::{Store, keys, pack};

/// Every upload may take this long, in seconds, whatever the retention: who sets that to less wants to see the sweep
/// at work, not uploads refused.
const SHORTEST_ALLOWANCE_S: u64 = 60;

/// The session label of a study that names none.
const NAMELESS_SESSION: &str = "dicom_upload";

/// Where an upload is to go, as far as the client says.
#[derive(Debug, Clone, Default)]
pub struct ImportRequest {
    /// Who uploads, as records show it.
    pub by: String,
    /// Who uploads: headers name only projects whose data they may change.
    pub identity: accounts::Identity,
    /// The project, which exists; headers decide if it is not given.
    pub project: Option<String>,
    /// The subject's label; headers decide if it is not given.
    pub subject: Option<String>,
    /// The session's label; headers decide if it is not given.
    pub session: Option<String>,
    /// The place in the prearchive.
    pub place: ForcedPlace,
    /// The row's `SOURCE`.
    pub source: String,
    /// The row's `VISIT`.
    pub visit: String,
    /// The row's `PROTOCOL`.
    pub protocol: String,
    /// The row's `TIMEZONE`.
    pub timezone: String,
    /// The row's `prevent_anon`.
    pub prevent_anon: bool,
    /// The row's `prevent_auto_commit`.
    pub prevent_auto_commit: bool,
}

/// A study's destination.
struct Target {
    study: ArrivedStudy,
    identity: Identity,
    subject: String,
    autoarchive: &'static str,
    session: SessionChoice,
}

/// A session that is to be made.
struct NewSession {
    id: String,
    identity: Identity,
    subject: String,
    autoarchive: &'static str,
}

enum SessionChoice {
    Existing(Box<HeldSession>),
    New(String),
}

impl SessionChoice {
    fn id(&self) -> &str {
        match self {
            Self::Existing(held) => &held.session.id,
            Self::New(id) => id,
        }
    }
}

impl<S: Store> Core<S> {
    /// Makes an upload's studies sessions of the prearchive, or adds them to the sessions that receive them, and
    /// builds those. From the return on every file is kept.
    ///
    /// # Errors
    /// [`DomainError::Busy`] while a session that should receive files is worked on, or the store's failure. Nothing
    /// refers to the upload's pack then, unless the error came between the sessions of several studies.
    pub async fn import(&self, upload: Upload, request: &ImportRequest) -> Result<Vec<PrearchiveSession>, DomainError> {
        let mut targets = Vec::with_capacity(upload.studies.len());
        let mut leases = Vec::new();
        let mut result = self.demand_in_time(upload.started_ms);
        for study in upload.studies {
            if result.is_err() {
                break;
            }
            match self.target(study, request, &mut leases).await {
                Ok(target) => targets.push(target),
                Err(error) => result = Err(error),
            }
        }
        result = result.and_then(|()| {
            targets.iter().try_for_each(|target| match &target.session {
                SessionChoice::Existing(held) => held.session.allow(Action::Receive),
                SessionChoice::New(_) => Ok(()),
            })
        });
        let outcome = match result {
            Ok(()) => {
                let notes = ImportNotes { ignored: upload.ignored_count, odd_preambles: upload.odd_preambles };
                self.place_studies(upload.shape, targets, request, &notes).await
            }
            Err(error) => {
                for target in targets {
                    if let SessionChoice::Existing(held) = target.session {
                        self.let_go(*held).await?;
                    }
                }
                // Nothing refers to the pack; should this fail, the sweep does it later.
                let _ = pack::remove_uncommitted(&self.blobs, upload.shape.id).await;
                Err(error)
            }
        };
        for lease in leases {
            self.leases.release(lease).await?;
        }
        outcome
    }

    /// Refuses an upload of an age at which the sweep takes it for a dead one.
    pub(crate) fn demand_in_time(&self, started_ms: u64) -> Result<(), DomainError> {
        let longest_s = (self.settings.upload_retention_seconds / 2).max(SHORTEST_ALLOWANCE_S);
        if self.clock.now_ms().saturating_sub(started_ms) / 1000 <= longest_s {
            return Ok(());
        }
        Err(DomainError::Invalid {
            what: format!("The upload took longer than the {longest_s} seconds allowed; send it in smaller parts."),
        })
    }

    /// Decides where a study goes, and keeps others from making a second session for it meanwhile.
    async fn target(
        &self,
        study: ArrivedStudy,
        request: &ImportRequest,
        leases: &mut Vec<crate::storage::Lease>,
    ) -> Result<Target, DomainError> {
        let project = match &request.project {
            Some(project) => project.clone(),
            None => self.project_by_header(&study, &request.identity).await?.unwrap_or_else(|| UNASSIGNED.to_owned()),
        };
        let wanted = |given: &Option<String>| given.as_deref().map(clean_label).filter(|label| !label.is_empty());
        let label = wanted(&request.session)
            .or_else(|| naming::session_label(&study.first).map(|label| clean_label(&label)))
            .filter(|label| !label.is_empty())
            .unwrap_or_else(|| NAMELESS_SESSION.to_owned());
        let subject = wanted(&request.subject)
            .or_else(|| naming::subject_label(&study.first).map(|label| clean_label(&label)))
            .unwrap_or_default();
        let autoarchive = match naming::auto_archive(&study.first) {
            Some(AutoArchive::Archive) => "AutoArchive",
            Some(AutoArchive::Manual) => "Manual",
            None => "",
        };
        let identity = Identity { project, study_uid: study.study_uid.clone(), label };
        let lease = self.leases.acquire_within(&identity.lease_name(), self.patience_ms()).await?;
        let busy = || DomainError::Busy { what: "another upload of the same study".to_owned() };
        leases.push(lease.ok_or_else(busy)?);
        let existing = match request.place.place_for(&identity) {
            Some(place) => self.find_session_at(&place).await?,
            None => self.find_receiver(&identity).await?,
        };
        let session = match existing {
            Some(session) if session.tag != identity.study_uid => {
                return Err(DomainError::Invalid {
                    what: format!(
                        "The session at {} is of another study ({}); choose another destination.",
                        session.place.uri(),
                        session.tag
                    ),
                });
            }
            // It is held before anything is written, so that what is refused leaves nothing.
            Some(session) => match self.hold_found_patiently(&session).await {
                Ok(held) => SessionChoice::Existing(Box::new(held)),
                // It has been deleted or moved away since: the study has no session here any more.
                Err(DomainError::NotFound { .. }) => SessionChoice::New(random_id()?),
                Err(error) => return Err(error),
            },
            None => SessionChoice::New(random_id()?),
        };
        Ok(Target { study, identity, subject, autoarchive, session })
    }

    /// XNAT's rule: the first of the names in the header that is a project's in which the uploader may add data.
    async fn project_by_header(
        &self,
        study: &ArrivedStudy,
        who: &accounts::Identity,
    ) -> Result<Option<String>, DomainError> {
        for candidate in naming::project_candidates(&study.first) {
            if let Some(project) = self.find_project(&candidate).await?
                && project.grants(who, Right::Edit)
            {
                return Ok(Some(project.id.to_string()));
            }
        }
        Ok(None)
    }

    async fn place_studies(
        &self,
        shape: pack::PackShape,
        targets: Vec<Target>,
        request: &ImportRequest,
        notes: &ImportNotes,
    ) -> Result<Vec<PrearchiveSession>, DomainError> {
        let owners = targets.iter().map(|target| target.session.id().to_owned()).collect();
        pack::commit(&self.records, shape, owners, self.clock.now_ms()).await?;
        let mut sessions = Vec::with_capacity(targets.len());
        let mut page = 0;
        for mut target in targets {
            let pages = std::mem::take(&mut target.study.pages);
            let segment = Segment {
                pack: shape.id,
                pages_of: None,
                first_page: page,
                pages: pages.len() as u64,
                by: request.by.clone(),
                at_ms: self.clock.now_ms(),
            };
            let numbered: Vec<_> = (page..).zip(&pages).collect();
            for some in numbered.chunks(8) {
                let writes = some.iter().map(|(number, page)| self.write_segment_page(shape.id, *number, page));
                for done in futures::future::join_all(writes).await {
                    done?;
                }
            }
            page += segment.pages;
            let session = match target.session {
                SessionChoice::Existing(held) => self.add_to(*held, &segment, notes).await?,
                SessionChoice::New(id) => {
                    let mut gathered = Gathered::default();
                    for page in pages {
                        gathered.add(shape.id, page);
                    }
                    let new = NewSession {
                        id,
                        identity: target.identity,
                        subject: target.subject,
                        autoarchive: target.autoarchive,
                    };
                    match request.place.place_for(&new.identity) {
                        Some(place) => {
                            self.with_lease(&place.lease_name(), "this place in the prearchive", async |core| {
                                core.make_session(new, &segment, gathered, request, notes).await
                            })
                            .await?
                        }
                        None => self.make_session(new, &segment, gathered, request, notes).await?,
                    }
                }
            };
            sessions.push(session);
        }
        pack::seal(&self.records, shape.id).await?;
        Ok(sessions)
    }

    /// Adds a segment to a session that is there, and builds it anew.
    async fn add_to(
        &self,
        mut held: HeldSession,
        segment: &Segment,
        notes: &ImportNotes,
    ) -> Result<PrearchiveSession, DomainError> {
        self.append_segment(&held.session.id, segment).await?;
        held.session.status = Status::Receiving;
        notes.write(&mut held.session, self.clock.now_ms());
        let built = self.build(&mut held).await;
        let session = held.session.clone();
        self.let_go(held).await?;
        built?;
        Ok(session)
    }

    /// Makes a new session, built already; writing its record is what makes it exist.
    async fn make_session(
        &self,
        new: NewSession,
        segment: &Segment,
        gathered: Gathered,
        request: &ImportRequest,
        notes: &ImportNotes,
    ) -> Result<PrearchiveSession, DomainError> {
        let NewSession { id, identity, subject, autoarchive } = new;
        let folded_segments = self.append_segment(&id, segment).await?;
        let manifest = self.write_gathered(gathered, &identity.project).await?;
        let manifest = manifest.ok_or(DomainError::NothingParsable { why: "the study has no series".to_owned() })?;
        let place = self.claim_place(&identity, &id, &request.place).await?;
        let now_ms = self.clock.now_ms();
        let (roster, _) = self.prearchive_roster(&place.project);
        let touch = roster.touch(&id, None).await?;
        let mut session = PrearchiveSession {
            id: id.clone(),
            row: touch.place,
            status: Status::Ready,
            name: identity.label.clone(),
            subject,
            tag: identity.study_uid.clone(),
            scan_date: manifest.session.date.clone().unwrap_or_default(),
            scan_time: manifest.session.time.clone().unwrap_or_default(),
            uploaded_ms: now_ms,
            lastmod_ms: now_ms,
            autoarchive: autoarchive.to_owned(),
            prevent_anon: request.prevent_anon,
            prevent_auto_commit: request.prevent_auto_commit,
            source: request.source.clone(),
            visit: request.visit.clone(),
            protocol: request.protocol.clone(),
            timezone: request.timezone.clone(),
            uploader: request.by.clone(),
            manifest: Some(manifest.id),
            folded_segments,
            gaps: Vec::new(),
            resources: Vec::new(),
            intent: None,
            left: None,
            job: None,
            separating: None,
            born_of: None,
            removed_series: Vec::new(),
            fields: Vec::new(),
            log: Vec::new(),
            place,
        };
        notes.write(&mut session, now_ms);
        let study = keys::session_study(&identity.project, &identity.study_uid, &identity.label);
        self.records.set(&study, &SessionRef { id: id.clone() }).await?;
        self.records.set(&keys::session(&id), &session).await?;
        roster.settled(&id, touch).await?;
        Ok(session)
    }

    /// XNAT's rule for a session that has just been built: whether it goes to the archive by itself.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn archives_by_itself(
        &self,
        session: &PrearchiveSession,
        to_archive: Option<bool>,
    ) -> Result<bool, DomainError> {
        if session.place.is_unassigned() {
            return Ok(false);
        }
        if session.autoarchive.starts_with("AutoArchive") {
            return Ok(true);
        }
        if let Some(wanted) = to_archive {
            return Ok(wanted);
        }
        let project = self.find_project(&session.place.project).await?;
        Ok(project.map_or(PrearchiveCode::Manual, |project| project.prearchive_code).archives())
    }
}

/// What the log of a session should say of an upload.
struct ImportNotes {
    ignored: u64,
    odd_preambles: u64,
}

impl ImportNotes {
    fn write(&self, session: &mut PrearchiveSession, now_ms: u64) {
        if self.ignored > 0 {
            session.note(
                now_ms,
                format!("{} file(s) of the upload are no images of a study and were left out.", self.ignored),
            );
        }
        if self.odd_preambles > 0 {
            session.note(
                now_ms,
                format!(
                    "{} file(s) of the upload have a preamble that is neither empty nor TIFF; they are kept as they are \
                     and never served as anything a browser would run.",
                    self.odd_preambles
                ),
            );
        }
    }
}
