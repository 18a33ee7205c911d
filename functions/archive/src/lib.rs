//! Archiving a session, and reading the archive back.

mod archive;
mod experiment;
mod files;
mod lists;
mod resources;
mod scans;
mod subjects;
mod validate;
mod wanted;

use narthex::domain::access::Right;
use narthex::domain::archive::Experiment;
use narthex::domain::history::ItemKind;
use narthex::http::endpoints::archive::{self as endpoints, Endpoint};
use narthex::http::{ClientError, Format, Table, views};
use narthex::service::{Access, Call, Reply, ReplyBody, serve};
use spin_sdk::http::Request;
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> Reply {
    serve(request, Access::Login, route).await
}

async fn route(call: Call) -> Result<Reply, ClientError> {
    let found = endpoints::find(&call.context)?;
    let rest: Vec<&str> = found.get("rest").split('/').filter(|part| !part.is_empty()).collect();
    let (subject, experiment) = (found.get("subject"), found.get("experiment"));
    let project = match found.get("project") {
        "" => String::new(),
        // Whichever of its names was used.
        name => call.project(name, Right::Read).await?.id.to_string(),
    };
    let project = project.as_str();
    match found.endpoint {
        Endpoint::Archive => archive::run(call).await,
        Endpoint::Validate => validate::run(call).await,
        Endpoint::ProjectSubjects => lists::subjects(&call, Some(project)).await,
        Endpoint::ProjectSubject => subjects::read(&call, Some(project), subject).await,
        Endpoint::SubjectExperiments => {
            let subject = subjects::find(&call, Some(project), subject).await?;
            lists::experiments(&call, Some(project), Some(&subject)).await
        }
        Endpoint::SubjectExperiment => {
            let subject = subjects::find(&call, Some(project), subject).await?;
            let experiment = call.site.core.experiment(Some(project), experiment).await?;
            if experiment.subject_id != subject.id {
                return Err(unknown_experiment());
            }
            within(&call, &experiment, &rest).await
        }
        Endpoint::ProjectExperiments => lists::experiments(&call, Some(project), None).await,
        Endpoint::ProjectExperiment => {
            let experiment = call.site.core.experiment(Some(project), experiment).await?;
            within(&call, &experiment, &rest).await
        }
        Endpoint::ProjectSubjectProjects => subjects::projects(&call, Some(project), subject).await,
        Endpoint::ProjectSubjectStatus => subjects::status(&call, Some(project), subject).await,
        Endpoint::SubjectProjects => subjects::projects(&call, None, subject).await,
        Endpoint::SubjectStatus => subjects::status(&call, None, subject).await,
        Endpoint::Subjects => lists::subjects(&call, None).await,
        Endpoint::Subject => subjects::read(&call, None, subject).await,
        Endpoint::Experiments => lists::experiments(&call, None, None).await,
        Endpoint::Experiment => {
            let experiment = readable(&call, experiment).await?;
            within(&call, &experiment, &rest).await
        }
    }
}

/// The experiment of this identifier, if whoever asks may read it; else it does not exist for them.
async fn readable(call: &Call, id: &str) -> Result<Experiment, ClientError> {
    match call.site.core.experiment_by_id(id).await? {
        Some(found) if call.may(&found.project, Right::Read).await? => Ok(found),
        // Guests are told to log in whether it exists or not.
        _ => call.demand_login().and(Err(unknown_experiment())),
    }
}

/// What lies below one experiment.
async fn within(call: &Call, experiment: &Experiment, rest: &[&str]) -> Result<Reply, ClientError> {
    match rest {
        [] => experiment::read(call, experiment).await,
        ["history"] => history(call, experiment).await,
        ["status"] => Ok(ReplyBody::text(experiment.status.as_str())),
        ["projects"] => experiment::projects(call, experiment).await,
        ["scans"] => scans::list(call, experiment).await,
        ["scans", scan] => scans::read(call, experiment, scan).await,
        ["resources"] => resources::of_experiment(call, experiment).await,
        ["resources", resource] => resources::own_catalog(call, experiment, resource).await,
        ["resources", resource, "files"] => {
            files::accept_none(call, files::of_resource(call, experiment, resource).await)
        }
        ["resources", resource, "files", path @ ..] => {
            files::accept_none(call, files::one_of_resource(call, experiment, resource, &path.join("/")).await)
        }
        ["files"] => files::accept_none(call, files::of_experiment(call, experiment).await),
        ["scans", scan, "resources"] => resources::of_scan(call, experiment, scan).await,
        ["scans", scan, "resources", resource] => resources::catalog(call, experiment, scan, resource).await,
        ["scans", scan, "files"] => files::accept_none(call, files::of_scans(call, experiment, scan, None).await),
        ["scans", scan, "resources", resource, "files"] => {
            files::accept_none(call, files::of_scans(call, experiment, scan, Some(resource)).await)
        }
        ["scans", scan, "resources", resource, "files", name @ ..] => {
            files::accept_none(call, files::one(call, experiment, scan, resource, &name.join("/")).await)
        }
        _ => Err(not_yet()),
    }
}

/// What was done to an experiment, for those who own its project.
async fn history(call: &Call, experiment: &Experiment) -> Result<Reply, ClientError> {
    call.project(&experiment.project, Right::Own).await?;
    let table = views::history::page(&call.site.core, &call.context, ItemKind::Experiment, &experiment.id).await?;
    Ok(ReplyBody::table(table))
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

/// A list in the format asked for, its rows sorted and cut. It has all its columns whatever is asked for: clients ask
/// for others and need these, as with XNAT.
fn render(call: &Call, mut table: Table) -> Result<Reply, ClientError> {
    let format = call.context.format(&[Format::Json, Format::Html, Format::Xml, Format::Csv])?;
    table.arrange(&call.context.params)?;
    Ok(ReplyBody::table(table.render(&format)))
}
