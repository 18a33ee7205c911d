//! `POST /data/services/archive`

use narthex::domain::archive::ArchiveRequest;
use narthex::domain::jobs::SessionWork;
use narthex::domain::prearchive::{PrearchiveSession, SessionPlace, SessionRow};
use narthex::http::views::archive::address;
use narthex::http::views::prearchive::table;
use narthex::http::{ClientError, Format};
use narthex::service::jobs::{listener, show_key, start};
use narthex::service::sources::demand_rights;
use narthex::service::{Call, Reply, ReplyBody, empty_trash_later};

use crate::wanted::{archive_request, destination, places};

/// Archives one session and answers with its address in the archive. Several, or one whose archiving is to be followed,
/// are archived in the background: the answer has a row for each.
pub async fn run(mut call: Call) -> Result<Reply, ClientError> {
    call.demand_login()?;
    call.read_params().await?;
    let format = call.context.format_without_accept(Format::Xml);
    let dest = destination(&call).await?;
    let places = places(&call)?;
    let key = listener(&call)?;
    let request = archive_request(&call, &dest).await?;
    if let ([place], None) = (places.as_slice(), &key) {
        return one(&call, place, &request).await;
    }
    if places.len() > 1 && request.label.is_some() {
        let sentence = "Several sessions cannot be archived under one label; archive them one by one.";
        return Err(ClientError::bad_request("several-sources", sentence));
    }
    let places = demand_rights(&call, "archive", &places).await?;
    let mut sessions = Vec::with_capacity(places.len());
    for place in &places {
        sessions.push(call.site.core.session_at(place).await?);
    }
    refuse_unassigned(&places)?;
    let work = SessionWork::Archive { request: Box::new(request) };
    let (queued, key) = start(&call, &sessions, work, key).await?;
    let rows: Vec<SessionRow> = queued.iter().map(SessionRow::from).collect();
    let mut reply = ReplyBody::table(table(&rows).render(&format));
    show_key(&mut reply, &key);
    Ok(reply)
}

fn refuse_unassigned(places: &[SessionPlace]) -> Result<(), ClientError> {
    if places.iter().any(SessionPlace::is_unassigned) {
        let sentence = "Cannot archive sessions from the Unassigned folder.";
        return Err(ClientError::bad_request("unassigned", sentence));
    }
    Ok(())
}

async fn one(call: &Call, place: &SessionPlace, request: &ArchiveRequest) -> Result<Reply, ClientError> {
    let core = &call.site.core;
    let session = found(call, place).await?;
    let experiment = core.archive(&session, request).await?;
    empty_trash_later(call, vec![session.id.clone()]);
    let uri = address(&experiment);
    if is_redirected(call, &session).await? {
        return Ok(ReplyBody::see_other(&uri));
    }
    Ok(ReplyBody::uri_list([uri.as_str()]))
}

/// The session at a place, for whoever may change its project's data.
pub async fn found(call: &Call, place: &SessionPlace) -> Result<PrearchiveSession, ClientError> {
    let mut places = demand_rights(call, "archive", std::slice::from_ref(place)).await?;
    let place = places.pop().unwrap_or_else(|| place.clone());
    Ok(call.site.core.session_at(&place).await?)
}

/// XNAT's rule: 303 if that is asked for, and where the session would have gone to the archive by itself. Clients that
/// say `auto-archive=false` do not want that.
async fn is_redirected(call: &Call, session: &PrearchiveSession) -> Result<bool, ClientError> {
    let params = &call.context.params;
    if params.literal_true("redirect") {
        return Ok(true);
    }
    let said = params.archives();
    if said == Some(false) {
        return Ok(false);
    }
    Ok(call.site.core.archives_by_itself(session, said).await?)
}
