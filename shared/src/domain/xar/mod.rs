//! XAR files: an archive of documents and of the files that belong to what they describe, straight into the archive.
//!
//! The archive is one pack, in which its files stay where they lie. [`contents`] lists it and reads the documents,
//! [`layout`] says which file belongs where, [`parts`] puts the two together, and [`super::archive::take`] makes it
//! part of the archive in one commit.

mod contents;
mod declared;
mod layout;
mod parts;

use super::Core;
use super::archive::take::{Incoming, Taken};
use super::archive::{Experiment, Rules};
use super::error::DomainError;
use super::history::Cause;
use super::prearchive::upload::Verdict;
use super::prearchive::upload_files::{FilesError, ReceivedFile};
use crate::imaging::Field;
use crate::storage::StoreError;
use crate::xml::items::{AssessorDocument, ScanDocument, SessionDocument};
use contents::Contents;

/// Why a XAR is not taken.
#[derive(Debug, thiserror::Error)]
pub enum XarError {
    /// The archive is refused.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// What it holds is, or the store failed.
    #[error(transparent)]
    Domain(#[from] DomainError),
}

impl From<StoreError> for XarError {
    fn from(error: StoreError) -> Self {
        Self::Domain(error.into())
    }
}

fn invalid(what: impl Into<String>) -> XarError {
    DomainError::Invalid { what: what.into() }.into()
}

/// What the documents of a XAR describe.
#[derive(Debug)]
enum Described {
    /// A session.
    Session(Box<SessionDocument>),
    /// Scans of a session that is there.
    Scans(String, Vec<ScanDocument>),
    /// Assessors of a session that is there.
    Assessors(String, Vec<AssessorDocument>),
}

/// A XAR that has been looked through.
#[derive(Debug)]
pub struct Xar {
    /// The archive.
    file: ReceivedFile,
    /// Whether somebody else removes the archive if nothing comes of it.
    is_lent: bool,
    contents: Contents,
}

impl Xar {
    /// The project that the documents name; empty if they name none.
    pub fn project(&self) -> &str {
        match &self.contents.described {
            Described::Session(document) => &document.project,
            Described::Scans(..) => "",
            Described::Assessors(_, assessors) => assessors.first().map_or("", |first| first.project.as_str()),
        }
    }

    /// What becomes of each of its files if it is taken; [`Taken::note_repeated`] corrects it afterwards.
    pub fn verdicts(&self) -> Vec<Verdict> {
        self.contents.verdicts(self.file.shape.id)
    }

    /// The session that the documents are about, if they describe only scans or assessors of it: its identifier, or empty.
    pub fn session_of_parts(&self) -> Option<&str> {
        match &self.contents.described {
            Described::Session(_) => None,
            Described::Scans(session, _) | Described::Assessors(session, _) => Some(session),
        }
    }
}

/// Where a XAR is to go, and how.
#[derive(Debug, Clone, Default)]
pub struct XarRequest {
    /// Who sends it.
    pub by: String,
    /// The project, which exists.
    pub project: String,
    /// The subject, if another than the document's is wanted.
    pub subject: Option<String>,
    /// The label or identifier of the session, if another than the document's is wanted.
    pub session: Option<String>,
    /// What to do with what is there already.
    pub rules: Rules,
    /// Whether the experiment is marked as in quarantine.
    pub quarantine: bool,
    /// Fields that stand before the document's.
    pub fields: Vec<Field>,
    /// Visit, if another than the document's is wanted.
    pub visit: Option<String>,
    /// Protocol, if another than the document's is wanted.
    pub protocol: Option<String>,
    /// Why, for the history.
    pub cause: Cause,
    /// Whether nobody is to be told of it.
    pub is_silent: bool,
}

impl Core {
    /// Looks through a XAR that has been received: lists it and reads its documents. Nothing is changed. One that
    /// `is_lent` is removed by whoever received it if nothing comes of it, and may be brought once more.
    ///
    /// # Errors
    /// Why it is refused; nothing of it is kept then.
    #[crate::boxed(?Send)]
    pub async fn open_xar(&self, mut file: ReceivedFile, is_lent: bool) -> Result<Xar, XarError> {
        let lent = is_lent.then_some(file.shape.id);
        match self.looked_through(&mut file, is_lent).await {
            // What was decompressed lies in a pack of its own, which nobody else knows.
            Ok(contents) => Ok(Xar { is_lent: lent == Some(file.shape.id), file, contents }),
            Err(error) => {
                if lent != Some(file.shape.id) {
                    self.abandon_files(vec![file]).await;
                }
                Err(error)
            }
        }
    }

    /// Gives a XAR up.
    #[crate::boxed(?Send)]
    pub async fn abandon_xar(&self, xar: Xar) {
        if !xar.is_lent {
            self.abandon_files(vec![xar.file]).await;
        }
    }

    /// Makes a XAR part of the archive: a new experiment, or more of one that is there. All of it or nothing.
    ///
    /// # Errors
    /// Why it is refused; nothing of it is kept then.
    #[crate::boxed(?Send)]
    pub async fn import_xar(&self, xar: Xar, request: &XarRequest) -> Result<Taken, XarError> {
        let (file, is_lent) = (xar.file.clone(), xar.is_lent);
        let incoming = match self.parts_of(xar, request).await {
            Ok(incoming) => incoming,
            Err(error) => {
                if !is_lent {
                    self.abandon_files(vec![file]).await;
                }
                return Err(error);
            }
        };
        Ok(self.take_in(incoming).await?)
    }

    async fn parts_of(&self, xar: Xar, request: &XarRequest) -> Result<Incoming, XarError> {
        self.demand_in_time(xar.file.started_ms)?;
        request.cause.check()?;
        let catalogs = self.catalogs_of_xar(&xar).await?;
        parts::incoming(xar, catalogs, request)
    }

    /// The experiment that a XAR of scans or assessors is about, for whoever wants to know the project.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn session_of_xar(&self, xar: &Xar) -> Result<Option<Experiment>, DomainError> {
        match xar.session_of_parts() {
            Some(id) if !id.is_empty() => Ok(self.experiment_by_id(id).await?),
            _ => Ok(None),
        }
    }
}
