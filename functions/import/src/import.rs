//! `POST /data/services/import`

use narthex::domain::archive::{ArchiveRequest, Experiment};
use narthex::domain::error::DomainError;
use narthex::domain::jobs::Watched;
use narthex::domain::prearchive::PrearchiveSession;
use narthex::domain::prearchive::commit::{CommitRequest, Committed};
use narthex::domain::prearchive::import::ImportHandler;
use narthex::domain::prearchive::upload::{Upload, Verdict};
use narthex::http::ClientError;
use narthex::http::views::archive::address;
use narthex::service::{Call, Reply, after_the_answer, empty_trash_later};
use narthex::storage::kv::KvStore;

use crate::answer;
use crate::receive::{Received, Sent, receive};
use crate::request::Wanted;
use crate::xar;

/// Takes an upload in; answers with one URI for each session. With `http-session-listener` others can follow it.
pub async fn run(mut call: Call, name: Option<&str>) -> Result<Reply, ClientError> {
    let core = call.site.core.clone();
    let key = call.context.params.get("http-session-listener").map(str::to_owned);
    let mut watched = match key {
        Some(key) => {
            let first = format!("Importing file ({})", name.unwrap_or("upload"));
            Some(core.watch(&call.user(), &key, &first).await?)
        }
        None => None,
    };
    let outcome = import(&mut call, name, watched.as_mut()).await;
    if let Some(watched) = watched {
        let told = match &outcome {
            Ok((uris, _)) => core.conclude(watched, Ok(&answer::as_message(uris))).await,
            Err(error) => core.conclude(watched, Err(&error.sentence)).await,
        };
        if let Err(error) = told {
            // What was imported stays imported.
            eprintln!("what came of an import is not told: {error}");
        }
    }
    let (uris, verdicts) = outcome?;
    Ok(answer::render(&call, &uris, &verdicts))
}

async fn import(
    call: &mut Call,
    name: Option<&str>,
    mut watched: Option<&mut Watched>,
) -> Result<(Vec<String>, Vec<Verdict>), ClientError> {
    let Received { wanted, sent } = receive(call, name, watched.as_deref_mut()).await?;
    let upload = match sent {
        Sent::Images(upload) => upload,
        Sent::Xar(file) => return Ok((vec![xar::take(call, &wanted, file, false).await?], Vec::new())),
    };
    if let Some(watched) = watched {
        let files: u64 = upload.studies.iter().map(|study| study.files).sum();
        let text = format!("Received {files} image(s) of {} study(ies).", upload.studies.len());
        call.site.core.tell(watched, &text).await?;
    }
    place(call, wanted, upload).await
}

/// Brings an upload that was taken in to its sessions, and these as far as is wanted. Gives their URIs, and what became
/// of each file.
pub async fn place(
    call: &Call,
    wanted: Wanted,
    upload: Upload<KvStore>,
) -> Result<(Vec<String>, Vec<Verdict>), ClientError> {
    let imported = call.site.core.import(upload, &wanted.import).await?;
    let uris = match wanted.handler {
        ImportHandler::SessionImporter => built(call, &wanted, imported.sessions).await?,
        _ if wanted.commits => committed(call, &wanted, imported.sessions).await?,
        _ => imported.sessions.iter().map(staged).collect(),
    };
    Ok((uris, imported.verdicts))
}

fn staged(session: &PrearchiveSession) -> String {
    format!("/data{}", session.place.uri())
}

async fn archive_request(
    call: &Call,
    wanted: &Wanted,
    session: &PrearchiveSession,
) -> Result<ArchiveRequest, ClientError> {
    Ok(ArchiveRequest {
        by: call.user(),
        rules: call.site.core.rules_of(session, wanted.wish).await?,
        quarantine: wanted.quarantine,
        cause: wanted.cause.clone(),
        is_silent: wanted.is_silent,
        ..ArchiveRequest::default()
    })
}

/// Sessions that are complete and built: they are archived where that is wanted.
async fn built(call: &Call, wanted: &Wanted, imported: Vec<PrearchiveSession>) -> Result<Vec<String>, ClientError> {
    let core = &call.site.core;
    let mut sessions = Vec::with_capacity(imported.len());
    for session in imported {
        // A PET/MR study may be wanted as two sessions.
        match core.separate(&session).await? {
            Some((pet, mr)) => sessions.extend([pet, mr]),
            None => sessions.push(session),
        }
    }
    take_digests_later(call, &sessions);
    let mut uris = Vec::with_capacity(sessions.len());
    let mut refused = None;
    for session in &sessions {
        if !core.archives_by_itself(session, wanted.to_archive).await? {
            uris.push(staged(session));
            continue;
        }
        match core.archive(session, &archive_request(call, wanted, session).await?).await {
            Ok(experiment) => uris.push(archived(call, session, &experiment)),
            // The other sessions of the upload are looked after all the same.
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    match refused {
        Some(error) => Err(error.into()),
        None => Ok(uris),
    }
}

fn archived(call: &Call, session: &PrearchiveSession, experiment: &Experiment) -> String {
    empty_trash_later(call, vec![session.id.clone()]);
    address(experiment)
}

/// Sessions that the request says are complete: they are built, and archived where that is wanted.
async fn committed(call: &Call, wanted: &Wanted, sessions: Vec<PrearchiveSession>) -> Result<Vec<String>, ClientError> {
    let core = &call.site.core;
    let request = CommitRequest {
        by: call.user(),
        to_archive: wanted.to_archive,
        wish: wanted.wish,
        quarantine: wanted.quarantine,
        cause: wanted.cause.clone(),
        is_silent: wanted.is_silent,
        ..CommitRequest::default()
    };
    let mut uris = Vec::with_capacity(sessions.len());
    let mut refused = None;
    for session in &sessions {
        let outcome = match core.hold_found_patiently(session).await {
            Ok(held) => core.commit_held(held, &request).await,
            Err(error) => Err(error),
        };
        match outcome {
            Ok(Committed::Archived(experiment)) => uris.push(archived(call, session, &experiment)),
            Ok(Committed::Staged(session)) => {
                take_digests_later(call, std::slice::from_ref(&session));
                uris.push(staged(&session));
            }
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    match refused {
        None => Ok(uris),
        Some(error @ (DomainError::Store(_) | DomainError::Busy { .. })) => Err(error.into()),
        // XNAT's status, with the cause that it does not tell.
        Some(error) => {
            let sentence = format!("unable to archive for the Prearchive session: {error}");
            Err(ClientError::bad_request("not-archived", sentence))
        }
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
