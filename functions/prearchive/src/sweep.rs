//! `POST /data/services/prearchive/sweep`: for whatever calls it by the clock.

use narthex::http::ClientError;
use narthex::service::{Call, Reply, ReplyBody};

/// Sees to everything that is due, and says as JSON how much there was. For administrators, and for whoever brings the
/// token of the variable `sweep_token` as `Authorization: Bearer`.
pub async fn run(call: &Call) -> Result<Reply, ClientError> {
    if !call.is_sweeper {
        call.demand_admin()?;
    }
    let swept = call.site.sweep().await?;
    let counts = serde_json::to_vec(&swept).map_err(|error| ClientError::internal(error.to_string()))?;
    Ok(ReplyBody::json(counts))
}
