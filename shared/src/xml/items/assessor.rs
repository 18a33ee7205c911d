//! Assessors, as documents of their own and within their session's.

use super::{ItemError, ResourceDocument, bad, date, field, has_share, resource};
use crate::imaging::fields::ASSESSOR_SCHEMA;
use crate::imaging::{AssessorType, Field};
use crate::xml::assessor::prefix_of;
use crate::xml::tree::Element;

/// Parts that are no fields.
const PARTS: [&str; 4] = ["resources", "out", "in", "sharing"];

/// An assessor as a document describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct AssessorDocument {
    /// Its identifier; empty if it has none.
    pub id: String,
    /// Its label; empty if it has none.
    pub label: String,
    /// Its project; empty if it names none.
    pub project: String,
    /// The session that it says it is one of; empty if it does not say.
    pub session: String,
    /// Its data type.
    pub xsi_type: AssessorType,
    /// What is said of it.
    pub fields: Vec<Field>,
    /// Its resources.
    pub resources: Vec<ResourceDocument>,
    /// Whether it names other projects that it is in.
    pub is_shared: bool,
}

/// The type of an assessor whose document has this root, if it is one's.
pub(super) fn type_of_root(root: &Element) -> Option<AssessorType> {
    // The one item of a session that has an element of its own and is neither a scan nor an assessor.
    let is_assessor = |name: &&str| *name != "ReconstructedImage";
    let name = Some(root.name.as_str()).filter(is_assessor)?;
    AssessorType::of_element(prefix_of(&root.namespace)?, name)
}

/// An assessor within the document of its session.
pub(super) fn assessor_of_session(element: &Element) -> Result<AssessorDocument, ItemError> {
    let named = AssessorType::parse(&element.xsi_type);
    let wanted = "the data type of an assessor, such as xnat:qcManualAssessorData";
    assessor(element, named.ok_or_else(|| bad("assessors/assessor/@xsi:type", wanted))?)
}

/// Reads what is said of an assessor of this type.
pub(super) fn assessor(root: &Element, xsi_type: AssessorType) -> Result<AssessorDocument, ItemError> {
    if root.list("in", "file").next().is_some() {
        return Err(ItemError::NotServed { what: "input files of assessors (in/file)".to_owned() });
    }
    let resources = root.list("resources", "resource").chain(root.list("out", "file"));
    let mut document = AssessorDocument {
        id: String::new(),
        label: String::new(),
        project: String::new(),
        session: String::new(),
        resources: resources.map(resource).collect::<Result<_, _>>()?,
        is_shared: has_share(root),
        fields: Vec::new(),
        xsi_type,
    };
    // A type that is not defined here has whatever fields it has.
    let schema = Some(ASSESSOR_SCHEMA).filter(|_| document.xsi_type.is_defined());
    for (path, value) in root.fields(&PARTS) {
        match path.as_str() {
            "ID" => document.id = value,
            "label" => document.label = value,
            "project" => document.project = value,
            "imageSession_ID" | "image_session_ID" | "session_ID" => value.trim().clone_into(&mut document.session),
            "date" => document.fields.extend(date(&path, value)?.map(|date| Field::text(path, date))),
            "visit_id" => document.fields.push(Field::text("visit", value)),
            _ => document.fields.push(field("An assessor of this type", schema, path, value)?),
        }
    }
    document.fields.retain(|field| !field.value.to_string().is_empty());
    Ok(document)
}
