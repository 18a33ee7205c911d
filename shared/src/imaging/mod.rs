//! Image headers, and what a session needs from them.
//!
//! Everything here is pure: bytes or values in, values out; no I/O, no clock, no store.
//!
//! The way of a file: [`ImageReader`] takes its bytes as they come and stops at the pixel data; the [`DicomHeader`]
//! it yields (of an ECAT file in DICOM's terms, see [`ecat`]) decides where the file goes ([`naming`]) and is then reduced to a
//! [`SeriesSummary`], which merges with those of the other files of the series. [`build_session`] turns the
//! summaries into an [`ImageSession`], the one description from which the XML document and the JSON item come.

mod assessor_types;
mod beginning;
mod charset;
pub mod ecat;
mod element;
pub(crate) mod fields;
pub mod header;
mod image_reader;
mod inflate;
pub mod item;
pub mod naming;
mod parameters;
mod reader;
pub mod session;
#[cfg(test)]
mod session_tests;
mod sop_classes;
mod stream;
pub mod summary;
pub mod tags;
pub mod types;
#[cfg(test)]
mod types_tests;
mod uid;
mod value;
mod walker;

#[cfg(test)]
mod reader_tests;
#[cfg(test)]
pub(crate) mod testing;

pub use assessor_types::{ANY_ASSESSOR, AssessorType};
pub use ecat::{EcatError, EcatHeader, EcatReader};
pub use fields::{Field, FieldValue};
pub use header::{DicomHeader, HeaderError, HeaderLimits, Preamble};
pub use image_reader::ImageReader;
pub use item::{Resource, ScanContext, SessionContext};
pub use reader::HeaderReader;
pub use session::{ImageSession, PetMr, Scan, build_session};
pub use stream::Progress;
pub use summary::{SeriesSummary, TagValues};
pub use tags::Tag;
pub use types::{ScanType, SessionType};
pub use uid::{Uid, UidError};
