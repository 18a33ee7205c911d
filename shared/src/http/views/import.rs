//! What an import came to.

use serde_json::{Value, json};

use crate::domain::prearchive::upload::Verdict;
use crate::http::escape::{Breaks, push_markup};

/// The sessions, and what became of each file.
pub fn verdicts(uris: &[String], verdicts: &[Verdict]) -> Vec<u8> {
    let rows: Vec<Value> = uris.iter().map(|uri| json!({ "URI": uri })).collect();
    let files: Vec<Value> = verdicts
        .iter()
        .map(|verdict| {
            let mut file = json!({ "name": verdict.name, "verdict": verdict.outcome.as_str() });
            if !verdict.sop_instance_uid.is_empty() {
                file["sop_instance_uid"] = json!(verdict.sop_instance_uid);
            }
            if let Some(reason) = &verdict.reason {
                file["reason"] = json!(reason.code);
                file["message"] = json!(reason.text);
            }
            file
        })
        .collect();
    let total = rows.len().to_string();
    json!({ "ResultSet": { "Result": rows, "totalRecords": total }, "files": files }).to_string().into_bytes()
}

/// A page for web uploaders.
pub fn page(uris: &[String]) -> String {
    let mut page =
        String::from("<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Import</title></head><body><ul>");
    for uri in uris {
        page.push_str("<li>");
        push_markup(&mut page, uri, Breaks::Blank);
        page.push_str("</li>");
    }
    page.push_str("</ul></body></html>");
    page
}
