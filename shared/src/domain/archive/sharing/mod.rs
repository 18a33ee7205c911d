//! Sharing: an item of one project that is in others as well, under a label in each.
//!
//! An item belongs to one project; its record names the others, so that one write shares it or takes it back. The
//! lists of those others hold identifiers only: whatever is changed of an item shows everywhere at once.

mod experiment;
mod leases;
mod list;
mod relabel;
mod removal;
mod subject;
mod transfer;

use serde::{Deserialize, Serialize};

use super::experiment::Experiment;
use super::subject::Subject;
use crate::domain::error::DomainError;

/// Projects that one item can be shared with: they stand in its record.
pub const MAX_SHARES: usize = 200;

/// That an item is in a project to which it does not belong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The project's identifier.
    pub project: String,
    /// The item's label there.
    pub label: String,
    /// Its place in that project's list of what is shared with it.
    pub place: u64,
}

/// Where an item is to be as well, or to which project it is to move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sharing {
    /// The project's identifier.
    pub project: String,
    /// The label there; without one the item keeps its own.
    pub label: Option<String>,
}

/// The sharing with a project.
fn share_with<'a>(shares: &'a [Share], project: &str) -> Option<&'a Share> {
    shares.iter().find(|share| share.project == project)
}

impl Experiment {
    /// What it is called in a project: its label there, or its own if it is not in it.
    pub fn called_in(&self, project: &str) -> &str {
        self.label_in(project).unwrap_or(&self.label)
    }

    /// Its label in a project that it is in.
    pub fn label_in(&self, project: &str) -> Option<&str> {
        match self.project == project {
            true => Some(&self.label),
            false => share_with(&self.shares, project).map(|share| share.label.as_str()),
        }
    }

    /// The projects that it is in, its own first.
    pub fn projects(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.project.as_str()).chain(self.shares.iter().map(|share| share.project.as_str()))
    }
}

impl Subject {
    /// What it is called in a project: its label there, or its own if it is not in it.
    pub fn called_in(&self, project: &str) -> &str {
        self.label_in(project).unwrap_or(&self.label)
    }

    /// Its label in a project that it is in.
    pub fn label_in(&self, project: &str) -> Option<&str> {
        match self.project == project {
            true => Some(&self.label),
            false => share_with(&self.shares, project).map(|share| share.label.as_str()),
        }
    }

    /// The projects that it is in, its own first.
    pub fn projects(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.project.as_str()).chain(self.shares.iter().map(|share| share.project.as_str()))
    }
}

fn label_used(label: &str, project: &str) -> DomainError {
    DomainError::Conflict { reason: format!("The label {label:?} is already in use in the project {project}.") }
}

fn already_there(label: &str, project: &str) -> DomainError {
    DomainError::Conflict { reason: format!("{label} is already assigned to the project {project}.") }
}

fn not_there(what: &str, project: &str) -> DomainError {
    DomainError::NotFound { what: format!("{what}, as shared with the project {project},") }
}

fn demand_room(shares: &[Share]) -> Result<(), DomainError> {
    if shares.len() < MAX_SHARES {
        return Ok(());
    }
    Err(DomainError::Full { what: format!("An item can be shared with at most {MAX_SHARES} projects.") })
}

/// A label that stays behind because somebody is at it leads nowhere, and is overwritten by whoever wants it.
fn unless_busy(forgotten: Result<(), DomainError>) -> Result<(), DomainError> {
    match forgotten {
        Err(DomainError::Busy { .. }) => Ok(()),
        forgotten => forgotten,
    }
}
