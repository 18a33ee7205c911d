//! `GET` and `PUT /data/projects/ID/prearchive_code`

use narthex::domain::access::Right;
use narthex::domain::project::PrearchiveCode;
use narthex::http::ClientError;
use narthex::service::{Call, Reply, ReplyBody};

/// The bare digit.
pub async fn read(call: &Call, id: &str) -> Result<Reply, ClientError> {
    let project = call.project(id, Right::Read).await?;
    Ok(ReplyBody::text(u8::from(project.prearchive_code).to_string()))
}

/// Sets it. 200 with nothing, as XNAT has it.
pub async fn put(call: &Call, id: &str, code: &str) -> Result<Reply, ClientError> {
    let project = call.project(id, Right::Own).await?;
    if code.is_empty() {
        return Err(ClientError::bad_request(
            "missing-code",
            "Name the code in the address: .../prearchive_code/0, 1, 4 or 5.",
        ));
    }
    let code = PrearchiveCode::parse(code)?;
    call.site.core.set_prearchive_code(project.id.as_str(), code).await?;
    Ok(ReplyBody::nothing())
}
