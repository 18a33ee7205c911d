//! `GET` and `PUT /data/projects/ID/prearchive_code`

use narthex::domain::project::PrearchiveCode;
use narthex::http::ClientError;
use narthex::service::{Call, Reply, ReplyBody};

/// The bare digit.
pub async fn read(call: &Call, id: &str) -> Result<Reply, ClientError> {
    let project = call.site.core.project(id).await?;
    Ok(ReplyBody::text(u8::from(project.prearchive_code).to_string()))
}

/// Sets it. 200 with nothing, as XNAT has it.
pub async fn put(call: &Call, id: &str, code: &str) -> Result<Reply, ClientError> {
    let code = PrearchiveCode::parse(code)?;
    call.site.core.set_prearchive_code(id, code).await?;
    Ok(ReplyBody::nothing())
}
