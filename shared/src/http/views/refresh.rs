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
        "not_appended",
        "digests",
        "damaged",
        "missing",
        "removed",
        "recounted",
        "damaged_files",
        "missing_files",
        "not_appended_files",
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
        refreshed.appended.to_string(),
        refreshed.not_appended_count.to_string(),
        refreshed.digests_taken.to_string(),
        refreshed.damaged_count.to_string(),
        refreshed.missing_count.to_string(),
        refreshed.removed.to_string(),
        refreshed.was_miscounted.to_string(),
        refreshed.damaged.join("\n"),
        refreshed.missing.join("\n"),
        refreshed.not_appended.join("\n"),
    ]);
}
