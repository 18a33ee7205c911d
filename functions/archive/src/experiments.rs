//! Lists of experiments.

use narthex::domain::access::Right;
use narthex::http::ClientError;
use narthex::http::views::archive::{EXPERIMENT_COLUMNS, EXPERIMENT_DEFAULTS, experiments};
use narthex::service::{Call, Reply};

/// The experiments of a project, or of all.
pub async fn list(call: &Call, project: Option<&str>) -> Result<Reply, ClientError> {
    let core = &call.site.core;
    let mut found = Vec::new();
    match project {
        Some(project) => found = core.list_experiments(project).await?,
        None => {
            for project in core.projects_for(&call.identity, Right::Read).await? {
                found.extend(core.list_experiments(project.id.as_str()).await?);
            }
        }
    }
    if let Some(wanted) = call.context.params.text("xsiType") {
        found.retain(|experiment| experiment.xsi_type.as_str() == wanted);
    }
    let title = if project.is_some() { "Experiments" } else { "Matching experiments" };
    crate::render(call, experiments(&found, title), EXPERIMENT_COLUMNS, EXPERIMENT_DEFAULTS)
}

/// The experiments of one subject.
pub async fn of_subject(call: &Call, project: &str, subject: &str) -> Result<Reply, ClientError> {
    let subject = crate::subjects::find(call, Some(project), subject).await?;
    let mut found = call.site.core.list_experiments(project).await?;
    found.retain(|experiment| experiment.subject_id == subject.id);
    crate::render(call, experiments(&found, "Experiments"), EXPERIMENT_COLUMNS, EXPERIMENT_DEFAULTS)
}
