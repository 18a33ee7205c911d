//! A session's log: why it is in CONFLICT or ERROR, and what else befell it.

use narthex::domain::prearchive::SessionPlace;
use narthex::http::views::prearchive::{log_entries, logs};
use narthex::http::{ClientError, Format};
use narthex::service::{Call, Reply, ReplyBody};

/// `GET .../logs`: the entries, oldest first; with `template` other than `details` their identifiers alone.
pub async fn list(call: &Call, place: &SessionPlace) -> Result<Reply, ClientError> {
    let format = call.context.format(&[Format::Xml, Format::Json, Format::Html, Format::Csv])?;
    let session = call.site.core.session_at(place).await?;
    let with_entries = call.context.params.text("template").is_none_or(|template| template == "details");
    let mut table = logs(&session, with_entries);
    table.arrange(&call.context.params)?;
    Ok(ReplyBody::table(table.render(&format)))
}

/// `GET .../logs/ID` and `.../logs/last`: one entry as text.
pub async fn one(call: &Call, place: &SessionPlace, id: &str) -> Result<Reply, ClientError> {
    let session = call.site.core.session_at(place).await?;
    let entries = log_entries(&session);
    let found = match id {
        "last" => entries.into_iter().next_back(),
        id => entries.into_iter().find(|(at_ms, _)| at_ms.to_string() == id),
    };
    let (_, entry) =
        found.ok_or_else(|| ClientError::not_found("unknown-log", "The session has no such log entry."))?;
    Ok(ReplyBody::text(entry))
}
