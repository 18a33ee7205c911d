//! Making resources, and adding files to them.

use http::{Method, StatusCode};
use narthex::domain::DomainError;
use narthex::domain::prearchive::upload_files::ReceivedFile;
use narthex::domain::user_cache::check_label;
use narthex::http::{BodyKind, ClientError};
use narthex::intake::IntakeError;
use narthex::service::files::receive_unpacked;
use narthex::service::{Call, Reply, ReplyBody};

/// What a form may have beside its files, in bytes.
const FORM_ALLOWANCE_BYTES: u64 = 1 << 20;

/// The codes of an upload that has more bytes than it may, as it comes or unpacked.
const TOO_LARGE: [&str; 2] = ["upload.too_large", "zip.inflated_too_large"];

/// `PUT .../X`: an empty resource.
pub async fn resource(mut call: Call, label: &str) -> Result<Reply, ClientError> {
    let login = call.demand_login()?.login.clone();
    call.take_body().collect(0).await.map_err(|error| match error.status.number() {
        413 => ClientError::bad_request(
            "body-not-wanted",
            "A resource is made without a body; to store a file, send it to .../files/NAME.",
        ),
        _ => error,
    })?;
    call.site.core.make_cache_resource(&login, label).await.map_err(|error| match error {
        DomainError::Exists { .. } => {
            ClientError::precondition_failed("exists", "Resource with this name already exists.")
        }
        other => other.into(),
    })?;
    Ok(ReplyBody::nothing())
}

/// `PUT .../X/files[/NAME]` and `POST .../X/files`: one file as the body, or files as parts of a form. `path` is empty
/// if the address names no file.
pub async fn files(mut call: Call, label: &str, path: &str) -> Result<Reply, ClientError> {
    let login = call.demand_login()?.login.clone();
    let core = call.site.core.clone();
    check_label(label)?;
    ClientError::refuse_reference(&call.context.params)?;
    let files = receive_within(&mut call, path).await?;
    let count: u64 = files.iter().map(ReceivedFile::count).sum();
    core.add_cache_files(&login, label, files).await?;
    if call.context.method != Method::POST {
        return Ok(ReplyBody::nothing());
    }
    let text = if count == 1 { "1 file was uploaded.".to_owned() } else { format!("{count} files were uploaded.") };
    Ok(ReplyBody::reply(StatusCode::CREATED, "text/plain; charset=utf-8", text))
}

/// Receives files as far as the user's cache has room for them.
async fn receive_within(call: &mut Call, path: &str) -> Result<Vec<ReceivedFile>, ClientError> {
    let login = call.demand_login()?.login.clone();
    let core = call.site.core.clone();
    let is_form = matches!(call.context.body_kind()?, BodyKind::Multipart { .. });
    let allowance_bytes = if is_form { FORM_ALLOWANCE_BYTES } else { 0 };
    let announced_bytes = call.context.content_length().unwrap_or(0).saturating_sub(allowance_bytes);
    let max_bytes = core.settings.max_cache_bytes;
    if announced_bytes > max_bytes {
        return Err(IntakeError::UploadTooLarge { limit_bytes: max_bytes }.into());
    }
    let room_bytes = core.cache_room(&login, announced_bytes).await?;
    let limit_bytes = room_bytes.saturating_add(allowance_bytes);
    let is_rest = room_bytes < max_bytes && limit_bytes < core.settings.limits.max_upload_bytes;
    let bounded = core.with_upload_limit(limit_bytes).with_unpacked_limit(room_bytes);
    let outcome = receive_unpacked(call, &bounded, path).await;
    match outcome {
        // An empty cache would have taken it, for all that is known: so it is full rather than the upload too large.
        Err(error) if is_rest && TOO_LARGE.contains(&error.code.as_ref()) => {
            core.cache_room(&login, u64::MAX).await?;
            Err(error)
        }
        outcome => outcome,
    }
}
