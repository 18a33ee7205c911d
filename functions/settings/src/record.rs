//! Writing what was changed of a project into its history.

use narthex::domain::history::{Cause, Deed, Item, ItemKind};
use narthex::domain::project::Project;
use narthex::http::ClientError;
use narthex::http::cause::cause;
use narthex::service::Call;

/// Why a project is about to be changed, which is looked at before anything is.
pub struct Record {
    cause: Cause,
}

impl Record {
    /// Reads the reason.
    ///
    /// # Errors
    /// 400 for one that cannot be kept.
    pub fn of(call: &Call) -> Result<Self, ClientError> {
        Ok(Self { cause: cause(&call.context.params)? })
    }

    /// Writes down what was changed, now that it is.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn write(&self, call: &Call, project: &Project, details: &str) -> Result<(), ClientError> {
        let id = project.id.as_str();
        let item = Item { kind: ItemKind::Project, id, label: id };
        let by = call.user();
        let deed = Deed { by: &by, action: "Modified", details, cause: &self.cause };
        Ok(call.site.core.remember(id, item, deed).await?)
    }
}
