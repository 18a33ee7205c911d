//! The states of a prearchive session, and the one table of what each allows and where that leads.

use serde::{Deserialize, Serialize};

/// Where a session stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Status {
    /// Files are arriving; the session document is not complete.
    Receiving,
    /// Building is asked for and waits for a worker.
    QueuedBuilding,
    /// Its document is being built, under a lease.
    Building,
    /// The session document exists; the session can be reviewed, archived, moved, deleted.
    Ready,
    /// Archiving is asked for and waits for a worker.
    QueuedArchiving,
    /// It is being archived, under a lease.
    Archiving,
    /// Moving to another project is asked for and waits for a worker.
    QueuedMoving,
    /// It is being moved, under a lease.
    Moving,
    /// Deletion is asked for and waits for a worker.
    QueuedDeleting,
    /// It is being deleted, under a lease.
    Deleting,
    /// It is being divided into a PET and an MR session, under a lease.
    Separating,
    /// Archiving met something in the archive that stands against it; needs a decision.
    Conflict,
    /// Building or archiving failed.
    Error,
}

/// What can be done to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Add images.
    Receive,
    /// Write the session document anew.
    Build,
    /// Take it to the archive.
    Archive,
    /// Move it to another project.
    Move,
    /// Delete scans, add and delete resources.
    Edit,
    /// Remove it.
    Delete,
    /// Compute the status anew, and take back what is queued.
    Reset,
}

impl Status {
    /// All states, in the order of a session's life.
    pub const ALL: [Self; 13] = [
        Self::Receiving,
        Self::QueuedBuilding,
        Self::Building,
        Self::Ready,
        Self::QueuedArchiving,
        Self::Archiving,
        Self::QueuedMoving,
        Self::Moving,
        Self::QueuedDeleting,
        Self::Deleting,
        Self::Separating,
        Self::Conflict,
        Self::Error,
    ];

    /// The word that XNAT's table shows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Receiving => "RECEIVING",
            Self::QueuedBuilding => "QUEUED_BUILDING",
            Self::Building => "BUILDING",
            Self::Ready => "READY",
            Self::QueuedArchiving => "QUEUED_ARCHIVING",
            Self::Archiving => "ARCHIVING",
            Self::QueuedMoving => "QUEUED_MOVING",
            Self::Moving => "MOVING",
            Self::QueuedDeleting => "QUEUED_DELETING",
            Self::Deleting => "DELETING",
            Self::Separating => "SEPARATING",
            Self::Conflict => "CONFLICT",
            Self::Error => "ERROR",
        }
    }

    /// The state of this word, in any case. XNAT's locked twins (`_BUILDING`) are the states themselves here.
    pub fn parse(word: &str) -> Option<Self> {
        let word = word.trim().to_ascii_uppercase();
        let word = word.strip_prefix('_').unwrap_or(&word);
        let word = if word == "RECEIVING_INTERRUPT" { "RECEIVING" } else { word };
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Whether it means that somebody is at work, under a lease: without the lease the state means nothing.
    pub fn is_busy(self) -> bool {
        matches!(self, Self::Building | Self::Archiving | Self::Moving | Self::Deleting | Self::Separating)
    }

    /// Whether it means that a job will come to it.
    pub fn is_queued(self) -> bool {
        matches!(self, Self::QueuedBuilding | Self::QueuedArchiving | Self::QueuedMoving | Self::QueuedDeleting)
    }

    /// The one table of what is allowed when: the states to which an action leads, the usual one first. Nothing if the
    /// action is not allowed. `None` within stands for "gone from the prearchive".
    pub fn after(self, action: Action) -> &'static [Option<Self>] {
        use Action::{Archive, Build, Delete, Edit, Move, Receive, Reset};
        const READY_OR_RECEIVING: &[Option<Status>] = &[Some(Status::Ready), Some(Status::Receiving)];
        match (self, action) {
            // Only whoever took over the lease, to finish or to give it back.
            (Self::Building | Self::Archiving | Self::Moving | Self::Deleting | Self::Separating, _) => &[],
            (_, Delete) => &[None],
            (_, Reset) => READY_OR_RECEIVING,
            (Self::QueuedBuilding, Receive) => &[Some(Self::Receiving)],
            (Self::QueuedBuilding | Self::QueuedArchiving | Self::QueuedMoving | Self::QueuedDeleting, _) => &[],
            (_, Receive) => READY_OR_RECEIVING,
            (_, Build) => &[Some(Self::Ready), Some(Self::Error)],
            (_, Archive) => &[None, Some(Self::Conflict), Some(Self::Error)],
            (_, Move) => READY_OR_RECEIVING,
            (status, Edit) => match status {
                Self::Receiving => &[Some(Self::Receiving)],
                Self::Conflict => &[Some(Self::Conflict)],
                Self::Error => &[Some(Self::Error)],
                _ => &[Some(Self::Ready)],
            },
        }
    }

    /// Whether an action is allowed.
    pub fn allows(self, action: Action) -> bool {
        !self.after(action).is_empty()
    }
}

impl Action {
    /// All actions.
    pub const ALL: [Self; 7] =
        [Self::Receive, Self::Build, Self::Archive, Self::Move, Self::Edit, Self::Delete, Self::Reset];

    /// What is done, as a participle.
    pub fn participle(self) -> &'static str {
        match self {
            Self::Receive => "added to",
            Self::Build => "built",
            Self::Archive => "archived",
            Self::Move => "moved",
            Self::Edit => "changed",
            Self::Delete => "deleted",
            Self::Reset => "reset",
        }
    }

    /// What it is called in the table of the documentation.
    pub fn title(self) -> &'static str {
        match self {
            Self::Receive => "add images",
            Self::Build => "build",
            Self::Archive => "archive",
            Self::Move => "move",
            Self::Edit => "change scans, resources",
            Self::Delete => "delete",
            Self::Reset => "reset-status",
        }
    }
}

/// The table as the documentation shows it (Markdown): a row for each state, a column for each action.
pub fn table_as_markdown() -> String {
    let mut text = String::from("| status |");
    for action in Action::ALL {
        text.push_str(&format!(" {} |", action.title()));
    }
    text.push_str("\n| --- |");
    text.push_str(&" --- |".repeat(Action::ALL.len()));
    for status in Status::ALL {
        text.push_str(&format!("\n| {} |", status.as_str()));
        for action in Action::ALL {
            let after: Vec<&str> =
                status.after(action).iter().map(|after| after.map_or("(gone)", Status::as_str)).collect();
            text.push_str(&format!(" {} |", if after.is_empty() { "-".to_owned() } else { after.join(", ") }));
        }
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_back_also_as_its_locked_twin() {
        for status in Status::ALL {
            assert_eq!(Status::parse(status.as_str()), Some(status));
            assert_eq!(Status::parse(&format!("_{}", status.as_str().to_lowercase())), Some(status));
        }
        assert_eq!(Status::parse("_RECEIVING_INTERRUPT"), Some(Status::Receiving));
        assert_eq!(Status::parse("DONE"), None);
    }

    #[test]
    fn from_every_state_that_is_not_busy_a_session_can_be_deleted_and_reset() {
        for status in Status::ALL.into_iter().filter(|status| !status.is_busy()) {
            assert!(status.allows(Action::Delete) && status.allows(Action::Reset), "{status:?}");
        }
    }

    #[test]
    fn what_is_busy_or_queued_is_left_alone() {
        for status in Status::ALL {
            assert!(!status.is_busy() || Action::ALL.into_iter().all(|action| !status.allows(action)), "{status:?}");
            assert!(!status.is_queued() || !status.allows(Action::Archive), "{status:?}");
        }
    }

    #[test]
    fn the_documentation_shows_this_table() {
        let page = include_str!("../../../../docs/states.md");
        assert!(page.contains(&table_as_markdown()), "docs/states.md must hold:\n\n{}", table_as_markdown());
    }
}
