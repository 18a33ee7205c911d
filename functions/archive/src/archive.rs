//! `POST /data/services/archive`

use narthex::domain::archive::{ArchiveRequest, Overwrite};
use narthex::domain::ids::UNASSIGNED;
use narthex::domain::prearchive::SessionPlace;
use narthex::http::path::join_segments;
use narthex::http::{ClientError, Destination, ResourceUri};
use narthex::service::{Call, Reply, ReplyBody};

/// Parameters that this version cannot serve: refused, so that nobody believes they were heard.
const NOT_YET: &[(&str, &str)] =
    &[("http-session-listener", "watching the archiving"), ("overwrite_files", "overwriting files in the archive")];

/// Archives one session; answers with its address in the archive.
pub async fn run(mut call: Call) -> Result<Reply, ClientError> {
    call.read_params().await?;
    let params = &call.context.params;
    for (name, what) in NOT_YET {
        if params.get(name).is_some_and(|value| !value.eq_ignore_ascii_case("false")) {
            let sentence = format!("This version does not support {what} (parameter {name}) yet.");
            return Err(ClientError::not_implemented("not-implemented", sentence));
        }
    }
    let sources: Vec<&str> = params.all("src").collect();
    let source = match sources.as_slice() {
        [] => {
            let sentence =
                "Unknown prearchive session. Name it with src=/prearchive/projects/PROJECT/TIMESTAMP/SESSION.";
            return Err(ClientError::not_found("no-source", sentence));
        }
        [source] => *source,
        _ => {
            let sentence = "This version archives one session a request; name one src only.";
            return Err(ClientError::not_implemented("not-implemented", sentence));
        }
    };
    let uri = ResourceUri::parse(source)?.prearchive()?;
    let place = SessionPlace {
        project: uri.assigned_project().unwrap_or(UNASSIGNED).to_owned(),
        timestamp: uri.timestamp,
        folder: uri.folder,
    };
    let text = |names: &[&str]| params.text_of(names).map(str::to_owned);
    let mut request = ArchiveRequest {
        by: call.user(),
        project: text(&["project"]),
        subject: text(&["subject", "SUBJECT_ID", "subject_ID"]),
        label: text(&["session", "EXPT_LABEL", "label"]),
        overwrite: Overwrite::parse(params.get("overwrite"))?,
        quarantine: params.literal_true("quarantine"),
    };
    if let Some(dest) = params.text("dest") {
        let Destination::Archive { project, subject, experiment } = Destination::parse(dest)? else {
            let sentence = "The destination of archiving is in the archive: /archive/projects/PROJECT...";
            return Err(ClientError::bad_request("bad-destination", sentence));
        };
        request.project = request.project.or(project);
        request.subject = request.subject.or(subject);
        request.label = request.label.or(experiment);
    }
    let core = &call.site.core;
    if !place.is_unassigned() {
        core.project(&place.project).await?;
    }
    let session = core.session_at(&place).await?;
    let experiment = core.archive(&session.id, &request).await?;
    let parts =
        ["projects", &experiment.project, "subjects", &experiment.subject_label, "experiments", &experiment.label];
    let uri = format!("/data/archive{}", join_segments(parts));
    if params.literal_true("redirect") {
        return Ok(ReplyBody::see_other(&uri));
    }
    Ok(ReplyBody::uri_list([uri.as_str()]))
}
