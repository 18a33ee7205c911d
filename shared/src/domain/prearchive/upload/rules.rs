//! What an upload may hold and how its files are named: what the import handlers differ in.

use serde::{Deserialize, Serialize};

/// How files are named when they are stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Naming {
    /// As they came, cleaned; a second file of the same name gets a number. The session importer's rule.
    Kept,
    /// As they came if the name has only plain characters, else by the template; a second object of the same name is
    /// named by the template as well. The rule for objects that come one by one.
    Gradual {
        /// Whether the template is wanted in any case.
        rename: bool,
    },
}

/// What is done with files that are no images of a study.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Others {
    /// They are left out, and the session's log says how many.
    LeftOut,
    /// The first refuses the upload.
    Refused,
}

/// Which formats are taken for images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Formats {
    /// DICOM and ECAT.
    Both,
    /// DICOM only.
    Dicom,
    /// ECAT only.
    Ecat,
}

/// What an upload may hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadRules {
    /// How files are named.
    pub naming: Naming,
    /// Whether a file takes the place of another of its SOP instance and name; otherwise both are kept.
    #[serde(default)]
    pub replaces: bool,
    /// What is done with files that are no images.
    pub others: Others,
    /// Which formats are taken for images.
    pub formats: Formats,
    /// Whether the body is one image and no archive.
    pub is_one_image: bool,
    /// Whether to say of each file what became of it.
    pub wants_verdicts: bool,
}

impl Default for UploadRules {
    fn default() -> Self {
        Self {
            naming: Naming::Kept,
            replaces: false,
            others: Others::LeftOut,
            formats: Formats::Both,
            is_one_image: false,
            wants_verdicts: false,
        }
    }
}
