//! The body of a request that says what an item is: a form, a document, or nothing.

use narthex::http::ClientError;
use narthex::service::Call;
use narthex::xml::read::MAX_DOCUMENT_BYTES;

/// Reads the body: a form becomes parameters, a document is given back. What begins with `<` is a document, whatever
/// its media type: some clients call every body a form.
pub async fn document(call: &mut Call) -> Result<Option<Vec<u8>>, ClientError> {
    let media_type = call.context.media_type();
    let body = call.take_body().collect(MAX_DOCUMENT_BYTES).await?;
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    if media_type == "multipart/form-data" {
        let sentence = "Send the item's document as the body itself, not as a part of a form.";
        return Err(ClientError::unsupported_media_type("multipart", sentence));
    }
    if media_type == "application/x-www-form-urlencoded" && body.trim_ascii_start().first() != Some(&b'<') {
        call.context.params.add_form(&body)?;
        return Ok(None);
    }
    Ok(Some(body))
}
