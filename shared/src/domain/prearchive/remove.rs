//! Sessions that leave the prearchive: deleted, or archived.

use super::session::HeldSession;
use super::status::Action;
use crate::domain::Core;
use crate::domain::error::DomainError;

impl Core {
    /// Deletes a held session. From the return on it is gone for everybody; what it leaves behind is removed by
    /// [`Core::empty_trash_of`], or by the sweep.
    ///
    /// # Errors
    /// [`DomainError::WrongState`] if the state forbids it, or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn delete_session(&self, held: HeldSession) -> Result<(), DomainError> {
        if let Err(error) = held.session.allow(Action::Delete) {
            self.let_go(held).await?;
            return Err(error);
        }
        self.throw_away(held, false).await
    }

    /// Takes a session out of the prearchive that has been archived.
    pub(crate) async fn leave_prearchive(&self, held: HeldSession) -> Result<(), DomainError> {
        self.tell_of_archiving(&held.session).await?;
        self.throw_away(held, true).await
    }
}
