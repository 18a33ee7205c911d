//! What a client says of a subject, experiment or scan, in parameters or in a document.

use std::collections::BTreeMap;

use super::project::CONTROLS;
use crate::domain::archive::{ExperimentChange, ScanChange, StatusChange, SubjectChange};
use crate::http::{ClientError, Params};
use crate::imaging::Field;
use crate::imaging::fields::{SCAN_SCHEMA, SESSION_SCHEMA};
use crate::imaging::types::{ScanType, SessionType};
use crate::xml::read::{read, read_any};

/// XNAT's data type of subjects.
const SUBJECT_TYPE: &str = "xnat:subjectData";

/// XNAT's short names of a subject's fields, with their paths.
pub const SUBJECT_FIELDS: &[(&str, &str)] = &[
    ("group", "group"),
    ("src", "src"),
    ("initials", "initials"),
    ("pi_firstname", "PI/firstname"),
    ("pi_lastname", "PI/lastname"),
    ("dob", "demographics/dob"),
    ("yob", "demographics/yob"),
    ("age", "demographics/age"),
    ("gender", "demographics/gender"),
    ("handedness", "demographics/handedness"),
    ("ses", "demographics/ses"),
    ("education", "demographics/education"),
    ("educationDesc", "demographics/educationDesc"),
    ("race", "demographics/race"),
    ("ethnicity", "demographics/ethnicity"),
    ("weight", "demographics/weight"),
    ("height", "demographics/height"),
    ("gestational_age", "demographics/gestational_age"),
    ("post_menstrual_age", "demographics/post_menstrual_age"),
    ("birth_weight", "demographics/birth_weight"),
];

/// Short names of an experiment's fields, with their paths; all others have the same name as their path.
const EXPERIMENT_NAMES: &[(&str, &str)] =
    &[("visit_id", "visit"), ("pi_firstname", "investigator/firstname"), ("pi_lastname", "investigator/lastname")];

/// First steps of an experiment's fields that are decided otherwise.
const NOT_OF_EXPERIMENTS: &[&str] = &[
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

/// First steps of a scan's fields that are decided otherwise.
const NOT_OF_SCANS: &[&str] = &["project", "image_session_ID", "file"];

/// Parameters of experiments that ask for work which this version does not do.
const NOT_YET: &[(&str, &str)] = &[
    ("fixScanTypes", "guessing the types of scans"),
    ("triggerPipelines", "starting pipelines"),
    ("pullDataFromHeaders", "reading headers again"),
    ("allowDataDeletion", "removing what a document leaves out"),
];

/// What a client says of a subject.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubjectForm {
    /// Its identifier, if the client names it.
    pub id: Option<String>,
    /// Its project, if the client names it.
    pub project: Option<String>,
    /// What is to be changed.
    pub change: SubjectChange,
}

impl SubjectForm {
    /// Reads a document, if there is one, and the parameters, which beat it.
    ///
    /// # Errors
    /// 400 for what is no field of a subject or no value of one, 422 for a document that is no subject's.
    pub fn read(document: Option<&[u8]>, params: &Params) -> Result<Self, ClientError> {
        let mut form = Self::default();
        if let Some(document) = document {
            for (path, value) in read(document, "Subject")? {
                form.set(&path, &value)?;
            }
        }
        for (name, value) in asked(params) {
            if name == "xsiType" {
                if value != SUBJECT_TYPE {
                    let sentence = format!("The xsiType of a subject is {SUBJECT_TYPE}.");
                    return Err(ClientError::bad_request("wrong-type", sentence));
                }
                continue;
            }
            form.set(&path_of(name, &[SUBJECT_TYPE]), value)?;
        }
        Ok(form)
    }

    fn set(&mut self, path: &str, value: &str) -> Result<(), ClientError> {
        match path {
            "ID" => self.id = Some(value.to_owned()),
            "project" => self.project = Some(value.to_owned()),
            "label" => self.change.label = Some(value.trim().to_owned()).filter(|label| !label.is_empty()),
            path => {
                let found = SUBJECT_FIELDS.iter().find(|(short, long)| *short == path || *long == path);
                let Some((short, _)) = found else { return Err(unknown_field("A subject", path)) };
                self.change.fields.insert((*short).to_owned(), checked(short, value.trim())?);
            }
        }
        Ok(())
    }
}

/// A value of a subject's field as it is kept.
fn checked(name: &str, value: &str) -> Result<String, ClientError> {
    if value.is_empty() {
        return Ok(String::new());
    }
    let is_number = |text: &str| text.parse::<f64>().is_ok_and(f64::is_finite);
    let kept = match name {
        "gender" => match value.to_ascii_lowercase().as_str() {
            "m" | "male" => Some("male".to_owned()),
            "f" | "female" => Some("female".to_owned()),
            "o" | "other" => Some("other".to_owned()),
            "u" | "unknown" => Some("unknown".to_owned()),
            _ => None,
        },
        "dob" => date(value),
        "yob" | "age" | "ses" | "education" => {
            Some(value.to_owned()).filter(|text| text.len() <= 9 && text.parse::<i64>().is_ok())
        }
        "weight" | "height" | "gestational_age" | "post_menstrual_age" | "birth_weight" => {
            Some(value.to_owned()).filter(|text| is_number(text))
        }
        _ => Some(value.to_owned()),
    };
    kept.ok_or_else(|| {
        let shown: String = value.chars().take(60).collect();
        ClientError::bad_request("bad-value", format!("{shown:?} is no value that the field {name} can have."))
    })
}

/// `yyyy-MM-dd`, of that or `MM/dd/yyyy`.
fn date(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split(['-', '/']).collect();
    let (year, month, day) = match (text.contains('/'), parts.as_slice()) {
        (false, [year, month, day]) => (*year, *month, *day),
        (true, [month, day, year]) => (*year, *month, *day),
        _ => return None,
    };
    let in_range = |text: &str, digits: usize, most: u32| {
        text.len() <= digits
            && text.bytes().all(|b| b.is_ascii_digit())
            && text.parse::<u32>().is_ok_and(|n| (1..=most).contains(&n))
    };
    let is_date = year.len() == 4 && in_range(year, 4, 9999) && in_range(month, 2, 12) && in_range(day, 2, 31);
    is_date.then(|| format!("{year}-{month:0>2}-{day:0>2}"))
}

/// What a client says of an experiment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ExperimentForm {
    /// Its data type, if the client names it.
    pub xsi_type: Option<SessionType>,
    /// Identifier, project, label and subject, as far as the client names them: they are not changed.
    pub fixed: BTreeMap<&'static str, String>,
    /// What is to be changed.
    pub change: ExperimentChange,
}

impl ExperimentForm {
    /// Reads a document, if there is one, and the parameters, which beat it.
    ///
    /// # Errors
    /// 400 for what is no field of an image session, 422 for a document that is none's, 501 for what this version does
    /// not do.
    pub fn read(document: Option<&[u8]>, params: &Params) -> Result<Self, ClientError> {
        ClientError::refuse_unserved(params, NOT_YET)?;
        let mut form = Self::default();
        if let Some(document) = document {
            let is_session = |root: &str| SessionType::of_element(root).is_some();
            let (root, values) = read_any(document, "MRSession (or another image session)", &is_session)?;
            form.xsi_type = SessionType::of_element(&root);
            for (path, value) in values {
                form.set(&path, &value)?;
            }
        }
        for (name, value) in asked(params) {
            match name {
                "xsiType" => {
                    let Some(found) = SessionType::known(value) else { return Err(no_session_type(value)) };
                    form.xsi_type = Some(found);
                }
                "quarantine" | "activate" | "lock" | "unlock" => form.set_status(name, params)?,
                name => {
                    let is_session = |kind: &str| kind.ends_with("SessionData");
                    let path = match name.split_once('/') {
                        Some((kind, path)) if is_session(kind) => path.to_owned(),
                        _ => {
                            path_of(name, &["xnat:experimentData", "xnat:subjectAssessorData", "xnat:imageSessionData"])
                        }
                    };
                    form.set(&path, value)?;
                }
            }
        }
        Ok(form)
    }

    fn set_status(&mut self, name: &str, params: &Params) -> Result<(), ClientError> {
        if !params.flag(name) {
            return Ok(());
        }
        let status = match name {
            "quarantine" => StatusChange::Quarantine,
            "activate" => StatusChange::Activate,
            "lock" => StatusChange::Lock,
            _ => StatusChange::Unlock,
        };
        if self.change.status.replace(status).is_some_and(|other| other != status) {
            let sentence = "Only one of quarantine, activate, lock and unlock can be asked for at once.";
            return Err(ClientError::bad_request("two-statuses", sentence));
        }
        Ok(())
    }

    fn set(&mut self, path: &str, value: &str) -> Result<(), ClientError> {
        for fixed in ["ID", "project", "label", "subject_ID"] {
            if path == fixed {
                self.fixed.insert(fixed, value.to_owned());
                return Ok(());
            }
        }
        let path = EXPERIMENT_NAMES.iter().find(|(short, _)| *short == path).map_or(path, |(_, long)| *long);
        let head = path.split(['/', '[']).next().unwrap_or_default();
        if head == "scans" || head == "resources" {
            let sentence = "This version takes no scans or resources from a session's document; send each to its own \
                            address (.../scans/ID, .../resources/LABEL).";
            return Err(ClientError::not_implemented("not-implemented", sentence));
        }
        if !SESSION_SCHEMA.contains(&head) || NOT_OF_EXPERIMENTS.contains(&head) || !super::super::xpath::is_path(path)
        {
            return Err(unknown_field("An image session", path));
        }
        let value = match path {
            "date" if !value.is_empty() => date(value.trim()).ok_or_else(|| {
                ClientError::bad_request("bad-value", "The date must be given as yyyy-MM-dd or MM/dd/yyyy.")
            })?,
            _ => value.to_owned(),
        };
        self.change.fields.push(Field::text(path, value));
        Ok(())
    }
}

fn no_session_type(value: &str) -> ClientError {
    let shown: String = value.chars().take(60).collect();
    let sentence = format!("{shown:?} is no data type of an image session; name one such as xnat:mrSessionData.");
    ClientError::bad_request("wrong-type", sentence)
}

/// What a client says of a scan.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScanForm {
    /// Its ID, if the client names it.
    pub id: Option<String>,
    /// What is to be changed.
    pub change: ScanChange,
}

impl ScanForm {
    /// Reads a document, if there is one, and the parameters, which beat it.
    ///
    /// # Errors
    /// 400 for what is no field of a scan, 422 for a document that is none's.
    pub fn read(document: Option<&[u8]>, params: &Params) -> Result<Self, ClientError> {
        let mut form = Self::default();
        if let Some(document) = document {
            let is_scan = |root: &str| ScanType::of_element(root).is_some();
            let (root, values) = read_any(document, "MRScan (or another scan)", &is_scan)?;
            form.change.xsi_type = ScanType::of_element(&root);
            for (path, value) in values {
                form.set(&path, &value)?;
            }
        }
        for (name, value) in asked(params) {
            if name == "xsiType" {
                let Some(found) = ScanType::known(value) else {
                    let shown: String = value.chars().take(60).collect();
                    let sentence = format!("{shown:?} is no data type of a scan; name one such as xnat:mrScanData.");
                    return Err(ClientError::bad_request("wrong-type", sentence));
                };
                form.change.xsi_type = Some(found);
                continue;
            }
            let path = match name.split_once('/') {
                Some((kind, path)) if kind.ends_with("ScanData") => path.to_owned(),
                _ => path_of(name, &[]),
            };
            form.set(&path, value)?;
        }
        Ok(form)
    }

    fn set(&mut self, path: &str, value: &str) -> Result<(), ClientError> {
        let text = || Some(value.to_owned());
        match path {
            "ID" => self.id = text(),
            "type" => self.change.scan_type = text(),
            "quality" => self.change.quality = text(),
            "series_description" => self.change.series_description = text(),
            "UID" => self.change.uid = text(),
            "modality" => self.change.modality = text(),
            "frames" => {
                let frames = value.trim().parse().ok().filter(|frames| *frames <= u64::from(u32::MAX));
                let sentence = "The field frames must be a whole number.";
                self.change.frames = Some(frames.ok_or_else(|| ClientError::bad_request("bad-value", sentence))?);
            }
            path => {
                let head = path.split(['/', '[']).next().unwrap_or_default();
                let is_known = SCAN_SCHEMA.contains(&head) && !NOT_OF_SCANS.contains(&head);
                if !is_known || !super::super::xpath::is_path(path) {
                    return Err(unknown_field("A scan", path));
                }
                self.change.fields.push(Field::text(path, value));
            }
        }
        Ok(())
    }
}

/// The parameters that say what an item is.
fn asked(params: &Params) -> impl Iterator<Item = (&str, &str)> {
    params.iter().filter(|(name, _)| !CONTROLS.contains(name))
}

/// The path that a parameter's name means: without a data type before it, and without predicates that name a type.
fn path_of(name: &str, types: &[&str]) -> String {
    let path = types.iter().find_map(|kind| name.strip_prefix(kind)?.strip_prefix('/')).unwrap_or(name);
    let without_type = |step: &str| match step.split_once("[@xsi:type") {
        Some((step, _)) => step.to_owned(),
        None => step.to_owned(),
    };
    path.split('/').map(without_type).collect::<Vec<_>>().join("/")
}

fn unknown_field(what: &str, path: &str) -> ClientError {
    let shown: String = path.chars().take(100).collect();
    ClientError::bad_request("unknown-field", format!("{what} has no field {shown:?} that can be set; leave it out."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(query: &str) -> Params {
        Params::from_query(query).unwrap()
    }

    #[test]
    fn fields_of_subjects_come_by_short_names_and_paths() {
        let form = SubjectForm::read(
            None,
            &params("gender=F&xnat:subjectData/demographics[@xsi:type%3Dxnat:demographicData]/yob=1970&group=&req_format=qs&label=N"),
        )
        .unwrap();
        assert_eq!(form.change.label.as_deref(), Some("N"));
        let fields: Vec<_> = form.change.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(fields, [("gender", "female"), ("group", ""), ("yob", "1970")]);
        for query in ["gender=x", "yob=abc", "dob=1970", "nothing=1", "xsiType=xnat:mrSessionData", "weight=NaN"] {
            assert_eq!(SubjectForm::read(None, &params(query)).unwrap_err().status.number(), 400, "{query}");
        }
    }

    #[test]
    fn documents_of_subjects_are_read() {
        let xml = b"<xnat:Subject xmlns:xnat=\"http://nrg.wustl.edu/xnat\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
              label=\"S\" project=\"P\"><xnat:demographics xsi:type=\"xnat:demographicData\"><xnat:dob>05/09/1970</xnat:dob>\
              </xnat:demographics></xnat:Subject>";
        let form = SubjectForm::read(Some(xml), &params("")).unwrap();
        assert_eq!((form.project.as_deref(), form.change.label.as_deref()), (Some("P"), Some("S")));
        assert_eq!(form.change.fields["dob"], "1970-05-09");
        let other = b"<xnat:MRSession xmlns:xnat=\"http://nrg.wustl.edu/xnat\"/>";
        assert_eq!(SubjectForm::read(Some(other), &params("")).unwrap_err().status.number(), 422);
    }

    #[test]
    fn experiments_and_scans_have_types_and_fields() {
        let form = ExperimentForm::read(
            None,
            &params("xsiType=xnat:mrSessionData&note=a&xnat:mrSessionData/date=2024-05-01&lock=true&label=L"),
        )
        .unwrap();
        assert_eq!(form.xsi_type, Some(SessionType::new("mr")));
        assert_eq!(form.change.fields, [Field::text("note", "a"), Field::text("date", "2024-05-01")]);
        assert_eq!((form.change.status, form.fixed["label"].as_str()), (Some(StatusChange::Lock), "L"));
        for query in
            ["xsiType=xnat:fooSessionData", "xsiType=xnat:mrScanData", "nothing=1", "date=x", "lock=true&activate=true"]
        {
            assert_eq!(ExperimentForm::read(None, &params(query)).unwrap_err().status.number(), 400, "{query}");
        }
        assert_eq!(ExperimentForm::read(None, &params("pullDataFromHeaders=true")).unwrap_err().status.number(), 501);
        let form =
            ScanForm::read(None, &params("xsiType=xnat:mrScanData&type=T1&frames=3&xnat:mrScanData/note=n")).unwrap();
        assert_eq!(form.change.xsi_type, Some(ScanType::new("mr")));
        assert_eq!((form.change.scan_type.as_deref(), form.change.frames), (Some("T1"), Some(3)));
        assert_eq!(form.change.fields, [Field::text("note", "n")]);
        let xml = b"<xnat:MRScan xmlns:xnat=\"http://nrg.wustl.edu/xnat\" ID=\"4\" type=\"t\"><xnat:quality>usable</xnat:quality></xnat:MRScan>";
        let form = ScanForm::read(Some(xml), &params("")).unwrap();
        assert_eq!((form.id.as_deref(), form.change.quality.as_deref()), (Some("4"), Some("usable")));
        for query in ["xsiType=xnat:mrSessionData", "frames=x", "file=1"] {
            assert_eq!(ScanForm::read(None, &params(query)).unwrap_err().status.number(), 400, "{query}");
        }
    }
}
