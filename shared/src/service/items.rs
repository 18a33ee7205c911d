//! Items of the archive that requests name by URIs.

use super::Call;
use crate::domain::DomainError;
use crate::domain::access::Right;
use crate::domain::shelf::ShelfOf;
use crate::http::ClientError;
use crate::http::uri::ArchiveUri;

/// An item of the archive, with the labels of those above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// Its project.
    pub project: String,
    /// Its shelf.
    pub of: ShelfOf,
    /// The label of the subject that it is, or is below; empty if there is none.
    pub subject: String,
    /// The label of the experiment that it is, or is below; empty if there is none.
    pub experiment: String,
}

/// The item that a URI names, for somebody who may read it. Whether there is such a scan is not looked at.
///
/// # Errors
/// 404 for what does not exist for whoever asks, 403 for a project of which nothing but its existence may be known.
#[crate::boxed(?Send)]
pub async fn locate(call: &Call, uri: &ArchiveUri) -> Result<Located, ClientError> {
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
        return Ok(Located { project: found.project, of, subject: found.subject_label, experiment: found.label });
    }
    if let Some(subject) = subject {
        if !call.sees_subject(&subject).await? {
            return Err(missing("subject", &subject.id));
        }
        let of = ShelfOf::Subject(subject.id);
        return Ok(Located { project: subject.project, of, subject: subject.label, experiment: String::new() });
    }
    let project = project.ok_or_else(|| missing("item", ""))?;
    let of = ShelfOf::Project(project.clone());
    Ok(Located { project, of, subject: String::new(), experiment: String::new() })
}
