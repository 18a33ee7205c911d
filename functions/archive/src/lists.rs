//! The lists that are asked for like queries.

use std::collections::BTreeMap;

use narthex::domain::access::Right;
use narthex::domain::archive::{Experiment, Subject};
use narthex::domain::manifest::StoredScan;
use narthex::http::views::lists::assessors::{self, ASSESSORS, GENERAL_TYPES};
use narthex::http::views::lists::experiments::{self, EXPERIMENTS, needs_headers};
use narthex::http::views::lists::scans::{self, SCANS};
use narthex::http::views::lists::subjects::{self, SUBJECTS};
use narthex::http::views::lists::{ListKind, Listing};
use narthex::http::{ClientError, Format, Table};
use narthex::imaging::{AssessorType, ImageSession};
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
    let core = &call.site.core;
    if wants_assessors_only(call) {
        let mut found = Vec::new();
        for project in projects(call, project).await? {
            let (assessors, sessions): (Vec<Experiment>, Vec<Experiment>) =
                core.list_experiments(&project).await?.into_iter().partition(|found| found.assessed.is_some());
            let labels: BTreeMap<String, String> =
                sessions.into_iter().map(|session| (session.id, session.label)).collect();
            // One whose session is gone is about to go as well.
            let known = |found: Experiment| {
                let label = labels.get(found.assessed.as_ref()?)?.clone();
                Some((found, label))
            };
            found.extend(assessors.into_iter().filter_map(known));
        }
        found.retain(|(found, _)| subject.is_none_or(|subject| found.subject_id == subject.id));
        let title = if project.is_some() { "Experiments" } else { "Matching experiments" };
        return assessors(call, title, found);
    }
    let Some(listing) = read(call, &EXPERIMENTS)? else { return fields(call, &EXPERIMENTS) };
    let mut found: Vec<Experiment> = Vec::new();
    for project in projects(call, project).await? {
        found.extend(core.list_experiments(&project).await?);
    }
    found.retain(|experiment| {
        let xsi_type = experiment.xsi_type.as_str();
        // As with XNAT, assessors are in the list only where they are asked for.
        let is_wanted = match experiment.assessed {
            Some(_) => listing.wants_assessor(xsi_type),
            None => listing.wants_type(xsi_type),
        };
        is_wanted && subject.is_none_or(|subject| experiment.subject_id == subject.id)
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

/// Whether a list is to have assessors and nothing else.
fn wants_assessors_only(call: &Call) -> bool {
    let mut types = call.context.params.list("xsiType").peekable();
    types.peek().is_some()
        && types
            .all(|kind| kind != GENERAL_TYPES[0] && (AssessorType::parse(kind).is_some() || kind == GENERAL_TYPES[1]))
}

/// These assessors, each with its session's label.
pub fn assessors(call: &Call, title: &'static str, mut found: Vec<(Experiment, String)>) -> Result<Reply, ClientError> {
    let Some(listing) = read(call, &ASSESSORS)? else { return fields(call, &ASSESSORS) };
    found.retain(|(assessor, _)| listing.wants_type(assessor.xsi_type.as_str()));
    answer(call, &assessors::table(&listing, title, &found))
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
