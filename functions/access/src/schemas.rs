//! The schemas of what is served.

use http::StatusCode;
use narthex::http::ClientError;
use narthex::service::{Call, Reply, ReplyBody};
use narthex::xml::schema::{SCHEMAS, schema};

/// `GET /xapi/schemas`: their names.
pub fn list(call: &Call) -> Result<Reply, ClientError> {
    call.demand_visitor()?;
    let names: Vec<String> = SCHEMAS.iter().map(|schema| format!("\"{}\"", schema.name)).collect();
    Ok(ReplyBody::json(format!("[{}]", names.join(","))))
}

/// `GET /xapi/schemas/NAME`: one of them; `NAME/NAME.xsd` is the address that XNAT's documents name.
pub fn read(call: &Call, name: &str) -> Result<Reply, ClientError> {
    call.demand_visitor()?;
    let short = name.strip_suffix(".xsd").unwrap_or(name);
    let short = short.split_once('/').filter(|(folder, file)| folder == file).map_or(short, |(folder, _)| folder);
    let found = schema(short).ok_or_else(|| {
        let shown: String = name.chars().take(100).collect();
        ClientError::not_found("unknown-schema", format!("There is no schema of the name {shown}."))
    })?;
    Ok(ReplyBody::reply(StatusCode::OK, "application/xml", found.document))
}
