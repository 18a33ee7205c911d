//! What a request to archive asks for, by its parameters: the same for archiving and validating.

use narthex::domain::archive::{ArchiveRequest, Overwrite, Rules};
use narthex::domain::ids::demand_label_fits;
use narthex::domain::prearchive::SessionPlace;
use narthex::domain::prearchive::commit::SessionChange;
use narthex::http::cause::{cause, is_silent};
use narthex::http::{ClientError, Destination, xpath};
use narthex::service::Call;
use narthex::service::sources::sources;

/// Where a session is to go, as far as `dest` says.
#[derive(Debug, Default)]
pub struct Dest {
    project: Option<String>,
    subject: Option<String>,
    experiment: Option<String>,
}

/// What `dest` names. An experiment that is named without its project is looked up.
pub async fn destination(call: &Call) -> Result<Dest, ClientError> {
    let Some(dest) = call.context.params.text("dest") else { return Ok(Dest::default()) };
    let Destination::Archive { project, subject, experiment } = Destination::parse(dest)? else {
        let sentence = "The destination of archiving is in the archive: /archive/projects/PROJECT...";
        return Err(ClientError::bad_request("bad-destination", sentence));
    };
    let (None, Some(id)) = (&project, &experiment) else { return Ok(Dest { project, subject, experiment }) };
    let found = call.site.core.experiment_by_id(id).await?;
    match found {
        Some(found) if call.sees_experiment(&found).await? => {
            Ok(Dest { project: Some(found.project), subject: None, experiment: Some(found.label) })
        }
        _ => Err(ClientError::not_found("unknown-experiment", "Unable to find the specified experiment.")),
    }
}

/// The sessions that the request names, at least one: by `src`, or in the older way by project and folders.
pub fn places(call: &Call) -> Result<Vec<SessionPlace>, ClientError> {
    let params = &call.context.params;
    let places = sources(call)?;
    if !places.is_empty() {
        return Ok(places);
    }
    let parts = [params.text("project"), params.text("PREARC_TIMESTAMP"), params.text("PREARC_SESSION_FOLDER")];
    let [Some(project), Some(timestamp), Some(folder)] = parts else {
        let sentence = "Unknown prearchive session. Name it with src=/prearchive/projects/PROJECT/TIMESTAMP/SESSION.";
        return Err(ClientError::not_found("no-source", sentence));
    };
    Ok(vec![SessionPlace::new(project, timestamp, folder)])
}

/// How they are to be archived.
pub async fn archive_request(call: &Call, dest: &Dest) -> Result<ArchiveRequest, ClientError> {
    let params = &call.context.params;
    let text = |names: &[&str]| params.text_of(names).map(str::to_owned);
    let wanted = text(&["project"]).or_else(|| dest.project.clone());
    let subject = xpath::subject_label(params).map(str::to_owned).or_else(|| dest.subject.clone());
    let label = xpath::session_label(params).map(str::to_owned).or_else(|| dest.experiment.clone());
    [&subject, &label].into_iter().flatten().try_for_each(|label| demand_label_fits(label))?;
    Ok(ArchiveRequest {
        by: call.user(),
        project: match wanted {
            // Whichever of its names was used; one that is none is the session's own project no more than another.
            Some(name) => Some(call.site.core.find_project(&name).await?.map_or(name, |found| found.id.to_string())),
            None => None,
        },
        subject,
        label,
        rules: Rules {
            overwrite: Overwrite::parse(params.get("overwrite"))?,
            overwrite_files: params.literal_true("overwrite_files"),
        },
        quarantine: params.flag_if_given("quarantine"),
        change: SessionChange {
            fields: xpath::fields_beside_names(params)?,
            scans: xpath::scan_wishes(params)?,
            ..SessionChange::default()
        },
        cause: cause(params)?,
        is_silent: is_silent(params),
    })
}
