//! `POST /data/services/prearchive/move`, `rebuild` and `delete`: the same for several sessions at once.

use narthex::domain::jobs::SessionWork;
use narthex::domain::prearchive::{PrearchiveSession, SessionRow, Status};
use narthex::domain::{Core, DomainError};
use narthex::http::views::prearchive::table;
use narthex::http::{ClientError, Format};
use narthex::service::jobs::{listener, show_key, start};
use narthex::service::sources::{demand_rights, sources};
use narthex::service::{Call, Reply, ReplyBody, empty_trash_later};

use crate::act::destination;

/// Which of the services is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// To another project.
    Move,
    /// Build the documents anew.
    Rebuild,
    /// Delete.
    Delete,
}

impl Service {
    fn verb(self) -> &'static str {
        match self {
            Self::Move => "move",
            Self::Rebuild => "rebuild",
            Self::Delete => "delete",
        }
    }
}

/// Does it at once, or in the background with `async=true`; answers with a row for each session.
pub async fn run(mut call: Call, service: Service) -> Result<Reply, ClientError> {
    call.demand_login()?;
    call.read_params().await?;
    let format = call.context.format_without_accept(Format::Xml);
    let places = sources(&call)?;
    if places.is_empty() {
        let sentence = "Name the sessions with src=/prearchive/projects/PROJECT/TIMESTAMP/SESSION, once for each.";
        return Err(ClientError::bad_request("no-source", sentence));
    }
    let places = demand_rights(&call, service.verb(), &places).await?;
    let work = match service {
        Service::Rebuild => SessionWork::Rebuild,
        Service::Delete => SessionWork::Delete,
        Service::Move => {
            let Some(project) = call.context.params.text("newProject") else {
                let sentence = "Name the project to move the sessions to: newProject=PROJECT.";
                return Err(ClientError::bad_request("no-project", sentence));
            };
            SessionWork::Move { project: destination(&call, project).await? }
        }
    };
    let core = &call.site.core;
    let mut sessions = Vec::with_capacity(places.len());
    for place in &places {
        sessions.push(core.session_at(place).await?);
    }
    let key = listener(&call)?;
    let (rows, key) = if call.context.params.flag("async") || key.is_some() {
        let (queued, key) = start(&call, &sessions, work, key).await?;
        (queued, Some(key))
    } else {
        (at_once(&call, sessions, &work).await?, None)
    };
    let rows: Vec<SessionRow> = rows.iter().map(SessionRow::from).collect();
    let mut reply = ReplyBody::table(table(&rows).render(&format));
    if let Some(key) = key {
        show_key(&mut reply, &key);
    }
    Ok(reply)
}

/// Does it to each session before the answer. All are looked at before the first is touched; should one fail all the
/// same, because somebody else was quicker, the others are done and the answer says so.
async fn at_once(
    call: &Call,
    sessions: Vec<PrearchiveSession>,
    work: &SessionWork,
) -> Result<Vec<PrearchiveSession>, ClientError> {
    let override_lock = call.context.params.flag("overrideLock") && *work == SessionWork::Rebuild;
    if !override_lock {
        for session in &sessions {
            session.allow(work.action())?;
        }
    }
    let total = sessions.len();
    let mut rows = Vec::with_capacity(total);
    let mut failed = 0;
    let mut first: Option<DomainError> = None;
    for session in sessions {
        match one(&call.site.core, &session, work, override_lock).await {
            Ok(row) => {
                rows.push(row);
            }
            Err(error) => {
                failed += 1;
                first = first.or(Some(error));
            }
        }
    }
    if *work == SessionWork::Delete {
        empty_trash_later(call, rows.iter().map(|row| row.id.clone()).collect());
    }
    let Some(error) = first else { return Ok(rows) };
    let mut error = ClientError::from(error);
    if total > 1 {
        error.sentence = format!("{failed} of {total} sessions could not be done, the others are. {}", error.sentence);
    }
    Err(error)
}

async fn one(
    core: &Core,
    session: &PrearchiveSession,
    work: &SessionWork,
    wait: bool,
) -> Result<PrearchiveSession, DomainError> {
    let mut held = if wait { core.hold_found_patiently(session).await? } else { core.hold_found(session).await? };
    match work {
        SessionWork::Move { project } => core.move_session(held, project).await,
        SessionWork::Delete => {
            let gone = PrearchiveSession { status: Status::Deleting, ..held.session.clone() };
            core.delete_session(held).await?;
            Ok(gone)
        }
        SessionWork::Rebuild | SessionWork::Commit { .. } | SessionWork::Archive { .. } => {
            let built = core.build(&mut held).await;
            let row = held.session.clone();
            core.let_go(held).await?;
            match built {
                // The row says ERROR, and the log why.
                Ok(()) | Err(DomainError::NothingParsable { .. }) => Ok(row),
                Err(error) => Err(error),
            }
        }
    }
}
