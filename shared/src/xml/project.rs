//! The document of a project.

use super::read::{self, Values, XmlError};
use super::session::{document, root};
use std::io;

/// The document of a project from its fields by path: `ID` and `secondary_ID` are attributes, the others elements in
/// the order given, which should be the schema's. Empty values are left out.
pub fn project_document<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> io::Result<Vec<u8>> {
    let mut node = root("xnat:Project".to_owned());
    for (path, value) in fields.into_iter().filter(|(_, value)| !value.is_empty()) {
        node.set(path, value.to_owned(), matches!(path, "ID" | "secondary_ID"));
    }
    document(&node)
}

/// The values of a project's document that a client sent.
///
/// # Errors
/// An [`XmlError`].
pub fn read_project(document: &[u8]) -> Result<Values, XmlError> {
    read::read(document, "Project")
}
