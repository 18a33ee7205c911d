//! What a refresh of catalogs found and did.

use crate::domain::refresh::Refreshed;
use crate::http::Table;

/// An empty table.
pub fn table() -> Table {
    Table::with_columns([
        "resource",
        "scan",
        "assessor",
        "label",
        "xnat_abstractresource_id",
        "file_count",
        "file_size",
        "appended",
        "digests",
        "damaged",
        "missing",
        "removed",
        "recounted",
        "damaged_files",
        "missing_files",
    ])
    .titled("Catalogs")
}

/// Adds a resource; `asked` is what the client named.
pub fn add(table: &mut Table, asked: &str, refreshed: &Refreshed) {
    table.push([
        asked.to_owned(),
        refreshed.scan.clone().unwrap_or_default(),
        refreshed.assessor.clone().unwrap_or_default(),
        refreshed.label.clone(),
        refreshed.number.to_string(),
        refreshed.files.to_string(),
        refreshed.bytes.to_string(),
        // Files are where their entries say and nowhere else: there is never one without an entry.
        "0".to_owned(),
        refreshed.digests_taken.to_string(),
        refreshed.damaged_count.to_string(),
        refreshed.missing_count.to_string(),
        refreshed.removed.to_string(),
        refreshed.was_miscounted.to_string(),
        refreshed.damaged.join("\n"),
        refreshed.missing.join("\n"),
    ]);
}
