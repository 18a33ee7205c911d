//! What a client says of an experiment.

use std::collections::BTreeMap;

use super::{asked, date, path_of, unknown_field};
use crate::domain::archive::{ExperimentChange, StatusChange};
use crate::http::xpath::{NOT_TO_BE_SET, is_path};
use crate::http::{ClientError, Params};
use crate::imaging::Field;
use crate::imaging::fields::SESSION_SCHEMA;
use crate::imaging::types::SessionType;
use crate::xml::read::read_any;

/// Short names of an experiment's fields, with their paths; all others have the same name as their path.
const EXPERIMENT_NAMES: &[(&str, &str)] =
    &[("visit_id", "visit"), ("pi_firstname", "investigator/firstname"), ("pi_lastname", "investigator/lastname")];

/// Parameters of experiments that ask for work which this version does not do.
const NOT_YET: &[(&str, &str)] = &[
    ("fixScanTypes", "guessing the types of scans"),
    ("triggerPipelines", "starting pipelines"),
    ("pullDataFromHeaders", "reading headers again"),
    ("allowDataDeletion", "removing what a document leaves out"),
];

/// What a client says of an experiment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ExperimentForm {
    /// Its data type, if the client names it.
    pub xsi_type: Option<SessionType>,
    /// Identifier, project, label and subject, as far as the client names them: they are not changed.
    pub fixed: BTreeMap<&'static str, String>,
    /// What is to be changed.
    pub change: ExperimentChange,
}

impl ExperimentForm {
    /// Reads a document, if there is one, and the parameters, which beat it.
    ///
    /// # Errors
    /// 400 for what is no field of an image session, 422 for a document that is none's, 501 for what this version does
    /// not do.
    pub fn read(document: Option<&[u8]>, params: &Params) -> Result<Self, ClientError> {
        ClientError::refuse_unserved(params, NOT_YET)?;
        let mut form = Self::default();
        if let Some(document) = document {
            let is_session = |root: &str| SessionType::of_element(root).is_some();
            let (root, values) = read_any(document, "MRSession (or another image session)", &is_session)?;
            form.xsi_type = SessionType::of_element(&root);
            for (path, value) in values {
                form.set(&path, &value)?;
            }
        }
        for (name, value) in asked(params) {
            match name {
                "xsiType" => {
                    let Some(found) = SessionType::known(value) else { return Err(no_session_type(value)) };
                    form.xsi_type = Some(found);
                }
                "quarantine" | "activate" | "lock" | "unlock" => form.set_status(name, params)?,
                name => {
                    let is_session = |kind: &str| kind.ends_with("SessionData");
                    let path = match name.split_once('/') {
                        Some((kind, path)) if is_session(kind) => path.to_owned(),
                        _ => {
                            path_of(name, &["xnat:experimentData", "xnat:subjectAssessorData", "xnat:imageSessionData"])
                        }
                    };
                    form.set(&path, value)?;
                }
            }
        }
        Ok(form)
    }

    fn set_status(&mut self, name: &str, params: &Params) -> Result<(), ClientError> {
        if !params.flag(name) {
            return Ok(());
        }
        let status = match name {
            "quarantine" => StatusChange::Quarantine,
            "activate" => StatusChange::Activate,
            "lock" => StatusChange::Lock,
            _ => StatusChange::Unlock,
        };
        if self.change.status.replace(status).is_some_and(|other| other != status) {
            let sentence = "Only one of quarantine, activate, lock and unlock can be asked for at once.";
            return Err(ClientError::bad_request("two-statuses", sentence));
        }
        Ok(())
    }

    fn set(&mut self, path: &str, value: &str) -> Result<(), ClientError> {
        for fixed in ["ID", "project", "label", "subject_ID"] {
            if path == fixed {
                self.fixed.insert(fixed, value.to_owned());
                return Ok(());
            }
        }
        let path = EXPERIMENT_NAMES.iter().find(|(short, _)| *short == path).map_or(path, |(_, long)| *long);
        let head = path.split(['/', '[']).next().unwrap_or_default();
        if head == "scans" || head == "resources" {
            let sentence = "This version takes no scans or resources from a session's document; send each to its own \
                            address (.../scans/ID, .../resources/LABEL).";
            return Err(ClientError::not_implemented("not-implemented", sentence));
        }
        if !SESSION_SCHEMA.contains(&head) || NOT_TO_BE_SET.contains(&head) || !is_path(path) {
            return Err(unknown_field("An image session", path));
        }
        let value = match path {
            "date" if !value.is_empty() => date(value.trim()).ok_or_else(|| {
                ClientError::bad_request("bad-value", "The date must be given as yyyy-MM-dd or MM/dd/yyyy.")
            })?,
            _ => value.to_owned(),
        };
        self.change.fields.push(Field::text(path, value));
        Ok(())
    }
}

fn no_session_type(value: &str) -> ClientError {
    let shown: String = value.chars().take(60).collect();
    let sentence = format!("{shown:?} is no data type of an image session; name one such as xnat:mrSessionData.");
    ClientError::bad_request("wrong-type", sentence)
}
