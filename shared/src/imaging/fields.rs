//! Fields of an item as path and value, the one description that XML and JSON are made from.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The value of a field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FieldValue {
    /// A whole number.
    Int(i64),
    /// A number that is written with at least one decimal. Always finite.
    Float(f64),
    /// Anything else.
    Text(String),
}

impl fmt::Display for FieldValue {
    /// As XNAT writes it in XML: floats with at least one decimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(number) => write!(f, "{number}"),
            // The debug form of a float always has a decimal point or an exponent.
            Self::Float(number) => write!(f, "{number:?}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// One field of an item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// Its path below the item, as in `scanner/manufacturer` or `parameters/tr`. An element that can be repeated
    /// carries its position or name: `parameters/addParam[name=MultiEcho_TE1]`.
    #[serde(rename = "p")]
    pub path: String,
    /// Its value.
    #[serde(rename = "v")]
    pub value: FieldValue,
}

impl Field {
    /// A field with a text.
    pub fn text(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { path: path.into(), value: FieldValue::Text(text.into()) }
    }

    /// A field with a whole number.
    pub fn int(path: impl Into<String>, number: i64) -> Self {
        Self { path: path.into(), value: FieldValue::Int(number) }
    }

    /// Whether it belongs to an element that can be repeated: such elements stand among the children of a JSON
    /// item, not among its `data_fields`.
    pub fn is_repeated(&self) -> bool {
        self.path.contains('[')
    }

    /// The first step of the path.
    pub fn head(&self) -> &str {
        self.path.split(['/', '[']).next().unwrap_or_default()
    }
}

/// The steps by which XNAT's paths may name the text of an element that is told from its like by a name.
const TEXT_STEPS: [(&str, &str); 3] = [("field", "/field"), ("addParam", "/addField"), ("addParam", "/addParam")];

/// The path by which a field is known: `fields/field[name=a]/field` is `fields/field[name=a]`, and
/// `parameters/addParam[name=b]/addField` is `parameters/addParam[name=b]`.
pub(crate) fn known_path(path: &str) -> &str {
    let element_of = |(element, text): (&str, &str)| {
        let whole = path.strip_suffix(text).filter(|whole| whole.ends_with(']'))?;
        let (before, _) = whole.split_once("[name=")?;
        (before.rsplit('/').next() == Some(element)).then_some(whole)
    };
    TEXT_STEPS.into_iter().find_map(element_of).unwrap_or(path)
}

/// Puts fields in the order of a schema, which lists the first steps of paths; what it does not list comes last.
pub(crate) fn sort_by_schema(fields: &mut [Field], schema: &[&str]) {
    fields.sort_by_key(|field| rank(field.head(), schema));
}

/// The position of a path's first step in a schema.
pub(crate) fn rank(head: &str, schema: &[&str]) -> usize {
    schema.iter().position(|known| *known == head).unwrap_or(schema.len())
}

/// Scan: attributes, then elements in schema order (XNAT's `imageScanData` and its extensions).
pub(crate) static SCAN_SCHEMA: &[&str] = &[
    "ID",
    "type",
    "UID",
    "project",
    "image_session_ID",
    "note",
    "quality",
    "condition",
    "series_description",
    "series_class",
    "documentation",
    "scanner",
    "modality",
    "frames",
    "operator",
    "file",
    "validation",
    "startTime",
    "start_date",
    "requestedProcedureDescription",
    "protocolName",
    "bodyPartExamined",
    "custom_fields",
    "contrasts",
    "coil",
    "fieldStrength",
    "marker",
    "stabilization",
    "parameters",
    "dcmValidation",
];

/// Session: attributes, then elements in schema order (XNAT's `imageSessionData` and its extensions).
pub(crate) static SESSION_SCHEMA: &[&str] = &[
    "ID",
    "project",
    "label",
    "visit",
    "protocol",
    "version",
    "UID",
    "modality",
    "session_type",
    "study_id",
    "sharing",
    "date",
    "time",
    "duration",
    "delay",
    "note",
    "investigator",
    "validation",
    "resources",
    "fields",
    "acquisition_site",
    "custom_fields",
    "subject_ID",
    "age",
    "regions",
    "scanner",
    "operator",
    "prearchivePath",
    "scans",
    "reconstructions",
    "assessors",
    "dcmAccessionNumber",
    "dcmPatientId",
    "dcmPatientName",
    "dcmPatientBirthDate",
    "dcmPatientWeight",
    "studyType",
    "patientID",
    "patientName",
    "start_time",
    "start_time_scan",
    "start_time_injection",
    "tracer",
    "coil",
    "fieldStrength",
    "marker",
    "stabilization",
];

/// Assessor: attributes, then elements in schema order (XNAT's `imageAssessorData`, and those of its extensions that are
/// defined here).
pub(crate) static ASSESSOR_SCHEMA: &[&str] = &[
    "ID",
    "project",
    "label",
    "visit",
    "protocol",
    "version",
    "sharing",
    "date",
    "time",
    "duration",
    "delay",
    "note",
    "investigator",
    "validation",
    "resources",
    "fields",
    "acquisition_site",
    "imageSession_ID",
    "parameters",
    "rater",
    "stereotacticMarker",
    "incidentalFindings",
    "scans",
    "comments",
    "pass",
    "payable",
    "rescan",
    "resolvable",
    "retrain",
    "type",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_with_a_decimal() {
        assert_eq!(FieldValue::Float(2400.0).to_string(), "2400.0");
        assert_eq!(FieldValue::Float(3.08).to_string(), "3.08");
        assert_eq!(FieldValue::Int(176).to_string(), "176");
    }

    #[test]
    fn json_keeps_the_type_of_a_value() {
        for field in [
            Field::int("frames", 3),
            Field::text("a", "3"),
            Field { value: FieldValue::Float(3.0), ..Field::int("b", 0) },
        ] {
            let json = serde_json::to_string(&field).unwrap();
            assert_eq!(serde_json::from_str::<Field>(&json).unwrap(), field, "{json}");
        }
    }

    #[test]
    fn the_text_of_a_named_element_has_one_path() {
        for (path, known) in [
            ("fields/field[name=a]/field", "fields/field[name=a]"),
            ("parameters/addParam[name=b]/addField", "parameters/addParam[name=b]"),
            ("parameters/addParam[name=b]/addParam", "parameters/addParam[name=b]"),
            ("fields/field[name=a/b]/field", "fields/field[name=a/b]"),
            ("fields/field[name=a]", "fields/field[name=a]"),
            ("fields/field[name=a]/addField", "fields/field[name=a]/addField"),
            ("fields/field", "fields/field"),
            ("field", "field"),
        ] {
            assert_eq!(known_path(path), known, "{path}");
        }
    }

    #[test]
    fn fields_are_put_in_schema_order() {
        let mut fields =
            [Field::int("parameters/tr", 1), Field::int("frames", 1), Field::int("ID", 1), Field::int("x", 1)];
        sort_by_schema(&mut fields, SCAN_SCHEMA);
        assert_eq!(fields.map(|field| field.path), ["ID", "frames", "parameters/tr", "x"]);
    }
}
