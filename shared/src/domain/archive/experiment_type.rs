//! What an experiment is: an image session, or an assessor of one.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::imaging::AssessorType;
use crate::imaging::types::SessionType;

/// The data type of an experiment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum ExperimentType {
    /// An image session.
    Session(SessionType),
    /// What is said of an image session, or was made of it.
    Assessor(AssessorType),
}

impl ExperimentType {
    /// The `xsi:type`.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Session(kind) => kind.as_str(),
            Self::Assessor(kind) => kind.as_str(),
        }
    }
}

impl From<String> for ExperimentType {
    fn from(text: String) -> Self {
        match SessionType::parse(&text) {
            Some(kind) => Self::Session(kind),
            None => Self::Assessor(AssessorType::stored(text)),
        }
    }
}

impl From<ExperimentType> for String {
    fn from(kind: ExperimentType) -> Self {
        kind.as_str().to_owned()
    }
}

impl From<SessionType> for ExperimentType {
    fn from(kind: SessionType) -> Self {
        Self::Session(kind)
    }
}

impl PartialEq<SessionType> for ExperimentType {
    fn eq(&self, other: &SessionType) -> bool {
        matches!(self, Self::Session(kind) if kind == other)
    }
}

impl fmt::Display for ExperimentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
