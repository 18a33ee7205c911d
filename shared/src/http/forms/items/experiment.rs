//! What a client says of an experiment.

use std::collections::{BTreeMap, BTreeSet};

use super::assessor::AssessorForm;
use super::present::{Present, PresentScan, check_resources, is_as_said};
use super::{ScanForm, asked, field, path_of, unknown_field};
use crate::domain::archive::scans::MAX_SCANS;
use crate::domain::archive::{ExperimentChange, StatusChange};
use crate::http::xpath::{NOT_TO_BE_SET, is_path};
use crate::http::{ClientError, Params};
use crate::imaging::Field;
use crate::imaging::fields::{SESSION_SCHEMA, known_path};
use crate::imaging::types::SessionType;
use crate::xml::XNAT_NAMESPACE;
use crate::xml::read::read_tree;
use crate::xml::tree::Element;

/// Short names of an experiment's fields, with their paths; all others have the same name as their path.
const EXPERIMENT_NAMES: &[(&str, &str)] =
    &[("visit_id", "visit"), ("pi_firstname", "investigator/firstname"), ("pi_lastname", "investigator/lastname")];

/// What belongs to the item and is not changed with its fields.
const FIXED: [&str; 5] = ["ID", "project", "label", "subject_ID", "UID"];

/// Parts of a session's document that are no fields.
const PARTS: [&str; 4] = ["scans", "assessors", "resources", "sharing"];

/// What a client says of an experiment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ExperimentForm {
    /// Its data type, if the client names it.
    pub xsi_type: Option<SessionType>,
    /// Identifier, project, label, subject and UID, as far as the client names them: they are not changed.
    pub fixed: BTreeMap<&'static str, String>,
    /// What is to be changed.
    pub change: ExperimentChange,
    /// The assessors that the document has; they are not changed by it.
    pub assessors: Vec<AssessorForm>,
    /// Whether what the document leaves out is removed (`allowDataDeletion`).
    pub removes_others: bool,
    /// Whether webhooks are told of the session (`triggerPipelines`).
    pub triggers: bool,
    /// Whether what headers say is read again from the files (`pullDataFromHeaders`).
    pub pulls_headers: bool,
}

impl ExperimentForm {
    /// Reads a document, if there is one, and the parameters, which beat it. Of a session that is there, what the document
    /// says as it is already is no change.
    ///
    /// # Errors
    /// 400 for what is no field of an image session, or a resource that is not there; 422 for a document that is none's.
    pub fn read(document: Option<&[u8]>, params: &Params, present: Option<&Present>) -> Result<Self, ClientError> {
        let mut form = Self {
            triggers: params.flag("triggerPipelines"),
            pulls_headers: params.flag("pullDataFromHeaders"),
            ..Self::default()
        };
        form.change.fixes_scan_types = params.flag("fixScanTypes");
        if let Some(document) = document {
            let is_session = |uri: &str, name: &str| uri == XNAT_NAMESPACE && SessionType::of_element(name).is_some();
            let root = read_tree(document, "MRSession (or another image session)", &is_session)?;
            form.xsi_type = SessionType::of_element(&root.name);
            form.removes_others = params.flag("allowDataDeletion");
            form.read_session(&root, present)?;
        }
        for (name, value) in asked(params) {
            match name {
                "xsiType" => {
                    let Some(found) = SessionType::known(value) else { return Err(no_session_type(value)) };
                    form.xsi_type = Some(found);
                }
                "quarantine" | "activate" | "lock" | "unlock" => status_change(&mut form.change.status, name, params)?,
                "fixScanTypes" | "triggerPipelines" | "pullDataFromHeaders" | "allowDataDeletion" => {}
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

    fn read_session(&mut self, root: &Element, present: Option<&Present>) -> Result<(), ClientError> {
        let none = Present::default();
        let present = present.unwrap_or(&none);
        let fields = root.fields(&PARTS);
        for (path, value) in &fields {
            if !is_as_said(&present.fields, path, value) {
                self.set(path, value)?;
            }
        }
        check_resources(root.list("resources", "resource"), &present.resources, "the session")?;
        let there: BTreeMap<&str, &PresentScan> = present.scans.iter().map(|scan| (scan.id.as_str(), scan)).collect();
        let mut named = BTreeSet::new();
        for element in root.list("scans", "scan") {
            let found = there.get(element.attribute("ID")).copied();
            let form = ScanForm::of_element(element, found, root.attribute("ID"))?;
            let Some(id) = form.id.filter(|id| !id.is_empty()) else {
                let sentence = "A scan of the document has no ID; give the attribute ID.";
                return Err(ClientError::bad_request("no-scan-id", sentence));
            };
            if named.len() >= MAX_SCANS {
                let sentence = format!("A session may have at most {MAX_SCANS} scans.");
                return Err(ClientError::bad_request("too-many-scans", sentence));
            }
            if !named.insert(id.clone()) {
                let shown: String = id.chars().take(100).collect();
                let sentence = format!("The document has the scan {shown:?} twice.");
                return Err(ClientError::bad_request("scan-twice", sentence));
            }
            self.change.scans.push((id, form.change));
        }
        for element in root.list("assessors", "assessor") {
            self.assessors.push(AssessorForm::of_element(element)?);
        }
        if self.removes_others {
            self.change.removes_other_scans = true;
            let is_left_out = |path: &&String| !fields.iter().any(|(said, _)| said == *path);
            let removed = present.by_hand.iter().filter(is_left_out).map(|path| Field::text(path, ""));
            self.change.fields.extend(removed);
        } else {
            // A scan that is as it was is no change.
            self.change.scans.retain(|(id, change)| !there.contains_key(id.as_str()) || *change != Default::default());
        }
        Ok(())
    }

    fn set(&mut self, path: &str, value: &str) -> Result<(), ClientError> {
        if let Some(fixed) = FIXED.into_iter().find(|fixed| *fixed == path) {
            self.fixed.insert(fixed, value.to_owned());
            return Ok(());
        }
        let path = EXPERIMENT_NAMES.iter().find(|(short, _)| *short == path).map_or(path, |(_, long)| *long);
        let path = known_path(path);
        let head = path.split(['/', '[']).next().unwrap_or_default();
        if PARTS.contains(&head) {
            let sentence = "Scans, assessors, resources and shares are not set by parameters; send each to its own \
                            address (.../scans/ID), or in the session's document.";
            return Err(ClientError::bad_request("part-as-field", sentence));
        }
        if !SESSION_SCHEMA.contains(&head) || NOT_TO_BE_SET.contains(&head) || !is_path(path) {
            return Err(unknown_field("An image session", path));
        }
        self.change.fields.push(field(path, value)?);
        Ok(())
    }
}

/// Reads one of the parameters that change an experiment's status.
///
/// # Errors
/// 400 if another status is asked for as well.
pub(super) fn status_change(status: &mut Option<StatusChange>, name: &str, params: &Params) -> Result<(), ClientError> {
    if !params.flag(name) {
        return Ok(());
    }
    let wanted = match name {
        "quarantine" => StatusChange::Quarantine,
        "activate" => StatusChange::Activate,
        "lock" => StatusChange::Lock,
        _ => StatusChange::Unlock,
    };
    if status.replace(wanted).is_some_and(|other| other != wanted) {
        let sentence = "Only one of quarantine, activate, lock and unlock can be asked for at once.";
        return Err(ClientError::bad_request("two-statuses", sentence));
    }
    Ok(())
}

fn no_session_type(value: &str) -> ClientError {
    let shown: String = value.chars().take(60).collect();
    let sentence = format!("{shown:?} is no data type of an image session; name one such as xnat:mrSessionData.");
    ClientError::bad_request("wrong-type", sentence)
}
