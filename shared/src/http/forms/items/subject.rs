//! What a client says of a subject.

use super::{asked, date, path_of, unknown_field};
use crate::domain::archive::SubjectChange;
use crate::http::{ClientError, Params};
use crate::xml::read::read;

/// XNAT's data type of subjects.
const SUBJECT_TYPE: &str = "xnat:subjectData";

/// XNAT's short names of a subject's fields, with their paths, in the schema's order.
pub const SUBJECT_FIELDS: &[(&str, &str)] = &[
    ("group", "group"),
    ("src", "src"),
    ("initials", "initials"),
    ("pi_firstname", "investigator/firstname"),
    ("pi_lastname", "investigator/lastname"),
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

/// What a client says of a subject.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubjectForm {
    /// Its identifier, if the client names it.
    pub id: Option<String>,
    /// Its project, if the client names it.
    pub project: Option<String>,
    /// The labels of the resources that its document refers to; they are not changed by it.
    pub resources: Vec<String>,
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
            if params.flag("allowDataDeletion") {
                let all = SUBJECT_FIELDS.iter().map(|(name, _)| ((*name).to_owned(), String::new()));
                form.change.fields.extend(all);
            }
            for (path, value) in read(document, "Subject")? {
                match path.strip_prefix("resources/resource/") {
                    Some("label") => form.resources.push(value),
                    Some(_) => {}
                    None => form.set(&path, &value)?,
                }
            }
        }
        for (name, value) in asked(params) {
            // Whether what a document leaves out is taken away.
            if name == "allowDataDeletion" {
                continue;
            }
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
