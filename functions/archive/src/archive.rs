//! `POST /data/services/archive`

use narthex::domain::access::Right;
use narthex::domain::archive::{ArchiveRequest, Overwrite};
use narthex::domain::prearchive::SessionPlace;
use narthex::http::views::archive::address;
use narthex::http::{ClientError, Destination, ResourceUri};
use narthex::service::{Call, Reply, ReplyBody, empty_trash_later};

/// Parameters that this version cannot serve: refused, so that nobody believes they were heard.
const NOT_YET: &[(&str, &str)] =
    &[("http-session-listener", "watching the archiving"), ("overwrite_files", "overwriting files in the archive")];

/// Archives one session; answers with its address in the archive.
pub async fn run(mut call: Call) -> Result<Reply, ClientError> {
    call.demand_login()?;
    call.read_params().await?;
    let params = &call.context.params;
    ClientError::refuse_unserved(params, NOT_YET)?;
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
    let mut place = SessionPlace::new(&uri.project, &uri.timestamp, &uri.folder);
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
    place.project = call.demand_prearchive(&place.project, Right::Edit).await?;
    let core = &call.site.core;
    let session = core.session_at(&place).await?;
    let experiment = core.archive(&session, &request).await?;
    empty_trash_later(&call, vec![session.id]);
    let uri = address(&experiment);
    if params.literal_true("redirect") {
        return Ok(ReplyBody::see_other(&uri));
    }
    Ok(ReplyBody::uri_list([uri.as_str()]))
}
