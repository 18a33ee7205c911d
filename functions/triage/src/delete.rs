//! Refusing what waits: by those who review, or by its uploader.

use narthex::http::ClientError;
use narthex::http::cause::cause;
use narthex::service::{Call, Reply, ReplyBody, after_the_answer};

use crate::{find, not_found_as, unknown_file, unknown_folder};

/// `DELETE .../X`: the folder with all its files.
pub async fn folder(call: &Call, project: &str, label: &str) -> Result<Reply, ClientError> {
    let found = find(call, project, label).await?;
    let (cause, core) = (cause(&call.context.params)?, call.site.core.clone());
    let removed = core.remove_triage_folder(&found.project, label, &call.user(), &cause).await;
    let removed = removed.map_err(|error| not_found_as(error, unknown_folder))?;
    after_the_answer(async move {
        if let Err(error) = core.empty_triage_of(&removed).await {
            eprintln!("the bytes of files removed from the quarantine are not given back yet: {error}");
        }
    });
    Ok(ReplyBody::nothing())
}

/// `DELETE .../X/files/NAME`
pub async fn file(call: &Call, project: &str, label: &str, path: &str) -> Result<Reply, ClientError> {
    let found = find(call, project, label).await?;
    let cause = cause(&call.context.params)?;
    let removed = call.site.core.remove_triage_file(&found.project, label, path, &call.user(), &cause).await;
    removed.map_err(|error| not_found_as(error, unknown_file))?;
    Ok(ReplyBody::nothing())
}
