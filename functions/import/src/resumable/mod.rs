//! Uploads that may be broken off and gone on with, by the protocol tus 1.0.0 with its extensions `creation`,
//! `creation-with-upload`, `expiration` and `termination`.

mod tus;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, StatusCode};
use narthex::domain::prearchive::import::ImportHandler;
use narthex::domain::prearchive::upload::{Receiver, UploadError};
use narthex::domain::resumable::{Appending, NewUpload, Progress, ResumableUpload, longer_than_missing};
use narthex::http::conditional::http_date;
use narthex::http::endpoints::Found;
use narthex::http::endpoints::import::Endpoint;
use narthex::http::{ClientError, Params, RequestPath};
use narthex::intake::IntakeError;
use narthex::service::{Call, Reply, ReplyBody};
use serde_json::json;

use self::tus::{OFFSET_TYPE, VERSION, demand_version, demand_version_if_named, empty, number, with_headers};
pub use self::tus::{override_method, with_version};
use crate::import;
use crate::request::Wanted;
use crate::xar;

/// Sessions that the answer to the last bytes names.
const MAX_NAMED: usize = 20;

/// Whether a path is one of the protocol's.
pub fn is_address(path: &RequestPath) -> bool {
    path.segments().starts_with(&["services", "import", "resumable"])
}

/// Serves a request of the protocol.
pub async fn route(call: Call, found: &Found<Endpoint>) -> Result<Reply, ClientError> {
    let id = || found.get("upload");
    match found.endpoint {
        Endpoint::ResumableBegin => begin(call).await,
        Endpoint::ResumableList => list(&call).await,
        Endpoint::ResumableShow => show(&call, id()).await,
        Endpoint::ResumableAppend => append(call, id()).await,
        Endpoint::ResumableRemove => remove(&call, id()).await,
        _ => Ok(options(&call)),
    }
}

/// When an upload that nobody goes on with is removed, as an HTTP date.
fn expires(call: &Call, upload: &ResumableUpload) -> String {
    let kept_ms = call.site.core.settings.upload_retention_seconds.saturating_mul(1000);
    let date = http_date(upload.touched_ms.saturating_add(kept_ms));
    date.and_then(|date| date.to_str().map(str::to_owned).ok()).unwrap_or_default()
}

/// `OPTIONS`: what the server can do.
fn options(call: &Call) -> Reply {
    empty(
        StatusCode::NO_CONTENT,
        &[
            ("tus-version", VERSION.to_owned()),
            ("tus-extension", "creation,creation-with-upload,expiration,termination".to_owned()),
            ("tus-max-size", call.site.core.settings.limits.max_upload_bytes.to_string()),
        ],
    )
}

/// `POST`: begins an upload. The query says what import it is for, as it would of an import in one go.
async fn begin(mut call: Call) -> Result<Reply, ClientError> {
    demand_version(&call)?;
    if call.context.params.has("src") || call.context.params.has("http-session-listener") {
        let sentence = "A resumable upload takes neither src nor http-session-listener; GET its address to follow it.";
        return Err(ClientError::bad_request("not-resumable", sentence));
    }
    let bytes = number(&call, "upload-length")?.ok_or_else(|| {
        let sentence = "Say how long the upload is with the header Upload-Length; its length cannot be told later.";
        ClientError::bad_request("no-length", sentence)
    })?;
    let limit_bytes = call.site.core.settings.limits.max_upload_bytes;
    if bytes > limit_bytes {
        return Err(UploadError::from(IntakeError::UploadTooLarge { limit_bytes }).into());
    }
    // What cannot be imported is not worth sending.
    Wanted::of(&call).await?;
    let core = call.site.core.clone();
    let query = call.context.params.as_query();
    let metadata = metadata(&call).to_owned();
    let new = NewUpload { login: call.user(), query, name: file_name(&metadata), metadata, bytes };
    let upload = core.begin_resumable(new).await?;
    let address = format!("{}/data/services/import/resumable/{}", call.context.origin(), upload.id);
    let mut headers = vec![("location", address.clone()), ("upload-expires", expires(&call, &upload))];
    if call.context.media_type() == OFFSET_TYPE {
        let held = core.hold_resumable(&upload.login, &upload.id).await?;
        // Also whoever sent something wrong can go on with the upload, or remove it.
        let (upload, more) = receive(&mut call, held).await.map_err(|error| match HeaderValue::from_str(&address) {
            Ok(address) => error.with_header(http::header::LOCATION, address),
            Err(_) => error,
        })?;
        headers.push(("upload-offset", upload.received().to_string()));
        headers.extend(more);
    }
    Ok(empty(StatusCode::CREATED, &headers))
}

/// What the client says of the file.
fn metadata(call: &Call) -> &str {
    call.context.headers.get("upload-metadata").and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// The file's name in `Upload-Metadata`, if the client gives one.
fn file_name(metadata: &str) -> String {
    let pairs = metadata.split(',').filter_map(|pair| pair.trim().split_once(' '));
    let named = |wanted: &str| {
        let value = pairs.clone().find(|(key, _)| *key == wanted)?.1;
        String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()
    };
    let name = named("filename").or_else(|| named("name")).unwrap_or_default();
    name.rsplit(['/', '\\']).next().unwrap_or_default().chars().filter(|c| !c.is_control()).take(255).collect()
}

/// `GET` of where uploads are begun: those of the user that have not come to their end.
async fn list(call: &Call) -> Result<Reply, ClientError> {
    let open = call.site.core.open_resumable_uploads(&call.user()).await?;
    let one = |upload: &ResumableUpload| {
        json!({
            "id": upload.id,
            "name": upload.name,
            "length": upload.bytes,
            "offset": upload.received(),
            "state": state(&upload.progress),
            "expires": expires(call, upload),
        })
    };
    Ok(ReplyBody::json(json!({ "uploads": open.iter().map(one).collect::<Vec<_>>() }).to_string()))
}

fn state(progress: &Progress) -> &'static str {
    match progress {
        Progress::Receiving => "receiving",
        Progress::Importing => "importing",
        Progress::Imported { .. } => "imported",
        Progress::Refused { .. } => "refused",
    }
}

/// `GET` and `HEAD`: how far an upload has come.
async fn show(call: &Call, id: &str) -> Result<Reply, ClientError> {
    demand_version_if_named(call)?;
    let upload = call.site.core.resumable_upload(&call.user(), id).await?;
    let mut headers = vec![("upload-length", upload.bytes.to_string())];
    let state = state(&upload.progress);
    let (uris, reason) = match &upload.progress {
        Progress::Receiving | Progress::Importing => (&[][..], None),
        Progress::Imported { uris } => (uris.as_slice(), None),
        Progress::Refused { reason } => (&[][..], Some(reason)),
    };
    if !upload.metadata.is_empty() {
        headers.push(("upload-metadata", upload.metadata.clone()));
    }
    if let Some(reason) = reason
        && call.context.is_head()
    {
        return Err(ClientError::not_found("refused", format!("The upload was refused: {reason}")));
    }
    if reason.is_none() {
        headers.push(("upload-offset", upload.received().to_string()));
    }
    if upload.is_open() {
        headers.push(("upload-expires", expires(call, &upload)));
    }
    let mut body = json!({
        "id": upload.id,
        "length": upload.bytes,
        "offset": upload.received(),
        "state": state,
        "uris": uris,
        "reason": reason,
    });
    if state == "imported" && Params::from_query(&upload.query)?.flag("verdicts") {
        body["files"] = json!(call.site.core.verdicts_of(&upload).await?);
    }
    Ok(with_headers(ReplyBody::json(body.to_string()), &headers))
}

/// `PATCH`: adds bytes. With the last ones the upload is imported.
async fn append(mut call: Call, id: &str) -> Result<Reply, ClientError> {
    demand_version(&call)?;
    if call.context.media_type() != OFFSET_TYPE {
        let sentence = format!("The bytes of an upload must be sent as Content-Type: {OFFSET_TYPE}.");
        return Err(ClientError::unsupported_media_type("bad-type", sentence));
    }
    let offset = number(&call, "upload-offset")?
        .ok_or_else(|| ClientError::bad_request("no-offset", "Say where the bytes belong with Upload-Offset."))?;
    let core = call.site.core.clone();
    let held = core.hold_resumable(&call.user(), id).await.map_err(|error| match error {
        narthex::domain::DomainError::Busy { .. } => {
            ClientError::locked("locked", "Another request is adding to this upload; try again when it has ended.")
        }
        other => other.into(),
    })?;
    if let Progress::Refused { reason } = &held.upload.progress {
        let error = ClientError::not_found("refused", format!("The upload was refused: {reason}"));
        core.let_go_resumable(held).await?;
        return Err(error);
    }
    if offset != held.upload.received() {
        let sentence = format!("The upload has {} bytes; go on from there.", held.upload.received());
        core.let_go_resumable(held).await?;
        return Err(ClientError::conflict("wrong-offset", sentence));
    }
    let (upload, more) = receive(&mut call, held).await?;
    let mut headers = vec![("upload-offset", upload.received().to_string())];
    if upload.is_open() {
        headers.push(("upload-expires", expires(&call, &upload)));
    }
    headers.extend(more);
    Ok(empty(StatusCode::NO_CONTENT, &headers))
}

type Headers = Vec<(&'static str, String)>;

/// Takes what the request sends, and imports the upload if that completes it. Gives the upload as it is then, and
/// headers that tell of the import.
async fn receive(call: &mut Call, mut held: Appending) -> Result<(ResumableUpload, Headers), ClientError> {
    let core = call.site.core.clone();
    let mut body = call.take_arriving(&core.settings.limits)?;
    let appended = if held.upload.progress == Progress::Receiving {
        core.append_resumable(&mut held, async || -> Result<_, ClientError> { Ok(body.next().await?) }).await
    } else {
        // A client whose import was broken off sends the last byte again.
        let missing = held.upload.bytes.saturating_sub(held.upload.received());
        let mut sent = 0_u64;
        loop {
            match body.next().await {
                Ok(Some(piece)) => sent = sent.saturating_add(piece.len() as u64),
                Ok(None) => break Ok(()),
                Err(error) => break Err(error.into()),
            }
            if sent > missing {
                break Err(longer_than_missing(missing).into());
            }
        }
    };
    let completed = match appended {
        Ok(()) if held.upload.progress == Progress::Importing => complete(call, &mut held).await,
        other => other,
    };
    let upload = held.upload.clone();
    core.let_go_resumable(held).await?;
    completed?;
    let headers = match &upload.progress {
        Progress::Imported { uris } => {
            uris.iter().take(MAX_NAMED).map(|uri| ("x-narthex-imported", uri.clone())).collect()
        }
        _ => Vec::new(),
    };
    Ok((upload, headers))
}

/// Imports an upload all of whose bytes have come. What is refused for good is said so; after anything else the client
/// may come again.
async fn complete(call: &mut Call, held: &mut Appending) -> Result<(), ClientError> {
    let core = call.site.core.clone();
    match imported(call, held).await {
        Ok(uris) => Ok(core.conclude_resumable(held, Progress::Imported { uris }).await?),
        Err(error) if error.code == "busy" || error.status.number() >= 500 => Err(error),
        Err(error) => {
            core.conclude_resumable(held, Progress::Refused { reason: error.sentence.clone() }).await?;
            Err(error)
        }
    }
}

async fn imported(call: &mut Call, held: &mut Appending) -> Result<Vec<String>, ClientError> {
    let core = call.site.core.clone();
    call.context.params = Params::from_query(&held.upload.query)?;
    if core.was_imported(&held.upload).await? {
        // Whoever imported it died before all was done.
        let way = held.upload.onward.as_ref().map(|onward| onward.way).unwrap_or_default();
        let outcome = core.finish_resumable(held).await;
        let (uris, brought) = outcome.map_err(|error| import::not_brought(way, error))?;
        import::settle_later(call, &brought);
        return Ok(uris);
    }
    let wanted = Wanted::of(call).await?;
    core.intend_resumable(held, &wanted.onward(call.user())).await?;
    let (uris, verdicts) = if wanted.handler == ImportHandler::Xar {
        let file = core.received_resumable(&held.upload)?;
        xar::take(call, &wanted, file, true).await?
    } else {
        let mut receiver = Receiver::new(&core, wanted.rules.clone());
        let taken = receiver.borrow(&held.upload.name, held.upload.shape()).await;
        let upload = receiver.settle::<UploadError>(taken).await?;
        core.keep_resumable(held).await?;
        import::place(call, wanted, upload).await?
    };
    if call.context.params.flag("verdicts") {
        core.keep_verdicts(&held.upload, &verdicts).await?;
    }
    Ok(uris)
}

/// `DELETE`: forgets an upload and, unless it was imported, its bytes.
async fn remove(call: &Call, id: &str) -> Result<Reply, ClientError> {
    demand_version(call)?;
    let core = &call.site.core;
    let held = core.hold_resumable(&call.user(), id).await?;
    core.remove_resumable(held).await?;
    Ok(empty(StatusCode::NO_CONTENT, &[]))
}
