//! The history of an item.

use crate::domain::Core;
use crate::domain::history::{Event, ItemKind, MAX_EVENTS};
use crate::domain::time::date_time;
use crate::http::shape::Page;
use crate::http::table::Rendered;
use crate::http::{ClientError, Format, RequestContext, Table};

const COLUMNS: [&str; 10] =
    ["date", "user", "action", "item", "ID", "label", "details", "event_reason", "event_comment", "event_type"];

/// The events, in their order.
pub fn table(events: Vec<Event>) -> Table {
    let mut table = Table::with_columns(COLUMNS).titled("History");
    for event in events {
        table.push([
            date_time(event.at_ms),
            event.by,
            event.action,
            event.kind.as_str().to_owned(),
            event.id,
            event.label,
            event.details,
            event.cause.reason,
            event.cause.comment,
            event.cause.kind,
        ]);
    }
    table
}

/// The events of an item, newest first, as far as `limit` and `offset` say; without them the last 1,000.
///
/// # Errors
/// 400 for a `limit` or `offset` that is none, or the store's failure.
pub async fn page(core: &Core, context: &RequestContext, kind: ItemKind, id: &str) -> Result<Rendered, ClientError> {
    let format = context.format(&[Format::Json, Format::Html, Format::Xml, Format::Csv])?;
    let page = Page::of(&context.params)?;
    let offset = page.as_ref().map_or(0, |page| page.offset as u64);
    let limit = page.as_ref().and_then(|page| page.limit).map_or(MAX_EVENTS, |limit| limit as u64);
    let mut table = table(core.history(kind, id, offset, limit).await?);
    table.counted = page.is_none();
    Ok(table.render(&format))
}
