//! What a refresh is asked for: items of the archive, named by URIs.

use narthex::domain::access::Right;
use narthex::domain::refresh::RefreshTarget;
use narthex::http::{ClientError, ResourceUri};
use narthex::service::Call;
use narthex::service::items::locate;

/// The item that a URI names, with its project, for somebody who may edit it.
///
/// # Errors
/// 400 for what is no item of the archive or does not exist for whoever asks, 403.
pub async fn find(call: &Call, text: &str) -> Result<(String, RefreshTarget), ClientError> {
    let shown: String = text.chars().take(300).collect();
    let malformed = |_| ClientError::bad_request("malformed-uri", format!("Malformed URI: {shown}"));
    let invalid = |_| {
        let sentence = format!("Invalid URI: {shown} names no item of the archive, nor a resource of one.");
        ClientError::bad_request("invalid-uri", sentence)
    };
    let uri = ResourceUri::parse(text).map_err(malformed)?.archive_item().map_err(invalid)?;
    let (project, of) = match locate(call, &uri).await {
        Ok(found) => (found.project, found.of),
        Err(error) if error.status.number() == 404 => return Err(unlocated(&shown)),
        Err(error) => return Err(error),
    };
    if !call.may(&project, Right::Edit).await? {
        let what =
            uri.resource.as_deref().map_or_else(|| "the resources".to_owned(), |name| format!("the resource {name}"));
        let sentence = format!("The user {} does not have permission to edit {what} for item {shown}", call.user());
        return Err(ClientError::forbidden("not-permitted", sentence));
    }
    Ok((project, RefreshTarget { of, resource: uri.resource }))
}

/// What XNAT says where there is no such item.
pub fn unlocated(shown: &str) -> ClientError {
    ClientError::bad_request("unknown-item", format!("Cannot locate archivable item securing {shown}"))
}
