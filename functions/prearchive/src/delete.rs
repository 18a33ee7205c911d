//! `DELETE` one session.

use narthex::domain::prearchive::SessionPlace;
use narthex::http::ClientError;
use narthex::service::{Call, Reply, ReplyBody};

/// Deletes the session with everything in it.
pub async fn session(call: &Call, place: &SessionPlace) -> Result<Reply, ClientError> {
    let session = call.site.core.session_at(place).await?;
    let core = &call.site.core;
    let held = core.hold_session(&session.id).await?;
    core.delete_session(held).await?;
    Ok(ReplyBody::nothing())
}
