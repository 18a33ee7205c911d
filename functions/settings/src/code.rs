//! `GET` and `PUT /data/projects/ID/prearchive_code`, `quarantine_code` and `resource_quarantine`

use narthex::domain::access::Right;
use narthex::domain::project::{PrearchiveCode, QuarantineCode, ResourceQuarantine};
use narthex::http::ClientError;
use narthex::service::{Call, Reply, ReplyBody};

use crate::record::Record;

/// The bare digit.
pub async fn read_prearchive(call: &Call, name: &str) -> Result<Reply, ClientError> {
    let project = call.project(name, Right::Read).await?;
    Ok(ReplyBody::text(u8::from(project.prearchive_code).to_string()))
}

/// Sets it. 200 with nothing, as XNAT has it.
pub async fn put_prearchive(call: &Call, name: &str, code: &str) -> Result<Reply, ClientError> {
    let project = call.project(name, Right::Own).await?;
    demand_code(code, "prearchive_code/0, 1, 4 or 5")?;
    let record = Record::of(call)?;
    call.site.core.set_prearchive_code(project.id.as_str(), PrearchiveCode::parse(code)?).await?;
    record.write(call, &project, &format!("prearchive_code: {code}")).await?;
    Ok(ReplyBody::nothing())
}

/// The bare digit.
pub async fn read_quarantine(call: &Call, name: &str) -> Result<Reply, ClientError> {
    let project = call.project(name, Right::Read).await?;
    Ok(ReplyBody::text(u8::from(project.quarantine_code).to_string()))
}

/// Sets it. 200 with nothing, as XNAT has it.
pub async fn put_quarantine(call: &Call, name: &str, code: &str) -> Result<Reply, ClientError> {
    let project = call.project(name, Right::Own).await?;
    demand_code(code, "quarantine_code/0 or 1")?;
    let record = Record::of(call)?;
    call.site.core.set_quarantine_code(project.id.as_str(), QuarantineCode::parse(code)?).await?;
    record.write(call, &project, &format!("quarantine_code: {code}")).await?;
    Ok(ReplyBody::nothing())
}

/// The bare digit.
pub async fn read_resource_quarantine(call: &Call, name: &str) -> Result<Reply, ClientError> {
    let project = call.project(name, Right::Read).await?;
    Ok(ReplyBody::text(u8::from(project.resource_quarantine).to_string()))
}

/// Sets it. 200 with nothing, as the others.
pub async fn put_resource_quarantine(call: &Call, name: &str, code: &str) -> Result<Reply, ClientError> {
    let project = call.project(name, Right::Own).await?;
    demand_code(code, "resource_quarantine/0, 1 or 2")?;
    call.site.core.set_resource_quarantine(project.id.as_str(), ResourceQuarantine::parse(code)?).await?;
    Ok(ReplyBody::nothing())
}

fn demand_code(code: &str, example: &str) -> Result<(), ClientError> {
    if code.is_empty() {
        let sentence = format!("Name the code in the address: .../{example}.");
        return Err(ClientError::bad_request("missing-code", sentence));
    }
    Ok(())
}
