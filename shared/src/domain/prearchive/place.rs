//! Places in the prearchive: finding or making the session that receives a study.

use serde::{Deserialize, Serialize};

use super::session::{PrearchiveSession, SessionPlace, SessionRef};
use super::status::Action;
use crate::domain::error::DomainError;
use crate::domain::ids::{clean_label, is_folder_name};
use crate::domain::{Core, time};
use crate::storage::{StoreError, keys};

/// What identifies the session that a study goes to.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The project, or `Unassigned`.
    pub project: String,
    /// StudyInstanceUID.
    pub study_uid: String,
    /// The session label.
    pub label: String,
}

impl Identity {
    pub(crate) fn lease_name(&self) -> String {
        format!("study/{}/{}/{}", self.project, self.study_uid, self.label)
    }
}

/// How many milliseconds a new session is put later at most because the place is taken.
const MAX_LATER_MS: u64 = 10_000;

/// Folders of one name in one timestamp folder, at most.
const MAX_BESIDE: u32 = 1_000;

/// XNAT's names for sessions of one label in one timestamp folder: `S`, `S_1`, `S_2` and so on.
fn folders_beside(folder: &str) -> impl Iterator<Item = String> {
    (0..MAX_BESIDE).map(move |n| if n == 0 { folder.to_owned() } else { format!("{folder}_{n}") })
}

fn taken(folder: &str) -> DomainError {
    DomainError::Exists { what: format!("a session in the folder {folder:?}") }
}

impl Core {
    /// The session that already receives this study under this label, if files may be added to it.
    ///
    /// # Errors
    /// [`DomainError::Busy`] while somebody is at work on it: whether it can receive more shows when they are done. Or the
    /// store's failure.
    pub(crate) async fn find_receiver(&self, identity: &Identity) -> Result<Option<PrearchiveSession>, DomainError> {
        let found = self.receiver_now(identity).await?;
        if found.as_ref().is_some_and(|session| session.status.is_busy()) {
            return Err(DomainError::Busy { what: "the session of this study".to_owned() });
        }
        Ok(found.filter(|session| session.status.allows(Action::Receive)))
    }

    /// The session that was last made or moved for this study under this label, whatever it is at.
    pub(super) async fn receiver_now(&self, identity: &Identity) -> Result<Option<PrearchiveSession>, StoreError> {
        let key = keys::session_study(&identity.project, &identity.study_uid, &identity.label);
        let Some(reference) = self.records.get::<SessionRef>(&key).await? else { return Ok(None) };
        let found = self.session(&reference.id).await?;
        Ok(found.filter(|session| {
            session.place.project == identity.project
                && session.tag == identity.study_uid
                && session.name == identity.label
        }))
    }

    /// The session of a study at a place, or at one beside it that [`Core::claim_place`] gives where several studies of one
    /// label stand in the same timestamp folder.
    pub(super) async fn receiver_beside(
        &self,
        identity: &Identity,
        place: SessionPlace,
    ) -> Result<Option<PrearchiveSession>, StoreError> {
        // Those that stood before it may be gone.
        let known = self.receiver_now(identity).await?.filter(|session| session.place.timestamp == place.timestamp);
        if known.is_some() {
            return Ok(known);
        }
        for folder in folders_beside(&place.folder) {
            match self.find_session_at(&SessionPlace { folder, ..place.clone() }).await? {
                Some(found) if found.tag == identity.study_uid => return Ok(Some(found)),
                Some(_) => {}
                None => break,
            }
        }
        Ok(None)
    }

    /// Finds a free place for a new session and makes it the session's own.
    ///
    /// The counter of a place decides who has it, once and for all: a place is used again only after its session was
    /// removed, and then its counter with it.
    pub(crate) async fn claim_place(
        &self,
        identity: &Identity,
        session: &str,
        forced: &ForcedPlace,
    ) -> Result<SessionPlace, DomainError> {
        let folder = forced.folder_for(identity);
        let now_ms = self.clock.now_ms();
        for later_ms in 0..MAX_LATER_MS {
            let timestamp = match &forced.timestamp {
                Some(timestamp) => timestamp.clone(),
                None => time::timestamp_folder(now_ms.saturating_add(later_ms)),
            };
            let place = SessionPlace { project: identity.project.clone(), timestamp, folder: folder.clone() };
            let claim = keys::session_place_claim(&place.project, &place.timestamp, &place.folder);
            // A place that the client chose is claimed under a lease ([`SessionPlace::lease_name`]), so that one whose
            // claimant died can be taken over.
            let is_ours = self.records.increment(&claim, 1).await? == 1
                || (forced.timestamp.is_some() && self.find_session_at(&place).await?.is_none());
            if is_ours {
                self.mark_place(&place, session).await?;
                return Ok(place);
            }
            if forced.timestamp.is_some() {
                return match forced.folder {
                    Some(_) => Err(taken(&folder)),
                    None => self.claim_beside(&place, session).await,
                };
            }
        }
        Err(taken(&folder))
    }

    /// Makes the first free place beside one the session's own.
    async fn claim_beside(&self, place: &SessionPlace, session: &str) -> Result<SessionPlace, DomainError> {
        for folder in folders_beside(&place.folder).skip(1) {
            let place = SessionPlace { folder, ..place.clone() };
            let claim = keys::session_place_claim(&place.project, &place.timestamp, &place.folder);
            if self.records.increment(&claim, 1).await? == 1 {
                self.mark_place(&place, session).await?;
                return Ok(place);
            }
        }
        Err(taken(&place.folder))
    }

    /// Writes down which session stands at a place that was claimed for it.
    pub(super) async fn mark_place(&self, place: &SessionPlace, session: &str) -> Result<(), StoreError> {
        let key = keys::session_place(&place.project, &place.timestamp, &place.folder);
        self.records.set(&key, &SessionRef { id: session.to_owned() }).await
    }

    /// Gives a place back.
    pub(crate) async fn free_place(&self, place: &SessionPlace) -> Result<(), StoreError> {
        self.records.delete(&keys::session_place(&place.project, &place.timestamp, &place.folder)).await?;
        self.records.delete(&keys::session_place_claim(&place.project, &place.timestamp, &place.folder)).await
    }
}

/// Where the client wants the session to stand.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForcedPlace {
    /// The timestamp folder, if it was given.
    pub timestamp: Option<String>,
    /// The session folder, if it was given.
    pub folder: Option<String>,
}

impl ForcedPlace {
    /// The folder of a session: the one that was chosen, else its label.
    pub(crate) fn folder_for(&self, identity: &Identity) -> String {
        let by_label = || Some(clean_label(&identity.label)).filter(|name| is_folder_name(name));
        self.folder.clone().or_else(by_label).unwrap_or_else(|| "session".to_owned())
    }

    /// The place, if the client chose its timestamp.
    pub(crate) fn place_for(&self, identity: &Identity) -> Option<SessionPlace> {
        let timestamp = self.timestamp.as_ref()?;
        Some(SessionPlace {
            project: identity.project.clone(),
            timestamp: timestamp.clone(),
            folder: self.folder_for(identity),
        })
    }

    /// Checks the names that a client gave.
    ///
    /// # Errors
    /// [`DomainError::Invalid`] if one cannot be a folder.
    pub fn new(timestamp: Option<String>, folder: Option<String>) -> Result<Self, DomainError> {
        for name in [&timestamp, &folder].into_iter().flatten() {
            if !is_folder_name(name) {
                return Err(DomainError::Invalid {
                    what: "A timestamp or session folder may only have letters, digits, underscores, hyphens and dots."
                        .to_owned(),
                });
            }
        }
        Ok(Self { timestamp, folder })
    }
}
