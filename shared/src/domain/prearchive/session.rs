//! The record of a prearchive session, and finding one by its place.

use serde::{Deserialize, Serialize};

use super::gathered::Repeated;
use super::place::Identity;
use super::row::SessionRow;
use super::status::{Action, Status};
use crate::domain::Core;
use crate::domain::archive::ScanChange;
use crate::domain::archive::tell::Told;
use crate::domain::error::DomainError;
use crate::domain::ids::{UNASSIGNED, project_or_unassigned};
use crate::domain::resource::ItemResource;
use crate::imaging::Field;
use crate::storage::roster::RowSource;
use crate::storage::{Lease, Record, Roster, StoreError, keys};

/// Where a session stands in the prearchive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionPlace {
    /// The project, or `Unassigned`.
    pub project: String,
    /// The timestamp folder.
    pub timestamp: String,
    /// The session folder.
    pub folder: String,
}

impl SessionPlace {
    /// The place that an address names.
    pub fn new(project: &str, timestamp: &str, folder: &str) -> Self {
        let project = project_or_unassigned(project).to_owned();
        Self { project, timestamp: timestamp.to_owned(), folder: folder.to_owned() }
    }

    /// `/prearchive/projects/{project}/{timestamp}/{folder}`.
    pub fn uri(&self) -> String {
        format!("/prearchive/projects/{}/{}/{}", self.project, self.timestamp, self.folder)
    }

    /// The lease to hold while the place is taken or given back. Many places share one: a lease's name stays in the
    /// store, and places come and go.
    pub(crate) fn lease_name(&self) -> String {
        format!("places/{:02x}", crc32fast::hash(self.uri().as_bytes()) & 0xFF)
    }

    /// Whether the session belongs to no project.
    pub fn is_unassigned(&self) -> bool {
        self.project == UNASSIGNED
    }
}

/// What archiving was about to make when it began: a crash is gone on from here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveIntent {
    /// The experiment's identifier. If it exists and has this session's files, archiving is done.
    pub experiment: String,
    /// What is to be told of it when it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Told>,
    /// The manifest written for it. `None` if the session is merged into an experiment that was there: the trash of
    /// that one says what was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
}

/// A series of which the files that had arrived by then were deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemovedSeries {
    /// Series Instance UID.
    pub series_uid: String,
    /// The last segment of which the series was deleted.
    pub upto_segment: u64,
}

/// One line of a session's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// When, in milliseconds since the epoch.
    pub at_ms: u64,
    /// What happened.
    pub text: String,
}

/// A session of the prearchive.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PrearchiveSession {
    /// Its own identifier, which never changes; its packs are owned under it, in the archive as well.
    pub id: String,
    /// Where it stands.
    pub place: SessionPlace,
    /// Its place in the list.
    pub row: u64,
    /// Where it stands in its life, as far as the record says; see [`Core::status_of`].
    pub status: Status,
    /// The session label.
    pub name: String,
    /// The subject label.
    pub subject: String,
    /// StudyInstanceUID.
    pub tag: String,
    /// StudyDate as `yyyy-MM-dd`, or empty.
    pub scan_date: String,
    /// StudyTime as `HH:mm:ss`, or empty.
    pub scan_time: String,
    /// First arrival, in milliseconds since the epoch.
    pub uploaded_ms: u64,
    /// Last change, in milliseconds since the epoch.
    pub lastmod_ms: u64,
    /// `Manual`, `AutoArchive`, `AutoArchiveOverwrite` or empty.
    pub autoarchive: String,
    /// Whether an upload, or the last commit, asked that it is marked as in quarantine once it is archived.
    #[serde(default)]
    pub quarantine: bool,
    /// Whether anonymisation is skipped at archive time.
    pub prevent_anon: bool,
    /// Whether only an explicit commit completes the session.
    pub prevent_auto_commit: bool,
    /// Who sent it.
    pub source: String,
    /// As given by the upload.
    pub visit: String,
    /// As given by the upload.
    pub protocol: String,
    /// As given by the upload.
    pub timezone: String,
    /// Who uploaded it.
    pub uploader: String,
    /// The session document's manifest, once built.
    pub manifest: Option<String>,
    /// Segments up to here are in the manifest, but for those in `gaps`.
    pub folded_segments: u64,
    /// Segments that were begun but not there when the manifest was built: on their way, or lost with their writer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<u64>,
    /// Its own resources, beside those of its scans; lists leave them out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<ItemResource>,
    /// What archiving was about to make.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<ArchiveIntent>,
    /// The place that it has moved away from, as long as that is not given back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<SessionPlace>,
    /// The job that it waits for, where its status says that it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// The session that is being made of its MR images, as long as it has not let go of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separating: Option<String>,
    /// The session that it is being made of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub born_of: Option<String>,
    /// Series that were deleted: their files count no more, unless they came later than that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed_series: Vec<RemovedSeries>,
    /// Fields of the session document that somebody has set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
    /// What was set by hand of its scans, by their IDs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scan_changes: Vec<(String, ScanChange)>,
    /// Why it is in CONFLICT or ERROR, and what else befell it; the last lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<LogLine>,
}

impl Record for PrearchiveSession {
    const VERSION: u32 = 1;
}

/// Lines kept of a session's log.
const MAX_LOG_LINES: usize = 100;

impl PrearchiveSession {
    /// Whether a series that came with a segment was deleted since.
    pub(crate) fn is_removed(&self, series_uid: &str, segment: u64) -> bool {
        self.removed_series.iter().any(|removed| removed.series_uid == series_uid && segment <= removed.upto_segment)
    }

    /// Whether a segment is in the manifest.
    pub(crate) fn has_folded(&self, segment: u64) -> bool {
        segment <= self.folded_segments && !self.gaps.contains(&segment)
    }

    /// Whether archiving it is, or was, merging it into an experiment that was there.
    pub(crate) fn is_to_be_merged(&self) -> bool {
        self.intent.as_ref().is_some_and(|intent| intent.manifest.is_none())
    }

    /// Adds a line to the log; the oldest go when there are too many.
    pub fn note(&mut self, at_ms: u64, text: impl Into<String>) {
        let text: String = text.into().chars().take(1_000).collect();
        self.log.push(LogLine { at_ms, text });
        if self.log.len() > MAX_LOG_LINES {
            self.log.remove(0);
        }
    }

    /// What identifies the session to later uploads, or would in this project.
    pub(crate) fn identity_in(&self, project: &str) -> Identity {
        Identity { project: project.to_owned(), study_uid: self.tag.clone(), label: self.name.clone() }
    }

    /// The state that the session has when nobody is at work on it and nothing went wrong.
    pub(crate) fn resting(&self) -> Status {
        if self.manifest.is_some() { Status::Ready } else { Status::Receiving }
    }

    /// Refuses an action that the status does not allow.
    ///
    /// # Errors
    /// [`DomainError::Busy`] while somebody works on it, else [`DomainError::WrongState`].
    pub fn allow(&self, action: Action) -> Result<(), DomainError> {
        if self.status.allows(action) {
            return Ok(());
        }
        if self.status.is_busy() {
            return Err(DomainError::Busy { what: "this prearchive entry".to_owned() });
        }
        Err(DomainError::WrongState { status: self.status.as_str(), action: action.participle() })
    }
}

/// A session that nobody else may change while this is held.
pub struct HeldSession {
    /// The session as it was when the lease was taken, to be changed and stored.
    pub session: PrearchiveSession,
    pub(crate) lease: Lease,
    /// What the last build found to be there more than once.
    pub(super) repeated: Repeated,
}

pub(crate) fn lease_name(id: &str) -> String {
    format!("session/{id}")
}

pub(crate) fn roster_name(project: &str) -> String {
    format!("prearchive/{project}")
}

impl Core {
    pub(crate) fn prearchive_roster(&self, project: &str) -> (Roster, impl RowSource<SessionRow>) {
        let core = self.clone();
        let owner = project.to_owned();
        let source = move |id: String, place| {
            let (core, owner) = (core.clone(), owner.clone());
            async move {
                let found: Option<PrearchiveSession> = core.records.get(&keys::session(&id)).await?;
                let is_here = |session: &PrearchiveSession| session.place.project == owner && session.row == place;
                let Some(mut session) = found.filter(is_here) else {
                    return Ok(None);
                };
                if core.is_unborn(&session).await? {
                    return Ok(None);
                }
                // What is busy or queued stands in the list as it is: that may end at any time, so readers look again.
                if !session.status.is_busy() && !session.status.is_queued() {
                    session.status = core.status_of(&session).await?;
                }
                Ok(Some(SessionRow::from(&session)))
            }
        };
        (self.roster(roster_name(project)), source)
    }

    /// The session of this identifier as it is now, or `None` if it is gone or archived.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn session(&self, id: &str) -> Result<Option<PrearchiveSession>, StoreError> {
        let Some(mut session) = self.records.get::<PrearchiveSession>(&keys::session(id)).await? else {
            return Ok(None);
        };
        if self.is_archived(&session).await? || self.is_unborn(&session).await? {
            return Ok(None);
        }
        session.status = self.status_of(&session).await?;
        Ok(Some(session))
    }

    /// Whether archiving this session has been committed, though the session's record is still there.
    pub(crate) async fn is_archived(&self, session: &PrearchiveSession) -> Result<bool, StoreError> {
        match &session.intent {
            Some(intent) => self.has_content(&intent.experiment, &session.id).await,
            None => Ok(false),
        }
    }

    /// The status that a reader sees: files that arrived since the last build make a session RECEIVING, and a state
    /// that means "busy" holds only as long as somebody has the lease.
    pub(super) async fn status_of(&self, session: &PrearchiveSession) -> Result<Status, StoreError> {
        let status = match session.status {
            busy if busy.is_busy() && !self.leases.is_held(&lease_name(&session.id)).await? => session.resting(),
            queued if queued.is_queued() && !self.is_waited_for(session).await? => session.resting(),
            status => status,
        };
        Ok(match status {
            Status::Ready | Status::Conflict | Status::Error if self.has_unbuilt(session).await? => Status::Receiving,
            status => status,
        })
    }

    /// Whether there is a job that will come to a session.
    async fn is_waited_for(&self, session: &PrearchiveSession) -> Result<bool, StoreError> {
        match &session.job {
            Some(job) => self.job_is_open(job).await,
            None => Ok(false),
        }
    }

    /// The state of a session that was being archived when that came to nothing: a job that is to archive it tries
    /// again.
    pub(crate) async fn unarchived(&self, session: &PrearchiveSession) -> Result<Status, StoreError> {
        Ok(if self.is_waited_for(session).await? { Status::QueuedArchiving } else { session.resting() })
    }

    /// Whether files have arrived that are not in the manifest.
    pub(crate) async fn has_unbuilt(&self, session: &PrearchiveSession) -> Result<bool, StoreError> {
        if self.segments_begun(&session.id).await? > session.folded_segments {
            return Ok(true);
        }
        for gap in &session.gaps {
            if self.segment(&session.id, *gap).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The session at a place; whether its project or the session is missing is told apart.
    ///
    /// # Errors
    /// [`DomainError::NotFound`] or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn session_at(&self, place: &SessionPlace) -> Result<PrearchiveSession, DomainError> {
        self.demand_project_of(place).await?;
        self.find_session_at(place)
            .await?
            .ok_or_else(|| DomainError::NotFound { what: format!("the session {} in the prearchive", place.uri()) })
    }

    /// Refuses a place in a project that does not exist.
    ///
    /// # Errors
    /// [`DomainError::NotFound`] or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn demand_project_of(&self, place: &SessionPlace) -> Result<(), DomainError> {
        if !place.is_unassigned() {
            self.project(&place.project).await?;
        }
        Ok(())
    }

    /// The session at a place, if there is one.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn find_session_at(&self, place: &SessionPlace) -> Result<Option<PrearchiveSession>, StoreError> {
        let key = keys::session_place(&place.project, &place.timestamp, &place.folder);
        let Some(reference) = self.records.get::<SessionRef>(&key).await? else { return Ok(None) };
        Ok(self.session(&reference.id).await?.filter(|session| session.place == *place))
    }
}

/// Which session an index entry stands for.
#[derive(Serialize, Deserialize)]
pub(crate) struct SessionRef {
    pub id: String,
}

impl Record for SessionRef {
    const VERSION: u32 = 1;
}
