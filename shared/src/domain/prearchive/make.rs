//! Making a new session of a study.

use super::gathered::Gathered;
use super::import::ImportRequest;
use super::notes::ImportNotes;
use super::place::Identity;
use super::segment::Segment;
use super::session::{PrearchiveSession, SessionRef};
use super::status::Status;
use super::target::Target;
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::imaging::{session, tags};
use crate::storage::keys;

/// A session that is to be made.
pub(super) struct NewSession {
    pub id: String,
    pub identity: Identity,
    pub subject: String,
    pub autoarchive: &'static str,
    pub scan_date: String,
    pub scan_time: String,
}

impl NewSession {
    /// The session that a study makes where none receives it. Date and time are those of its first file until it is built.
    pub(super) fn of(id: String, target: &Target) -> Self {
        let header = &target.study.first;
        Self {
            id,
            identity: target.identity.clone(),
            subject: target.subject.clone(),
            autoarchive: target.autoarchive,
            scan_date: header.get(tags::STUDY_DATE).and_then(session::date).unwrap_or_default(),
            scan_time: header.get(tags::STUDY_TIME).and_then(session::time).unwrap_or_default(),
        }
    }
}

impl Core {
    /// Makes a new session at the place that was chosen, or at a free one.
    pub(super) async fn make_session_at(
        &self,
        new: NewSession,
        segment: &Segment,
        gathered: Gathered,
        request: &ImportRequest,
        notes: &ImportNotes,
    ) -> Result<PrearchiveSession, DomainError> {
        match request.place.place_for(&new.identity) {
            Some(place) => {
                self.with_lease(&place.lease_name(), "this place in the prearchive", async |core| {
                    core.make_session(new, segment, gathered, request, notes).await
                })
                .await
            }
            None => self.make_session(new, segment, gathered, request, notes).await,
        }
    }

    /// Makes a new session, built already unless more is to come; writing its record is what makes it exist.
    async fn make_session(
        &self,
        new: NewSession,
        segment: &Segment,
        gathered: Gathered,
        request: &ImportRequest,
        notes: &ImportNotes,
    ) -> Result<PrearchiveSession, DomainError> {
        let NewSession { id, identity, subject, autoarchive, mut scan_date, mut scan_time } = new;
        // Before anything is written that another session at this place would leave behind.
        let place = self.claim_place(&identity, &id, &request.place).await?;
        let mut manifest = None;
        if !request.is_gradual {
            let built = self.write_gathered(gathered, &identity.project).await?;
            let built = built.ok_or(DomainError::NothingParsable { why: "the study has no series".to_owned() })?;
            scan_date = built.session.date.clone().unwrap_or_default();
            scan_time = built.session.time.clone().unwrap_or_default();
            manifest = Some(built.id);
        }
        let now_ms = self.clock.now_ms();
        let (roster, _) = self.prearchive_roster(&place.project);
        let study = keys::session_study(&identity.project, &identity.study_uid, &identity.label);
        let reference = SessionRef { id: id.clone() };
        // None of these is seen before the session is.
        let (number, touch, referred) = futures::join!(
            self.append_segment(&id, segment),
            roster.touch(&id, None),
            self.records.set(&study, &reference)
        );
        let (number, touch) = (number?, touch?);
        referred?;
        let mut session = PrearchiveSession {
            id: id.clone(),
            row: touch.place,
            status: if manifest.is_some() { Status::Ready } else { Status::Receiving },
            name: identity.label.clone(),
            subject,
            tag: identity.study_uid.clone(),
            scan_date,
            scan_time,
            uploaded_ms: now_ms,
            lastmod_ms: now_ms,
            autoarchive: autoarchive.to_owned(),
            quarantine: request.quarantine,
            prevent_anon: request.prevent_anon,
            prevent_auto_commit: request.prevent_auto_commit,
            source: request.source.clone(),
            visit: request.visit.clone(),
            protocol: request.protocol.clone(),
            timezone: request.timezone.clone(),
            uploader: request.by.clone(),
            manifest,
            folded_segments: if request.is_gradual { 0 } else { number },
            gaps: Vec::new(),
            resources: Vec::new(),
            intent: None,
            left: None,
            job: None,
            separating: None,
            born_of: None,
            removed_series: Vec::new(),
            fields: request.fields.clone(),
            scan_changes: Vec::new(),
            log: Vec::new(),
            place,
        };
        notes.write(&mut session, now_ms);
        self.records.set(&keys::session(&id), &session).await?;
        roster.settled(&id, touch).await?;
        Ok(session)
    }
}
