//! Importing stored files in the background: a job, which goes on after a crash and can be followed.

use narthex::domain::ids::random_id;
use narthex::domain::jobs::{JobItem, JobKind, NewJob, StoredImport};
use narthex::domain::prearchive::import::ImportHandler;
use narthex::domain::prearchive::onward::Way;
use narthex::http::ClientError;
use narthex::http::request::BodyKind;
use narthex::service::{Call, Reply, ReplyBody, jobs};

use crate::receive::{demand_no_body, perhaps_a_file, sources, unknown_src};
use crate::request::Wanted;

/// Submits a request for stored files with `http-session-listener`; `None` for every other. A XAR, and an import that
/// is to say what becomes of each file, are answered when they are done.
///
/// # Errors
/// Why it cannot be done, as far as that is seen before it is begun.
pub async fn submit(call: &mut Call) -> Result<Option<Reply>, ClientError> {
    if !call.context.params.has("src") && matches!(call.context.body_kind(), Ok(BodyKind::Form | BodyKind::Json)) {
        call.read_params().await.map_err(perhaps_a_file)?;
    }
    let params = &call.context.params;
    if !params.has("src") || !params.has("http-session-listener") || params.flag("verdicts") {
        return Ok(None);
    }
    let wanted = Wanted::of(call).await?;
    if wanted.handler == ImportHandler::Xar {
        return Ok(None);
    }
    let key = jobs::listener(call)?;
    jobs::demand_free(call, key.as_deref()).await?;
    demand_no_body(call).await?;
    let core = call.site.core.clone();
    let login = call.demand_login()?.login.clone();
    let files = sources(call)?;
    for (resource, path) in &files {
        core.cache_file(&login, resource, path).await?.ok_or_else(unknown_src)?;
    }
    let onward = wanted.onward(call.user());
    let is_to_archive = onward.to_archive == Some(true) && onward.way != Way::Waiting;
    let uri = files.iter().map(|(label, path)| format!("/user/cache/resources/{label}/files/{path}"));
    let item = JobItem { session: String::new(), uri: uri.collect::<Vec<_>>().join(",").chars().take(1_000).collect() };
    let import = StoredImport { files, rules: wanted.rules, request: wanted.import, onward, sessions: None };
    let kind = Some(JobKind::Import { import: Box::new(import) });
    let job = core.make_job(NewJob { id: random_id()?, login: call.user(), key, kind, items: vec![item] }).await?;
    jobs::run_later(call, &job.id);
    // XNAT's words.
    let text = if is_to_archive { "Submitted for archival" } else { "Submitted for prearchival" };
    let mut reply = ReplyBody::text(text);
    jobs::show_key(&mut reply, &job.key);
    Ok(Some(reply))
}
