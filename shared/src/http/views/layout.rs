//! How the files of the archive's items are named in an archive that is downloaded.

use std::collections::BTreeSet;

use crate::domain::archive::{Experiment, Subject};
use crate::domain::manifest::StoredScan;
use crate::http::{ClientError, Params};

/// XNAT's ways of naming.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Structure {
    /// After the addresses: `LABEL/scans/4-MPRAGE/resources/DICOM/files/...`
    #[default]
    Addresses,
    /// The same without the words `resources` and `files`.
    Simplified,
    /// The same without the session.
    Improved,
    /// After the folders of XNAT's archive: `P/arc001/LABEL/SCANS/4/DICOM/...`
    Legacy,
}

/// How files are named.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layout {
    structure: Structure,
    with_project: bool,
    with_subject: bool,
}

impl Layout {
    /// Reads the parameters of a request.
    ///
    /// # Errors
    /// 400 for another structure, and for leading folders that it cannot have.
    pub fn read(params: &Params) -> Result<Self, ClientError> {
        let bad = |sentence: &str| ClientError::bad_request("bad-structure", sentence);
        let structure = match params.text("structure").map(str::to_ascii_lowercase).as_deref() {
            None | Some("default") => Structure::Addresses,
            Some("simplified") => Structure::Simplified,
            Some("improved") => Structure::Improved,
            Some("legacy") => Structure::Legacy,
            Some(_) => return Err(bad("The parameter structure must be simplified, improved or legacy.")),
        };
        let (with_project, with_subject) = (params.flag("projectIncludedInPath"), params.flag("subjectIncludedInPath"));
        if structure == Structure::Legacy && (with_project || with_subject) {
            return Err(bad("The structure legacy has folders of its own before the session's: leave \
                            projectIncludedInPath and subjectIncludedInPath out."));
        }
        Ok(Self { structure, with_project, with_subject })
    }

    /// The same for files of several experiments: those of the same label, which are in different projects, are told
    /// apart by these.
    ///
    /// # Errors
    /// 400 for a structure whose names do not tell of which experiment a file is.
    pub fn of_several(mut self, experiments: &[Experiment]) -> Result<Self, ClientError> {
        if experiments.len() < 2 {
            return Ok(self);
        }
        if self.structure == Structure::Improved {
            let sentence = "The structure improved names files without their session; with several sessions choose \
                            another.";
            return Err(ClientError::bad_request("bad-structure", sentence));
        }
        let labels: BTreeSet<&str> = experiments.iter().map(|experiment| experiment.label.as_str()).collect();
        self.with_project |= self.structure != Structure::Legacy && labels.len() < experiments.len();
        Ok(self)
    }

    /// The folder of a scan's resource, with `/` at its end.
    pub fn scan_folder(&self, experiment: &Experiment, stored: &StoredScan, label: &str) -> String {
        let id = stored.scan.id.as_str();
        if self.structure == Structure::Legacy {
            return format!("{}/SCANS/{id}/{label}/", legacy_folder(experiment));
        }
        let kind = stored.scan_type.as_deref().unwrap_or("unknown");
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let kind: String = kind.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
        self.folder(&self.above(experiment), &format!("scans/{id}-{kind}/"), label)
    }

    /// The folder of one of the experiment's own resources, with `/` at its end.
    pub fn resource_folder(&self, experiment: &Experiment, label: &str) -> String {
        match self.structure {
            Structure::Legacy => format!("{}/RESOURCES/{label}/", legacy_folder(experiment)),
            _ => self.folder(&self.above(experiment), "", label),
        }
    }

    /// The folder of a resource of one of an experiment's assessors, with `/` at its end.
    pub fn assessor_folder(&self, experiment: &Experiment, assessor: &str, label: &str) -> String {
        match self.structure {
            Structure::Legacy => format!("{}/ASSESSORS/{assessor}/{label}/", legacy_folder(experiment)),
            _ => self.folder(&self.above(experiment), &format!("assessors/{assessor}/"), label),
        }
    }

    /// The folder of one of a subject's own resources, with `/` at its end.
    pub fn subject_folder(&self, subject: &Subject, label: &str) -> String {
        match self.structure {
            Structure::Legacy => format!("{}/subjects/{}/{label}/", subject.project, subject.label),
            _ => {
                let has_own = self.with_subject || self.has_own();
                self.folder(&[(self.with_project, &subject.project), (has_own, &subject.label)], "", label)
            }
        }
    }

    /// The folder of one of a project's own resources, with `/` at its end.
    pub fn project_folder(&self, project: &str, label: &str) -> String {
        match self.structure {
            Structure::Legacy => format!("{project}/resources/{label}/"),
            _ => self.folder(&[(self.with_project || self.has_own(), project)], "", label),
        }
    }

    /// Whether names begin with the folder of the item whose files they are.
    fn has_own(&self) -> bool {
        self.structure != Structure::Improved
    }

    /// The folders above an experiment's files, and whether they are wanted.
    fn above<'a>(&self, experiment: &'a Experiment) -> [(bool, &'a str); 3] {
        [
            (self.with_project, &experiment.project),
            (self.with_subject, &experiment.subject_label),
            (self.has_own(), &experiment.label),
        ]
    }

    fn folder(&self, above: &[(bool, &str)], within: &str, label: &str) -> String {
        let mut folder = String::new();
        for (_, name) in above.iter().filter(|(is_wanted, _)| *is_wanted) {
            folder.push_str(name);
            folder.push('/');
        }
        folder.push_str(within);
        match self.structure {
            Structure::Simplified => folder.push_str(&format!("{label}/")),
            _ => folder.push_str(&format!("resources/{label}/files/")),
        }
        folder
    }
}

/// Where XNAT has an experiment's files.
fn legacy_folder(experiment: &Experiment) -> String {
    format!("{}/arc001/{}", experiment.project, experiment.label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn experiment() -> Experiment {
        let json = serde_json::json!({
            "id": "XNAT_E00001", "project": "P", "label": "L", "subject_id": "XNAT_S1", "subject_label": "S",
            "xsi_type": "xnat:mrSessionData", "uid": "1.2", "date": "", "manifest": "m", "content": "c",
            "status": "active", "insert_ms": 0, "insert_user": "ann", "place": 1,
        });
        serde_json::from_value(json).unwrap()
    }

    fn scan() -> StoredScan {
        let json = serde_json::json!({
            "scan": { "id": "4", "uid": "1.2.3", "type": "xnat:mrScanData", "frames": 1 }, "type": "T1/a b", "number": 1,
            "resources": [],
        });
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn folders_are_named_as_the_parameters_say() {
        for (query, of_scan, own) in [
            ("", "L/scans/4-T1_a_b/resources/DICOM/files/", "L/resources/DICOM/files/"),
            ("structure=simplified", "L/scans/4-T1_a_b/DICOM/", "L/DICOM/"),
            ("structure=Improved", "scans/4-T1_a_b/resources/DICOM/files/", "resources/DICOM/files/"),
            ("structure=legacy", "P/arc001/L/SCANS/4/DICOM/", "P/arc001/L/RESOURCES/DICOM/"),
            ("projectIncludedInPath=true", "P/L/scans/4-T1_a_b/resources/DICOM/files/", "P/L/resources/DICOM/files/"),
            (
                "structure=simplified&projectIncludedInPath=true&subjectIncludedInPath=true",
                "P/S/L/scans/4-T1_a_b/DICOM/",
                "P/S/L/DICOM/",
            ),
            (
                "structure=improved&subjectIncludedInPath=1",
                "S/scans/4-T1_a_b/resources/DICOM/files/",
                "S/resources/DICOM/files/",
            ),
        ] {
            let layout = Layout::read(&Params::from_query(query).unwrap()).unwrap();
            assert_eq!(layout.scan_folder(&experiment(), &scan(), "DICOM"), of_scan, "{query}");
            assert_eq!(layout.resource_folder(&experiment(), "DICOM"), own, "{query}");
            let of_assessor = match own.strip_suffix("RESOURCES/DICOM/") {
                Some(above) => format!("{above}ASSESSORS/QC/DICOM/"),
                None => of_scan.replace("scans/4-T1_a_b", "assessors/QC"),
            };
            assert_eq!(layout.assessor_folder(&experiment(), "QC", "DICOM"), of_assessor, "{query}");
        }
    }

    #[test]
    fn resources_of_subjects_and_projects_have_folders_of_their_kind() {
        let json = serde_json::json!({
            "id": "XNAT_S00001", "project": "P", "label": "S", "insert_ms": 0, "insert_user": "ann", "place": 1,
        });
        let subject: Subject = serde_json::from_value(json).unwrap();
        for (query, of_subject, of_project) in [
            ("", "S/resources/R/files/", "P/resources/R/files/"),
            ("structure=simplified", "S/R/", "P/R/"),
            ("structure=improved", "resources/R/files/", "resources/R/files/"),
            ("structure=legacy", "P/subjects/S/R/", "P/resources/R/"),
            ("projectIncludedInPath=true", "P/S/resources/R/files/", "P/resources/R/files/"),
            ("structure=improved&subjectIncludedInPath=true", "S/resources/R/files/", "resources/R/files/"),
        ] {
            let layout = Layout::read(&Params::from_query(query).unwrap()).unwrap();
            assert_eq!(layout.subject_folder(&subject, "R"), of_subject, "{query}");
            assert_eq!(layout.project_folder("P", "R"), of_project, "{query}");
        }
    }

    #[test]
    fn other_structures_are_refused() {
        for query in ["structure=flat", "structure=legacy&projectIncludedInPath=true"] {
            let error = Layout::read(&Params::from_query(query).unwrap()).unwrap_err();
            assert_eq!(error.status.number(), 400, "{query}");
        }
    }
}
