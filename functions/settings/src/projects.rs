//! `GET /data/projects`

use narthex::domain::access::Right;
use narthex::http::shape::choose_columns;
use narthex::http::views::project::{COLUMNS, DEFAULT_COLUMNS, table};
use narthex::http::{ClientError, Format};
use narthex::service::{Call, Reply, ReplyBody};

/// The list of projects.
pub async fn list(call: &Call) -> Result<Reply, ClientError> {
    let format = call.context.format(&[Format::Json, Format::Html, Format::Xml, Format::Csv])?;
    let mut table = table(&call.site.core.projects_for(&call.identity, Right::Read).await?);
    table.keep_columns(&choose_columns(call.context.params.text("columns"), COLUMNS, DEFAULT_COLUMNS));
    table.arrange(&call.context.params)?;
    Ok(ReplyBody::table(table.render(&format)))
}
