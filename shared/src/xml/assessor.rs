//! The documents of assessors, as items of their own and within their session's.

use std::io;

use super::node::Node;
use super::session::{document, fill, resource, root};
use crate::imaging::fields::ASSESSOR_SCHEMA;
use crate::imaging::item::AssessorContext;

/// Fields that are attributes.
const ATTRIBUTES: &[&str] = &["ID", "project", "label", "visit", "protocol", "version"];

/// The document of one assessor.
pub fn assessor_document(assessor: &AssessorContext) -> io::Result<Vec<u8>> {
    let mut root = root(assessor.element.clone());
    fill_assessor(&mut root, assessor);
    document(&root)
}

/// Sets what is said of an assessor.
pub(super) fn fill_assessor(node: &mut Node, assessor: &AssessorContext) {
    if let Some((namespace, _)) = assessor.element.split_once(':').filter(|(namespace, _)| *namespace != "xnat") {
        node.attribute(&format!("xmlns:{namespace}"), namespace_of(namespace));
    }
    let resources = Some(&assessor.resources).filter(|list| !list.is_empty()).map(|list| {
        let mut resources = Node::new("xnat:resources");
        list.iter().for_each(|one| resources.child(resource("xnat:resource", one)));
        resources
    });
    let inserts = resources.map(|resources| ("resources", vec![resources])).into_iter().collect();
    fill(node, &assessor.fields, ATTRIBUTES, ASSESSOR_SCHEMA, inserts);
}

/// XNAT's namespace of this prefix.
pub fn namespace_of(prefix: &str) -> String {
    format!("{NAMESPACES}{prefix}")
}

/// The prefix of one of XNAT's namespaces.
pub fn prefix_of(namespace: &str) -> Option<&str> {
    namespace.strip_prefix(NAMESPACES)
}

/// What XNAT's namespaces begin with.
const NAMESPACES: &str = "http://nrg.wustl.edu/";
