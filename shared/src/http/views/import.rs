//! What an import came to.

use serde_json::{Value, json};

use crate::domain::prearchive::upload::{ToldVerdict, Verdict};
use crate::http::escape::{Breaks, push_markup};

/// The sessions, and what became of each file.
pub fn verdicts(uris: &[String], verdicts: &[Verdict]) -> Vec<u8> {
    let rows: Vec<Value> = uris.iter().map(|uri| json!({ "URI": uri })).collect();
    let files: Vec<ToldVerdict> = verdicts.iter().map(ToldVerdict::from).collect();
    let total = rows.len().to_string();
    json!({ "ResultSet": { "Result": rows, "totalRecords": total }, "files": files }).to_string().into_bytes()
}

/// A page for web uploaders that lists the sessions.
pub fn page(uris: &[String]) -> String {
    list("", uris.iter().map(String::as_str))
}

/// A page for web uploaders that lists what went wrong.
pub fn failure_page(sentence: &str) -> String {
    list(" class=\"errors\"", std::iter::once(sentence))
}

fn list<'a>(attributes: &str, lines: impl Iterator<Item = &'a str>) -> String {
    let mut page =
        String::from("<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Import</title></head><body><ul");
    page.push_str(attributes);
    page.push('>');
    for line in lines {
        page.push_str("<li>");
        push_markup(&mut page, line, Breaks::Blank);
        page.push_str("</li>");
    }
    page.push_str("</ul></body></html>");
    page
}
