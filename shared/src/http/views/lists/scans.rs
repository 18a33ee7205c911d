//! Lists of scans.

use super::{ListField, ListKind, Listing, TYPE, URI, value_at};
use crate::domain::archive::Experiment;
use crate::domain::manifest::StoredScan;
use crate::domain::time::date_time;
use crate::http::Table;
use crate::http::path::join_segments;
use crate::http::views::archive::scan_context;
use crate::imaging::fields::SCAN_SCHEMA;
use crate::imaging::item::scan_fields;

macro_rules! fields {
    ($($type:literal { $($name:literal $path:literal)* })*) => {
        &[$($(ListField { name: $name, xpath: concat!("xnat:", $type, "/", $path), path: $path },)*)*]
    };
}

/// What a list of scans can be asked for.
pub static SCANS: ListKind = ListKind {
    fields: fields! {
        "imageScanData" {
            "ID" "ID"
            "type" "type"
            "UID" "UID"
            "note" "note"
            "quality" "quality"
            "condition" "condition"
            "series_description" "series_description"
            "documentation" "documentation"
            "scanner" "scanner"
            "modality" "modality"
            "frames" "frames"
            "validation_method" "validation/method"
            "validation_status" "validation/status"
            "validation_date" "validation/date"
            "validation_notes" "validation/notes"
        }
        "mrScanData" {
            "coil" "coil"
            "fieldStrength" "fieldStrength"
            "marker" "marker"
            "stabilization" "stabilization"
        }
        "petScanData" {
            "scanTime" "parameters/scanTime"
            "orientation" "parameters/orientation"
            "originalFileName" "parameters/originalFileName"
            "systemType" "parameters/systemType"
            "fileType" "parameters/fileType"
            "transaxialFOV" "parameters/transaxialFOV"
            "acqType" "parameters/acqType"
            "facility" "parameters/facility"
            "numPlanes" "parameters/numPlanes"
            "numFrames" "parameters/frames/numFrames"
            "numGates" "parameters/numGates"
            "planeSeparation" "parameters/planeSeparation"
            "binSize" "parameters/binSize"
            "dataType" "parameters/dataType"
        }
        "imageScanData" {
            "xnat_imagescandata_id" "xnat_imagescandata_id"
            "insert_date" "meta/insert_date"
            "insert_user" "meta/insert_user/login"
            "last_modified" "meta/last_modified"
            "xsiType" "xsiType"
        }
    },
    defaults: &["xnat_imagescandata_id", "ID", "type", "quality", "xsiType", "note", "series_description"],
    common_types: &["xnat:imageScanData"],
    type_suffix: "ScanData",
    schema: SCAN_SCHEMA,
};

/// The list of these scans of an experiment.
pub fn table(listing: &Listing, experiment: &Experiment, scans: &[StoredScan]) -> Table {
    let wanted = scans.iter().filter(|stored| listing.wants_type(stored.scan.xsi_type.as_str()));
    let rows = wanted.map(|stored| {
        let fields = scan_fields(&stored.scan, &scan_context(experiment, stored), &experiment.id);
        listing.row(stored.scan.xsi_type.as_str(), |path| match path {
            "xnat_imagescandata_id" => stored.number.to_string(),
            "meta/insert_date" => date_time(experiment.insert_ms),
            "meta/last_modified" => date_time(experiment.last_modified_ms()),
            "meta/insert_user/login" => experiment.insert_user.clone(),
            TYPE => stored.scan.xsi_type.as_str().to_owned(),
            URI => format!("/data{}", join_segments(["experiments", &experiment.id, "scans", &stored.scan.id])),
            path => value_at(&fields, path),
        })
    });
    listing.table("Scans", rows.collect())
}
