//! What became of each file of an upload.

use serde::{Deserialize, Serialize};

use crate::storage::PackId;

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is kept.
    Stored,
    /// The same file was there already, so that it is kept once.
    Duplicate,
    /// It was stored, but a later file of the same SOP instance and name took its place.
    Replaced,
    /// It was left out.
    Ignored,
}

impl Outcome {
    /// The word for it in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Duplicate => "duplicate",
            Self::Replaced => "replaced",
            Self::Ignored => "ignored",
        }
    }
}

/// Why a file was left out, or what is wrong with one that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// A stable code.
    pub code: &'static str,
    /// One clause for people.
    pub text: String,
}

/// What became of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The path with which it came; for a file of an archive inside the upload, the archive's path stands before it.
    pub name: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Why, if it was left out; what is wrong with it, if it is kept all the same.
    pub reason: Option<Reason>,
    /// SOP Instance UID; empty if it has none.
    pub sop_instance_uid: String,
    /// Where it lies: the pack and its number there.
    pub(in crate::domain) place: Option<(PackId, u32)>,
}

/// A verdict as clients are told it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldVerdict {
    /// The path with which the file came.
    pub name: String,
    /// What became of it.
    pub verdict: String,
    /// SOP Instance UID, if it has one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sop_instance_uid: String,
    /// A stable code for why it was left out, or for what is wrong with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The same for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl From<&Verdict> for ToldVerdict {
    fn from(verdict: &Verdict) -> Self {
        Self {
            name: verdict.name.clone(),
            verdict: verdict.outcome.as_str().to_owned(),
            sop_instance_uid: verdict.sop_instance_uid.clone(),
            reason: verdict.reason.as_ref().map(|reason| reason.code.to_owned()),
            message: verdict.reason.as_ref().map(|reason| reason.text.clone()),
        }
    }
}
