//! The document of a project.

use super::session::{document, root};
use std::io;

/// The document of a project from its fields by path: `ID` and `secondary_ID` are attributes, the others elements in
/// the order given, which should be the schema's. Empty values are left out.
pub fn project_document(fields: &[(&str, &str)]) -> io::Result<Vec<u8>> {
    let mut node = root("xnat:Project".to_owned());
    for (path, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        node.set(path, (*value).to_owned(), matches!(*path, "ID" | "secondary_ID"));
    }
    document(&node)
}
