//! Sessions and scans as items: what headers say together with what the server and its users say.

use super::fields::{Field, SCAN_SCHEMA, SESSION_SCHEMA, known_path, sort_by_schema};
use super::session::{ImageSession, Scan};
use std::collections::BTreeMap;

/// A resource as a session or scan refers to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resource {
    /// Label: `DICOM`, `secondary`, ...
    pub label: String,
    /// Content: `RAW`, `secondary`, ...; may be empty.
    pub content: String,
    /// Format: `DICOM`, ...; may be empty.
    pub format: String,
    /// What it is, in words; may be empty.
    pub description: String,
    /// URI of its catalog: relative to the session folder in the prearchive, absolute in the archive.
    pub uri: String,
    /// Files, once counted.
    pub file_count: Option<u64>,
    /// Bytes of all files, once counted.
    pub file_size: Option<u64>,
}

/// What is known of a session besides its headers.
#[derive(Debug, Clone, Default)]
pub struct SessionContext {
    /// Its ID; empty in the prearchive.
    pub id: String,
    /// Its project; empty if unassigned.
    pub project: String,
    /// Its label.
    pub label: String,
    /// Its subject: the label in the prearchive, the ID in the archive; may be empty.
    pub subject: String,
    /// Visit; may be empty.
    pub visit: String,
    /// Protocol; may be empty.
    pub protocol: String,
    /// Where it stands in the prearchive; empty in the archive.
    pub prearchive_path: String,
    /// Fields that someone has set; they replace those of the same path.
    pub fields: Vec<Field>,
    /// The other projects that it is in, each with its label there.
    pub shares: Vec<[String; 2]>,
    /// Resources of the session itself.
    pub resources: Vec<Resource>,
    /// What is known of its scans, by scan ID.
    pub scans: BTreeMap<String, ScanContext>,
    /// Its assessors.
    pub assessors: Vec<AssessorContext>,
}

/// An assessor, as its document has it.
#[derive(Debug, Clone, Default)]
pub struct AssessorContext {
    /// Its data type.
    pub xsi_type: String,
    /// The element that is an item of this type.
    pub element: String,
    /// Its fields in schema order.
    pub fields: Vec<Field>,
    /// Its resources.
    pub resources: Vec<Resource>,
}

/// What is known of a scan besides its headers.
#[derive(Debug, Clone, Default)]
pub struct ScanContext {
    /// Its type, given when archiving; empty before.
    pub scan_type: String,
    /// Its quality, given when archiving; empty before.
    pub quality: String,
    /// Its project, where an item names it; may be empty.
    pub project: String,
    /// Fields that someone has set; they replace those of the same path.
    pub fields: Vec<Field>,
    /// Its resources.
    pub resources: Vec<Resource>,
}

/// The fields of a session as path and value in schema order, without scans and resources.
pub fn session_fields(session: &ImageSession, context: &SessionContext) -> Vec<Field> {
    let mut fields = vec![Field::text("ID", &context.id)];
    for (path, text) in [
        ("project", &context.project),
        ("label", &context.label),
        ("visit", &context.visit),
        ("protocol", &context.protocol),
        ("subject_ID", &context.subject),
        ("prearchivePath", &context.prearchive_path),
    ] {
        fields.extend((!text.is_empty()).then(|| Field::text(path, text)));
    }
    fields.extend(session.flat_fields());
    with_set(fields, &context.fields, SESSION_SCHEMA)
}

/// The fields of a scan as path and value in schema order, without resources. `session_id` is that of the archived
/// session, empty in the prearchive.
pub fn scan_fields(scan: &Scan, context: &ScanContext, session_id: &str) -> Vec<Field> {
    let mut fields = scan.flat_fields();
    for (path, text) in [
        ("type", context.scan_type.as_str()),
        ("project", &context.project),
        ("image_session_ID", session_id),
        ("quality", &context.quality),
    ] {
        fields.extend((!text.is_empty()).then(|| Field::text(path, text)));
    }
    with_set(fields, &context.fields, SCAN_SCHEMA)
}

/// The fields with those that someone has set, which replace those of the same path, in the order of a schema.
pub(crate) fn with_set(fields: Vec<Field>, set: &[Field], schema: &[&str]) -> Vec<Field> {
    let mut all: Vec<Field> = Vec::with_capacity(fields.len() + set.len());
    for new in fields.into_iter().chain(set.iter().cloned()) {
        // Older records may have a path in two spellings.
        let path = known_path(&new.path);
        match all.iter_mut().find(|field| field.path == path) {
            Some(field) => field.value = new.value,
            None => all.push(Field { path: path.to_owned(), value: new.value }),
        }
    }
    sort_by_schema(&mut all, schema);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::testing::mr_series;
    use crate::imaging::{PetMr, build_session};

    #[test]
    fn what_someone_has_set_replaces_what_headers_say() {
        let session = build_session(&[mr_series()], PetMr::PetMr);
        let mut context = SessionContext { label: "S01_MR1".to_owned(), ..Default::default() };
        context.fields = vec![Field::text("operator", "ME"), Field::text("note", "n")];
        let fields = session_fields(&session, &context);
        let value = |path: &str| fields.iter().find(|f| f.path == path).map(|f| f.value.to_string());
        assert_eq!(value("operator").as_deref(), Some("ME"));
        assert_eq!(value("note").as_deref(), Some("n"));
        assert_eq!(value("label").as_deref(), Some("S01_MR1"));
        assert_eq!(fields.iter().filter(|f| f.path == "operator").count(), 1);
    }

    #[test]
    fn a_custom_variable_has_one_value_whatever_its_path() {
        let session = build_session(&[mr_series()], PetMr::PetMr);
        let set = ["fields/field[name=a]", "fields/field[name=a]/field"].map(|path| Field::text(path, path));
        let context = SessionContext { fields: set.to_vec(), ..Default::default() };
        let fields = session_fields(&session, &context);
        let custom: Vec<_> = fields.iter().filter(|field| field.path.contains("name=a")).collect();
        assert_eq!(custom, [&Field::text("fields/field[name=a]", "fields/field[name=a]/field")]);
    }
}
