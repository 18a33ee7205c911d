//! Forms that have fields and no file.

use bytes::Bytes;

use super::FilesError;
use crate::intake::form::FormReader;

/// The fields of a `multipart/form-data` body that was read whole.
///
/// # Errors
/// [`FilesError`] for a form that is broken, or that has a file.
#[crate::boxed(?Send)]
pub async fn form_fields(boundary: &str, body: Vec<u8>) -> Result<Vec<(String, String)>, FilesError> {
    let mut left = Some(Bytes::from(body)).filter(|body| !body.is_empty());
    let mut form = FormReader::new(boundary);
    let mut fields = Vec::new();
    while let Some(mut part) = form.part(async || Ok::<_, FilesError>(left.take())).await? {
        if part.file_name().is_some() {
            return Err(FilesError::FileNotWanted);
        }
        let mut value = Vec::new();
        while let Some(piece) = form.piece(&mut part, async || Ok::<_, FilesError>(left.take())).await? {
            value.extend_from_slice(&piece);
        }
        let name = part.name().unwrap_or_default().to_owned();
        fields.push((name, String::from_utf8_lossy(&value).into_owned()));
    }
    Ok(fields)
}
