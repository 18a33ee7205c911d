//! From header values to project, subject, session, scan and file: XNAT's naming rules.

mod files;
mod labels;
mod scans;
mod template;

pub use files::{cleaned_file_name, gradual_file_name, is_allowed_file_name, numbered_name, sop_hash};
pub use labels::{
    AutoArchive, MAX_LABEL_CHARS, auto_archive, clean_label, fitted_label, project_candidates, session_label,
    subject_label,
};
pub use scans::{SECONDARY, is_secondary, receiving_folder, renamed_scan_id, scan_ids};
pub use template::{DEFAULT_TEMPLATE, NameTemplate, TemplateError};
