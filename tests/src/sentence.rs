//! What a refusal tells a person.

use crate::Response;

/// The one sentence of a refusal: from the heading of the page, or from the JSON that programs may ask for.
///
/// # Panics
/// When there is none, or it is too short to be one.
#[track_caller]
pub fn sentence(response: &Response) -> String {
    let text = response.text();
    let heading =
        text.split_once("<h3>").and_then(|(_, rest)| rest.split_once("</h3>")).map(|(text, _)| unescape(text));
    let message = || {
        let error: serde_json::Value = serde_json::from_str(&text).ok()?;
        error["error"]["message"].as_str().map(str::to_owned)
    };
    let sentence = heading.or_else(message).unwrap_or_default();
    assert!(sentence.len() > 15, "{}: no sentence in {text}", response.status);
    sentence
}

fn unescape(text: &str) -> String {
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (entity, character)| text.replace(entity, character))
}
