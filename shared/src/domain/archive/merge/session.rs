//! The fields of two sessions or scans as one: what is there stays, gaps are filled.

use crate::imaging::Field;
use crate::imaging::fields::{SCAN_SCHEMA, SESSION_SCHEMA, sort_by_schema};
use crate::imaging::session::{ImageSession, Scan, Scanner};

/// Fields of `new` whose paths `own` does not have.
pub(in crate::domain::archive) fn fill_fields(own: &mut Vec<Field>, new: &[Field]) {
    for field in new {
        if !own.iter().any(|known| known.path == field.path) {
            own.push(field.clone());
        }
    }
}

fn fill<T: Clone>(own: &mut Option<T>, new: &Option<T>) {
    if own.is_none() {
        own.clone_from(new);
    }
}

pub(in crate::domain::archive) fn fill_text(own: &mut String, new: &str) {
    if own.is_empty() {
        new.clone_into(own);
    }
}

fn fill_scanner(own: &mut Scanner, new: &Scanner) {
    fill_text(&mut own.name, &new.name);
    fill_text(&mut own.manufacturer, &new.manufacturer);
    fill_text(&mut own.model, &new.model);
}

/// Fills the gaps of a session; its scans are looked after elsewhere.
pub fn fill_session(own: &mut ImageSession, new: &ImageSession) {
    fill_text(&mut own.uid, &new.uid);
    fill(&mut own.modality, &new.modality);
    fill(&mut own.date, &new.date);
    fill(&mut own.time, &new.time);
    fill_scanner(&mut own.scanner, &new.scanner);
    fill_fields(&mut own.fields, &new.fields);
    sort_by_schema(&mut own.fields, SESSION_SCHEMA);
}

/// Fills the gaps of a scan; `frames` says how many it has now.
pub fn fill_scan(own: &mut Scan, new: &Scan, frames: u64) {
    fill(&mut own.series_description, &new.series_description);
    fill(&mut own.modality, &new.modality);
    fill(&mut own.start_time, &new.start_time);
    fill(&mut own.start_date, &new.start_date);
    fill_scanner(&mut own.scanner, &new.scanner);
    fill(&mut own.dimensions, &new.dimensions);
    fill(&mut own.voxel_size, &new.voxel_size);
    fill(&mut own.orientation, &new.orientation);
    fill_fields(&mut own.parameters, &new.parameters);
    sort_by_schema(&mut own.parameters, SCAN_SCHEMA);
    own.frames = frames;
    if let Some([_, _, images]) = &mut own.dimensions {
        *images = frames;
    }
}
