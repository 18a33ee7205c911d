//! XNAT's XML documents: sessions, scans and catalogs.
//!
//! Everything written is escaped; characters that XML 1.0 does not allow are replaced.

pub mod assessor;
pub mod catalog;
pub mod items;
pub mod listing;
mod node;
mod project;
pub mod read;
pub mod schema;
pub mod session;
mod subject;
pub mod tree;

pub use assessor::assessor_document;
pub use catalog::{CatalogEntry, CatalogHead, CatalogKind, CatalogTail, CatalogWriter};
pub use project::{project_document, read_project};
pub use read::XmlError;
pub use session::{scan_document, session_document};
pub use subject::{SUBJECT_PARTS, subject_document};

/// Namespace of XNAT's items.
pub const XNAT_NAMESPACE: &str = "http://nrg.wustl.edu/xnat";
/// Namespace of catalogs.
pub const CATALOG_NAMESPACE: &str = "http://nrg.wustl.edu/catalog";
/// Namespace of `xsi:type`.
pub const XSI_NAMESPACE: &str = "http://www.w3.org/2001/XMLSchema-instance";

#[cfg(test)]
mod tests;
