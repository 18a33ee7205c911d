//! `POST` or `PUT /data/services/triage/approve`

use http::StatusCode;
use narthex::domain::DomainError;
use narthex::domain::triage::Approve;
use narthex::http::ClientError;
use narthex::service::{Call, Reply, ReplyBody, after_the_answer};

use crate::{refuse_scripts, unknown_file, unknown_folder, wanted};

/// XNAT's text.
const DONE: &str = "Quarantine File(s) successfully approved";

/// Takes files into the archive. Nothing is done if any part of the request would be refused; each folder's files come
/// to a destination with one write.
pub async fn run(mut call: Call) -> Result<Reply, ClientError> {
    call.read_fields().await?;
    refuse_scripts(&call)?;
    let core = call.site.core.clone();
    let parts = wanted::read(&call).await?;
    if parts.len() > 1 {
        for part in &parts {
            core.check_approval(part).await.map_err(|error| told(error, part))?;
        }
    }
    let mut gone = Vec::new();
    let mut outcome = Ok(());
    for part in &parts {
        match core.approve(part).await {
            Ok(approved) => gone.extend(approved.gone),
            Err(error) => {
                outcome = Err(told(error, part));
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
    outcome?;
    Ok(ReplyBody::reply(StatusCode::CREATED, "text/html; charset=utf-8", DONE))
}

fn told(error: DomainError, part: &Approve) -> ClientError {
    match error {
        DomainError::NotFound { .. } if part.paths.is_some() => unknown_file(),
        DomainError::NotFound { .. } => unknown_folder(),
        DomainError::Refused { .. } => {
            ClientError::forbidden("locked", "Destination is locked. Please unlock to continue.")
        }
        other => other.into(),
    }
}
