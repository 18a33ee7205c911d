//! What is kept of a DICOM file's header, and why a file may be refused.

use super::ecat::{ECAT_CLASS, EcatError};
use super::tags::{self, Tag};
use super::uid::UidError;
use std::collections::BTreeMap;

/// Media Storage Directory Storage, the SOP class of a DICOMDIR (DICOM PS3.10 8.6).
pub const DICOMDIR_SOP_CLASS: &str = "1.2.840.10008.1.3.10";

/// How much of a file the reader will look at.
#[derive(Debug, Clone, Copy)]
pub struct HeaderLimits {
    /// Bytes of element heads and kept values, and all inflated bytes of a deflated data set. Values that are
    /// passed over do not count: they cost nothing but the reading of the stream.
    pub max_header_bytes: usize,
    /// Values of interest longer than this are passed over.
    pub max_value_bytes: usize,
    /// Sequences within sequences.
    pub max_depth: u32,
}

impl Default for HeaderLimits {
    fn default() -> Self {
        Self { max_header_bytes: 16 << 20, max_value_bytes: 16 << 10, max_depth: 32 }
    }
}

/// What stands in the 128 bytes before `DICM` (DICOM PS3.10 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preamble {
    /// The file starts without preamble and `DICM`.
    Absent,
    /// All zero, the ordinary case.
    Zeros,
    /// A TIFF header, as dual-personality files have (DICOM PS3.10 7.1 note; whole-slide images).
    Tiff,
    /// Anything else; it may be an executable (CVE-2019-11687).
    Other,
}

/// Why a file is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// No preamble with `DICM`, and the bytes are no data set without preamble either.
    #[error("the file is not a DICOM object")]
    NotDicom,
    /// The file ends within its header.
    #[error("the file ends within its DICOM header, after {length_bytes} bytes")]
    Truncated {
        /// Bytes seen.
        length_bytes: u64,
    },
    /// More sequences within sequences than the limit allows.
    #[error("the DICOM header has sequences nested deeper than {max_depth}")]
    TooDeep {
        /// The limit.
        max_depth: u32,
    },
    /// More header than the limit allows.
    #[error("the DICOM header is longer than {max_header_bytes} bytes")]
    TooLarge {
        /// The limit.
        max_header_bytes: usize,
    },
    /// The structure is broken.
    #[error("the DICOM header is malformed at byte {offset} of the data set: {what}")]
    Malformed {
        /// Offset in the data set (after the meta group), in bytes.
        offset: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// No SOP Class UID, neither in the data set nor in the meta group.
    #[error("the DICOM object has no SOP Class UID")]
    NoSopClass,
    /// No SOP Instance UID, neither in the data set nor in the meta group.
    #[error("the DICOM object has no SOP Instance UID")]
    NoSopInstance,
    /// A UID that is none.
    #[error("{keyword} {tag} is not valid: {reason}")]
    BadUid {
        /// The element.
        tag: Tag,
        /// Its dictionary keyword.
        keyword: &'static str,
        /// What is wrong.
        reason: UidError,
    },
    /// An ECAT file that is refused.
    #[error(transparent)]
    Ecat(#[from] EcatError),
}

impl HeaderError {
    /// A stable code for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotDicom => "not-dicom",
            Self::Truncated { .. } => "truncated",
            Self::TooDeep { .. } => "too-deep",
            Self::TooLarge { .. } => "header-too-large",
            Self::Malformed { .. } => "malformed",
            Self::NoSopClass => "no-sop-class",
            Self::NoSopInstance => "no-sop-instance",
            Self::BadUid { .. } => "bad-uid",
            Self::Ecat(_) => "ecat",
        }
    }
}

/// What is kept of the header of one DICOM object, or of one ECAT file in the same terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DicomHeader {
    /// Transfer Syntax UID from the meta group, if there is one.
    pub transfer_syntax: Option<String>,
    /// SOP Class UID, a valid UID.
    pub sop_class_uid: String,
    /// SOP Instance UID, a valid UID.
    pub sop_instance_uid: String,
    /// Study Instance UID, valid or empty.
    pub study_instance_uid: String,
    /// Series Instance UID, valid or empty.
    pub series_instance_uid: String,
    /// Instance Number.
    pub instance_number: Option<i64>,
    /// Number of Frames, or 1.
    pub frames: u32,
    /// What stands before `DICM`.
    pub preamble: Preamble,
    /// How long the file must be at least for its pixel data to be whole, in bytes, where its header says so.
    pub least_bytes: Option<u64>,
    /// Elements of interest that have a value: decoded, without padding, several values joined by `\`.
    pub tags: BTreeMap<Tag, String>,
}

impl DicomHeader {
    /// The value of an element of interest.
    pub fn get(&self, tag: Tag) -> Option<&str> {
        self.tags.get(&tag).map(String::as_str)
    }

    /// Whether this is the directory of a DICOM medium, not an image.
    pub fn is_dicomdir(&self) -> bool {
        self.sop_class_uid == DICOMDIR_SOP_CLASS
    }

    /// Whether this is an ECAT file, its header said in DICOM's terms.
    pub fn is_ecat(&self) -> bool {
        self.sop_class_uid == ECAT_CLASS
    }

    /// Modality, empty if not given.
    pub fn modality(&self) -> &str {
        self.get(tags::MODALITY).unwrap_or_default()
    }
}
