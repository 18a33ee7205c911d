//! XAR files: documents and the files of what they describe, straight into the archive.

use narthex::domain::access::Right;
use narthex::domain::archive::Rules;
use narthex::domain::prearchive::upload::Verdict;
use narthex::domain::prearchive::upload_files::ReceivedFile;
use narthex::domain::xar::{Xar, XarRequest};
use narthex::http::ClientError;
use narthex::service::Call;

use crate::request::Wanted;

/// Takes a XAR; gives the address of the experiment, or those of the assessors if nothing else came, and what became of
/// each file if that is wanted. One that `is_lent` is removed by the caller if it is refused.
pub async fn take(
    call: &Call,
    wanted: &Wanted,
    file: ReceivedFile,
    is_lent: bool,
) -> Result<(Vec<String>, Vec<Verdict>), ClientError> {
    let core = &call.site.core;
    let xar = core.open_xar(file, is_lent).await?;
    let request = match request(call, wanted, &xar).await {
        Ok(request) => request,
        Err(error) => {
            core.abandon_xar(xar).await;
            return Err(error);
        }
    };
    let mut verdicts = if wanted.rules.wants_verdicts { xar.verdicts() } else { Vec::new() };
    let taken = core.import_xar(xar, &request).await?;
    taken.note_repeated(&mut verdicts);
    Ok((taken.uris(), verdicts))
}

async fn request(call: &Call, wanted: &Wanted, xar: &Xar) -> Result<XarRequest, ClientError> {
    let import = &wanted.import;
    let (project, session) = match xar.session_of_parts() {
        None => (project_of(call, wanted, xar.project()).await?, import.session.clone()),
        Some(_) => session_of_parts(call, wanted, xar).await?,
    };
    Ok(XarRequest {
        by: call.user(),
        project,
        subject: import.subject.clone(),
        session,
        rules: Rules {
            overwrite: wanted.wish.overwrite.unwrap_or_default(),
            overwrite_files: wanted.wish.overwrite_files,
        },
        quarantine: wanted.quarantine,
        fields: import.fields.clone(),
        visit: Some(import.visit.clone()).filter(|text| !text.is_empty()),
        protocol: Some(import.protocol.clone()).filter(|text| !text.is_empty()),
        cause: wanted.cause.clone(),
        is_silent: wanted.is_silent,
    })
}

/// The project: the one that the request names, whose rights were looked at already, else the document's.
async fn project_of(call: &Call, wanted: &Wanted, named: &str) -> Result<String, ClientError> {
    if let Some(project) = &wanted.import.project {
        return Ok(project.clone());
    }
    match call.project(named, Right::Edit).await {
        Ok(project) => Ok(project.id.to_string()),
        // One that may not be seen is told from none by nobody.
        Err(error) if error.status.number() == 404 => {
            let sentence = "Could not process XAR file - Invalid project tag.";
            Err(ClientError::bad_request("unknown-project", sentence))
        }
        Err(error) => Err(error),
    }
}

/// The project and the session that scans or assessors are for: as the request names them, else by the identifier that they say.
async fn session_of_parts(call: &Call, wanted: &Wanted, xar: &Xar) -> Result<(String, Option<String>), ClientError> {
    let import = &wanted.import;
    if let (Some(project), Some(session)) = (&import.project, &import.session) {
        return Ok((project.clone(), Some(session.clone())));
    }
    let unknown = || {
        let sentence = "The scans or assessors of the XAR name no session that is there (image_session_ID, \
                        imageSession_ID); name it with dest, or with project and session.";
        ClientError::bad_request("unknown-session", sentence)
    };
    let found = call.site.core.session_of_xar(xar).await?.ok_or_else(unknown)?;
    if import.project.as_ref().is_some_and(|project| *project != found.project) {
        return Err(unknown());
    }
    match call.project(&found.project, Right::Edit).await {
        Ok(_) => Ok((found.project, Some(found.label))),
        Err(error) if error.status.number() == 404 => Err(unknown()),
        Err(error) => Err(error),
    }
}
