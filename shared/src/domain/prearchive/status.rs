//! The states of a prearchive session and what each allows.

use serde::{Deserialize, Serialize};

/// Where a session stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// Files are arriving; the session document is not complete.
    Receiving,
    /// The session document exists; the session can be reviewed, archived, moved, deleted.
    Ready,
    /// It is being archived, under a lease.
    Archiving,
    /// It is being deleted, under a lease.
    Deleting,
    /// Archiving met something in the archive that stands against it; needs a decision.
    Conflict,
    /// Building or archiving failed.
    Error,
}

/// What can be done to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Add files.
    Receive,
    /// Write the session document anew.
    Build,
    /// Take it to the archive.
    Archive,
    /// Remove it.
    Delete,
}

impl Status {
    /// The word that XNAT's table shows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Receiving => "RECEIVING",
            Self::Ready => "READY",
            Self::Archiving => "ARCHIVING",
            Self::Deleting => "DELETING",
            Self::Conflict => "CONFLICT",
            Self::Error => "ERROR",
        }
    }

    /// Whether it means that somebody is at work, under a lease.
    pub fn is_busy(self) -> bool {
        matches!(self, Self::Archiving | Self::Deleting)
    }

    /// The one table of what is allowed when.
    pub fn allows(self, action: Action) -> bool {
        use Action::{Archive, Build, Delete, Receive};
        match self {
            Self::Receiving => matches!(action, Receive | Build | Delete),
            Self::Ready | Self::Conflict | Self::Error => matches!(action, Receive | Build | Archive | Delete),
            // Only whoever took over its lease, to finish or to give it back.
            Self::Archiving => false,
            Self::Deleting => matches!(action, Delete),
        }
    }
}

impl Action {
    /// What is done, as a participle.
    pub fn participle(self) -> &'static str {
        match self {
            Self::Receive => "added to",
            Self::Build => "built",
            Self::Archive => "archived",
            Self::Delete => "deleted",
        }
    }
}
