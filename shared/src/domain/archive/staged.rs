//! What a XAR makes of the assessors of a session: it is staged in their records before the session's record says that the
//! XAR was taken.

use serde::{Deserialize, Serialize};

use super::experiment::Experiment;
use crate::domain::resource::ItemResource;
use crate::imaging::Field;
use crate::storage::{Records, StoreError, keys};

/// What becomes of an assessor when its session's record says that the XAR was taken ([`Experiment::taken`]): with that
/// one write a session and all its assessors are seen as they are from then on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Staged {
    /// The XAR's identifier.
    pub by: String,
    /// What it says then; nothing if it is new, and is not there before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<NextRevision>,
}

/// What an assessor says once the XAR was taken that it came with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NextRevision {
    /// Its fields.
    pub fields: Vec<Field>,
    /// Its resources.
    pub resources: Vec<ItemResource>,
    /// Its date.
    pub date: String,
    /// Its status.
    pub status: String,
}

impl Experiment {
    /// As it is seen beside its session, whose record says whether what is staged counts; `None` if it is not there yet.
    pub(super) fn seen_with(mut self, session: Option<&Experiment>) -> Option<Self> {
        let Some(staged) = &self.staged else { return Some(self) };
        let is_taken = session.is_some_and(|session| session.taken.as_ref() == Some(&staged.by));
        match (is_taken, &staged.next) {
            (false, None) => None,
            (false, Some(_)) => Some(self),
            (true, _) => {
                if let Some(next) = self.staged.take().and_then(|staged| staged.next) {
                    let NextRevision { fields, resources, date, status } = next;
                    self = Self { fields, resources, date, status, ..self };
                }
                Some(self)
            }
        }
    }
}

/// The experiment of this identifier, as it is seen.
pub(super) async fn read_experiment(records: &Records, id: &str) -> Result<Option<Experiment>, StoreError> {
    let found: Option<Experiment> = records.get(&keys::experiment(id)).await?;
    let Some(found) = found else { return Ok(None) };
    if found.staged.is_none() {
        return Ok(Some(found));
    }
    let session = match &found.assessed {
        Some(session) => records.get::<Experiment>(&keys::experiment(session)).await?,
        None => None,
    };
    Ok(found.seen_with(session.as_ref()))
}
