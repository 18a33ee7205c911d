//! Writing what was done into the history.

use narthex::domain::archive::Reviewer;
use narthex::domain::history::{Cause, Deed, Item, ItemKind};
use narthex::http::ClientError;
use narthex::http::cause::cause;
use narthex::service::Call;

use crate::parent::Parent;

/// What is about to be done, with its reason, which is looked at before anything is changed.
pub struct Record {
    action: &'static str,
    details: String,
    cause: Cause,
}

impl Record {
    /// Reads the reason.
    ///
    /// # Errors
    /// 400 for one that cannot be kept.
    pub fn of(call: &Call, action: &'static str, details: impl Into<String>) -> Result<Self, ClientError> {
        Ok(Self { action, details: details.into(), cause: cause(&call.context.params)? })
    }

    /// Who does it, and why, as webhooks are told of the quarantine.
    pub fn reviewer(&self, call: &Call) -> Reviewer {
        Reviewer { by: call.user(), reason: self.cause.reason.clone() }
    }

    /// Writes it down, now that it is done.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn write(&self, call: &Call, project: &str, item: Item<'_>) -> Result<(), ClientError> {
        let by = call.user();
        let deed = Deed { by: &by, action: self.action, details: &self.details, cause: &self.cause };
        Ok(call.site.core.remember(project, item, deed).await?)
    }

    /// Writes down that an item was removed.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn write_removal(&self, call: &Call, project: &str, item: Item<'_>) -> Result<(), ClientError> {
        let by = call.user();
        let deed = Deed { by: &by, action: self.action, details: &self.details, cause: &self.cause };
        Ok(call.site.core.remember_removal(project, item, deed).await?)
    }

    /// The same as [`Record::write`] for something below an item.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn write_below(&self, call: &Call, parent: &Parent) -> Result<(), ClientError> {
        let (project, item) = match parent {
            Parent::Project(id) => (id.as_str(), Item { kind: ItemKind::Project, id, label: id }),
            Parent::Subject(found) => (found.project.as_str(), found.as_item()),
            Parent::Experiment(found) => (found.project.as_str(), found.as_item()),
        };
        self.write(call, project, item).await
    }
}
