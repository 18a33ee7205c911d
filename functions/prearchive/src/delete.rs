//! `DELETE` one session, or one of its scans.

use narthex::domain::prearchive::SessionPlace;
use narthex::http::ClientError;
use narthex::service::{Call, Reply, ReplyBody, after_the_answer, empty_trash_later};

/// Deletes the session with everything in it.
pub async fn session(call: &Call, place: &SessionPlace) -> Result<Reply, ClientError> {
    let core = &call.site.core;
    let session = core.session_at(place).await?;
    let held = core.hold_found(&session).await?;
    core.delete_session(held).await?;
    empty_trash_later(call, vec![session.id]);
    Ok(ReplyBody::nothing())
}

/// Deletes one scan with its files.
pub async fn scan(call: &Call, place: &SessionPlace, scan: &str) -> Result<Reply, ClientError> {
    let core = call.site.core.clone();
    let session = core.session_at(place).await?;
    let mut held = core.hold_found(&session).await?;
    let deleted = core.delete_scan(&mut held, scan).await;
    core.let_go(held).await?;
    deleted.map_err(|error| match error {
        narthex::domain::DomainError::NotFound { .. } => {
            let shown: String = scan.chars().take(100).collect();
            ClientError::not_found("unknown-scan", format!("Unknown scan {shown}"))
        }
        other => other.into(),
    })?;
    after_the_answer(async move {
        // What is not released now is released with the session.
        if let Err(error) = core.release_unused_packs(&session.id).await {
            eprintln!("the bytes of a deleted scan are not released yet: {error}");
        }
    });
    Ok(ReplyBody::nothing())
}
