//! `POST /data/services/import`

use narthex::domain::error::DomainError;
use narthex::domain::jobs::{Watched, import_result};
use narthex::domain::prearchive::gathered::Repeated;
use narthex::domain::prearchive::onward::{Brought, Way};
use narthex::domain::prearchive::upload::{Upload, Verdict};
use narthex::http::ClientError;
use narthex::service::{Call, Reply, after_the_answer, empty_trash_later, jobs};

use crate::answer;
use crate::background;
use crate::receive::{Form, Received, Sent, read_form, receive};
use crate::request::Wanted;
use crate::xar;

/// Addresses in the sentence of a refusal, at most.
const MAX_SHOWN: usize = 20;

/// Takes an upload in; answers with one URI for each session. With `http-session-listener` others can follow it; stored
/// files are imported in the background then.
pub async fn run(mut call: Call, name: Option<&str>) -> Result<Reply, ClientError> {
    attempt(&mut call, name).await.or_else(|error| answer::refuse(&call, error))
}

async fn attempt(call: &mut Call, name: Option<&str>) -> Result<Reply, ClientError> {
    let core = call.site.core.clone();
    if let Some(answer) = background::submit(call).await? {
        return Ok(answer);
    }
    let mut watched = watch(call, name).await?;
    let form = read_form(call).await;
    // Only now it is known that the form names stored files; what is followed already is not left to the background.
    if matches!(form, Ok(Form::Fields))
        && watched.is_none()
        && let Some(answer) = background::submit(call).await?
    {
        return Ok(answer);
    }
    if watched.is_none() {
        // The key may have come in the form.
        match watch(call, name).await {
            Ok(now) => watched = now,
            Err(error) => {
                if let Ok(Form::Files(files)) = form {
                    core.abandon_files(files).await;
                }
                return Err(error);
            }
        }
    }
    let outcome = match form {
        Ok(form) => import(call, form, name, watched.as_mut()).await,
        Err(error) => Err(error),
    };
    if let Some(watched) = watched {
        let told = match &outcome {
            Ok((uris, _)) => core.conclude(watched, Ok(&import_result(uris))).await,
            Err(error) => core.conclude(watched, Err(&error.sentence)).await,
        };
        if let Err(error) = told {
            // What was imported stays imported.
            eprintln!("what came of an import is not told: {error}");
        }
    }
    let (uris, verdicts) = outcome?;
    Ok(answer::render(call, &uris, &verdicts))
}

/// Begins to tell what comes of the import, if the request names a listener.
async fn watch(call: &Call, name: Option<&str>) -> Result<Option<Watched>, ClientError> {
    let Some(key) = jobs::listener(call)? else { return Ok(None) };
    let first = format!("Importing file ({})", name.unwrap_or("upload"));
    Ok(Some(call.site.core.watch(&call.user(), &key, &first).await?))
}

async fn import(
    call: &mut Call,
    form: Form,
    name: Option<&str>,
    mut watched: Option<&mut Watched>,
) -> Result<(Vec<String>, Vec<Verdict>), ClientError> {
    let Received { wanted, sent } = receive(call, form, name, watched.as_deref_mut()).await?;
    let upload = match sent {
        Sent::Images(upload) => upload,
        Sent::Xar(file) => return xar::take(call, &wanted, file, false).await,
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
pub async fn place(call: &Call, wanted: Wanted, upload: Upload) -> Result<(Vec<String>, Vec<Verdict>), ClientError> {
    let core = &call.site.core;
    let mut imported = core.import(upload, &wanted.import).await?;
    let onward = wanted.onward(call.user());
    let mut repeated = Repeated::default();
    let sessions = std::mem::take(&mut imported.sessions);
    let count = sessions.len();
    let (brought, refused) = core.bring_on_noting(sessions, &onward, &mut repeated).await;
    settle_later(call, &brought);
    if let Some(error) = refused {
        let mut error = not_brought(onward.way, error);
        if count > 1 {
            error.sentence.push_str(&others(count, &brought));
        }
        return Err(error);
    }
    imported.note_repeated(&repeated);
    Ok((brought.iter().map(Brought::uri).collect(), imported.verdicts))
}

/// What became of the other sessions of an upload of which some could not be archived.
fn others(count: usize, brought: &[Brought]) -> String {
    let uris: Vec<String> = brought.iter().take(MAX_SHOWN).map(Brought::uri).collect();
    match uris.as_slice() {
        [] => format!(" (None of the {count} sessions of the upload was; all are in the prearchive.)"),
        uris => format!(
            " (Of the {count} sessions of the upload {} went on, and the others are in the prearchive. {})",
            brought.len(),
            uris.join(" ")
        ),
    }
}

/// How it is told that sessions could not be archived.
pub fn not_brought(way: Way, error: DomainError) -> ClientError {
    match (way, error) {
        (_, error @ (DomainError::Store(_) | DomainError::Busy { .. })) => error.into(),
        // XNAT's status, with the cause that it does not tell.
        (Way::Committed, error) => {
            let sentence = format!("unable to archive for the Prearchive session: {error}");
            ClientError::bad_request("not-archived", sentence)
        }
        (_, error) => error.into(),
    }
}

/// What is left to be done for sessions that nobody needs to wait for.
pub fn settle_later(call: &Call, brought: &[Brought]) {
    let mut gone = Vec::new();
    let mut staged = Vec::new();
    for one in brought {
        match one {
            Brought::Staged(session) => staged.extend(session.manifest.clone()),
            Brought::Archived { session, .. } => gone.push(session.clone()),
        }
    }
    if !gone.is_empty() {
        empty_trash_later(call, gone);
    }
    take_digests_later(call, staged);
}

/// Catalogs carry MD5 digests; nobody needs to wait for them.
fn take_digests_later(call: &Call, manifests: Vec<String>) {
    let core = call.site.core.clone();
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
