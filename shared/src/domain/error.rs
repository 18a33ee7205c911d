//! What can go wrong in the domain; one place in `http` turns it into answers.

use crate::storage::StoreError;

/// Why an operation of the domain was not done.
#[derive(Debug, thiserror::Error)]
pub enum DomainError {
    /// The thing named does not exist, or not for this user.
    #[error("{what} does not exist")]
    NotFound {
        /// What was looked for, as a noun phrase.
        what: String,
    },
    /// The thing named exists already.
    #[error("{what} exists already")]
    Exists {
        /// What exists, as a noun phrase.
        what: String,
    },
    /// A value from outside is not acceptable.
    #[error("{what}")]
    Invalid {
        /// What is wrong and what to do, as a sentence.
        what: String,
    },
    /// Somebody else is at work on the same thing.
    #[error("an operation is already in progress on {what}; try again when it has ended")]
    Busy {
        /// On what.
        what: String,
    },
    /// The state of the session does not allow it.
    #[error("the session is {status}, which does not allow it to be {action}")]
    WrongState {
        /// The present status.
        status: &'static str,
        /// What was wanted, as a participle.
        action: &'static str,
    },
    /// The archive holds something that stands against it.
    #[error("{reason}")]
    Conflict {
        /// XNAT's text for the conflict.
        reason: String,
    },
    /// The upload holds no image.
    #[error("the upload did not include parsable files for session generation: {why}")]
    NothingParsable {
        /// What the files are instead.
        why: String,
    },
    /// It is not allowed, whoever asks.
    #[error("{what}")]
    Refused {
        /// What is not allowed and why, as a sentence.
        what: String,
    },
    /// There is no room for it.
    #[error("{what}")]
    Full {
        /// What is full and what to do, as a sentence.
        what: String,
    },
    /// This version cannot do it.
    #[error("{what}")]
    NotImplemented {
        /// What cannot be done, and what to do instead.
        what: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DomainError {
    /// [`DomainError::NotFound`] of a kind of thing with a name.
    pub fn not_found(kind: &str, name: &str) -> Self {
        Self::NotFound { what: format!("the {kind} {name:?}") }
    }
}
