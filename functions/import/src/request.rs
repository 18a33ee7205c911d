//! What an import request asks for, by its parameters.

use narthex::domain::access::Right;
use narthex::domain::archive::Overwrite;
use narthex::domain::ids::{UNASSIGNED, project_or_unassigned};
use narthex::domain::prearchive::import::ImportRequest;
use narthex::domain::prearchive::place::ForcedPlace;
use narthex::http::{ClientError, Destination, Params};
use narthex::service::Call;

/// What is to be done with an upload.
pub struct Wanted {
    /// Where it is to go.
    pub import: ImportRequest,
    /// Whether it is to be archived, if the request says so.
    pub to_archive: Option<bool>,
    /// What to do with what is in the archive already.
    pub overwrite: Overwrite,
    /// Whether the archived session is marked as in quarantine.
    pub quarantine: bool,
}

/// Parameters of XNAT's import that this version cannot serve: refused, so that nobody believes they were heard.
const NOT_YET: &[(&str, &str)] = &[
    ("src", "importing stored files"),
    ("http-session-listener", "watching an import"),
    ("rename", "renaming files"),
    ("Ignore-Unparsable", "the handler DICOM-zip, to which Ignore-Unparsable belongs"),
    ("Direct-Archive", "Direct-Archive"),
    ("prearc-importer", "choosing a reader"),
    ("overwrite_files", "overwriting files in the archive"),
    (
        "PREARC_TIMESTAMP",
        "naming the timestamp by a parameter; use dest=/prearchive/projects/PROJECT/TIMESTAMP/SESSION",
    ),
    (
        "PREARC_SESSION_FOLDER",
        "naming the folder by a parameter; use dest=/prearchive/projects/PROJECT/TIMESTAMP/SESSION",
    ),
];

impl Wanted {
    /// Reads the parameters; projects that are named must exist.
    ///
    /// # Errors
    /// 400, 404 or 501 with what is wrong.
    pub async fn of(call: &Call) -> Result<Self, ClientError> {
        let params = &call.context.params;
        check_handler(params)?;
        ClientError::refuse_unserved(params, NOT_YET)?;
        if params.iter().any(|(name, _)| name.contains(':') && name.contains('/')) {
            let sentence = "This version does not set fields of the session by XPath parameters yet.";
            return Err(ClientError::not_implemented("not-implemented", sentence));
        }
        let text = |names: &[&str]| params.text_of(names).map(str::to_owned);
        let mut import = ImportRequest {
            by: call.user(),
            identity: call.identity.clone(),
            project: text(&["project", "PROJECT_ID"]),
            subject: text(&["subject", "SUBJECT_ID", "subject_ID"]),
            session: text(&["session", "EXPT_LABEL", "label"]),
            place: ForcedPlace::default(),
            source: text(&["SOURCE"]).unwrap_or_else(|| "SessionImporter".to_owned()),
            visit: text(&["VISIT"]).unwrap_or_default(),
            protocol: text(&["PROTOCOL", "SUBTYPE"]).unwrap_or_default(),
            timezone: text(&["TIMEZONE"]).unwrap_or_default(),
            prevent_anon: params.literal_true("prevent_anon"),
            // XNAT's rule for SI: the session is complete, so nobody needs to wait for more.
            prevent_auto_commit: true,
        };
        let mut to_archive = None;
        if let Some(dest) = params.text("dest") {
            match Destination::parse(dest)? {
                Destination::Prearchive { project, timestamp, folder } => {
                    to_archive = Some(false);
                    import.project = import.project.or(project);
                    import.place = ForcedPlace::new(timestamp, folder)?;
                }
                Destination::Archive { project, subject, experiment } => {
                    to_archive = Some(true);
                    import.project = import.project.or(project);
                    import.subject = import.subject.or(subject);
                    import.session = import.session.or(experiment);
                }
            }
        }
        if import.place.timestamp.is_some() && import.project.is_none() {
            let sentence = "A destination with a timestamp needs a project.";
            return Err(ClientError::bad_request("no-project", sentence));
        }
        if let Some(project) = &import.project {
            let mut project = project_or_unassigned(project).to_owned();
            if project != UNASSIGNED {
                project = call.project(&project, Right::Edit).await?.id.to_string();
            }
            import.project = Some(project);
        }
        if to_archive.is_none() {
            to_archive = params.flag_if_given("AA").or_else(|| params.flag_if_given("auto-archive"));
        }
        if params.get("prearchive_code") == Some("1") {
            to_archive = Some(true);
        }
        Ok(Self {
            import,
            to_archive,
            overwrite: Overwrite::parse(params.get("overwrite"))?,
            quarantine: params.literal_true("quarantine"),
        })
    }
}

/// XNAT's handlers; this version has the first.
fn check_handler(params: &Params) -> Result<(), ClientError> {
    match params.text("import-handler") {
        None | Some("SI") => Ok(()),
        Some(known @ ("gradual-DICOM" | "DICOM-zip" | "XAR" | "inbox" | "automation")) => {
            let sentence = format!("This version has the import handler SI only, not {known} yet.");
            Err(ClientError::not_implemented("not-implemented", sentence))
        }
        Some(other) => {
            let shown: String = other.chars().take(100).collect();
            let sentence = format!("Unknown importer implementation specified: {shown}");
            Err(ClientError::not_found("unknown-handler", sentence))
        }
    }
}
