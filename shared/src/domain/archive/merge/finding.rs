//! What can stand against archiving a session, with XNAT's codes.

/// How much weight a finding has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The session cannot be archived like that.
    Fail,
    /// It can with another `overwrite`.
    Conflict,
    /// It is archived all the same.
    Warn,
}

impl Kind {
    /// XNAT's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fail => "FAIL",
            Self::Conflict => "CONFLICT",
            Self::Warn => "WARN",
        }
    }
}

/// What was found. Each stands for one thing only, while XNAT uses some of its codes twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The session exists in the archive.
    SessionExists,
    /// Another project is wanted than the session's own.
    OtherProject,
    /// A session of another project is shared under this label.
    LabelShared,
    /// The session in the archive belongs to another subject.
    OtherSubject,
    /// The session in the archive has another StudyInstanceUID.
    OtherStudy,
    /// The fields that the request sets are too many or too long.
    BadFields,
    /// There is no label for the session.
    NoLabel,
    /// There is no subject.
    NoSubject,
    /// The subject is made with the session.
    NewSubject,
    /// Files of the session are in the archive already.
    SameFiles,
    /// A file's name belongs to another file in the archive.
    NameTaken,
    /// A path is a file on one side and a folder on the other.
    FileAndFolder,
    /// The merged session would be larger than a session can be.
    TooLarge,
    /// The session in the archive is locked.
    Locked,
    /// A scan of the same number and UID is in the archive.
    SameScan,
    /// A scan of the same number, but another UID, is in the archive and the session may not be extended.
    NumberTaken,
    /// The same, and the new scan gets another number.
    Renamed,
    /// A scan of the same UID has another number in the archive.
    OtherNumber,
    /// The session in the archive is of another type.
    OtherModality,
    /// Files of one scan have the same SOP Instance UID.
    RepeatedInstances,
}

impl Reason {
    /// All of them, in the order of their codes.
    pub const ALL: [Self; 20] = [
        Self::SessionExists,
        Self::OtherProject,
        Self::LabelShared,
        Self::OtherSubject,
        Self::OtherStudy,
        Self::BadFields,
        Self::NoLabel,
        Self::NoSubject,
        Self::NewSubject,
        Self::SameFiles,
        Self::NameTaken,
        Self::FileAndFolder,
        Self::TooLarge,
        Self::Locked,
        Self::SameScan,
        Self::NumberTaken,
        Self::Renamed,
        Self::OtherNumber,
        Self::OtherModality,
        Self::RepeatedInstances,
    ];

    /// Its word, which never changes its meaning.
    pub fn word(self) -> &'static str {
        match self {
            Self::SessionExists => "session-exists",
            Self::OtherProject => "other-project",
            Self::LabelShared => "label-shared",
            Self::OtherSubject => "other-subject",
            Self::OtherStudy => "other-study",
            Self::BadFields => "bad-fields",
            Self::NoLabel => "no-label",
            Self::NoSubject => "no-subject",
            Self::NewSubject => "new-subject",
            Self::SameFiles => "same-files",
            Self::NameTaken => "name-taken",
            Self::FileAndFolder => "file-and-folder",
            Self::TooLarge => "too-large",
            Self::Locked => "locked",
            Self::SameScan => "same-scan",
            Self::NumberTaken => "number-taken",
            Self::Renamed => "renamed",
            Self::OtherNumber => "other-number",
            Self::OtherModality => "other-modality",
            Self::RepeatedInstances => "repeated-instances",
        }
    }

    /// XNAT's code.
    pub fn code(self) -> u32 {
        match self {
            Self::SessionExists => 1,
            Self::OtherProject | Self::LabelShared => 3,
            Self::OtherSubject => 4,
            Self::OtherStudy => 5,
            Self::BadFields => 7,
            Self::NoLabel => 8,
            Self::NoSubject => 11,
            Self::NewSubject => 12,
            Self::SameFiles => 14,
            Self::NameTaken | Self::FileAndFolder | Self::TooLarge | Self::Locked => 15,
            Self::SameScan => 16,
            Self::NumberTaken | Self::Renamed => 17,
            Self::OtherNumber => 18,
            Self::OtherModality => 19,
            Self::RepeatedInstances => 22,
        }
    }

    /// Its weight.
    pub fn kind(self) -> Kind {
        match self {
            Self::SessionExists
            | Self::OtherStudy
            | Self::SameFiles
            | Self::SameScan
            | Self::NumberTaken
            | Self::OtherNumber => Kind::Conflict,
            Self::NewSubject | Self::Renamed | Self::RepeatedInstances => Kind::Warn,
            _ => Kind::Fail,
        }
    }

    /// Whether the request is at fault, rather than what is in the archive.
    pub fn is_of_request(self) -> bool {
        matches!(self, Self::BadFields | Self::NoLabel | Self::NoSubject)
    }
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was found.
    pub reason: Reason,
    /// The same for people, in XNAT's words as far as it has any.
    pub message: String,
}

impl Finding {
    /// A finding with its message.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }

    /// Whether archiving is refused because of it.
    pub fn refuses(&self) -> bool {
        self.reason.kind() != Kind::Warn
    }
}

/// The finding that a refusal names: what cannot be overridden before what can.
pub fn first_refusal(findings: &[Finding]) -> Option<&Finding> {
    let refusing = findings.iter().filter(|finding| finding.refuses());
    refusing.min_by_key(|finding| (finding.reason.kind(), finding.reason.code()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn words_are_told_apart_and_codes_by_their_types() {
        let words: BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.word()).collect();
        assert_eq!(words.len(), Reason::ALL.len());
        let codes: Vec<u32> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        assert!(codes.is_sorted(), "{codes:?}");
    }

    #[test]
    fn a_refusal_names_what_cannot_be_overridden() {
        let of = |reasons: &[Reason]| {
            let findings: Vec<Finding> = reasons.iter().map(|reason| Finding::new(*reason, "")).collect();
            first_refusal(&findings).map(|finding| finding.reason)
        };
        assert_eq!(of(&[Reason::SessionExists, Reason::OtherSubject]), Some(Reason::OtherSubject));
        assert_eq!(of(&[Reason::SameScan, Reason::SessionExists]), Some(Reason::SessionExists));
        assert_eq!(of(&[Reason::NewSubject, Reason::Renamed]), None);
    }

    #[test]
    fn the_documentation_shows_every_reason() {
        let page = include_str!("../../../../../docs/archive.md");
        for reason in Reason::ALL {
            let row = format!("| {} | {} | `{}` |", reason.code(), reason.kind().word(), reason.word());
            assert!(page.contains(&row), "docs/archive.md must have a row that begins with {row}");
        }
    }
}
