//! Fields that a client sets by XPath, such as `xnat:petSessionData/tracer/name`.

use super::error::ClientError;
use super::params::Params;
use crate::imaging::Field;
use crate::imaging::fields::SESSION_SCHEMA;

/// Types whose fields every image session has.
const COMMON_TYPES: [&str; 3] = ["xnat:experimentData", "xnat:subjectAssessorData", "xnat:imageSessionData"];

/// First steps that other parameters and actions decide, or that follow from the images.
pub(super) const NOT_TO_BE_SET: [&str; 12] = [
    "ID",
    "project",
    "label",
    "UID",
    "subject_ID",
    "sharing",
    "prearchivePath",
    "scans",
    "resources",
    "reconstructions",
    "assessors",
    "regions",
];

/// The fields of a session that the parameters set: those whose names are XPaths.
///
/// # Errors
/// 400 for a path that no image session has, or that cannot be set.
pub fn session_fields(params: &Params) -> Result<Vec<Field>, ClientError> {
    let mut fields = Vec::new();
    for (name, value) in params.iter() {
        let Some((kind, path)) = name.split_once('/').filter(|(kind, _)| kind.starts_with("xnat:")) else { continue };
        let is_session = COMMON_TYPES.contains(&kind) || kind.ends_with("SessionData");
        let head = path.split(['/', '[']).next().unwrap_or_default();
        if !is_session || !is_path(path) || !SESSION_SCHEMA.contains(&head) || NOT_TO_BE_SET.contains(&head) {
            let shown: String = name.chars().take(100).collect();
            let sentence = format!("The field {shown} is none of an image session that can be set here.");
            return Err(ClientError::bad_request("unknown-field", sentence));
        }
        fields.push(Field::text(path, value));
    }
    Ok(fields)
}

/// Steps of letters, digits, `_` and `-`, each with `[name=...]` behind it at most.
pub(in crate::http) fn is_path(path: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') && word.len() <= 64
    };
    path.len() <= 256
        && path.split('/').all(|step| match step.split_once('[') {
            None => is_word(step),
            Some((word, predicate)) => {
                let inner = predicate.strip_suffix(']').and_then(|inner| inner.split_once('='));
                is_word(word) && inner.is_some_and(|(name, value)| is_word(name) && is_word(value))
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(query: &str) -> Result<Vec<(String, String)>, u16> {
        let params = Params::from_query(query).unwrap();
        match session_fields(&params) {
            Ok(fields) => Ok(fields.into_iter().map(|field| (field.path, field.value.to_string())).collect()),
            Err(error) => Err(error.status.number()),
        }
    }

    #[test]
    fn paths_of_sessions_are_fields_and_other_parameters_are_none() {
        let found = fields("action=commit&xnat:petSessionData/tracer/name=FDG&xnat:experimentData/note=a%20b").unwrap();
        assert_eq!(found, [("tracer/name".to_owned(), "FDG".to_owned()), ("note".to_owned(), "a b".to_owned())]);
        let found = fields("xnat:mrSessionData/fields/field[name%3Dx]=1").unwrap();
        assert_eq!(found[0].0, "fields/field[name=x]");
    }

    #[test]
    fn what_is_no_field_or_not_to_be_set_is_refused() {
        for query in [
            "xnat:mrSessionData/nothing=1",
            "xnat:mrSessionData/label=1",
            "xnat:mrSessionData/project=1",
            "xnat:mrSessionData/scans/scan=1",
            "xnat:subjectData/note=1",
            "xnat:mrSessionData/note/../x=1",
            "xnat:mrSessionData/fields/field[name]=1",
            "xnat:mrSessionData/=1",
        ] {
            assert_eq!(fields(query), Err(400), "{query}");
        }
    }
}
