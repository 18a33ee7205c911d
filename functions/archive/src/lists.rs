//! The lists that are asked for like queries.

use std::collections::{BTreeMap, BTreeSet};

use narthex::domain::access::Right;
use narthex::domain::archive::{Experiment, Subject};
use narthex::domain::manifest::StoredScan;
use narthex::http::views::lists::assessors::{self, ASSESSORS, GENERAL_TYPES};
use narthex::http::views::lists::experiments::{self, EXPERIMENTS, SUBJECT_PROJECT, needs_headers, recent_since};
use narthex::http::views::lists::scans::{self, SCANS};
use narthex::http::views::lists::subjects::{self, SUBJECTS};
use narthex::http::views::lists::{ListKind, Listing};
use narthex::http::{ClientError, Format, Table};
use narthex::imaging::{AssessorType, ImageSession};
use narthex::service::{Call, Reply, ReplyBody};

use crate::assessors::session_label;

/// Parameters that cannot be served of lists of other things than experiments.
const UNSERVED: &[(&str, &str)] = &[("recent", "listing what is new of subjects or scans")];

/// Of what the experiments are listed.
#[derive(Clone, Copy)]
pub enum Of<'a> {
    /// Of all projects.
    Site,
    /// Of a project.
    Project(&'a str),
    /// Of a subject, as far as they are in a project.
    SubjectInProject(&'a Subject, &'a str),
    /// Of a subject, in whichever project they are.
    Subject(&'a Subject),
}

impl<'a> Of<'a> {
    fn subject(self) -> Option<&'a Subject> {
        match self {
            Self::Site | Self::Project(_) => None,
            Self::SubjectInProject(subject, _) | Self::Subject(subject) => Some(subject),
        }
    }
}

/// The subjects of a project, or of all.
pub async fn subjects(call: &Call, project: Option<&str>) -> Result<Reply, ClientError> {
    ClientError::refuse_unserved(&call.context.params, UNSERVED)?;
    let Some(listing) = read(call, &SUBJECTS)? else { return fields(call, &SUBJECTS) };
    let core = &call.site.core;
    let projects = projects(call, project.map_or(Of::Site, Of::Project)).await?;
    let mut found: Vec<Subject> = Vec::new();
    for project in &projects {
        found.extend(core.list_subjects(project).await?);
    }
    let mut listed: BTreeSet<String> = found.iter().map(|subject| subject.id.clone()).collect();
    for project in &projects {
        for mut subject in core.list_shared_subjects(project).await? {
            if listed.insert(subject.id.clone()) {
                subject.label = subject.called_in(project).to_owned();
                found.push(subject);
            }
        }
    }
    answer(call, &subjects::table(&listing, &found))
}

/// The experiments of a project, a subject, or all.
pub async fn experiments(call: &Call, of: Of<'_>) -> Result<Reply, ClientError> {
    let core = &call.site.core;
    let projects = projects(call, of).await?;
    if wants_assessors_only(call) {
        let mut found = Vec::new();
        for project in &projects {
            let all = call.without_hidden(core.list_experiments(project).await?).await?;
            let (assessors, sessions): (Vec<Experiment>, Vec<Experiment>) =
                all.into_iter().partition(|found| found.assessed.is_some());
            let labels: BTreeMap<String, String> =
                sessions.into_iter().map(|session| (session.id, session.label)).collect();
            // One whose session is gone is about to go as well; one whose session is hidden is hidden with it.
            let known = |found: Experiment| {
                let label = labels.get(found.assessed.as_ref()?)?.clone();
                Some((found, label))
            };
            found.extend(assessors.into_iter().filter_map(known));
        }
        let mut listed: BTreeSet<String> = found.iter().map(|(found, _)| found.id.clone()).collect();
        for project in &projects {
            for mut assessor in core.list_shared_experiments(project).await? {
                let is_new = assessor.assessed.is_some() && listed.insert(assessor.id.clone());
                if !is_new || !call.sees_experiment(&assessor).await? {
                    continue;
                }
                let session = session_label(call, &assessor).await?;
                assessor.label = assessor.called_in(project).to_owned();
                found.push((assessor, session));
            }
        }
        found.retain(|(found, _)| of.subject().is_none_or(|subject| found.subject_id == subject.id));
        let title = if matches!(of, Of::Site) { "Matching experiments" } else { "Experiments" };
        return assessors(call, title, found);
    }
    let Some(listing) = read(call, &EXPERIMENTS)? else { return fields(call, &EXPERIMENTS) };
    let mut found: Vec<Experiment> = Vec::new();
    for project in &projects {
        found.extend(core.list_experiments(project).await?);
    }
    let mut listed: BTreeSet<String> = found.iter().map(|experiment| experiment.id.clone()).collect();
    let mut labels: BTreeMap<String, String> = BTreeMap::new();
    for project in &projects {
        for experiment in core.list_shared_experiments(project).await? {
            // Of an assessor the session may be elsewhere, and hidden.
            let is_hidden = experiment.assessed.is_some() && !call.sees_experiment(&experiment).await?;
            if !is_hidden && listed.insert(experiment.id.clone()) {
                let label = experiment.called_in(project);
                labels.insert(experiment.id.clone(), label.to_owned());
                found.push(experiment);
            }
        }
    }
    found = call.without_hidden(found).await?;
    let since_ms = since(call)?;
    found.retain(|experiment| {
        let xsi_type = experiment.xsi_type.as_str();
        // As with XNAT, assessors are in the list only where they are asked for.
        let is_wanted = match experiment.assessed {
            Some(_) => listing.wants_assessor(xsi_type),
            None => listing.wants_type(xsi_type),
        };
        is_wanted
            && experiment.insert_ms >= since_ms
            && of.subject().is_none_or(|subject| experiment.subject_id == subject.id)
    });
    let mut rows: Vec<(Experiment, Option<ImageSession>)> = if listing.paths().any(needs_headers) {
        let found = core.with_headers(found).await?;
        found.into_iter().map(|(experiment, session)| (experiment, Some(session))).collect()
    } else {
        found.into_iter().map(|experiment| (experiment, None)).collect()
    };
    // What is shared with a project has a label of its own there.
    for (experiment, _) in &mut rows {
        if let Some(label) = labels.remove(&experiment.id) {
            experiment.label = label;
        }
    }
    let homes = match listing.paths().any(|path| path == SUBJECT_PROJECT) {
        true => core.projects_of_subjects(&projects, rows.iter().map(|(experiment, _)| experiment)).await?,
        false => BTreeMap::new(),
    };
    let title = if matches!(of, Of::Site) { "Matching experiments" } else { "Experiments" };
    answer(call, &experiments::table(&listing, title, &rows, &homes))
}

/// From when on experiments were made that are wanted, in milliseconds since the epoch (`recent`).
fn since(call: &Call) -> Result<u64, ClientError> {
    Ok(recent_since(&call.context.params, call.site.core.clock.now_ms())?.unwrap_or(0))
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
    let since_ms = since(call)?;
    found.retain(|(found, _)| found.insert_ms >= since_ms && listing.wants_type(found.xsi_type.as_str()));
    answer(call, &assessors::table(&listing, title, &found))
}

/// The scans of an experiment.
pub fn scans(call: &Call, experiment: &Experiment, found: &[StoredScan]) -> Result<Reply, ClientError> {
    ClientError::refuse_unserved(&call.context.params, UNSERVED)?;
    let Some(listing) = read(call, &SCANS)? else { return fields(call, &SCANS) };
    answer(call, &scans::table(&listing, experiment, found))
}

/// What is asked of a list; nothing if the list of its fields is wanted instead.
fn read(call: &Call, kind: &'static ListKind) -> Result<Option<Listing>, ClientError> {
    let params = &call.context.params;
    if params.has("fields") {
        return Ok(None);
    }
    Listing::read(kind, params).map(Some)
}

fn fields(call: &Call, kind: &ListKind) -> Result<Reply, ClientError> {
    let mut table = kind.fields_table();
    table.arrange(&call.context.params)?;
    answer(call, &table)
}

/// The projects in whose lists to look, all of which whoever asks may read.
async fn projects(call: &Call, of: Of<'_>) -> Result<Vec<String>, ClientError> {
    match of {
        Of::Project(project) | Of::SubjectInProject(_, project) => Ok(vec![project.to_owned()]),
        Of::Subject(subject) => {
            let mut readable = Vec::new();
            for project in subject.projects() {
                if call.may(project, Right::Read).await? {
                    readable.push(project.to_owned());
                }
            }
            Ok(readable)
        }
        Of::Site => {
            let projects = call.site.core.projects_for(&call.identity, Right::Read).await?;
            Ok(projects.into_iter().map(|project| project.id.to_string()).collect())
        }
    }
}

fn answer(call: &Call, table: &Table) -> Result<Reply, ClientError> {
    let format = call.context.format(&[Format::Json, Format::Html, Format::Xml, Format::Csv])?;
    Ok(ReplyBody::table(table.render(&format)))
}
