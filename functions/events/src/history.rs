//! `GET /data/projects/ID/history`

use narthex::domain::access::Right;
use narthex::domain::history::ItemKind;
use narthex::http::ClientError;
use narthex::http::views::history;
use narthex::service::{Call, Reply, ReplyBody};

/// What was done in a project, newest first, for its owners.
pub async fn of_project(call: &Call, name: &str) -> Result<Reply, ClientError> {
    let project = call.project(name, Right::Own).await?;
    let table = history::page(&call.site.core, &call.context, ItemKind::Project, project.id.as_str()).await?;
    Ok(ReplyBody::table(table))
}
