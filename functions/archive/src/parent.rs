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
            Self::Subject(subject) => format!("/data/projects/{}/subjects/{}", subject.project, subject.id),
            Self::Experiment(experiment) => match &experiment.assessed {
                Some(session) => format!("/data/experiments/{session}/assessors/{}", experiment.id),
                None => format!("/data/experiments/{}", experiment.id),
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

/// The subject of an address, for somebody who has this right in its project: `project` is empty where the address
/// names none.
///
/// # Errors
/// 404 for what does not exist for whoever asks, 403.
pub async fn subject(call: &Call, project: &str, name: &str, right: Right) -> Result<Subject, ClientError> {
    if !project.is_empty() {
        let project = call.project(project, right).await?.id.to_string();
        return crate::subjects::find(call, Some(&project), name).await;
    }
    let found = crate::subjects::find(call, None, name).await?;
    call.project(&found.project, right).await?;
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
    if project.is_empty() {
        let found = readable(call, name).await?;
        call.project(&found.project, right).await?;
        return Ok(found);
    }
    let project = call.project(project, right).await?.id.to_string();
    let core = &call.site.core;
    if subject.is_empty() {
        return core
            .experiment(Some(&project), name)
            .await
            .map_err(|error| crate::not_found_as(error, unknown_experiment));
    }
    let subject = crate::subjects::find(call, Some(&project), subject).await?;
    let found = core.experiment(Some(&project), name).await;
    let found = found.map_err(|error| crate::not_found_as(error, unknown_experiment))?;
    if found.subject_id != subject.id { Err(unknown_experiment()) } else { Ok(found) }
}
