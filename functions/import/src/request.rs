//! What an import request asks for, by its parameters.

use narthex::domain::access::Right;
use narthex::domain::archive::{Overwrite, Wish};
use narthex::domain::error::DomainError;
use narthex::domain::history::Cause;
use narthex::domain::ids::{UNASSIGNED, project_or_unassigned};
use narthex::domain::prearchive::import::{ImportHandler, ImportRequest, SESSION_IMPORTER};
use narthex::domain::prearchive::onward::{Onward, Way};
use narthex::domain::prearchive::place::ForcedPlace;
use narthex::domain::prearchive::scan_fields::ScanWish;
use narthex::domain::prearchive::upload::{Formats, Naming, Others, UploadRules};
use narthex::domain::project::PrearchiveCode;
use narthex::http::cause::{cause, is_silent};
use narthex::http::{ClientError, Destination, Params, xpath};
use narthex::service::Call;

/// What is to be done with an upload.
pub struct Wanted {
    /// Who takes it.
    pub handler: ImportHandler,
    /// What it may hold.
    pub rules: UploadRules,
    /// Where it is to go.
    pub import: ImportRequest,
    /// Whether the sessions are complete with it, where they would otherwise wait for more.
    pub commits: bool,
    /// Whether it is to be archived, if the request says so.
    pub to_archive: Option<bool>,
    /// What to do with what is in the archive already.
    pub wish: Wish,
    /// Whether the archived session is marked as in quarantine.
    pub quarantine: bool,
    /// Why it is archived, for the history.
    pub cause: Cause,
    /// Whether nobody is to be told of it.
    pub is_silent: bool,
    /// Fields of scans that are to be set when the sessions are complete.
    pub scans: Vec<ScanWish>,
}

/// Media types of single DICOM objects.
const DICOM_TYPES: [&str; 3] = ["application/dicom", "application/x-mirc", "application/x-mirc-dicom"];

impl Wanted {
    /// Reads the parameters; projects that are named must exist.
    ///
    /// # Errors
    /// 400, 403, 404 or 501 with what is wrong.
    pub async fn of(call: &Call) -> Result<Self, ClientError> {
        let params = &call.context.params;
        ClientError::refuse_reference(params)?;
        let handler = handler(params, &call.context.media_type(), call.site.core.settings.default_import_handler)?;
        let mut destination = params.text("dest").map(Destination::parse).transpose()?;
        if let Some(Destination::Archive { project: project @ None, subject, experiment: Some(named) }) =
            &mut destination
        {
            // The experiment says where it is.
            let found = match call.site.core.experiment_by_id(named).await? {
                Some(found) if call.sees_experiment(&found).await? => found,
                _ => {
                    let sentence = "Unable to find the specified experiment.";
                    return Err(ClientError::not_found("unknown-experiment", sentence));
                }
            };
            (*project, *subject, *named) = (Some(found.project), Some(found.subject_label), found.label);
        }
        if handler == ImportHandler::Xar {
            refuse_for_xar(destination.as_ref())?;
        }
        let is_gradual = handler != ImportHandler::SessionImporter;
        let is_committed = params.text("action").is_some_and(|action| action == "commit");
        let commits = match handler {
            ImportHandler::DicomZip => is_committed || destination.is_some(),
            ImportHandler::GradualDicom => is_committed,
            ImportHandler::SessionImporter | ImportHandler::Xar => false,
        };
        let mut import = named(call, params, destination.as_ref(), handler)?;
        import.check()?;
        let to_archive = to_archive(params, destination.as_ref());
        import.is_for_one_session =
            import.place.folder.is_some() || (import.session.is_some() && to_archive == Some(true));
        if is_gradual {
            import.autoarchive = autoarchive(params, to_archive);
        }
        let mut code = PrearchiveCode::Manual;
        if let Some(project) = &import.project {
            let mut project = project_or_unassigned(project).to_owned();
            if project != UNASSIGNED {
                let found = call.project(&project, Right::Edit).await?;
                code = found.prearchive_code;
                project = found.id.to_string();
            }
            import.project = Some(project);
        }
        if handler != ImportHandler::Xar {
            merge_with_named(call, destination.as_ref(), &mut import).await?;
        }
        if import.place.timestamp.is_some() && import.project.is_none() {
            let sentence = "A destination with a timestamp needs a project.";
            return Err(ClientError::bad_request("no-project", sentence));
        }
        Ok(Self {
            handler,
            rules: rules(params, handler, commits)?,
            import,
            commits,
            to_archive,
            wish: wish(params, destination.as_ref(), code)?,
            quarantine: params.flag("quarantine"),
            cause: cause(params)?,
            is_silent: is_silent(params),
            scans: scans(params, handler, commits)?,
        })
    }
}

impl Wanted {
    /// What is wanted of the sessions once they are there.
    pub fn onward(&self, by: String) -> Onward {
        Onward {
            way: match self.handler {
                ImportHandler::SessionImporter => Way::Built,
                ImportHandler::Xar => Way::Straight,
                _ if self.commits => Way::Committed,
                _ => Way::Waiting,
            },
            by,
            to_archive: self.to_archive,
            wish: self.wish,
            quarantine: self.quarantine,
            cause: self.cause.clone(),
            is_silent: self.is_silent,
            scans: self.scans.clone(),
        }
    }
}

/// An experiment of the project that `dest` names by its label or ID is what is merged with: it says whose it is, unless
/// the request does. If there is none, it is the label of a new one.
async fn merge_with_named(
    call: &Call,
    destination: Option<&Destination>,
    import: &mut ImportRequest,
) -> Result<(), ClientError> {
    let Some(Destination::Archive { experiment: Some(named), .. }) = destination else { return Ok(()) };
    let Some(project) = import.project.as_ref().filter(|project| *project != UNASSIGNED) else { return Ok(()) };
    if import.session.as_ref() != Some(named) {
        return Ok(());
    }
    match call.site.core.experiment(Some(project), named).await {
        Ok(found) if found.project == *project => {
            import.subject.get_or_insert(found.subject_label);
            import.session = Some(found.label);
            Ok(())
        }
        Ok(_) | Err(DomainError::NotFound { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Fields of scans can be set as soon as it is known which there are.
fn scans(params: &Params, handler: ImportHandler, commits: bool) -> Result<Vec<ScanWish>, ClientError> {
    let scans = xpath::scan_wishes(params)?;
    if scans.is_empty() || commits || handler == ImportHandler::SessionImporter {
        return Ok(scans);
    }
    let sentence = "Fields of scans can be set when the session is complete: send them with action=commit, or when it is \
                    archived.";
    Err(ClientError::bad_request("unknown-field", sentence))
}

/// The handler that is asked for, or that takes bodies of this media type.
fn handler(params: &Params, media_type: &str, default: ImportHandler) -> Result<ImportHandler, ClientError> {
    let Some(word) = params.text("import-handler") else {
        return Ok(if DICOM_TYPES.contains(&media_type) { ImportHandler::GradualDicom } else { default });
    };
    match ImportHandler::parse(word) {
        Some(handler) => Ok(handler),
        None if matches!(word, "inbox" | "automation") => {
            let sentence =
                format!("The import handler {word} works on the server's own files, which there are none of.");
            Err(ClientError::not_implemented("not-implemented", sentence))
        }
        None => {
            let shown: String = word.chars().take(100).collect();
            let sentence = format!("Unknown importer implementation specified: {shown}");
            Err(ClientError::not_found("unknown-handler", sentence))
        }
    }
}

/// Refuses what is nothing for a file that goes straight into the archive.
fn refuse_for_xar(destination: Option<&Destination>) -> Result<(), ClientError> {
    if matches!(destination, Some(Destination::Prearchive { .. })) {
        let sentence = "A XAR goes straight into the archive; leave dest out, or name a place in the archive.";
        return Err(ClientError::bad_request("bad-destination", sentence));
    }
    Ok(())
}

fn rules(params: &Params, handler: ImportHandler, commits: bool) -> Result<UploadRules, ClientError> {
    let rename = params.literal_true("rename");
    let leaves_out = match handler {
        ImportHandler::GradualDicom => false,
        ImportHandler::DicomZip => commits || params.literal_true("Ignore-Unparsable"),
        ImportHandler::SessionImporter | ImportHandler::Xar => true,
    };
    let reader = params.text("prearc-importer");
    let formats = match reader.map(str::to_ascii_uppercase).as_deref() {
        _ if handler != ImportHandler::SessionImporter => Formats::Dicom,
        None => Formats::Both,
        Some("DICOM") => Formats::Dicom,
        Some("ECAT") => Formats::Ecat,
        Some(_) => {
            let sentence = "The parameter prearc-importer must be DICOM or ECAT.";
            return Err(ClientError::bad_request("unknown-reader", sentence));
        }
    };
    Ok(UploadRules {
        naming: match handler {
            ImportHandler::SessionImporter if !rename => Naming::Kept,
            _ => Naming::Gradual { rename },
        },
        // What goes to the archive is merged there, by the same words.
        replaces: handler != ImportHandler::SessionImporter
            || Overwrite::parse(params.text("overwrite"))? == Overwrite::Delete,
        others: if leaves_out { Others::LeftOut } else { Others::Refused },
        formats,
        is_one_image: handler == ImportHandler::GradualDicom,
        wants_verdicts: params.flag("verdicts"),
    })
}

/// Who and where, as far as parameters and destination say.
fn named(
    call: &Call,
    params: &Params,
    destination: Option<&Destination>,
    handler: ImportHandler,
) -> Result<ImportRequest, ClientError> {
    let text = |names: &[&str]| params.text_of(names).map(str::to_owned);
    let is_si = handler == ImportHandler::SessionImporter;
    let mut import = ImportRequest {
        by: call.user(),
        identity: call.identity.clone(),
        project: text(&["project", "PROJECT_ID"]),
        subject: xpath::subject_label(params).map(str::to_owned),
        session: xpath::session_label(params).map(str::to_owned),
        source: text(&["SOURCE"]).unwrap_or_else(|| if is_si { SESSION_IMPORTER.to_owned() } else { String::new() }),
        visit: text(&["VISIT"]).unwrap_or_default(),
        protocol: text(&["PROTOCOL", "SUBTYPE"]).unwrap_or_default(),
        timezone: text(&["TIMEZONE"]).unwrap_or_default(),
        quarantine: params.flag("quarantine"),
        prevent_anon: params.flag("prevent_anon"),
        // XNAT's rule for SI: the session is complete, so nobody needs to wait for more.
        prevent_auto_commit: is_si || params.flag("prevent_auto_commit"),
        fields: xpath::fields_beside_names(params)?,
        is_gradual: !is_si,
        ..ImportRequest::default()
    };
    let (mut timestamp, mut folder) = (text(&["PREARC_TIMESTAMP"]), text(&["PREARC_SESSION_FOLDER"]));
    match destination {
        Some(Destination::Prearchive { project, timestamp: named, folder: named_folder }) => {
            import.project = import.project.or_else(|| project.clone());
            timestamp = named.clone().or(timestamp);
            folder = named_folder.clone().or(folder);
        }
        Some(Destination::Archive { project, subject, experiment }) => {
            import.project = import.project.or_else(|| project.clone());
            import.subject = import.subject.or_else(|| subject.clone());
            import.session = import.session.or_else(|| experiment.clone());
        }
        None => {}
    }
    import.place = ForcedPlace::new(timestamp, folder)?;
    Ok(import)
}

/// What to do with what is in the archive already. XNAT's rule for `prearchive_code=1`: as the project archives, adding
/// at least.
fn wish(params: &Params, destination: Option<&Destination>, code: PrearchiveCode) -> Result<Wish, ClientError> {
    let is_by_code = params.get("prearchive_code") == Some("1");
    let overwrite = match (params.text("overwrite"), is_by_code) {
        (Some(word), _) => Some(Overwrite::parse(Some(word))?),
        (None, true) if code == PrearchiveCode::AutoArchiveOverwrite => Some(Overwrite::Delete),
        (None, true) => Some(Overwrite::Append),
        (None, false) => None,
    };
    Ok(Wish {
        overwrite,
        overwrite_files: params.literal_true("overwrite_files"),
        names_archive: matches!(destination, Some(Destination::Archive { .. })),
    })
}

/// Whether sessions are to be archived, as far as the request says.
fn to_archive(params: &Params, destination: Option<&Destination>) -> Option<bool> {
    if params.get("prearchive_code") == Some("1") {
        return Some(true);
    }
    match destination {
        Some(Destination::Prearchive { .. }) => Some(false),
        Some(Destination::Archive { .. }) => Some(true),
        None if params.literal_true("Direct-Archive") => Some(true),
        None => params.archives(),
    }
}

/// What a session that waits for more is to remember of that.
fn autoarchive(params: &Params, to_archive: Option<bool>) -> Option<&'static str> {
    Some(match to_archive? {
        true if params.literal_true("overwrite_files") => "AutoArchiveOverwrite",
        true => "AutoArchive",
        false => "Manual",
    })
}
