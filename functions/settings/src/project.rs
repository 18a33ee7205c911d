//! `GET /data/projects/ID`

use narthex::domain::access::Right;
use narthex::http::views::project::{document, item, table};
use narthex::http::{ClientError, Format};
use narthex::service::{Call, Reply, ReplyBody};

/// One project: HTML page, XML document or JSON item.
pub async fn read(call: &Call, name: &str) -> Result<Reply, ClientError> {
    let format = call.context.format(&[Format::Html, Format::Xml, Format::Json])?;
    let project = call.project(name, Right::Read).await?;
    match format {
        Format::Json => Ok(ReplyBody::json(item(&project).to_json())),
        Format::Xml => {
            Ok(ReplyBody::xml(document(&project).map_err(|error| ClientError::internal(error.to_string()))?))
        }
        other => Ok(ReplyBody::table(table(&[project]).render(&other))),
    }
}
