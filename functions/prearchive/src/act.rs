//! `POST` on one session: build, move, commit, reset, delete.

use http::StatusCode;
use narthex::domain::access::Right;
use narthex::domain::archive::{Overwrite, Wish};
use narthex::domain::jobs::SessionWork;
use narthex::domain::prearchive::commit::{CommitRequest, Committed, SessionChange};
use narthex::domain::prearchive::{PrearchiveSession, SessionPlace, Status};
use narthex::http::cause::{cause, is_silent};
use narthex::http::views::archive::address;
use narthex::http::{ClientError, xpath};
use narthex::service::jobs::{listener, start};
use narthex::service::{Call, Reply, ReplyBody, empty_trash_later};

use crate::delete;

/// Does what the parameter `action` says.
pub async fn run(mut call: Call, place: &SessionPlace) -> Result<Reply, ClientError> {
    call.demand_login()?;
    call.read_params().await?;
    let user = call.user();
    let Some(action) = call.context.params.text("action").map(str::to_owned) else {
        let sentence = format!("No action parameter was specified for the request by user {user}");
        return Err(ClientError::bad_request("no-action", sentence));
    };
    let session = authorised(&call, place, &action).await?;
    match action.as_str() {
        // Some clients know building by the name of the service.
        "build" | "rebuild" => build(&call, &session).await,
        "move" => relocate(&call, &session).await,
        "commit" => commit(&call, &session).await,
        "reset-status" => reset(&call, &session, None).await,
        "set-status" => {
            let status = call.context.params.text("status").and_then(Status::parse).ok_or_else(|| {
                ClientError::bad_request("bad-status", "Name a status of XNAT's, such as status=READY.")
            })?;
            reset(&call, &session, Some(status)).await
        }
        "delete" => delete::session(&call, &session.place).await,
        other => {
            let shown: String = other.chars().take(60).collect();
            let sentence = format!("User {user} requested an unsupported action on prearchive session: {shown}");
            Err(ClientError::bad_request("unknown-action", sentence))
        }
    }
}

/// The session, for whoever may change its project's data. Whoever uploaded a session that went to no project may say
/// that it is complete, and where it belongs.
async fn authorised(call: &Call, place: &SessionPlace, action: &str) -> Result<PrearchiveSession, ClientError> {
    let core = &call.site.core;
    if place.is_unassigned() && matches!(action, "build" | "rebuild" | "commit" | "move") {
        let found = core.find_session_at(place).await?;
        if let Some(session) = found.filter(|session| session.uploader == call.user()) {
            return Ok(session);
        }
    }
    let project = call.demand_prearchive(&place.project, Right::Edit).await?;
    Ok(core.session_at(&SessionPlace { project, ..place.clone() }).await?)
}

fn staged(session: &PrearchiveSession, status: StatusCode) -> Reply {
    ReplyBody::uri(status, &format!("/data{}", session.place.uri()))
}

fn change(call: &Call) -> Result<SessionChange, ClientError> {
    let params = &call.context.params;
    let text = |names: &[&str]| params.text_of(names).map(str::to_owned);
    Ok(SessionChange {
        source: text(&["SOURCE"]),
        visit: text(&["VISIT"]),
        protocol: text(&["PROTOCOL", "SUBTYPE"]),
        timezone: text(&["TIMEZONE"]),
        fields: xpath::session_fields(params)?,
        scans: xpath::scan_wishes(params)?,
    })
}

async fn build(call: &Call, session: &PrearchiveSession) -> Result<Reply, ClientError> {
    let change = change(call)?;
    let core = &call.site.core;
    let mut held = core.hold_found(session).await?;
    let built = core.build_with(&mut held, &change).await;
    let session = held.session.clone();
    core.let_go(held).await?;
    built?;
    Ok(staged(&session, StatusCode::OK))
}

async fn relocate(call: &Call, session: &PrearchiveSession) -> Result<Reply, ClientError> {
    let Some(project) = call.context.params.text("newProject") else {
        let sentence = "Name the project to move the session to: newProject=PROJECT.";
        return Err(ClientError::bad_request("no-project", sentence));
    };
    let project = destination(call, project).await?;
    let core = &call.site.core;
    let held = core.hold_found(session).await?;
    let moved = core.move_session(held, &project).await?;
    // XNAT says 301 without naming a location: clients that followed it would miss the mark.
    Ok(staged(&moved, StatusCode::MOVED_PERMANENTLY))
}

/// The project (or none) to which somebody wants to move sessions, who may change its data.
pub async fn destination(call: &Call, name: &str) -> Result<String, ClientError> {
    call.demand_prearchive(name, Right::Edit).await
}

async fn commit(call: &Call, session: &PrearchiveSession) -> Result<Reply, ClientError> {
    let params = &call.context.params;
    let request = CommitRequest {
        by: call.user(),
        change: change(call)?,
        to_archive: params.archives(),
        wish: Wish {
            overwrite: params.text("overwrite").map(|word| Overwrite::parse(Some(word))).transpose()?,
            overwrite_files: params.literal_true("overwrite_files"),
            names_archive: false,
        },
        quarantine: params.flag_if_given("quarantine"),
        cause: cause(params)?,
        is_silent: is_silent(params),
    };
    if let Some(key) = listener(call)? {
        let work = SessionWork::Commit { request: Box::new(request) };
        start(call, std::slice::from_ref(session), work, Some(key)).await?;
        return Ok(ReplyBody::text("Archival initiated"));
    }
    let core = &call.site.core;
    let held = core.hold_found(session).await?;
    match core.commit_held(held, &request).await? {
        Committed::Staged(session) => Ok(staged(&session, StatusCode::OK)),
        Committed::Archived(experiment) => {
            empty_trash_later(call, vec![session.id.clone()]);
            let status = StatusCode::MOVED_PERMANENTLY;
            Ok(ReplyBody::reply(status, "text/plain; charset=utf-8", address(&experiment)))
        }
    }
}

async fn reset(call: &Call, session: &PrearchiveSession, to: Option<Status>) -> Result<Reply, ClientError> {
    let core = &call.site.core;
    // Whoever is at work on the session is waited for; who has died is not.
    let mut held = core.hold_found_patiently(session).await?;
    let done = match to {
        Some(status) => core.set_status(&mut held, status).await,
        None => core.reset_status(&mut held).await,
    };
    let session = held.session.clone();
    core.let_go(held).await?;
    done?;
    match to {
        Some(_) => Ok(ReplyBody::nothing()),
        None => Ok(staged(&session, StatusCode::OK)),
    }
}
