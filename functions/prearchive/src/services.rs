//! `POST /data/services/prearchive/move`, `rebuild` and `delete`: the same for several sessions at once.

use std::collections::{BTreeMap, BTreeSet};

use http::{HeaderName, HeaderValue};
use narthex::domain::access::Right;
use narthex::domain::jobs::{JobKind, MAX_SESSIONS};
use narthex::domain::prearchive::{PrearchiveSession, SessionPlace, SessionRow, Status};
use narthex::domain::{Core, DomainError};
use narthex::http::views::prearchive::table;
use narthex::http::{ClientError, Format, ResourceUri};
use narthex::service::{Call, Reply, ReplyBody, empty_trash_later};
use narthex::storage::kv::KvStore;

use crate::act::{destination, listener, start};

/// The key by which background work can be followed.
const JOB_HEADER: HeaderName = HeaderName::from_static("x-narthex-job");

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
    let places = demand_rights(&call, service, &places).await?;
    let kind = match service {
        Service::Rebuild => JobKind::Rebuild,
        Service::Delete => JobKind::Delete,
        Service::Move => {
            let Some(project) = call.context.params.text("newProject") else {
                let sentence = "Name the project to move the sessions to: newProject=PROJECT.";
                return Err(ClientError::bad_request("no-project", sentence));
            };
            JobKind::Move { project: destination(&call, project).await? }
        }
    };
    let core = &call.site.core;
    let mut sessions = Vec::with_capacity(places.len());
    for place in &places {
        sessions.push(core.session_at(place).await?);
    }
    let key = listener(&call)?;
    let (rows, key) = if call.context.params.flag("async") || key.is_some() {
        let (queued, key) = start(&call, &sessions, kind, key).await?;
        (queued, Some(key))
    } else {
        (at_once(&call, sessions, &kind).await?, None)
    };
    let rows: Vec<SessionRow> = rows.iter().map(SessionRow::from).collect();
    let mut reply = ReplyBody::table(table(&rows).render(&format));
    if let Some(key) = key.and_then(|key| HeaderValue::from_str(&key).ok()) {
        reply.headers_mut().insert(JOB_HEADER, key);
    }
    Ok(reply)
}

/// The sessions that `src` names, each once.
fn sources(call: &Call) -> Result<Vec<SessionPlace>, ClientError> {
    let mut places = Vec::new();
    let mut seen = BTreeSet::new();
    let mut malformed = Vec::new();
    for source in call.context.params.all("src") {
        match ResourceUri::parse(source.trim()).and_then(|uri| uri.prearchive()) {
            Ok(uri) => {
                let place = SessionPlace::new(&uri.project, &uri.timestamp, &uri.folder);
                if seen.insert(place.uri()) {
                    places.push(place);
                }
            }
            Err(_) => malformed.push(source.chars().take(200).collect::<String>()),
        }
    }
    if let Some(first) = malformed.first() {
        let sentence = format!(
            "One or more source values contained a malformed URL: {first}. It must be \
             /prearchive/projects/PROJECT/TIMESTAMP/SESSION."
        );
        return Err(ClientError::bad_request("malformed-source", sentence));
    }
    if places.is_empty() {
        let sentence = "Name the sessions with src=/prearchive/projects/PROJECT/TIMESTAMP/SESSION, once for each.";
        return Err(ClientError::bad_request("no-source", sentence));
    }
    if places.len() > MAX_SESSIONS {
        let sentence = format!("At most {MAX_SESSIONS} sessions can be named in one request.");
        return Err(ClientError::bad_request("too-many-sources", sentence));
    }
    Ok(places)
}

/// Refuses the whole request if one of the sessions' projects is not the user's to change. Gives the places with the
/// projects' identifiers, whichever of their names were used.
async fn demand_rights(
    call: &Call,
    service: Service,
    places: &[SessionPlace],
) -> Result<Vec<SessionPlace>, ClientError> {
    let projects: BTreeSet<&str> = places.iter().map(|place| place.project.as_str()).collect();
    let mut refused = Vec::new();
    let mut names: BTreeMap<&str, String> = BTreeMap::new();
    for project in projects {
        match call.demand_prearchive(project, Right::Edit).await {
            Ok(id) => drop(names.insert(project, id)),
            Err(error) if error.status.number() == 403 => refused.push(project.chars().take(60).collect::<String>()),
            Err(error) => return Err(error),
        }
    }
    if refused.is_empty() {
        let found = places.iter().map(|place| SessionPlace {
            project: names.get(place.project.as_str()).cloned().unwrap_or_default(),
            ..place.clone()
        });
        return Ok(found.collect());
    }
    refused.truncate(20);
    let sentence = format!(
        "Invalid permissions for user {} to {} prearchive sessions in one or more projects: {}",
        call.user(),
        service.verb(),
        refused.join(", ")
    );
    Err(ClientError::forbidden("not-permitted", sentence))
}

/// Does it to each session before the answer. All are looked at before the first is touched; should one fail all the
/// same, because somebody else was quicker, the others are done and the answer says so.
async fn at_once(
    call: &Call,
    sessions: Vec<PrearchiveSession>,
    kind: &JobKind,
) -> Result<Vec<PrearchiveSession>, ClientError> {
    let override_lock = call.context.params.literal_true("overrideLock") && *kind == JobKind::Rebuild;
    if !override_lock {
        for session in &sessions {
            session.allow(kind.action())?;
        }
    }
    let total = sessions.len();
    let mut rows = Vec::with_capacity(total);
    let mut failed = 0;
    let mut first: Option<DomainError> = None;
    for session in sessions {
        match one(&call.site.core, &session, kind, override_lock).await {
            Ok(row) => {
                rows.push(row);
            }
            Err(error) => {
                failed += 1;
                first = first.or(Some(error));
            }
        }
    }
    if *kind == JobKind::Delete {
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
    core: &Core<KvStore>,
    session: &PrearchiveSession,
    kind: &JobKind,
    wait: bool,
) -> Result<PrearchiveSession, DomainError> {
    let mut held = if wait { core.hold_found_patiently(session).await? } else { core.hold_found(session).await? };
    match kind {
        JobKind::Move { project } => core.move_session(held, project).await,
        JobKind::Delete => {
            let gone = PrearchiveSession { status: Status::Deleting, ..held.session.clone() };
            core.delete_session(held).await?;
            Ok(gone)
        }
        JobKind::Rebuild | JobKind::Commit { .. } => {
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
