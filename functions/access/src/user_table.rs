//! `GET /data/users`

use narthex::http::shape::choose_columns;
use narthex::http::views::users::{COLUMNS, table};
use narthex::http::{ClientError, Format};
use narthex::service::{Call, Reply, ReplyBody};

/// The table of users who are enabled, for everybody who has logged in: to name them as members of projects.
pub async fn list(call: &Call) -> Result<Reply, ClientError> {
    call.demand_login()?;
    let format = call.context.format(&[Format::Json, Format::Html, Format::Xml, Format::Csv])?;
    let mut table = table(&call.site.core.list_users().await?);
    table.keep_columns(&choose_columns(call.context.params.text("columns"), &COLUMNS, &COLUMNS));
    table.arrange(&call.context.params)?;
    Ok(ReplyBody::table(table.render(&format)))
}
