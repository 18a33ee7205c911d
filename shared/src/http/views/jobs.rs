//! Jobs, as those who follow them see them.

use serde_json::{Value, json};

use crate::domain::jobs::{Job, JobMessage};
use crate::http::Table;

/// A job's messages with whether each is the last that will come.
fn messages(job: Option<&Job>) -> impl Iterator<Item = (&JobMessage, bool)> {
    job.into_iter().flat_map(|job| {
        let last = job.messages.len().saturating_sub(1);
        let is_over = job.finished_ms.is_some();
        job.messages.iter().enumerate().map(move |(index, message)| (message, is_over && index == last))
    })
}

/// XNAT's status list: one list of messages within another.
pub fn status_as_json(job: Option<&Job>) -> Vec<u8> {
    let list: Vec<Value> = messages(job)
        .map(|(message, is_last)| match is_last {
            true => json!({"status": message.kind.word(), "msg": message.text, "terminal": true}),
            false => json!({"status": message.kind.word(), "msg": message.text}),
        })
        .collect();
    json!({"msgs": [list]}).to_string().into_bytes()
}

/// The same as text: a line for each message.
pub fn status_as_text(job: Option<&Job>) -> String {
    let mut text = String::from("StatusLog\n");
    let key = job.map_or("", |job| &job.key);
    for (message, is_last) in messages(job) {
        let one_line: String = message.text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let end = if is_last { " (terminal)" } else { "" };
        text.push_str(&format!("{key} {} {one_line}{end}\n", message.kind.word()));
    }
    text
}

/// The same as a table.
pub fn status_as_table(job: Option<&Job>) -> Table {
    let mut table = Table::with_columns(["status", "message", "terminal"]);
    for (message, is_last) in messages(job) {
        table.push([message.kind.word(), &message.text, if is_last { "true" } else { "" }]);
    }
    table
}

/// XNAT's event payload: a text of JSON.
pub fn payload(job: &Job) -> String {
    let waiting = json!({"status": "Waiting", "eventTime": job.created_ms, "message": "The work is queued."});
    let entries = job.messages.iter().map(
        |message| json!({"status": message.kind.event_word(), "eventTime": message.at_ms, "message": message.text}),
    );
    let list: Vec<Value> = std::iter::once(waiting).chain(entries).collect();
    json!({"entryList": list}).to_string()
}

/// XNAT's event, with how far the work has come beside it.
pub fn event(job: &Job) -> Vec<u8> {
    let last = job.messages.last().filter(|_| job.finished_ms.is_some());
    let event = json!({
        "key": job.key,
        "payload": payload(job),
        "succeeded": job.succeeded(),
        "finalMessage": last.map(|message| &message.text),
        "progress": {"total": job.total, "done": job.next, "failed": job.failed},
    });
    event.to_string().into_bytes()
}
