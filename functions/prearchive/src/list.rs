//! The lists of sessions.

use narthex::domain::access::Right;
use narthex::domain::ids::{UNASSIGNED, project_or_unassigned};
use narthex::domain::prearchive::SessionRow;
use narthex::http::views::prearchive::table;
use narthex::http::{ClientError, Format};
use narthex::service::{Call, Reply, ReplyBody};

use crate::background::tidy_later;

/// Days of the list of recent sessions, where the request does not say.
const RECENT_DAYS: u64 = 10;

/// `GET /data/prearchive` and `GET /data/prearchive/projects`: the sessions of all projects that the user may change,
/// and those of none for whoever may read all data. With `tag=UID` those of one study.
pub async fn all(call: &Call) -> Result<Reply, ClientError> {
    call.demand_login()?;
    if let Some(tag) = call.context.params.text("tag") {
        if !call.identity.reads_all_data() {
            let sentence = "Only those who may read all data can look for a study in all projects.";
            return Err(ClientError::forbidden("administrators-only", sentence));
        }
        let tag = tag.to_owned();
        return render(call, projects(call).await?, move |row| row.tag == tag).await;
    }
    render(call, projects(call).await?, |_| true).await
}

/// The projects of the list of all, and `Unassigned`.
async fn projects(call: &Call) -> Result<Vec<String>, ClientError> {
    let mut projects = Vec::new();
    if call.identity.reads_all_data() {
        projects.push(UNASSIGNED.to_owned());
    }
    // Whoever reads all data sees all sessions, though they may not change them.
    let right = if call.identity.reads_all_data() { Right::Read } else { Right::Edit };
    let editable = call.site.core.projects_for(&call.identity, right).await?;
    projects.extend(editable.into_iter().map(|project| project.id.to_string()));
    Ok(projects)
}

/// `GET /data/prearchive/projects/P`, P a comma list.
pub async fn of_projects(call: &Call, names: &str) -> Result<Reply, ClientError> {
    let mut projects: Vec<String> = Vec::new();
    for name in names.split(',') {
        let name = project_or_unassigned(name);
        let name = match call.demand_prearchive(name, Right::Read).await {
            Ok(id) => id,
            // Those who may read everything get an empty list, as XNAT has it.
            Err(error) if error.status.number() == 404 => continue,
            Err(error) => return Err(error),
        };
        if !projects.contains(&name) {
            projects.push(name);
        }
    }
    render(call, projects, |_| true).await
}

/// `GET /data/prearchive/experiments?recent=N`: what came in the last N days.
pub async fn recent(call: &Call) -> Result<Reply, ClientError> {
    call.demand_login()?;
    let bad =
        || ClientError::bad_request("bad-days", "The parameter recent must be a number of days above 0, or true.");
    let days = match call.context.params.text("recent") {
        Some("true") => RECENT_DAYS,
        Some(text) => text.parse::<u64>().ok().filter(|days| *days > 0).ok_or_else(bad)?,
        None => return Err(bad()),
    };
    let now_ms = call.site.core.clock.now_ms();
    let since_ms = now_ms.saturating_sub(days.saturating_mul(24 * 3600 * 1000));
    render(call, projects(call).await?, move |row| row.uploaded_ms >= since_ms).await
}

/// `PUT /data/prearchive`: computes all states anew and sees to everything that is due.
pub async fn resync(call: &Call) -> Result<Reply, ClientError> {
    call.demand_login()?;
    if !call.identity.edits_all_data() {
        let sentence = "Only those who may change all data can rebuild the list of the prearchive.";
        return Err(ClientError::forbidden("administrators-only", sentence));
    }
    let core = &call.site.core;
    for project in projects(call).await? {
        core.resync_sessions(&project).await?;
    }
    core.sweep().await?;
    Ok(ReplyBody::nothing())
}

async fn render(
    call: &Call,
    projects: Vec<String>,
    is_wanted: impl Fn(&SessionRow) -> bool,
) -> Result<Reply, ClientError> {
    let format = call.context.format(&[Format::Json, Format::Html, Format::Xml, Format::Csv])?;
    let core = &call.site.core;
    let mut rows = Vec::new();
    for project in &projects {
        rows.extend(core.list_sessions(project).await?);
    }
    rows.retain(is_wanted);
    let has_idle = rows.iter().any(|row| core.may_be_idle(row));
    let has_queued = rows.iter().any(|row| row.status.is_queued());
    let mut table = table(&rows);
    table.arrange(&call.context.params)?;
    tidy_later(call, projects, has_idle, has_queued);
    Ok(ReplyBody::table(table.render(&format)))
}
