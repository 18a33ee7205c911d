//! Following work that goes on in the background: XNAT's status lists and event tracking.

use narthex::domain::jobs::Job;
use narthex::http::views::jobs;
use narthex::http::{ClientError, Format};
use narthex::service::jobs::run_later;
use narthex::service::{Call, Reply, ReplyBody};

/// The user's job of this key. Work that nobody is at, because its worker has died, is gone on with.
async fn find(call: &Call, key: &str) -> Result<Option<Job>, ClientError> {
    call.demand_login()?;
    let job = call.site.core.job_of(&call.user(), key).await?;
    if let Some(job) = job.as_ref().filter(|job| job.finished_ms.is_none()) {
        run_later(call, &job.id);
    }
    Ok(job)
}

/// `GET /data/status/KEY`: the messages so far; none for a key that is not known.
pub async fn status(call: &Call, key: &str) -> Result<Reply, ClientError> {
    let format = call.context.format(&[Format::Text, Format::Json, Format::Html])?;
    let job = find(call, key).await?;
    Ok(match format {
        Format::Json => ReplyBody::json(jobs::status_as_json(job.as_ref())),
        Format::Html => ReplyBody::table(jobs::status_as_table(job.as_ref()).render(&Format::Html)),
        _ => ReplyBody::text(jobs::status_as_text(job.as_ref())),
    })
}

/// `DELETE /data/status/KEY`: forgets what is finished.
pub async fn forget(call: &Call, key: &str) -> Result<Reply, ClientError> {
    if find(call, key).await?.is_some_and(|job| job.finished_ms.is_none()) {
        let sentence = "The work is still going on; its status can be removed when it has ended.";
        return Err(ClientError::conflict("job-under-way", sentence));
    }
    call.site.core.forget_job(&call.user(), key).await?;
    Ok(ReplyBody::nothing())
}

async fn tracked(call: &Call, key: &str) -> Result<Job, ClientError> {
    let unknown = || ClientError::not_found("unknown-key", "There is no work of yours under this key.");
    find(call, key).await?.ok_or_else(unknown)
}

/// `GET /xapi/event_tracking/KEY`
pub async fn event(call: &Call, key: &str) -> Result<Reply, ClientError> {
    Ok(ReplyBody::json(jobs::event(&tracked(call, key).await?)))
}

/// `GET /xapi/event_tracking/KEY/payload`
pub async fn payload(call: &Call, key: &str) -> Result<Reply, ClientError> {
    Ok(ReplyBody::text(jobs::payload(&tracked(call, key).await?)))
}
