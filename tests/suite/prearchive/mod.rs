//! The prearchive: lists, one session, its scans, resources, files.

mod document;
mod downloads;
pub(crate) mod formats;
mod list;
mod model;
mod resources;
mod session;

/// The columns of every prearchive table, in XNAT's order.
const COLUMNS: [&str; 19] = [
    "project",
    "timestamp",
    "lastmod",
    "uploaded",
    "scan_date",
    "scan_time",
    "subject",
    "folderName",
    "name",
    "tag",
    "status",
    "url",
    "autoarchive",
    "prevent_anon",
    "prevent_auto_commit",
    "SOURCE",
    "VISIT",
    "PROTOCOL",
    "TIMEZONE",
];
