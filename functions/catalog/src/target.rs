//! What a refresh is asked for: items of the archive, named by URIs.

use narthex::domain::DomainError;
use narthex::domain::access::Right;
use narthex::domain::refresh::RefreshTarget;
use narthex::domain::shelf::ShelfOf;
use narthex::http::uri::ArchiveUri;
use narthex::http::{ClientError, ResourceUri};
use narthex::service::Call;

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
        Ok(found) => found,
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

/// The project and the shelf of an item that whoever asks may read.
async fn locate(call: &Call, uri: &ArchiveUri) -> Result<(String, ShelfOf), ClientError> {
    let core = &call.site.core;
    let project = match &uri.project {
        Some(name) => Some(call.project(name, Right::Read).await?.id.to_string()),
        None => None,
    };
    let missing = |kind: &str, name: &str| ClientError::from(DomainError::not_found(kind, name));
    let subject = match (&uri.subject, &project) {
        (None, _) => None,
        (Some(name), Some(project)) => core.find_subject(project, name).await?,
        (Some(name), None) => core.subject_by_id(name).await?,
    };
    if let (Some(name), None) = (&uri.subject, &subject) {
        return Err(missing("subject", name));
    }
    if let Some(name) = &uri.experiment {
        let found = core.experiment(project.as_deref(), name).await?;
        if subject.is_some_and(|subject| subject.id != found.subject_id) || !call.sees_experiment(&found).await? {
            return Err(missing("experiment", name));
        }
        let of = match (&uri.scan, &uri.assessor) {
            (Some(scan), _) => ShelfOf::Scan { experiment: found.id, scan: scan.clone() },
            (None, Some(name)) => {
                let assessor = core.assessor(&found, name).await?.ok_or_else(|| missing("assessor", name))?;
                ShelfOf::Experiment(assessor.id)
            }
            (None, None) => ShelfOf::Experiment(found.id),
        };
        return Ok((found.project, of));
    }
    if let Some(subject) = subject {
        if !call.sees_subject(&subject).await? {
            return Err(missing("subject", &subject.id));
        }
        return Ok((subject.project, ShelfOf::Subject(subject.id)));
    }
    let project = project.ok_or_else(|| missing("item", ""))?;
    Ok((project.clone(), ShelfOf::Project(project)))
}
