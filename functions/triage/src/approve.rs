//! `POST` or `PUT /data/services/triage/approve`

use http::StatusCode;
use narthex::domain::DomainError;
use narthex::domain::triage::Approve;
use narthex::http::ClientError;
use narthex::service::{Call, Reply, ReplyBody, after_the_answer};

use crate::{refuse_scripts, unknown_file, unknown_folder, wanted};

/// XNAT's text.
const DONE: &str = "Quarantine File(s) successfully approved";

/// Takes files into the archive. Nothing is done if any part of the request would be refused; all files for one
/// destination come there with one write.
pub async fn run(mut call: Call) -> Result<Reply, ClientError> {
    call.read_fields().await?;
    refuse_scripts(&call)?;
    let core = call.site.core.clone();
    let all = wanted::read(&call).await?;
    // What goes to one destination is looked at when it goes.
    if all.len() > 1
        && let Err(error) = core.check_approvals(&all).await
    {
        return Err(told(&call, error, &all).await?);
    }
    let mut gone = Vec::new();
    let mut outcome = Ok(());
    for (done, wanted) in all.iter().enumerate() {
        match core.approve(wanted).await {
            Ok(approved) => gone.extend(approved.gone),
            Err(error) => {
                outcome = Err((done, error));
                break;
            }
        }
    }
    after_the_answer(async move {
        for folder in gone {
            // Should it fail, the sweep does it.
            if let Err(error) = core.empty_triage_of(&folder).await {
                eprintln!("what an approved folder of the quarantine leaves is not removed yet: {error}");
            }
        }
    });
    if let Err((done, error)) = outcome {
        let mut error = told(&call, error, &all).await?;
        // Something has come between looking and doing.
        if done > 0 {
            let count = all.len();
            error
                .sentence
                .push_str(&format!(" The files for {done} of the {count} destinations were approved before."));
        }
        return Err(error);
    }
    Ok(ReplyBody::reply(StatusCode::CREATED, "text/html; charset=utf-8", DONE))
}

async fn told(call: &Call, error: DomainError, all: &[Approve]) -> Result<ClientError, ClientError> {
    Ok(match error {
        DomainError::NotFound { .. } => missing(call, all).await?.unwrap_or_else(|| error.into()),
        DomainError::Refused { .. } => {
            ClientError::forbidden("locked", "Destination is locked. Please unlock to continue.")
        }
        other => other.into(),
    })
}

/// What XNAT says of the first source that is not there.
async fn missing(call: &Call, all: &[Approve]) -> Result<Option<ClientError>, ClientError> {
    let core = &call.site.core;
    for source in all.iter().flat_map(|wanted| &wanted.sources) {
        let Some(folder) = core.triage_folder(&source.project, &source.label).await? else {
            return Ok(Some(if source.paths.is_some() { unknown_file() } else { unknown_folder() }));
        };
        for path in source.paths.iter().flatten() {
            if core.triage_file(&folder, path).await?.is_none() {
                return Ok(Some(unknown_file()));
            }
        }
    }
    Ok(None)
}
