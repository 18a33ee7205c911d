//! The body of a request that says what a project is: a form, a document, or nothing.

use narthex::http::ClientError;
use narthex::http::forms::project::ProjectForm;
use narthex::service::Call;
use narthex::xml::read::MAX_DOCUMENT_BYTES;

/// What a request says of a project. `None` stands for a body that is empty.
pub struct Said {
    /// The fields.
    pub form: ProjectForm,
    /// Whether there was a body.
    pub has_body: bool,
}

/// Reads fields from the query and the body. What begins with `<` is a document, whatever its media type: some clients
/// call every body a form.
pub async fn read(call: &mut Call) -> Result<Said, ClientError> {
    let media_type = call.context.media_type();
    let body = call.take_body().collect(MAX_DOCUMENT_BYTES).await?;
    let has_body = !body.iter().all(u8::is_ascii_whitespace);
    let is_document = body.trim_ascii_start().first() == Some(&b'<');
    if has_body && media_type == "multipart/form-data" {
        let sentence = "Send the project's document as the body itself, not as a part of a form.";
        return Err(ClientError::unsupported_media_type("multipart", sentence));
    }
    let is_form = media_type == "application/x-www-form-urlencoded" && !is_document;
    if is_form {
        call.context.params.add_form(&body)?;
    }
    let document = Some(body.as_slice()).filter(|_| has_body && !is_form);
    Ok(Said { form: ProjectForm::read(document, &call.context.params)?, has_body })
}
