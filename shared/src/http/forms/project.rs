//! What a client says of a project, in fields or in a document.

use crate::domain::access::Accessibility;
use crate::domain::project::{ProjectChange, ProjectField};
use crate::http::{ClientError, Params};
use crate::xml::{XmlError, read_project};

/// XNAT's name of the data type.
const TYPE: &str = "xnat:projectData";
/// The names under which aliases come.
const ALIASES: [&str; 3] = ["alias", "aliases/alias", "aliases/alias/alias"];
/// Parameters that say how the request is to be treated, not what the project is: XNAT takes them with every change
/// and keeps what they say of the event for its audit trail.
pub(super) const CONTROLS: [&str; 9] = [
    "format",
    "inbody",
    "req_format",
    "XNAT_CSRF",
    "event_reason",
    "event_type",
    "event_comment",
    "event_action",
    "event_id",
];

/// What a client says of a project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProjectForm {
    /// Its identifier, if the client names it.
    pub id: Option<String>,
    /// What is to be changed.
    pub change: ProjectChange,
}

impl ProjectForm {
    /// Reads a document, if there is one, and the parameters, which beat it.
    ///
    /// # Errors
    /// 400 for what is no field of a project, 422 for a document that is no project's.
    pub fn read(document: Option<&[u8]>, params: &Params) -> Result<Self, ClientError> {
        let mut form = Self::default();
        if let Some(document) = document {
            for (path, value) in read_project(document)? {
                if !form.set(&path, &value, Repeated::Refused)? {
                    let sentence = format!("A project has no element or attribute {path:?}; leave it out.");
                    return Err(ClientError::bad_request("unknown-field", sentence));
                }
            }
        }
        let mut aliases: Option<Vec<String>> = None;
        for (name, value) in params.iter() {
            if CONTROLS.contains(&name) {
                continue;
            }
            let path = field_path(name);
            if name == "xsiType" {
                if value != TYPE {
                    let sentence = format!("The xsiType of a project is {TYPE}.");
                    return Err(ClientError::bad_request("wrong-type", sentence));
                }
            } else if ALIASES.contains(&path.as_str()) {
                aliases.get_or_insert_default().extend(value.split(',').map(str::to_owned));
            } else if name == "accessibility" {
                form.change.accessibility = Some(Accessibility::parse(value)?);
            } else if !form.set(&path, value, Repeated::LastWins)? {
                let shown: String = name.chars().take(100).collect();
                let sentence = format!("A project has no field {shown:?}; leave the parameter out.");
                return Err(ClientError::bad_request("unknown-field", sentence));
            }
        }
        if aliases.is_some() {
            form.change.aliases = aliases;
        }
        Ok(form)
    }

    /// Sets what stands at a path; `false` if a project has nothing there.
    fn set(&mut self, path: &str, value: &str, repeated: Repeated) -> Result<bool, ClientError> {
        if ALIASES.contains(&path) {
            self.change.aliases.get_or_insert_default().push(value.to_owned());
            return Ok(true);
        }
        let old = if path == "ID" {
            self.id.replace(value.to_owned())
        } else if let Some(field) = ProjectField::parse(path) {
            self.change.texts.insert(field, value.to_owned())
        } else {
            return Ok(false);
        };
        if old.is_some() && repeated == Repeated::Refused {
            let sentence = format!("The document has {path:?} more than once.");
            return Err(ClientError::bad_request("repeated-field", sentence));
        }
        Ok(true)
    }
}

/// What it means that a field comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Repeated {
    Refused,
    LastWins,
}

/// The path that a parameter's name means: without the data type before it, and without positions (`alias[1]`).
fn field_path(name: &str) -> String {
    let path = name.strip_prefix(TYPE).and_then(|rest| rest.strip_prefix('/')).unwrap_or(name);
    let step = |step: &str| match step.strip_suffix(']').and_then(|step| step.rsplit_once('[')) {
        Some((name, position)) if position.bytes().all(|byte| byte.is_ascii_digit()) => name.to_owned(),
        _ => step.to_owned(),
    };
    path.split('/').map(step).collect::<Vec<_>>().join("/")
}

impl From<XmlError> for ClientError {
    fn from(error: XmlError) -> Self {
        let sentence = error.to_string();
        match error {
            XmlError::TooLong { .. } => Self::too_large("document-too-large", sentence),
            XmlError::ForeignName { .. } => Self::bad_request("unknown-field", sentence),
            _ => Self::unprocessable("bad-document", sentence),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(document: Option<&str>, query: &str) -> Result<ProjectForm, ClientError> {
        ProjectForm::read(document.map(str::as_bytes), &Params::from_query(query).unwrap())
    }

    fn document(inner: &str) -> String {
        format!("<xnat:Project xmlns:xnat=\"http://nrg.wustl.edu/xnat\" ID=\"P\">{inner}</xnat:Project>")
    }

    #[test]
    fn fields_come_by_short_names_and_paths() {
        let form = read(
            None,
            "name=A&xnat:projectData/PI/lastname=Curie&alias=x,y&xnat:projectData/aliases/alias[2]/alias=z\
             &accessibility=public&xsiType=xnat:projectData&req_format=qs&event_reason=test",
        )
        .unwrap();
        assert_eq!(form.id, None);
        assert_eq!(form.change.texts[&ProjectField::Name], "A");
        assert_eq!(form.change.texts[&ProjectField::PiLastname], "Curie");
        assert_eq!(form.change.texts.len(), 2);
        assert_eq!(form.change.aliases.unwrap(), ["x", "y", "z"]);
        assert_eq!(form.change.accessibility, Some(Accessibility::Public));
    }

    #[test]
    fn parameters_beat_the_document() {
        let inner = "<xnat:name>A</xnat:name><xnat:description>D</xnat:description>\
                     <xnat:aliases><xnat:alias>x</xnat:alias><xnat:alias>y</xnat:alias></xnat:aliases>";
        let form = read(Some(&document(inner)), "").unwrap();
        assert_eq!(form.change.aliases.unwrap(), ["x", "y"]);
        let form = read(Some(&document(inner)), "name=B&alias=").unwrap();
        assert_eq!((form.id.as_deref(), form.change.texts[&ProjectField::Name].as_str()), (Some("P"), "B"));
        assert_eq!(form.change.texts[&ProjectField::Description], "D");
        assert_eq!(form.change.aliases.unwrap(), [""]);
    }

    #[test]
    fn what_no_project_has_is_400_and_named() {
        for query in ["nmae=A", "xnat:projectData/x=1", "xnat:subjectData/name=1", "accessibility=open", "xsiType=x"] {
            assert_eq!(read(None, query).unwrap_err().status.number(), 400, "{query}");
        }
        assert!(read(None, "nmae=A").unwrap_err().sentence.contains("nmae"));
        for inner in
            ["<xnat:x/>", "<xnat:name a=\"1\">b</xnat:name>", "<xnat:name>a</xnat:name><xnat:name>b</xnat:name>"]
        {
            assert_eq!(read(Some(&document(inner)), "").unwrap_err().status.number(), 400, "{inner}");
        }
    }

    #[test]
    fn documents_that_are_no_projects_are_422() {
        let subject = "<xnat:Subject xmlns:xnat=\"http://nrg.wustl.edu/xnat\"/>";
        for document in ["", "x", "<a>", "<a/>", subject, "<!DOCTYPE a><a/>"] {
            assert_eq!(read(Some(document), "").unwrap_err().status.number(), 422, "{document}");
        }
    }
}
