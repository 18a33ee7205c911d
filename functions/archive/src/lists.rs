//! The lists that are asked for like queries.

use narthex::domain::access::Right;
use narthex::domain::archive::{Experiment, Subject};
use narthex::domain::manifest::StoredScan;
use narthex::http::views::lists::experiments::{self, EXPERIMENTS, needs_headers};
use narthex::http::views::lists::scans::{self, SCANS};
use narthex::http::views::lists::subjects::{self, SUBJECTS};
use narthex::http::views::lists::{ListKind, Listing};
use narthex::http::{ClientError, Format, Table};
use narthex::imaging::ImageSession;
use narthex::service::{Call, Reply, ReplyBody};

/// Parameters of lists that cannot be served.
const UNSERVED: &[(&str, &str)] = &[("recent", "remembering what was changed when")];

/// The subjects of a project, or of all.
pub async fn subjects(call: &Call, project: Option<&str>) -> Result<Reply, ClientError> {
    let Some(listing) = read(call, &SUBJECTS)? else { return fields(call, &SUBJECTS) };
    let mut found: Vec<Subject> = Vec::new();
    for project in projects(call, project).await? {
        found.extend(call.site.core.list_subjects(&project).await?);
    }
    answer(call, &subjects::table(&listing, &found))
}

/// The experiments of a project, or of all; of one subject if it is named.
pub async fn experiments(call: &Call, project: Option<&str>, subject: Option<&Subject>) -> Result<Reply, ClientError> {
    let Some(listing) = read(call, &EXPERIMENTS)? else { return fields(call, &EXPERIMENTS) };
    let core = &call.site.core;
    let mut found: Vec<Experiment> = Vec::new();
    for project in projects(call, project).await? {
        found.extend(core.list_experiments(&project).await?);
    }
    found.retain(|experiment| {
        listing.wants_type(experiment.xsi_type.as_str())
            && subject.is_none_or(|subject| experiment.subject_id == subject.id)
    });
    let rows: Vec<(Experiment, Option<ImageSession>)> = if listing.paths().any(needs_headers) {
        let found = core.with_headers(found).await?;
        found.into_iter().map(|(experiment, session)| (experiment, Some(session))).collect()
    } else {
        found.into_iter().map(|experiment| (experiment, None)).collect()
    };
    let title = if project.is_some() { "Experiments" } else { "Matching experiments" };
    answer(call, &experiments::table(&listing, title, &rows))
}

/// The scans of an experiment.
pub fn scans(call: &Call, experiment: &Experiment, found: &[StoredScan]) -> Result<Reply, ClientError> {
    let Some(listing) = read(call, &SCANS)? else { return fields(call, &SCANS) };
    answer(call, &scans::table(&listing, experiment, found))
}

/// What is asked of a list; nothing if the list of its fields is wanted instead.
fn read(call: &Call, kind: &'static ListKind) -> Result<Option<Listing>, ClientError> {
    let params = &call.context.params;
    if params.has("fields") {
        return Ok(None);
    }
    ClientError::refuse_unserved(params, UNSERVED)?;
    Listing::read(kind, params).map(Some)
}

fn fields(call: &Call, kind: &ListKind) -> Result<Reply, ClientError> {
    let mut table = kind.fields_table();
    table.arrange(&call.context.params)?;
    answer(call, &table)
}

/// The project of a list, or all that may be read.
async fn projects(call: &Call, project: Option<&str>) -> Result<Vec<String>, ClientError> {
    match project {
        Some(project) => Ok(vec![project.to_owned()]),
        None => {
            let projects = call.site.core.projects_for(&call.identity, Right::Read).await?;
            Ok(projects.into_iter().map(|project| project.id.to_string()).collect())
        }
    }
}

fn answer(call: &Call, table: &Table) -> Result<Reply, ClientError> {
    let format = call.context.format(&[Format::Json, Format::Html, Format::Xml, Format::Csv])?;
    Ok(ReplyBody::table(table.render(&format)))
}
