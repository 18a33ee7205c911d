//! Fields of scans that somebody sets on a session of the prearchive.
//!
//! A request names a scan by its place in the session's document or by its ID. Which one that is, and whether it takes
//! the field, is found out when the session is built; from then on the session's record keeps the change by the scan's
//! ID, and archiving takes it along. A scan that goes leaves a change that says nothing.

use serde::{Deserialize, Serialize};

use super::session::{HeldSession, PrearchiveSession};
use crate::domain::Core;
use crate::domain::archive::ScanChange;
use crate::domain::error::DomainError;
use crate::domain::manifest::{Manifest, StoredScan};
use crate::imaging::types::ScanType;
use crate::storage::StoreError;

/// Fields of scans that can be set on one session, at most: they stand in its record.
pub const MAX_SCAN_FIELDS: usize = 100;

/// Which scan is meant; at least a place or an ID is given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanSelector {
    /// Its place in the session's document, from 0 on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<usize>,
    /// Its ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its data type, which it must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xsi_type: Option<ScanType>,
}

/// What a request wants of a scan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScanWish {
    /// Which scan.
    pub scan: ScanSelector,
    /// What is to be changed of it.
    pub change: ScanChange,
}

fn invalid(what: String) -> DomainError {
    DomainError::Invalid { what }
}

impl ScanSelector {
    fn find<'a>(&self, scans: &'a [StoredScan]) -> Result<&'a StoredScan, DomainError> {
        let found = match (self.index, &self.id) {
            (Some(index), _) => scans.get(index).ok_or_else(|| {
                invalid(format!("The session has no scan[{index}]: it has {}, counted from 0.", scans.len()))
            })?,
            (None, Some(id)) => scans
                .iter()
                .find(|stored| stored.scan.id == *id)
                .ok_or_else(|| invalid(format!("The session has no scan {id:?}, of which a field is to be set.")))?,
            (None, None) => return Err(invalid("A scan is named by its place or its ID.".to_owned())),
        };
        let id = &found.scan.id;
        if self.id.as_ref().is_some_and(|wanted| wanted != id) {
            return Err(invalid(format!("The scan at this place is {id:?}; name it by its ID alone.")));
        }
        if self.xsi_type.as_ref().is_some_and(|wanted| *wanted != found.scan.xsi_type) {
            return Err(invalid(format!("The scan {id:?} is of type {}.", found.scan.xsi_type.as_str())));
        }
        Ok(found)
    }
}

impl PrearchiveSession {
    /// Takes over what is wanted of its scans, which are these; nothing of it if anything cannot be.
    ///
    /// # Errors
    /// [`DomainError::Invalid`] for a scan that is not there, a field that is too long, or too many.
    pub(in crate::domain) fn take_scan_wishes(
        &mut self,
        wishes: &[ScanWish],
        scans: &[StoredScan],
    ) -> Result<(), DomainError> {
        let mut changes = self.scan_changes.clone();
        for wish in wishes {
            let found = wish.scan.find(scans)?;
            let place = changes.iter().position(|(id, _)| *id == found.scan.id);
            let mut change = place.map(|place| changes.remove(place).1).unwrap_or_default();
            change.absorb(&wish.change);
            change.apply(&mut found.clone())?;
            changes.push((found.scan.id.clone(), change));
        }
        if changes.iter().map(|(_, change)| change.count()).sum::<usize>() > MAX_SCAN_FIELDS {
            let what = format!("More than {MAX_SCAN_FIELDS} fields of the session's scans would be set by hand.");
            return Err(invalid(what));
        }
        self.scan_changes = changes;
        Ok(())
    }

    /// Says of its scans what was set by hand.
    pub(in crate::domain) fn say_of_scans<'a>(&self, scans: impl Iterator<Item = &'a mut StoredScan>) {
        if self.scan_changes.is_empty() {
            return;
        }
        for stored in scans {
            let Some((_, change)) = self.scan_changes.iter().find(|(id, _)| *id == stored.scan.id) else { continue };
            // It took it when it was set; one that was built anew since and does not any more stays as it is.
            let mut changed = stored.clone();
            if change.apply(&mut changed).is_ok() {
                *stored = changed;
            }
        }
    }
}

impl Core {
    /// The scans of a session of the prearchive, with what was set by hand.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn staged_scans(
        &self,
        session: &PrearchiveSession,
        manifest: &Manifest,
    ) -> Result<Vec<StoredScan>, StoreError> {
        let mut scans = self.scans(manifest).await?;
        session.say_of_scans(scans.iter_mut());
        Ok(scans)
    }

    /// Sets fields of the scans of a held session, which is built.
    ///
    /// # Errors
    /// [`DomainError::Invalid`] for what cannot be set, [`DomainError::Busy`], or the store's failure.
    pub(super) async fn set_scan_fields(&self, held: &mut HeldSession, wishes: &[ScanWish]) -> Result<(), DomainError> {
        if wishes.is_empty() {
            return Ok(());
        }
        let scans = match &held.session.manifest {
            Some(manifest) => self.scans(&self.manifest(manifest).await?).await?,
            None => Vec::new(),
        };
        held.session.take_scan_wishes(wishes, &scans)?;
        self.store_session(held).await
    }

    /// As [`Core::set_scan_fields`], of a session that nobody holds.
    pub(super) async fn set_scan_fields_of(
        &self,
        session: &PrearchiveSession,
        wishes: &[ScanWish],
    ) -> Result<PrearchiveSession, DomainError> {
        let mut held = self.hold_found_patiently(session).await?;
        let outcome = self.set_scan_fields(&mut held, wishes).await;
        let session = held.session.clone();
        self.let_go(held).await?;
        outcome.map(|()| session)
    }
}
