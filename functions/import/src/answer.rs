//! The answer to an import.

use narthex::domain::prearchive::upload::Verdict;
use narthex::http::{ClientError, Format, views};
use narthex::service::{Call, Reply, ReplyBody};

/// The media type of MIRC, whose senders wait for a word instead of addresses.
const MIRC: &str = "application/x-mirc";

/// One URI a line, whatever `Accept` says; a single one bare as text; and, if asked for, what became of each file.
pub fn render(call: &Call, uris: &[String], verdicts: &[Verdict]) -> Reply {
    if call.context.params.flag("verdicts") {
        return ReplyBody::json(views::import::verdicts(uris, verdicts));
    }
    if call.context.media_type() == MIRC {
        return ReplyBody::text("OK");
    }
    match (format(call), uris) {
        (Format::Text, [uri]) => ReplyBody::text(uri.as_str()),
        (Format::Html, uris) => ReplyBody::page(views::import::page(uris)),
        _ => ReplyBody::uri_list(uris.iter().map(String::as_str)),
    }
}

/// A refusal. Web uploaders, which ask for a page, show it whatever its status, and so get it with 200 as from XNAT.
pub fn refuse(call: &Call, error: ClientError) -> Result<Reply, ClientError> {
    if format(call) == Format::Html && error.status.number() < 500 {
        return Ok(ReplyBody::page(views::import::failure_page(&error.sentence)));
    }
    Err(error)
}

/// The format that the query asks for; `Accept` does not count.
fn format(call: &Call) -> Format {
    call.context.format_without_accept(Format::Other(String::new()))
}
