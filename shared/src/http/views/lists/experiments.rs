//! Lists of experiments.

use std::collections::BTreeMap;

use super::{ListField, ListKind, Listing, TYPE, URI, value_at};
use crate::domain::archive::Experiment;
use crate::domain::time::date_time;
use crate::http::views::archive::context;
use crate::http::{ClientError, Params, Table};
use crate::imaging::ecat::shown_uid;
use crate::imaging::fields::SESSION_SCHEMA;
use crate::imaging::item::session_fields;
use crate::imaging::{Field, ImageSession};

macro_rules! fields {
    ($($type:literal { $($name:literal $path:literal)* })*) => {
        &[
            $($(ListField { name: $name, xpath: concat!("xnat:", $type, "/", $path), path: $path },)*)*
            ListField { name: "subject_label", xpath: "xnat:subjectData/label", path: SUBJECT_LABEL },
            ListField { name: "subject_project", xpath: "xnat:subjectData/project", path: SUBJECT_PROJECT },
        ]
    };
}

/// What a list of experiments can be asked for.
pub static EXPERIMENTS: ListKind = ListKind {
    fields: fields! {
        "experimentData" {
            "ID" "ID"
            "project" "project"
            "label" "label"
            "visit_id" "visit_id"
            "visit" "visit"
            "protocol" "protocol"
            "date" "date"
            "time" "time"
            "note" "note"
            "pi_firstname" "investigator/firstname"
            "pi_lastname" "investigator/lastname"
            "validation_method" "validation/method"
            "validation_status" "validation/status"
            "validation_date" "validation/date"
            "validation_notes" "validation/notes"
        }
        "imageSessionData" {
            "scanner" "scanner"
            "operator" "operator"
            "dcmAccessionNumber" "dcmAccessionNumber"
            "dcmPatientId" "dcmPatientId"
            "dcmPatientName" "dcmPatientName"
            "session_type" "session_type"
            "modality" "modality"
            "UID" "UID"
            "studyInstanceUID" "UID"
        }
        "mrSessionData" {
            "coil" "coil"
            "fieldStrength" "fieldStrength"
            "marker" "marker"
            "stabilization" "stabilization"
        }
        "petSessionData" {
            "studyType" "studyType"
            "patientID" "patientID"
            "patientName" "patientName"
            "scan_start_time" "start_time_scan"
            "injection_start_time" "start_time_injection"
            "tracer_name" "tracer/name"
            "tracer_startTime" "tracer/startTime"
            "tracer_dose" "tracer/dose"
            "tracer_sa" "tracer/specificActivity"
            "tracer_totalmass" "tracer/totalMass"
            "tracer_intermediate" "tracer/intermediate"
            "tracer_isotope" "tracer/isotope"
            "tracer_transmissions" "tracer/transmissions"
        }
        "subjectAssessorData" {
            "subject_ID" "subject_ID"
        }
        "experimentData" {
            "insert_date" "meta/insert_date"
            "insert_user" "meta/insert_user/login"
            "last_modified" "meta/last_modified"
            "xsiType" "xsiType"
        }
    },
    defaults: &["ID", "project", "date", "xsiType", "label", "insert_date"],
    common_types: &["xnat:experimentData", "xnat:subjectAssessorData", "xnat:imageSessionData"],
    type_suffix: "SessionData",
    schema: SESSION_SCHEMA,
};

/// Whether the value at a path is known only from the session's headers.
pub fn needs_headers(path: &str) -> bool {
    const KNOWN: [&str; 10] = ["ID", "project", "label", "visit", "protocol", "date", "UID", "subject_ID", TYPE, URI];
    !KNOWN.contains(&path) && !path.starts_with("meta/") && !path.starts_with("subject/")
}

/// Days of a list of recent experiments, where the request does not say.
const RECENT_DAYS: u64 = 10;
const DAY_MS: u64 = 24 * 3_600 * 1_000;

/// Since when experiments are wanted that came in lately, by the parameter `recent`, a number of days: in milliseconds
/// since the epoch.
///
/// # Errors
/// 400 for what is no number of days.
pub fn recent_since(params: &Params, now_ms: u64) -> Result<Option<u64>, ClientError> {
    let bad =
        || ClientError::bad_request("bad-days", "The parameter recent must be a number of days above 0, or true.");
    let days = match params.text("recent") {
        None => return Ok(None),
        Some("true") => RECENT_DAYS,
        Some(text) => text.parse::<u64>().ok().filter(|days| *days > 0).ok_or_else(bad)?,
    };
    Ok(Some(now_ms.saturating_sub(days.saturating_mul(DAY_MS))))
}

/// What is the subject's and no field of the experiment.
const SUBJECT_LABEL: &str = "subject/label";
/// The path of the project that the subject belongs to.
pub const SUBJECT_PROJECT: &str = "subject/project";

/// The list of these experiments, each with its session's headers if the request needs them. `homes` are the projects of
/// the subjects, by their identifiers, if it needs those.
pub fn table(
    listing: &Listing,
    title: &'static str,
    experiments: &[(Experiment, Option<ImageSession>)],
    homes: &BTreeMap<String, String>,
) -> Table {
    let rows = experiments.iter().map(|(experiment, session)| {
        let fields = session.as_ref().map(|session| session_fields(session, &context(experiment, &[], &[])));
        let fields: &[Field] = fields.as_deref().unwrap_or(&experiment.fields);
        listing.row(experiment.xsi_type.as_str(), |path| match path {
            SUBJECT_PROJECT => homes.get(&experiment.subject_id).cloned().unwrap_or_default(),
            path => value(experiment, fields, path),
        })
    });
    listing.table(title, rows.collect())
}

fn value(experiment: &Experiment, fields: &[Field], path: &str) -> String {
    match path {
        "ID" => experiment.id.clone(),
        "project" => experiment.project.clone(),
        "label" => experiment.label.clone(),
        "visit" => experiment.visit.clone(),
        "protocol" => experiment.protocol.clone(),
        // What somebody has set stands before what the headers say.
        "date" => Some(value_at(&experiment.fields, path))
            .filter(|date| !date.is_empty())
            .unwrap_or_else(|| experiment.date.clone()),
        "UID" => shown_uid(&experiment.uid).to_owned(),
        "subject_ID" => experiment.subject_id.clone(),
        SUBJECT_LABEL => experiment.subject_label.clone(),
        "meta/insert_date" => date_time(experiment.insert_ms),
        "meta/insert_user/login" => experiment.insert_user.clone(),
        "meta/last_modified" => date_time(experiment.last_modified_ms()),
        TYPE => experiment.xsi_type.as_str().to_owned(),
        URI => format!("/data/experiments/{}", experiment.id),
        path => value_at(fields, path),
    }
}
