//! What a client says of an assessor.

use std::collections::BTreeMap;

use super::experiment::status_change;
use super::{asked, field, path_of, unknown_field};
use crate::domain::archive::ExperimentChange;
use crate::http::xpath::is_path;
use crate::http::{ClientError, Params};
use crate::imaging::fields::{ASSESSOR_SCHEMA, known_path};
use crate::imaging::{AssessorType, Field};
use crate::xml::assessor::prefix_of;
use crate::xml::read::read_tree;
use crate::xml::tree::Element;

/// Types whose fields every assessor has.
const COMMON_TYPES: [&str; 3] = ["xnat:experimentData", "xnat:derivedData", "xnat:imageAssessorData"];
/// What is decided otherwise: by the address, or by requests of their own.
const FIXED: [&str; 4] = ["ID", "project", "label", "imageSession_ID"];
/// First steps of paths that have addresses of their own.
const ELSEWHERE: [&str; 5] = ["resources", "sharing", "in", "out", "scans"];

/// What a client says of an assessor.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AssessorForm {
    /// Its data type, if the client names it.
    pub xsi_type: Option<AssessorType>,
    /// Identifier, project, label and session, as far as the client names them: they are not changed.
    pub fixed: BTreeMap<&'static str, String>,
    /// The labels of the resources that the document refers to.
    pub resources: Vec<String>,
    /// What is to be changed.
    pub change: ExperimentChange,
}

impl AssessorForm {
    /// Reads a document, if there is one, and the parameters, which beat it. `present` is the type of the assessor that
    /// is there.
    ///
    /// # Errors
    /// 400 for what is no field of an assessor, 422 for a document that is none's.
    pub fn read(document: Option<&[u8]>, params: &Params, present: Option<&AssessorType>) -> Result<Self, ClientError> {
        let mut form = Self::default();
        let document = match document {
            Some(document) => Some(read_tree(document, "QCManualAssessment (or another assessor)", &|uri, name| {
                prefix_of(uri).and_then(|prefix| AssessorType::of_element(prefix, name)).is_some()
            })?),
            None => None,
        };
        if let Some(root) = &document {
            form.xsi_type = prefix_of(&root.namespace).and_then(|prefix| AssessorType::of_element(prefix, &root.name));
        }
        if let Some(named) = params.text("xsiType") {
            form.xsi_type = Some(AssessorType::parse(named).ok_or_else(|| no_assessor_type(named))?);
        }
        let xsi_type = form.xsi_type.clone().or_else(|| present.cloned());
        if let Some(root) = &document {
            form.read_element(root, xsi_type.as_ref())?;
        }
        form.read_params(params, xsi_type.as_ref())?;
        Ok(form)
    }

    /// Reads an assessor within the document of its session.
    ///
    /// # Errors
    /// As [`AssessorForm::read`].
    pub fn of_element(element: &Element) -> Result<Self, ClientError> {
        let mut form = Self::default();
        let named = element.xsi_type.as_str();
        form.xsi_type = match named {
            "" => None,
            named => Some(AssessorType::parse(named).ok_or_else(|| no_assessor_type(named))?),
        };
        let xsi_type = form.xsi_type.clone();
        form.read_element(element, xsi_type.as_ref())?;
        Ok(form)
    }

    fn read_element(&mut self, element: &Element, xsi_type: Option<&AssessorType>) -> Result<(), ClientError> {
        self.resources.extend(element.list("resources", "resource").map(|one| one.attribute("label").to_owned()));
        for (path, value) in element.fields(&["resources"]) {
            // Scans that it rates are told by their places, which only a document has.
            if path.starts_with("scans/scan[") {
                self.change.fields.push(Field::text(path, value));
                continue;
            }
            self.set(&path, &value, xsi_type, true)?;
        }
        Ok(())
    }

    fn read_params(&mut self, params: &Params, xsi_type: Option<&AssessorType>) -> Result<(), ClientError> {
        for (name, value) in asked(params) {
            match name {
                "xsiType" => {}
                "quarantine" | "activate" | "lock" | "unlock" => status_change(&mut self.change.status, name, params)?,
                name => {
                    let own = xsi_type.and_then(|kind| name.strip_prefix(kind.as_str())?.strip_prefix('/'));
                    match own {
                        Some(path) => self.set(path, value, xsi_type, true)?,
                        None => self.set(&path_of(name, &COMMON_TYPES), value, xsi_type, false)?,
                    }
                }
            }
        }
        Ok(())
    }

    /// Sets a field. `is_its_own` says that it was named as one of the assessor's type, which for types that are not
    /// defined here is all that can be known.
    fn set(
        &mut self,
        path: &str,
        value: &str,
        xsi_type: Option<&AssessorType>,
        is_its_own: bool,
    ) -> Result<(), ClientError> {
        let path = match path {
            "session_ID" | "image_session_ID" => "imageSession_ID",
            "visit_id" => "visit",
            "pi_firstname" => "investigator/firstname",
            "pi_lastname" => "investigator/lastname",
            path => known_path(path),
        };
        if let Some(fixed) = FIXED.into_iter().find(|fixed| *fixed == path) {
            self.fixed.insert(fixed, value.to_owned());
            return Ok(());
        }
        let head = path.split(['/', '[']).next().unwrap_or_default();
        let is_free = is_its_own && xsi_type.is_some_and(|kind| !kind.is_defined());
        if !(is_free || ASSESSOR_SCHEMA.contains(&head)) || ELSEWHERE.contains(&head) || !is_path(path) {
            return Err(unknown_field("An assessor of this type", path));
        }
        self.change.fields.push(field(path, value)?);
        Ok(())
    }
}

fn no_assessor_type(value: &str) -> ClientError {
    let shown: String = value.chars().take(60).collect();
    let sentence = format!("{shown:?} is no data type of an assessor; name one such as xnat:qcManualAssessorData.");
    ClientError::bad_request("wrong-type", sentence)
}
