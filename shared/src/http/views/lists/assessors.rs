//! Lists of assessors.

use super::{ListField, ListKind, Listing, TYPE, URI, value_at};
use crate::domain::archive::Experiment;
use crate::domain::time::date_time;
use crate::http::Table;
use crate::http::views::assessor::fields;
use crate::imaging::fields::ASSESSOR_SCHEMA;

macro_rules! fields {
    ($($type:literal { $($name:literal $path:literal)* })*) => {
        &[$($(ListField { name: $name, xpath: concat!("xnat:", $type, "/", $path), path: $path },)*)*]
    };
}

/// What a list of assessors can be asked for.
pub static ASSESSORS: ListKind = ListKind {
    fields: fields! {
        "experimentData" {
            "ID" "ID"
            "project" "project"
            "label" "label"
            "visit_id" "visit"
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
        "imageAssessorData" {
            "session_ID" "imageSession_ID"
        }
        "imageSessionData" {
            "session_label" "label of the session"
            "session_project" "project of the session"
        }
        "experimentData" {
            "insert_date" "meta/insert_date"
            "insert_user" "meta/insert_user/login"
            "last_modified" "meta/last_modified"
            "xsiType" "xsiType"
        }
    },
    defaults: &["ID", "project", "date", "xsiType", "label", "insert_date", "session_ID", "session_label"],
    common_types: &GENERAL_TYPES,
    type_suffix: "Data",
    schema: ASSESSOR_SCHEMA,
};

/// Types that every assessor is of.
pub const GENERAL_TYPES: [&str; 3] = ["xnat:experimentData", "xnat:derivedData", "xnat:imageAssessorData"];

/// The list of these assessors, each with its session's label.
pub fn table(listing: &Listing, title: &'static str, assessors: &[(Experiment, String)]) -> Table {
    let rows = assessors.iter().map(|(assessor, session)| {
        let fields = fields(assessor);
        listing.row(assessor.xsi_type.as_str(), |path| match path {
            "label of the session" => session.clone(),
            "project of the session" => assessor.project.clone(),
            "meta/insert_date" => date_time(assessor.insert_ms),
            "meta/insert_user/login" => assessor.insert_user.clone(),
            "meta/last_modified" => date_time(assessor.last_modified_ms()),
            TYPE => assessor.xsi_type.as_str().to_owned(),
            URI => format!("/data/experiments/{}", assessor.id),
            path => value_at(&fields, path),
        })
    });
    listing.table(title, rows.collect())
}
