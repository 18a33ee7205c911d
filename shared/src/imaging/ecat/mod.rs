//! ECAT 7: the PET images of CTI scanners, one file a volume with its frames.
//!
//! [`EcatReader`] takes the bytes of a file as they come and stops behind the first subheader;
//! [`EcatHeader::into_dicom`] says the same in DICOM's terms, so that everything behind it (sorting by study,
//! summaries, names, documents) is one way for both. What is ECAT's shows in the SOP class, [`ECAT_CLASS`]. The UIDs
//! are ours: derived from the header, so that the same bytes always get the same, and never shown ([`shown_uid`]).

mod convert;
mod header;
mod main_header;
mod matrices;
mod reader;
mod uid;

#[cfg(test)]
pub(crate) mod tests;

pub use convert::{DATA_TYPE, FILE_TYPE, ORIGINAL_FILE_NAME, PRIVATE_GROUP, STUDY_TYPE, SYSTEM_TYPE};
pub use header::{EcatError, EcatHeader, FileType, FirstImage};
pub use reader::EcatReader;
pub use uid::{ECAT_CLASS, is_derived_uid, shown_uid};

/// Label and format of the resource that ECAT files go to.
pub const ECAT: &str = "ECAT";

/// What every ECAT 7 file begins with; a version digit and the kind of data follow.
pub const MAGIC: &[u8] = b"MATRIX7";

/// Bytes of a block, the unit in which an ECAT 7 file counts.
const BLOCK_BYTES: usize = 512;
