//! Where a study goes: the project, the session that receives it, or the one that is to be made.

use super::import::ImportRequest;
use super::place::Identity;
use super::session::{HeldSession, PrearchiveSession};
use super::upload::ArrivedStudy;
use crate::accounts;
use crate::domain::Core;
use crate::domain::access::Right;
use crate::domain::error::DomainError;
use crate::domain::ids::{UNASSIGNED, clean_label, random_id};
use crate::imaging::naming::{self, AutoArchive};
use crate::storage::Lease;

/// The session label of a study that names none.
const NAMELESS_SESSION: &str = "dicom_upload";

/// A study's destination.
pub(super) struct Target {
    pub study: ArrivedStudy,
    pub identity: Identity,
    pub subject: String,
    pub autoarchive: &'static str,
    pub session: SessionChoice,
    /// The number that was taken for the segment of its files, if it was taken already.
    pub begun: Option<u64>,
}

/// The session that receives a study.
pub(super) enum SessionChoice {
    /// One that is there, held until it is built.
    Existing(Box<HeldSession>),
    /// One that is there and to which others may add at the same time.
    Open(Box<PrearchiveSession>),
    /// A new one.
    New(String),
}

impl SessionChoice {
    /// The identifier of the session.
    pub(super) fn id(&self) -> &str {
        match self {
            Self::Existing(held) => &held.session.id,
            Self::Open(session) => &session.id,
            Self::New(id) => id,
        }
    }
}

impl Core {
    /// Decides where a study goes, and keeps others from making a second session for it meanwhile.
    pub(super) async fn target(
        &self,
        study: ArrivedStudy,
        request: &ImportRequest,
        leases: &mut Vec<Lease>,
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
        let autoarchive = request.autoarchive.unwrap_or_else(|| match naming::auto_archive(&study.first) {
            Some(AutoArchive::Archive) => "AutoArchive",
            Some(AutoArchive::Manual) => "Manual",
            None => "",
        });
        let identity = Identity { project, study_uid: study.study_uid.clone(), label };
        if let Some(session) = self.open_or_lease(&identity, request, leases).await? {
            return Ok(Target { study, identity, subject, autoarchive, session, begun: None });
        }
        let existing = self.receiver_of(&identity, request).await?;
        let session = match existing {
            Some(session) if request.is_gradual => SessionChoice::Open(Box::new(session)),
            // It is held before anything is written, so that what is refused leaves nothing.
            Some(session) => match self.hold_found_patiently(&session).await {
                Ok(held) => SessionChoice::Existing(Box::new(held)),
                // It has been deleted or moved away since: the study has no session here any more.
                Err(DomainError::NotFound { .. }) => SessionChoice::New(random_id()?),
                Err(error) => return Err(error),
            },
            None => SessionChoice::New(random_id()?),
        };
        Ok(Target { study, identity, subject, autoarchive, session, begun: None })
    }

    /// The session to which a study can be added while others do the same; else the study's lease, so that nobody else
    /// makes a session for it.
    async fn open_or_lease(
        &self,
        identity: &Identity,
        request: &ImportRequest,
        leases: &mut Vec<Lease>,
    ) -> Result<Option<SessionChoice>, DomainError> {
        let mut patience = self.clock.patience(self.patience_ms());
        loop {
            // Whoever only adds to a session that is there need not wait for others who do.
            if request.is_gradual
                && let Some(session) = self.open_receiver(identity, request).await?
            {
                return Ok(Some(session));
            }
            if let Some(lease) = self.leases.acquire(&identity.lease_name()).await? {
                leases.push(lease);
                return Ok(None);
            }
            if !patience.wait().await {
                return Err(DomainError::Busy { what: "another upload of the same study".to_owned() });
            }
        }
    }

    /// The session that is there for a study, at the place that was chosen or anywhere in the project.
    pub(super) async fn receiver_of(
        &self,
        identity: &Identity,
        request: &ImportRequest,
    ) -> Result<Option<PrearchiveSession>, DomainError> {
        let existing = match request.place.place_for(identity) {
            Some(place) => self.find_session_at(&place).await?,
            None => self.find_receiver(identity).await?,
        };
        match existing {
            Some(session) if session.tag != identity.study_uid => Err(DomainError::Invalid {
                what: format!(
                    "The session at {} is of another study ({}); choose another destination.",
                    session.place.uri(),
                    session.tag
                ),
            }),
            existing => Ok(existing),
        }
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
}
