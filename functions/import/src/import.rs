//! `POST /data/services/import`

use narthex::domain::archive::ArchiveRequest;
use narthex::domain::prearchive::PrearchiveSession;
use narthex::domain::prearchive::upload;
use narthex::http::request::BodyKind;
use narthex::http::views::archive::address;
use narthex::http::{ClientError, Format};
use narthex::service::{Call, Reply, ReplyBody, after_the_answer, empty_trash_later};

use crate::request::Wanted;

/// Takes an upload in; answers with one URI for each session.
pub async fn run(mut call: Call, name: Option<&str>) -> Result<Reply, ClientError> {
    let wanted = Wanted::of(&call).await?;
    match call.context.body_kind()? {
        BodyKind::File { .. } => {}
        BodyKind::Multipart { .. } => {
            return Err(ClientError::not_implemented(
                "not-implemented",
                "This version takes no multipart uploads yet; send the file as the body, with inbody=true.",
            ));
        }
        BodyKind::Form | BodyKind::Json => {
            let sentence = "The body is no file; send the zip or DICOM file as the body, with inbody=true.";
            return Err(ClientError::bad_request("no-file", sentence));
        }
    }
    let limit_bytes = call.site.core.settings.limits.max_upload_bytes;
    if call.context.content_length().is_some_and(|length| length > limit_bytes) {
        return Err(upload::UploadError::from(narthex::intake::IntakeError::UploadTooLarge { limit_bytes }).into());
    }
    let site = call.site.clone();
    let core = &site.core;
    let taken = upload::receive(core, call.take_body(), name.unwrap_or("upload.dcm")).await?;
    let mut sessions = Vec::new();
    for session in core.import(taken, &wanted.import).await? {
        // A PET/MR study may be wanted as two sessions.
        match core.separate(&session).await? {
            Some((pet, mr)) => sessions.extend([pet, mr]),
            None => sessions.push(session),
        }
    }
    take_digests_later(&call, &sessions);
    let mut uris = Vec::with_capacity(sessions.len());
    let mut refused = None;
    for session in &sessions {
        if !core.archives_by_itself(session, wanted.to_archive).await? {
            uris.push(format!("/data{}", session.place.uri()));
            continue;
        }
        let request = ArchiveRequest {
            by: call.user(),
            overwrite: wanted.overwrite,
            quarantine: wanted.quarantine,
            ..Default::default()
        };
        match core.archive(session, &request).await {
            Ok(experiment) => {
                empty_trash_later(&call, vec![session.id.clone()]);
                uris.push(address(&experiment));
            }
            // The other sessions of the upload are looked after all the same.
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    match refused {
        Some(error) => Err(error.into()),
        None => Ok(answer(&call, &uris)),
    }
}

fn answer(call: &Call, uris: &[String]) -> Reply {
    match (call.context.format_without_accept(Format::Other(String::new())), uris) {
        (Format::Text, [uri]) => ReplyBody::text(uri.as_str()),
        _ => ReplyBody::uri_list(uris.iter().map(String::as_str)),
    }
}

/// Catalogs carry MD5 digests; nobody needs to wait for them.
fn take_digests_later(call: &Call, sessions: &[PrearchiveSession]) {
    let core = call.site.core.clone();
    let manifests: Vec<String> = sessions.iter().filter_map(|session| session.manifest.clone()).collect();
    after_the_answer(async move {
        for id in manifests {
            // A session may have been archived or deleted meanwhile; whoever needs its digests takes them then.
            let Ok(manifest) = core.manifest(&id).await else { continue };
            if let Err(error) = core.take_digests(&manifest).await {
                eprintln!("digests are not taken: {error}");
            }
        }
    });
}
