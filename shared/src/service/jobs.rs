//! Work on staged sessions in the background.

use http::{HeaderName, HeaderValue};

use super::webhooks::deliver_new;
use super::{Call, Reply, after_the_answer};
use crate::domain::error::DomainError;
use crate::domain::ids::random_id;
use crate::domain::jobs::{JobItem, JobKind, NewJob, SessionWork};
use crate::domain::prearchive::PrearchiveSession;
use crate::http::ClientError;

/// The key by which background work can be followed.
const JOB_HEADER: HeaderName = HeaderName::from_static("x-narthex-job");

/// The key under which whoever asks wants to follow the work.
///
/// # Errors
/// 400 for an empty key.
pub fn listener(call: &Call) -> Result<Option<String>, ClientError> {
    match call.context.params.get("http-session-listener").map(str::trim) {
        None => Ok(None),
        Some("") => {
            let sentence = "The parameter http-session-listener must name a key, such as a random word.";
            Err(ClientError::bad_request("no-key", sentence))
        }
        Some(key) if key.contains('/') => {
            let sentence = "The key that http-session-listener names is part of an address and may have no slash.";
            Err(ClientError::bad_request("bad-key", sentence))
        }
        Some(key) => Ok(Some(key.to_owned())),
    }
}

/// Queues sessions for a job and starts it; gives the sessions as they are then, and the job's key.
///
/// # Errors
/// 409 if a session or the key is in use, or the store's failure.
#[crate::boxed(?Send)]
pub async fn start(
    call: &Call,
    sessions: &[PrearchiveSession],
    work: SessionWork,
    key: Option<String>,
) -> Result<(Vec<PrearchiveSession>, String), ClientError> {
    let core = &call.site.core;
    let login = call.user();
    demand_free(call, key.as_deref()).await?;
    let id = random_id()?;
    let queued = core.queue_sessions(sessions, &id, &work).await?;
    let items =
        queued.iter().map(|session| JobItem { session: session.id.clone(), uri: session.place.uri() }).collect();
    let job = core.make_job(NewJob { id, login, key, kind: Some(JobKind::Sessions(work)), items }).await?;
    run_later(call, &job.id);
    Ok((queued, job.key))
}

/// Refuses a key whose last job is still under way; if its worker has died, the job is gone on with.
///
/// # Errors
/// 409, 400 for a key that cannot be one, or the store's failure.
pub async fn demand_free(call: &Call, key: Option<&str>) -> Result<(), ClientError> {
    let Some(key) = key else { return Ok(()) };
    let (core, login) = (&call.site.core, call.user());
    let outcome = core.demand_free_key(&login, key).await;
    if let Err(DomainError::Busy { .. }) = &outcome
        && let Some(job) = core.job_of(&login, key).await?
    {
        run_later(call, &job.id);
    }
    Ok(outcome?)
}

/// Works on a job after the answer.
pub fn run_later(call: &Call, job: &str) {
    let (core, job) = (call.site.core.clone(), job.to_owned());
    after_the_answer(async move {
        // Should it fail, the sweep goes on with it.
        if let Err(error) = core.run_job(&job).await {
            eprintln!("a job is not done yet: {error}");
        }
        deliver_new(&core);
    });
}

/// Says in an answer by which key the work can be followed.
pub fn show_key(reply: &mut Reply, key: &str) {
    if let Ok(key) = HeaderValue::from_str(key) {
        reply.headers_mut().insert(JOB_HEADER, key);
    }
}
