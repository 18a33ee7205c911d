//! The lists of sessions.

use narthex::domain::access::Right;
use narthex::domain::ids::{UNASSIGNED, project_or_unassigned};
use narthex::domain::prearchive::SessionRow;
use narthex::http::filter::{Field, Filters, Kind};
use narthex::http::views::prearchive::{json, table};
use narthex::http::{ClientError, Format, Page};
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
        let wanted = Wanted { tag: Some(tag.to_owned()), ..Default::default() };
        return render(call, projects(call).await?, wanted).await;
    }
    render(call, projects(call).await?, Wanted::default()).await
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
    let wanted = Wanted { tag: call.context.params.text("tag").map(str::to_owned), ..Default::default() };
    render(call, projects, wanted).await
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
    render(call, projects(call).await?, Wanted { since_ms: Some(since_ms), ..Default::default() }).await
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

/// What the list can be filtered by without looking at more than a row.
const QUICK: &[Field<'static>] = &[
    Field { name: "status", column: "status", kind: Kind::Text },
    Field { name: "subject", column: "subject", kind: Kind::Text },
    Field { name: "name", column: "name", kind: Kind::Text },
    Field { name: "folderName", column: "folderName", kind: Kind::Text },
    Field { name: "scan_date", column: "scan_date", kind: Kind::Date },
];

/// What else it can be filtered by: how these columns are written is known only when they are.
const WRITTEN: &[Field<'static>] = &[
    Field { name: "uploaded", column: "uploaded", kind: Kind::Date },
    Field { name: "lastmod", column: "lastmod", kind: Kind::Date },
    Field { name: "autoarchive", column: "autoarchive", kind: Kind::Text },
    Field { name: "prevent_anon", column: "prevent_anon", kind: Kind::Text },
    Field { name: "prevent_auto_commit", column: "prevent_auto_commit", kind: Kind::Text },
    Field { name: "SOURCE", column: "SOURCE", kind: Kind::Text },
    Field { name: "VISIT", column: "VISIT", kind: Kind::Text },
    Field { name: "PROTOCOL", column: "PROTOCOL", kind: Kind::Text },
];

/// The cells of [`QUICK`].
fn quick<'a>(row: &'a SessionRow, column: &str) -> Option<&'a str> {
    Some(match column {
        "status" => row.status.as_str(),
        "subject" => &row.subject,
        "name" => &row.name,
        "folderName" => &row.place.folder,
        "scan_date" => &row.scan_date,
        _ => return None,
    })
}

/// Which rows of the projects are wanted besides what the parameters say.
#[derive(Debug, Clone, Default)]
struct Wanted {
    tag: Option<String>,
    since_ms: Option<u64>,
}

impl Wanted {
    fn is_all(&self) -> bool {
        self.tag.is_none() && self.since_ms.is_none()
    }

    fn accept(&self, row: &SessionRow) -> bool {
        self.tag.as_ref().is_none_or(|tag| row.tag == *tag)
            && self.since_ms.is_none_or(|since| row.uploaded_ms >= since)
    }
}

async fn render(call: &Call, projects: Vec<String>, wanted: Wanted) -> Result<Reply, ClientError> {
    let format = call.context.format(&[Format::Json, Format::Html, Format::Xml, Format::Csv])?;
    let params = &call.context.params;
    let (filters, written) = (Filters::of(params, QUICK)?, Filters::of(params, WRITTEN)?);
    let page = Page::of(params)?;
    let is_plain = wanted.is_all() && filters.is_empty() && written.is_empty() && params.text("sortBy").is_none();
    let core = &call.site.core;
    let (rows, is_cut) = match page {
        // Nothing but the part that is asked for is read.
        Some(Page { offset, limit: Some(limit) }) if is_plain => (part(call, &projects, offset, limit).await?, true),
        _ => {
            let mut rows = Vec::new();
            for project in &projects {
                rows.append(&mut core.list_sessions(project).await?);
            }
            rows.retain(|row| wanted.accept(row) && filters.pass(|column| quick(row, column)));
            (rows, false)
        }
    };
    let has_idle = rows.iter().any(|row| core.may_be_idle(row));
    let has_queued = rows.iter().any(|row| row.status.is_queued());
    let is_as_read = written.is_empty() && params.text("sortBy").is_none() && (is_cut || page.is_none());
    let rendered = if is_as_read && format == Format::Json {
        json(&rows)
    } else {
        let mut table = table(&rows);
        table.filter(&written);
        if !is_cut {
            table.arrange(params)?;
        }
        table.render(&format)
    };
    tidy_later(call, projects, has_idle, has_queued);
    Ok(ReplyBody::table(rendered))
}

/// A part of the list over several projects.
async fn part(
    call: &Call,
    projects: &[String],
    mut offset: usize,
    limit: usize,
) -> Result<Vec<SessionRow>, ClientError> {
    let mut rows = Vec::new();
    for project in projects {
        if rows.len() >= limit {
            break;
        }
        let page = call.site.core.page_of_sessions(project, offset, limit - rows.len()).await?;
        offset = offset.saturating_sub(page.passed);
        rows.extend(page.rows);
    }
    Ok(rows)
}
