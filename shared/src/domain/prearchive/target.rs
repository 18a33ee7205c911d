//! Where a study goes: the project, the session that receives it, or the one that is to be made.

use super::import::ImportRequest;
use super::place::Identity;
use super::segment::Segment;
use super::session::{HeldSession, PrearchiveSession};
use super::upload::ArrivedStudy;
use super::wishes::wanted_label;
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
    /// The segment of its files, as far as it was begun already.
    pub begun: Option<Begun>,
}

/// A segment of a session that others add to as well.
pub(super) struct Begun {
    /// The number that was taken for it.
    pub number: u64,
    /// What was written under that number, if it was.
    pub written: Option<Segment>,
}

/// What a study is to be called.
pub(super) struct Names {
    pub identity: Identity,
    pub subject: String,
    pub autoarchive: &'static str,
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
    /// What a study is to be called and where it belongs, as far as the request and its header say.
    pub(super) async fn naming_of(&self, study: &ArrivedStudy, request: &ImportRequest) -> Result<Names, DomainError> {
        let project = match &request.project {
            Some(project) => project.clone(),
            None => self.project_by_header(study, &request.identity).await?.unwrap_or_else(|| UNASSIGNED.to_owned()),
        };
        let label = wanted_label(request.session.as_ref())
            .or_else(|| naming::session_label(&study.first).map(|label| clean_label(&label)))
            .filter(|label| !label.is_empty())
            .unwrap_or_else(|| NAMELESS_SESSION.to_owned());
        let subject = wanted_label(request.subject.as_ref())
            .or_else(|| naming::subject_label(&study.first).map(|label| clean_label(&label)))
            .unwrap_or_default();
        let autoarchive = request.autoarchive.unwrap_or_else(|| match naming::auto_archive(&study.first) {
            Some(AutoArchive::Archive) => "AutoArchive",
            Some(AutoArchive::Manual) => "Manual",
            None => "",
        });
        let identity = Identity { project, study_uid: study.study_uid.clone(), label };
        Ok(Names { identity, subject, autoarchive })
    }

    /// Decides which session receives a study, and keeps others from making a second one for it meanwhile.
    ///
    /// Whoever is at work on the session may want the study's lease, so that is not kept while waiting for them.
    pub(super) async fn target(
        &self,
        study: ArrivedStudy,
        names: Names,
        request: &ImportRequest,
        leases: &mut Vec<Lease>,
    ) -> Result<Target, DomainError> {
        let Names { identity, subject, autoarchive } = names;
        let session = self.patiently(async || self.choose_session(&identity, request, leases).await).await?;
        Ok(Target { study, identity, subject, autoarchive, session, begun: None })
    }

    async fn choose_session(
        &self,
        identity: &Identity,
        request: &ImportRequest,
        leases: &mut Vec<Lease>,
    ) -> Result<SessionChoice, DomainError> {
        // Whoever only adds to a session that is there need not wait for others who do.
        if request.is_gradual
            && let Some(session) = self.open_receiver(identity, request).await?
        {
            return Ok(session);
        }
        let (lease, session) =
            self.under_study_lease(identity, async |core| core.hold_or_make(identity, request).await).await?;
        leases.push(lease);
        Ok(session)
    }

    async fn hold_or_make(&self, identity: &Identity, request: &ImportRequest) -> Result<SessionChoice, DomainError> {
        Ok(match self.receiver_of(identity, request).await? {
            Some(session) if request.is_gradual => SessionChoice::Open(Box::new(session)),
            // It is held before anything is written, so that what is refused leaves nothing.
            Some(session) => match self.hold_found_at_once(&session).await {
                Ok(held) => SessionChoice::Existing(Box::new(held)),
                // It has been deleted or moved away since: the study has no session here any more.
                Err(DomainError::NotFound { .. }) => SessionChoice::New(random_id()?),
                Err(error) => return Err(error),
            },
            None => SessionChoice::New(random_id()?),
        })
    }

    /// Takes a study's lease for something, and gives it back if that fails.
    ///
    /// # Errors
    /// [`DomainError::Busy`] if somebody has the lease, or what `look` gives.
    pub(super) async fn under_study_lease<T>(
        &self,
        identity: &Identity,
        look: impl AsyncFnOnce(&Self) -> Result<T, DomainError>,
    ) -> Result<(Lease, T), DomainError> {
        let busy = || DomainError::Busy { what: "another upload of the same study".to_owned() };
        let lease = self.leases.acquire(&identity.lease_name()).await?.ok_or_else(busy)?;
        match look(self).await {
            Ok(found) => Ok((lease, found)),
            Err(error) => {
                self.leases.release(lease).await?;
                Err(error)
            }
        }
    }

    /// The session that is there for a study, at the place that was chosen or anywhere in the project.
    ///
    /// # Errors
    /// [`DomainError::Busy`] while somebody is at work on it, [`DomainError::Invalid`] if it is of another study, or the
    /// store's failure.
    pub(super) async fn receiver_of(
        &self,
        identity: &Identity,
        request: &ImportRequest,
    ) -> Result<Option<PrearchiveSession>, DomainError> {
        let existing = match (request.place.place_for(identity), &request.place.folder) {
            (Some(place), Some(_)) => self.find_session_at(&place).await?,
            (Some(place), None) => return Ok(self.receiver_beside(identity, place).await?),
            (None, _) => self.find_receiver(identity).await?,
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
