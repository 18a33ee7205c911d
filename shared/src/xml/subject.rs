//! The document of a subject.

use super::node::Node;
use super::session::{document, root};
use crate::imaging::Field;
use std::io;

/// The parts of a subject that have a type of their own, in the schema's order.
pub const SUBJECT_PARTS: [(&str, &str); 2] =
    [("investigator", "xnat:investigatorData"), ("demographics", "xnat:demographicData")];

/// The fields of a subject in the schema's order; the first steps of what is not listed come last.
static SCHEMA: &[&str] = &[
    "group",
    "src",
    "initials",
    "investigator/title",
    "investigator/firstname",
    "investigator/lastname",
    "investigator/institution",
    "investigator/department",
    "investigator/email",
    "investigator/phone",
    "demographics/dob",
    "demographics/yob",
    "demographics/age",
    "demographics/gender",
    "demographics/handedness",
    "demographics/ses",
    "demographics/education",
    "demographics/educationDesc",
    "demographics/race",
    "demographics/ethnicity",
    "demographics/weight",
    "demographics/height",
    "demographics/gestational_age",
    "demographics/post_menstrual_age",
    "demographics/birth_weight",
];

/// Fields that are attributes of the subject.
const ATTRIBUTES: [&str; 3] = ["group", "src", "initials"];

/// A subject's fields in the schema's order.
pub fn sorted_subject_fields(fields: &[Field]) -> Vec<Field> {
    let mut sorted = fields.to_vec();
    // The unit of a weight stands with the weight.
    let rank = |field: &Field| {
        let path = field.path.strip_suffix("/units").unwrap_or(&field.path);
        SCHEMA.iter().position(|known| *known == path).unwrap_or(SCHEMA.len())
    };
    sorted.sort_by_key(rank);
    sorted
}

/// The document of a subject with these fields.
pub fn subject_document(id: &str, project: &str, label: &str, fields: &[Field]) -> io::Result<Vec<u8>> {
    let mut node = root("xnat:Subject".to_owned());
    for (name, value) in [("ID", id), ("project", project), ("label", label)] {
        node.attribute(name, value);
    }
    let fields = sorted_subject_fields(fields);
    for field in fields.iter().filter(|field| ATTRIBUTES.contains(&field.path.as_str())) {
        node.set(&field.path, field.value.to_string(), true);
    }
    for (part, xsi_type) in SUBJECT_PARTS {
        let mut child = Node::new(format!("xnat:{part}"));
        if part == "demographics" {
            // The schema leaves it open of which type these are.
            child.attribute("xsi:type", xsi_type);
        }
        let mut is_empty = true;
        for field in &fields {
            let path = field.path.strip_prefix(part).and_then(|rest| rest.strip_prefix('/'));
            if let Some(path) = path {
                child.set(path, field.value.to_string(), path.ends_with("/units"));
                is_empty = false;
            }
        }
        if !is_empty {
            node.child(child);
        }
    }
    for field in fields.iter().filter(|field| field.head() == "fields") {
        node.set(&field.path, field.value.to_string(), false);
    }
    document(&node)
}
