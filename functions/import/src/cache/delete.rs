//! Deleting resources and files.

use narthex::domain::DomainError;
use narthex::http::ClientError;
use narthex::service::{Call, Reply, ReplyBody, after_the_answer};

use super::{find, unknown_file, unknown_resource};

/// `DELETE .../X`: the resource with all its files.
pub async fn resource(call: &Call, label: &str) -> Result<Reply, ClientError> {
    let login = call.demand_login()?.login.clone();
    let core = call.site.core.clone();
    core.remove_cache_resource(&login, label).await.map_err(|error| match error {
        DomainError::NotFound { .. } => unknown_resource(),
        other => other.into(),
    })?;
    after_the_answer(async move {
        if let Err(error) = core.tidy_cache(&login).await {
            eprintln!("the bytes of a resource of the user cache are not given back yet: {error}");
        }
    });
    Ok(ReplyBody::nothing())
}

/// `DELETE .../X/files/NAME`, also with several names between commas: all of them, or none if one is not there.
pub async fn files(call: &Call, label: &str, names: &str) -> Result<Reply, ClientError> {
    find(call, label).await?;
    let login = &call.demand_login()?.login;
    call.site.core.remove_cache_files(login, label, names).await.map_err(|error| match error {
        DomainError::NotFound { .. } if !names.contains(',') => unknown_file(),
        DomainError::NotFound { what } => {
            let sentence = format!("No matching files found: {what} does not exist, so nothing was deleted.");
            ClientError::not_found("unknown-file", sentence)
        }
        other => other.into(),
    })?;
    Ok(ReplyBody::nothing())
}
