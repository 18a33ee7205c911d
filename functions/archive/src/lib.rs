//! Archiving a session, and reading the archive back.

mod archive;
mod experiment;
mod experiments;
mod files;
mod resources;
mod scans;
mod subjects;

use http::Method;
use narthex::domain::archive::Experiment;
use narthex::http::{ClientError, Format, Table};
use narthex::service::{Access, Call, Reply, ReplyBody, serve};
use spin_sdk::http::Request;
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> Reply {
    serve(request, Access::Login, route).await
}

async fn route(call: Call) -> Result<Reply, ClientError> {
    call.demand_admin()?;
    let path = call.context.path.clone();
    let segments = path.segments();
    match (segments.as_slice(), &call.context.routed_method()) {
        (["services", "archive"], &Method::POST) => archive::run(call).await,
        (["services", "archive"], _) => Err(ClientError::method_not_allowed(&[Method::POST])),
        (["services", ..], _) => Err(not_yet()),
        (segments, &Method::GET) => read(&call, segments).await,
        _ => Err(not_yet()),
    }
}

async fn read(call: &Call, segments: &[&str]) -> Result<Reply, ClientError> {
    match segments {
        ["projects", project, rest @ ..] => {
            call.site.core.project(project).await?;
            match rest {
                ["subjects"] => subjects::list(call, Some(project)).await,
                ["subjects", subject] => subjects::read(call, Some(project), subject).await,
                ["subjects", subject, "experiments"] => experiments::of_subject(call, project, subject).await,
                ["subjects", subject, "experiments", name, rest @ ..] => {
                    let subject = subjects::find(call, Some(project), subject).await?;
                    let experiment = call.site.core.experiment(Some(project), name).await?;
                    if experiment.subject_id != subject.id {
                        return Err(unknown_experiment());
                    }
                    within(call, &experiment, rest).await
                }
                ["experiments"] => experiments::list(call, Some(project)).await,
                ["experiments", name, rest @ ..] => {
                    let experiment = call.site.core.experiment(Some(project), name).await?;
                    within(call, &experiment, rest).await
                }
                _ => Err(not_yet()),
            }
        }
        ["subjects"] => subjects::list(call, None).await,
        ["subjects", id] => subjects::read(call, None, id).await,
        ["experiments"] => experiments::list(call, None).await,
        ["experiments", id, rest @ ..] => {
            let experiment = call.site.core.experiment(None, id).await?;
            within(call, &experiment, rest).await
        }
        _ => Err(not_yet()),
    }
}

/// What lies below one experiment.
async fn within(call: &Call, experiment: &Experiment, rest: &[&str]) -> Result<Reply, ClientError> {
    match rest {
        [] => experiment::read(call, experiment).await,
        ["status"] => Ok(ReplyBody::text(experiment.status.as_str())),
        ["scans"] => scans::list(call, experiment).await,
        ["scans", scan] => scans::read(call, experiment, scan).await,
        ["resources"] => resources::of_experiment(call, experiment).await,
        ["files"] => files::list(call, experiment, "ALL", None).await,
        ["scans", scan, "resources"] => resources::of_scan(call, experiment, scan).await,
        ["scans", scan, "resources", resource] => resources::catalog(call, experiment, scan, resource).await,
        ["scans", scan, "files"] => files::list(call, experiment, scan, None).await,
        ["scans", scan, "resources", resource, "files"] => files::list(call, experiment, scan, Some(resource)).await,
        ["scans", scan, "resources", resource, "files", name @ ..] => {
            files::one(call, experiment, scan, resource, &name.join("/")).await
        }
        _ => Err(not_yet()),
    }
}

fn not_yet() -> ClientError {
    ClientError::not_implemented(
        "not-implemented",
        "This version archives sessions and reads them back; it does nothing else with the archive yet.",
    )
}

fn unknown_experiment() -> ClientError {
    ClientError::not_found("unknown-experiment", "Unable to find the specified experiment.")
}

/// A list in the format asked for: its columns chosen, its rows sorted and cut.
fn render(call: &Call, mut table: Table, all: &[&str], defaults: &[&str]) -> Result<Reply, ClientError> {
    let format = call.context.format(&[Format::Json, Format::Html, Format::Xml, Format::Csv])?;
    let params = &call.context.params;
    table.keep_columns(&narthex::http::shape::choose_columns(params.text("columns"), all, defaults));
    table.arrange(params)?;
    Ok(ReplyBody::table(table.render(&format)))
}
