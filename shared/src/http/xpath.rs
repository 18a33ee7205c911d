//! Fields that a client sets by XPath, such as `xnat:petSessionData/tracer/name`.

use super::error::ClientError;
use super::forms::items::{ScanForm, field};
use super::params::Params;
use crate::domain::prearchive::scan_fields::{MAX_SCAN_FIELDS, ScanSelector, ScanWish};
use crate::imaging::Field;
use crate::imaging::fields::{SESSION_SCHEMA, known_path};
use crate::imaging::types::ScanType;

/// How the path of a field of a scan begins.
const SCAN: &str = "scans/scan[";

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

/// Fields that name a session and its subject.
const NAMES: [&str; 2] = ["label", "subject_ID"];

/// The label that the parameters give a session, by XNAT's order (XNAT.md 14.1).
pub fn session_label(params: &Params) -> Option<&str> {
    params
        .text("session")
        .or_else(|| session_text(params, "label"))
        .or_else(|| params.text_of(&["EXPT_LABEL", "label"]))
}

/// The label or identifier that the parameters give a session's subject, in the same order.
pub fn subject_label(params: &Params) -> Option<&str> {
    let by_path = || session_text(params, "subject_ID");
    params.text("subject").or_else(by_path).or_else(|| params.text_of(&["SUBJECT_ID", "subject_ID"]))
}

/// The text that a parameter sets which names this field of a session, whatever its data type: `xnat:mrSessionData/label`.
fn session_text<'a>(params: &'a Params, path: &str) -> Option<&'a str> {
    let is_it = |name: &str| name.split_once('/').is_some_and(|(kind, field)| is_of_session(kind) && field == path);
    params.iter().find(|(name, value)| is_it(name) && !value.trim().is_empty()).map(|(_, value)| value.trim())
}

/// The fields of a session that the parameters set: those whose names are XPaths.
///
/// # Errors
/// 400 for a path that no image session has or that cannot be set, or a value that the field cannot have.
pub fn session_fields(params: &Params) -> Result<Vec<Field>, ClientError> {
    fields(params, &[])
}

/// As [`session_fields`], but for those that [`session_label`] and [`subject_label`] read.
///
/// # Errors
/// As [`session_fields`].
pub fn fields_beside_names(params: &Params) -> Result<Vec<Field>, ClientError> {
    fields(params, &NAMES)
}

fn fields(params: &Params, read_elsewhere: &[&str]) -> Result<Vec<Field>, ClientError> {
    let mut fields = Vec::new();
    for (name, value) in params.iter().filter(|(name, _)| !is_of_scan(name)) {
        let Some((kind, path)) = name.split_once('/').filter(|(kind, _)| kind.starts_with("xnat:")) else { continue };
        if is_of_session(kind) && read_elsewhere.contains(&path) {
            continue;
        }
        let path = known_path(path);
        let head = path.split(['/', '[']).next().unwrap_or_default();
        if !is_of_session(kind) || !is_path(path) || !SESSION_SCHEMA.contains(&head) || NOT_TO_BE_SET.contains(&head) {
            let shown: String = name.chars().take(100).collect();
            let sentence = format!("The field {shown} is none of an image session that can be set here.");
            return Err(ClientError::bad_request("unknown-field", sentence));
        }
        fields.push(field(path, value)?);
    }
    Ok(fields)
}

/// Whether a data type is that of a session.
fn is_of_session(kind: &str) -> bool {
    COMMON_TYPES.contains(&kind) || (kind.starts_with("xnat:") && kind.ends_with("SessionData"))
}

/// Whether a name is the path of a field of a session's scan.
fn is_of_scan(name: &str) -> bool {
    name.split_once('/').is_some_and(|(kind, path)| kind.starts_with("xnat:") && path.starts_with(SCAN))
}

/// The fields of a session's scans that the parameters set: `xnat:mrSessionData/scans/scan[0]/type`, with the scan's
/// place (from 0), its ID (`[ID=4]`, `[@ID=4]`), or its data type as well (`[0][@xsi:type=xnat:mrScanData]`).
///
/// # Errors
/// 400 for a path that no scan has, that cannot be set, or that names no scan.
pub fn scan_wishes(params: &Params) -> Result<Vec<ScanWish>, ClientError> {
    let mut wishes = Vec::new();
    for (name, value) in params.iter().filter(|(name, _)| is_of_scan(name)) {
        let shown = || name.chars().take(100).collect::<String>();
        let unknown = || {
            let sentence = format!(
                "The field {} is none of a scan that can be set here; name it as \
                 xnat:mrSessionData/scans/scan[ID=4]/type, or with the scan's place: scan[0].",
                shown()
            );
            ClientError::bad_request("unknown-field", sentence)
        };
        let (kind, path) = name.split_once('/').ok_or_else(unknown)?;
        if !is_of_session(kind) {
            return Err(unknown());
        }
        let rest = path.strip_prefix(SCAN.trim_end_matches('[')).ok_or_else(unknown)?;
        let (scan, field) = selected(rest).ok_or_else(unknown)?;
        // These follow from the images.
        if matches!(field, "ID" | "UID") {
            return Err(unknown());
        }
        let mut form = ScanForm::default();
        form.set(field, value)?;
        wishes.push(ScanWish { scan, change: form.change });
        if wishes.len() > MAX_SCAN_FIELDS {
            let sentence = format!("At most {MAX_SCAN_FIELDS} fields of scans can be set in one request.");
            return Err(ClientError::bad_request("too-many", sentence));
        }
    }
    Ok(wishes)
}

/// What stands in brackets behind `scan`, and the path of the field behind it.
fn selected(text: &str) -> Option<(ScanSelector, &str)> {
    let mut scan = ScanSelector::default();
    let mut rest = text;
    while let Some(inner) = rest.strip_prefix('[') {
        let (predicate, behind) = inner.split_once(']')?;
        rest = behind;
        match predicate.split_once('=') {
            None => {
                let index = predicate.parse().ok()?;
                scan.index.replace(index).is_none().then_some(())?;
            }
            Some((name, value)) => {
                let quoted = |mark| value.strip_prefix(mark).and_then(|value: &str| value.strip_suffix(mark));
                let value = quoted('\'').or_else(|| quoted('"')).unwrap_or(value);
                let is_fresh = match name.strip_prefix('@').unwrap_or(name) {
                    "ID" if !value.is_empty() && value.len() <= 128 => scan.id.replace(value.to_owned()).is_none(),
                    "xsi:type" => scan.xsi_type.replace(ScanType::known(value)?).is_none(),
                    _ => false,
                };
                is_fresh.then_some(())?;
            }
        }
    }
    let is_named = scan.index.is_some() || scan.id.is_some();
    is_named.then_some((scan, rest.strip_prefix('/')?))
}

/// Elements with a name and a text, and no others in them.
const LEAVES: [&str; 2] = ["field[", "addParam["];

/// Steps of letters, digits, `_` and `-`, each with `[name=...]` behind it at most.
pub(in crate::http) fn is_path(path: &str) -> bool {
    let goes_on = path
        .rsplit_once('/')
        .is_some_and(|(before, _)| before.split('/').any(|step| LEAVES.iter().any(|leaf| step.starts_with(leaf))));
    if goes_on {
        return false;
    }
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

    fn set(query: &str) -> Result<Vec<(String, String)>, u16> {
        let params = Params::from_query(query).unwrap();
        match session_fields(&params) {
            Ok(fields) => Ok(fields.into_iter().map(|field| (field.path, field.value.to_string())).collect()),
            Err(error) => Err(error.status.number()),
        }
    }

    #[test]
    fn paths_of_sessions_are_fields_and_other_parameters_are_none() {
        let found = set("action=commit&xnat:petSessionData/tracer/name=FDG&xnat:experimentData/note=a%20b").unwrap();
        assert_eq!(found, [("tracer/name".to_owned(), "FDG".to_owned()), ("note".to_owned(), "a b".to_owned())]);
        let found = set("xnat:mrSessionData/fields/field[name%3Dx]=1").unwrap();
        assert_eq!(found[0].0, "fields/field[name=x]");
        let found = set("xnat:mrSessionData/fields/field[name%3Dx]/field=1").unwrap();
        assert_eq!(found[0].0, "fields/field[name=x]");
    }

    #[test]
    fn a_session_and_its_subject_are_named_by_parameters_and_paths_in_order() {
        let params = |query: &str| Params::from_query(query).unwrap();
        let all =
            "label=d&EXPT_LABEL=c&xnat:mrSessionData/label=b&session=a&xnat:mrSessionData/subject_ID=s&SUBJECT_ID=t";
        for (query, label) in [(all, "a"), (&all[..all.find("&session").unwrap()], "b"), ("label=d&EXPT_LABEL=c", "c")]
        {
            assert_eq!(session_label(&params(query)), Some(label), "{query}");
        }
        assert_eq!(subject_label(&params(all)), Some("s"));
        assert_eq!(subject_label(&params("xnat:subjectData/subject_ID=s&subject_ID=u")), Some("u"));
        assert!(fields_beside_names(&params(all)).unwrap().is_empty());
        assert!(fields_beside_names(&params("xnat:subjectData/label=1")).is_err());
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
            "xnat:mrSessionData/fields/field[name%3Dx]/name=1",
            "xnat:mrSessionData/=1",
        ] {
            assert_eq!(set(query), Err(400), "{query}");
        }
    }

    #[test]
    fn values_are_what_their_fields_can_have() {
        let set_to = |query: &str| set(&format!("xnat:mrSessionData/{query}")).map(|mut fields| fields.remove(0).1);
        for query in [
            "date=notadate",
            "date=2021-13-45",
            "date=2021-00-01",
            "time=99:99",
            "time=12",
            "time=12:30:60",
            "time=12:30.5",
            "time=1:2:3:4",
            "time=12:30:00%2B99:00",
            "time=noon",
            "age=abc",
            "age=NaN",
            "age=inf",
        ] {
            assert_eq!(set_to(query), Err(400), "{query}");
        }
        for (query, value) in [
            ("date=2021-03-09", "2021-03-09"),
            ("date=3/9/2021", "2021-03-09"),
            ("date=", ""),
            ("time=12:30", "12:30"),
            ("time=%2012:30:59.125", "12:30:59.125"),
            ("time=09:05:07Z", "09:05:07Z"),
            ("time=09:05:07%2B01:00", "09:05:07+01:00"),
            ("age=34", "34"),
            ("age=34.5", "34.5"),
        ] {
            assert_eq!(set_to(query).as_deref(), Ok(value), "{query}");
        }
    }

    fn wishes(query: &str) -> Result<Vec<ScanWish>, u16> {
        scan_wishes(&Params::from_query(query).unwrap()).map_err(|error| error.status.number())
    }

    #[test]
    fn scans_are_named_by_their_place_or_their_id() {
        let one = |query: &str| wishes(query).unwrap().remove(0).scan;
        let by = |index: Option<usize>, id: Option<&str>, xsi_type: Option<&str>| ScanSelector {
            index,
            id: id.map(str::to_owned),
            xsi_type: xsi_type.and_then(ScanType::known),
        };
        for (name, expected) in [
            ("scan[0]/type", by(Some(0), None, None)),
            ("scan[12][@xsi:type%3Dxnat:mrScanData]/type", by(Some(12), None, Some("xnat:mrScanData"))),
            ("scan[@xsi:type%3Dxnat:mrScanData][3]/type", by(Some(3), None, Some("xnat:mrScanData"))),
            ("scan[ID%3D4]/quality", by(None, Some("4"), None)),
            ("scan[@ID%3D4-MR1]/note", by(None, Some("4-MR1"), None)),
            ("scan[@ID%3D'4']/coil", by(None, Some("4"), None)),
        ] {
            let query = format!("xnat:mrSessionData/scans/{name}=x");
            assert_eq!(one(&query), expected, "{name}");
            assert_eq!(set(&query), Ok(Vec::new()), "it is no field of the session");
        }
        let both =
            wishes("xnat:imageSessionData/scans/scan[0]/type=T1&a=b&xnat:mrSessionData/scans/scan[0]/note=n").unwrap();
        assert_eq!(both[0].change.scan_type.as_deref(), Some("T1"));
        assert_eq!(both[1].change.fields, [Field::text("note", "n")]);
    }

    #[test]
    fn what_names_no_scan_or_no_field_of_one_is_refused() {
        for name in [
            "scan[0]",
            "scan[0]/",
            "scan[]/type",
            "scan[-1]/type",
            "scan[ID]/type",
            "scan[ID%3D]/type",
            "scan[ID%3D4][ID%3D5]/type",
            "scan[0][1]/type",
            "scan[label%3D4]/type",
            "scan[@xsi:type%3Dxnat:mrScanData]/type",
            "scan[0][@xsi:type%3Dxnat:nothing]/type",
            "scan[0/type",
            "scan[0]type",
            "scan[0]/nothing",
            "scan[0]/ID",
            "scan[0]/UID",
            "scan[0]/project",
            "scan[0]/frames",
            "scan[0]/note/../x",
        ] {
            assert_eq!(wishes(&format!("xnat:mrSessionData/scans/{name}=x")), Err(400), "{name}");
        }
        assert_eq!(wishes("xnat:subjectData/scans/scan[0]/type=x"), Err(400));
        let many: String =
            (0..=MAX_SCAN_FIELDS).map(|n| format!("&xnat:mrSessionData/scans/scan[{n}]/type=x")).collect();
        assert_eq!(wishes(&many), Err(400));
    }
}
