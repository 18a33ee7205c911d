//! The item of the archive that an address is about.

use narthex::domain::access::Right;
use narthex::domain::archive::{Experiment, Subject};
use narthex::domain::shelf::ShelfOf;
use narthex::http::ClientError;
use narthex::http::views::layout::Layout;
use narthex::service::Call;

use crate::{readable, unknown_experiment};

/// What has resources.
#[derive(Clone)]
pub enum Parent {
    /// A project, by its identifier.
    Project(String),
    /// A subject.
    Subject(Subject),
    /// An experiment.
    Experiment(Box<Experiment>),
}

impl Parent {
    /// Its shelf.
    pub fn shelf(&self) -> ShelfOf {
        match self {
            Self::Project(id) => ShelfOf::Project(id.clone()),
            Self::Subject(subject) => ShelfOf::Subject(subject.id.clone()),
            Self::Experiment(experiment) => ShelfOf::Experiment(experiment.id.clone()),
        }
    }

    /// Its identifier.
    pub fn id(&self) -> &str {
        match self {
            Self::Project(id) => id,
            Self::Subject(subject) => &subject.id,
            Self::Experiment(experiment) => &experiment.id,
        }
    }

    /// What downloads of its files are called.
    pub fn label(&self) -> &str {
        match self {
            Self::Project(id) => id,
            Self::Subject(subject) => &subject.label,
            Self::Experiment(experiment) => &experiment.label,
        }
    }

    /// Its address in lists of files.
    pub fn address(&self) -> String {
        match self {
            Self::Project(id) => format!("/data/projects/{id}"),
            // Whoever reads it by another project may not know its own.
            Self::Subject(subject) if !subject.shares.is_empty() => format!("/data/subjects/{}", subject.id),
            Self::Subject(subject) => format!("/data/projects/{}/subjects/{}", subject.project, subject.id),
            Self::Experiment(experiment) => match &experiment.assessed {
                // Whoever reads it by another project may not see its session.
                Some(session) if experiment.shares.is_empty() => {
                    format!("/data/experiments/{session}/assessors/{}", experiment.id)
                }
                _ => format!("/data/experiments/{}", experiment.id),
            },
        }
    }

    /// XNAT's word for what its resources belong to.
    pub fn category(&self) -> &'static str {
        match self {
            Self::Experiment(experiment) if experiment.assessed.is_some() => "assessors",
            _ => "resources",
        }
    }

    /// The folder of one of its own resources in an archive.
    pub fn folder(&self, layout: &Layout, resource: &str) -> String {
        match self {
            Self::Project(id) => layout.project_folder(id, resource),
            Self::Subject(subject) => layout.subject_folder(subject, resource),
            Self::Experiment(experiment) => layout.resource_folder(experiment, resource),
        }
    }
}

/// The subject of an address, for somebody who has this right in the project that it belongs to. `project` is empty where
/// the address names none; it may be one that the subject is shared with.
///
/// # Errors
/// 404 for what does not exist for whoever asks, 403.
pub async fn subject(call: &Call, project: &str, name: &str, right: Right) -> Result<Subject, ClientError> {
    let named = match project {
        "" => None,
        project => Some(call.project(project, Right::Read).await?.id.to_string()),
    };
    let found = crate::subjects::find(call, named.as_deref(), name).await?;
    if right > Right::Read {
        demand(call, &found.project, right).await?;
    }
    Ok(found)
}

/// The experiment of an address: `project` and `subject` are empty where the address names none.
///
/// # Errors
/// As [`subject`].
pub async fn experiment(
    call: &Call,
    project: &str,
    subject: &str,
    name: &str,
    right: Right,
) -> Result<Experiment, ClientError> {
    let found = match project {
        "" => readable(call, name).await?,
        project => in_project(call, project, subject, name).await?,
    };
    if right > Right::Read {
        demand(call, &found.project, right).await?;
    }
    Ok(found)
}

async fn in_project(call: &Call, project: &str, subject: &str, name: &str) -> Result<Experiment, ClientError> {
    let project = call.project(project, Right::Read).await?.id.to_string();
    let found = call.site.core.experiment(Some(&project), name).await;
    let found = found.map_err(|error| crate::not_found_as(error, unknown_experiment))?;
    // An assessor is hidden with its session.
    if (found.is_quarantined() || found.assessed.is_some()) && !call.sees_experiment(&found).await? {
        return Err(unknown_experiment());
    }
    if !subject.is_empty() && crate::subjects::find(call, Some(&project), subject).await?.id != found.subject_id {
        return Err(unknown_experiment());
    }
    Ok(found)
}

/// Refuses whoever does not have a right in the project that an item belongs to, and knows of the item.
///
/// # Errors
/// 403, or 401 for guests.
pub async fn demand(call: &Call, project: &str, right: Right) -> Result<(), ClientError> {
    if call.may(project, right).await? {
        return Ok(());
    }
    if call.identity.login().is_none() {
        call.demand_login()?;
    }
    let what = if right == Right::Own { "manage" } else { "change" };
    let sentence = format!(
        "User {} doesn't have permission to {what} data of the project {project}, to which this belongs.",
        call.user()
    );
    Err(ClientError::forbidden("not-permitted", sentence))
}
