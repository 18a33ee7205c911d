//! Committing a session: its sender says that it is complete.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::gathered::Repeated;
use super::scan_fields::ScanWish;
use super::session::{HeldSession, PrearchiveSession};
use crate::domain::Core;
use crate::domain::archive::{ArchiveRequest, Experiment, Rules, Wish};
use crate::domain::error::DomainError;
use crate::domain::history::Cause;
use crate::domain::project::PrearchiveCode;
use crate::imaging::Field;

/// What is to be said of a session besides its images: what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SessionChange {
    /// The row's `SOURCE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The row's `VISIT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visit: Option<String>,
    /// The row's `PROTOCOL`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// The row's `TIMEZONE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Fields of the session document; each replaces the one of the same path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
    /// Fields of its scans.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scans: Vec<ScanWish>,
}

/// How a session is to be committed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CommitRequest {
    /// Who asks.
    pub by: String,
    /// What is to be said of the session.
    pub change: SessionChange,
    /// Whether it is to be archived, as far as the request says.
    pub to_archive: Option<bool>,
    /// What to do with what is in the archive already.
    #[serde(default)]
    pub wish: Wish,
    /// Whether the archived session is marked as in quarantine, if the request says so; the session remembers it.
    #[serde(default)]
    pub quarantine: Option<bool>,
    /// Why it is archived, for the history.
    #[serde(default)]
    pub cause: Cause,
    /// Whether nobody is to be told of it.
    #[serde(default)]
    pub is_silent: bool,
}

/// What came of it.
#[derive(Debug)]
pub enum Committed {
    /// It stays in the prearchive.
    Staged(Box<PrearchiveSession>),
    /// It is in the archive.
    Archived(Box<Experiment>),
}

/// The longest text of a row's field, in bytes.
const MAX_TEXT_BYTES: usize = 1024;

/// Fields that somebody can set on one session, at most.
pub(crate) const MAX_FIELDS: usize = 100;

impl PrearchiveSession {
    /// Sets fields of the session document; each replaces the one of the same path.
    pub(super) fn set_fields(&mut self, fields: &[Field]) {
        for new in fields {
            match self.fields.iter_mut().find(|field| field.path == new.path) {
                Some(field) => field.value = new.value.clone(),
                None => self.fields.push(new.clone()),
            }
        }
    }

    /// Takes over what is to be said of the session.
    ///
    /// # Errors
    /// [`DomainError::Invalid`] for texts that are too long or too many.
    pub fn apply(&mut self, change: &SessionChange) -> Result<(), DomainError> {
        let texts = [&change.source, &change.visit, &change.protocol, &change.timezone];
        demand_short(texts.into_iter().flatten())?;
        demand_room(&self.fields, &change.fields)?;
        for (own, new) in [
            (&mut self.source, &change.source),
            (&mut self.visit, &change.visit),
            (&mut self.protocol, &change.protocol),
            (&mut self.timezone, &change.timezone),
        ] {
            if let Some(new) = new {
                new.clone_into(own);
            }
        }
        self.set_fields(&change.fields);
        Ok(())
    }
}

/// Refuses texts that are too long for a row.
///
/// # Errors
/// [`DomainError::Invalid`].
pub(super) fn demand_short<'a>(texts: impl IntoIterator<Item = &'a String>) -> Result<(), DomainError> {
    if texts.into_iter().any(|text| is_long(text)) { Err(too_long()) } else { Ok(()) }
}

/// Refuses fields that are too long, or too many with those that are set already.
///
/// # Errors
/// [`DomainError::Invalid`].
pub(super) fn demand_room(set: &[Field], new: &[Field]) -> Result<(), DomainError> {
    if new.iter().any(|field| is_long(&field.path) || is_long(&field.value.to_string())) {
        return Err(too_long());
    }
    let paths: BTreeSet<&str> = set.iter().chain(new).map(|field| field.path.as_str()).collect();
    if paths.len() > MAX_FIELDS {
        return Err(DomainError::Invalid {
            what: format!("More than {MAX_FIELDS} fields of this session would be set by hand."),
        });
    }
    Ok(())
}

fn is_long(text: &str) -> bool {
    text.len() > MAX_TEXT_BYTES
}

fn too_long() -> DomainError {
    DomainError::Invalid { what: format!("A field of the session is longer than the {MAX_TEXT_BYTES} bytes allowed.") }
}

impl Core {
    /// Builds a session after saying something of it.
    ///
    /// # Errors
    /// What [`Core::build`] gives, or [`DomainError::Invalid`]; if that is because of a scan, the session is built.
    #[crate::boxed(?Send)]
    pub async fn build_with(&self, held: &mut HeldSession, change: &SessionChange) -> Result<(), DomainError> {
        held.session.apply(change)?;
        self.build(held).await?;
        self.set_scan_fields(held, &change.scans).await
    }

    /// Builds a held session and archives it where that is wanted; gives it back in any case.
    ///
    /// # Errors
    /// What building and archiving give.
    #[crate::boxed(?Send)]
    pub async fn commit_held(&self, held: HeldSession, request: &CommitRequest) -> Result<Committed, DomainError> {
        self.commit_noting(held, request, &mut Repeated::default()).await
    }

    /// As [`Core::commit_held`]; adds to `repeated` what building shows of files that are the same as others.
    ///
    /// # Errors
    /// As [`Core::commit_held`].
    pub(super) async fn commit_noting(
        &self,
        mut held: HeldSession,
        request: &CommitRequest,
        repeated: &mut Repeated,
    ) -> Result<Committed, DomainError> {
        let built = self.fill_and_build(&mut held, request).await;
        repeated.extend(std::mem::take(&mut held.repeated));
        let session = held.session.clone();
        self.let_go(held).await?;
        let part = built?;
        if !self.archives_by_itself(&session, request.to_archive).await? {
            return Ok(Committed::Staged(Box::new(session)));
        }
        let archive = ArchiveRequest {
            by: request.by.clone(),
            rules: self.rules_of(&session, request.wish).await?,
            quarantine: request.quarantine,
            cause: request.cause.clone(),
            is_silent: request.is_silent,
            ..Default::default()
        };
        if let Some(part) = part {
            // Should something stand against the second session, its log says so.
            let _ = self.archive(&part, &archive).await;
            self.empty_trash_of(&part.id).await?;
        }
        Ok(Committed::Archived(Box::new(self.archive(&session, &archive).await?)))
    }

    /// What archiving a session by itself may do with what is in the archive.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn rules_of(&self, session: &PrearchiveSession, wish: Wish) -> Result<Rules, DomainError> {
        let project = self.find_project(&session.place.project).await?;
        let code = project.map_or(PrearchiveCode::Manual, |project| project.prearchive_code);
        Ok(wish.settle(&session.autoarchive, code))
    }

    /// Gives the MR session, if the session was divided.
    async fn fill_and_build(
        &self,
        held: &mut HeldSession,
        request: &CommitRequest,
    ) -> Result<Option<PrearchiveSession>, DomainError> {
        // XNAT's rule: a row that does not say whether it is archived takes over what the project says.
        if held.session.autoarchive.is_empty() && !held.session.place.is_unassigned() {
            let project = self.project(&held.session.place.project).await?;
            held.session.autoarchive = wish_of(project.prearchive_code).to_owned();
        }
        if let Some(quarantine) = request.quarantine {
            held.session.quarantine = quarantine;
        }
        self.build_with(held, &request.change).await?;
        self.separate_if_wanted(held).await
    }
}

/// What a project's code says, as a row says it.
fn wish_of(code: PrearchiveCode) -> &'static str {
    match code {
        PrearchiveCode::Manual | PrearchiveCode::ByUpload => "Manual",
        PrearchiveCode::AutoArchive => "AutoArchive",
        PrearchiveCode::AutoArchiveOverwrite => "AutoArchiveOverwrite",
    }
}
