//! The lists of sessions.

use narthex::domain::access::Right;
use narthex::domain::ids::{UNASSIGNED, project_or_unassigned};
use narthex::domain::prearchive::PrearchiveSession;
use narthex::http::views::prearchive::table;
use narthex::http::{ClientError, Format};
use narthex::service::{Call, Reply, ReplyBody, after_the_answer};

/// `GET /data/prearchive` and `GET /data/prearchive/projects`: the sessions of all projects and of none.
pub async fn all(call: &Call) -> Result<Reply, ClientError> {
    call.demand_login()?;
    let core = &call.site.core;
    let mut sessions = Vec::new();
    if call.identity.reads_all_data() {
        sessions.extend(core.list_sessions(UNASSIGNED).await?);
    }
    for project in core.projects_for(&call.identity, Right::Edit).await? {
        sessions.extend(core.list_sessions(project.id.as_str()).await?);
    }
    if let Some(tag) = call.context.params.text("tag") {
        sessions.retain(|session| session.tag == tag);
    }
    render(call, &sessions)
}

/// `GET /data/prearchive/projects/P`, P a comma list.
pub async fn of_projects(call: &Call, projects: &str) -> Result<Reply, ClientError> {
    let core = &call.site.core;
    let mut sessions = Vec::new();
    for project in projects.split(',') {
        let project = project_or_unassigned(project);
        call.demand_prearchive(project, Right::Read).await?;
        sessions.extend(core.list_sessions(project).await?);
    }
    render(call, &sessions)
}

fn render(call: &Call, sessions: &[PrearchiveSession]) -> Result<Reply, ClientError> {
    let format = call.context.format(&[Format::Json, Format::Html, Format::Xml, Format::Csv])?;
    let mut table = table(sessions);
    table.arrange(&call.context.params)?;
    let site = call.site.clone();
    after_the_answer(async move {
        if let Err(error) = site.sweep_if_due().await {
            eprintln!("the sweep failed: {error}");
        }
    });
    Ok(ReplyBody::table(table.render(&format)))
}
