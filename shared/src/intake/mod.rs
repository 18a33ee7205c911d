//! From a request body to checked entries.
//!
//! The body is written to an immutable *pack* as it arrives. While its bytes pass, [`scan::ZipScanner`] inflates and
//! checks what the local headers announce; after the last byte [`zip::finish`] reads the central directory from the
//! pack, which is the authority, compares, verifies what the scanner could not, and hands each [`Entry`] to a visitor.
//! A tar passes through [`tar::TarScanner`], which needs nothing but the passing bytes; [`decode::Decoder`] takes the
//! compression off a body before that. A body that is one file passes through [`single::SingleScanner`]. [`extent::ExtentReader`] reads a file back, and
//! [`zipout::ZipWriter`] stitches a zip from stored bytes without compressing anything again.
//!
//! Section numbers are those of PKWARE's APPNOTE.TXT 6.3.10.
//!
//! The records are parsed here and not by `rc-zip`: its `ArchiveFsm` collects the whole directory before anything can
//! be limited, shifts offsets for prepended data, compares only 16 bits of the entry count, takes the last record that
//! looks like an end although the file goes on behind it, and drops the raw names and disk numbers that the strict
//! checks need. Strictness against two readers seeing two different archives is the point of this module.

pub mod archiveout;
mod conflict;
pub mod crc32;
pub mod decode;
pub mod directory;
mod end;
pub mod error;
pub mod extent;
pub mod form;
pub mod kind;
pub mod name;
mod record;
mod reread;
pub mod scan;
pub mod single;
pub mod source;
pub mod tar;
pub mod verify;
pub mod zip;
pub mod zipout;

#[cfg(test)]
mod tests;

pub use self::decode::{Compression, Decoder};
pub use self::tar::TarScanner;
pub use error::IntakeError;
pub use extent::{Extent, ExtentError, ExtentReader, Method};
pub use kind::BodyKind;
pub use name::EntryName;
pub use scan::ZipScanner;
pub use single::SingleScanner;
pub use source::{PackReadError, PackSource};
pub use verify::{EntrySink, SinkFactory};
pub use zip::{Entry, EntryVisitor, Summary};
pub use zipout::ZipWriter;
