//! The document of a subject.

use super::node::Node;
use super::session::{document, resource, root, sharing};
use crate::imaging::Field;
use crate::imaging::item::Resource;
use std::io;

/// The parts of a subject that have a type of their own, in the schema's order.
pub const SUBJECT_PARTS: [(&str, &str); 2] =
    [("investigator", "xnat:investigatorData"), ("demographics", "xnat:demographicData")];

/// Fields that are attributes of the subject.
const ATTRIBUTES: [&str; 3] = ["group", "src", "initials"];

/// The document of a subject with these fields, which are in the schema's order, its resources, and the other projects
/// that it is in with its labels there.
pub fn subject_document(
    [id, project, label]: [&str; 3],
    shares: &[[String; 2]],
    fields: &[Field],
    resources: &[Resource],
) -> io::Result<Vec<u8>> {
    let mut node = root("xnat:Subject".to_owned());
    for (name, value) in [("ID", id), ("project", project), ("label", label)] {
        node.attribute(name, value);
    }
    for field in fields.iter().filter(|field| ATTRIBUTES.contains(&field.path.as_str())) {
        node.set(&field.path, field.value.to_string(), true);
    }
    sharing(shares).into_iter().for_each(|sharing| node.child(sharing));
    if !resources.is_empty() {
        let mut list = Node::new("xnat:resources");
        resources.iter().for_each(|one| list.child(resource("xnat:resource", one)));
        node.child(list);
    }
    for (part, xsi_type) in SUBJECT_PARTS {
        let mut child = Node::new(format!("xnat:{part}"));
        if part == "demographics" {
            // The schema leaves it open of which type these are.
            child.attribute("xsi:type", xsi_type);
        }
        let mut is_empty = true;
        for field in fields {
            let path = field.path.strip_prefix(part).and_then(|rest| rest.strip_prefix('/'));
            if let Some(path) = path {
                child.set(path, field.value.to_string(), false);
                is_empty = false;
            }
        }
        if !is_empty {
            node.child(child);
        }
    }
    document(&node)
}
