//! Archiving a session, and reading the archive back.

mod archive;
mod asked;
mod assessor_changes;
mod assessors;
mod changes;
mod chosen;
mod experiment;
mod experiment_changes;
mod files;
mod item_body;
mod lists;
mod nth;
mod parent;
mod record;
mod resources;
mod scan_changes;
mod scans;
mod sharing;
mod subject_changes;
mod subjects;
mod validate;
mod wanted;

use narthex::domain::DomainError;
use narthex::domain::access::Right;
use narthex::domain::archive::{Experiment, Subject};
use narthex::domain::history::Item;
use narthex::http::endpoints::archive::{self as endpoints, Endpoint};
use narthex::http::{ClientError, Format, Table, views};
use narthex::service::{Access, Call, Reply, ReplyBody, quarantine, serve};
use spin_sdk::http::Request;
use spin_sdk::http_service;

use crate::asked::{Asked, Part};
use crate::lists::Of;
use crate::parent::Parent;

#[http_service]
async fn handle(request: Request) -> Reply {
    serve(request, Access::Login, route).await
}

async fn route(call: Call) -> Result<Reply, ClientError> {
    if let Some(diverted) = quarantine::divert(&call).await? {
        return quarantine::receive_diverted(call, diverted).await;
    }
    let found = endpoints::find(&call.context)?;
    let rest: Vec<String> = found.get("rest").split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
    let (subject, experiment) = (found.get("subject"), found.get("experiment"));
    let target = found.get("target").to_owned();
    let project = match found.get("project") {
        "" => String::new(),
        // Whichever of its names was used.
        name => call.project(name, Right::Read).await?.id.to_string(),
    };
    let project = project.as_str();
    match found.endpoint {
        Endpoint::Archive => archive::run(call).await,
        Endpoint::Validate => validate::run(call).await,
        Endpoint::ProjectResources | Endpoint::ProjectFiles => {
            let list = if found.endpoint == Endpoint::ProjectFiles { "files" } else { "resources" };
            let rest: Vec<&str> = std::iter::once(list).chain(rest.iter().map(String::as_str)).collect();
            resources_of(&call, &Parent::Project(project.to_owned()), &rest).await
        }
        Endpoint::PutProjectResource | Endpoint::PostProjectResource | Endpoint::DeleteProjectResource => {
            let right = if found.endpoint == Endpoint::DeleteProjectResource { Right::Own } else { Right::Edit };
            call.project(project, right).await?;
            let rest: Vec<String> = std::iter::once("resources".to_owned()).chain(rest).collect();
            changes::change(call, &Parent::Project(project.to_owned()), &rest).await
        }
        Endpoint::ProjectSubjects => lists::subjects(&call, Some(project)).await,
        Endpoint::NewSubject => subject_changes::create(call, project).await,
        Endpoint::PutSubject => subject_changes::put(call, project, subject).await,
        Endpoint::ChangeSubjectOfId => subject_changes::put(call, "", subject).await,
        Endpoint::DeleteSubject | Endpoint::DeleteSubjectOfId => subject_changes::delete(call, project, subject).await,
        Endpoint::ProjectSubject | Endpoint::Subject => {
            let found = subjects::find(&call, Some(project).filter(|id| !id.is_empty()), subject).await?;
            within_subject(&call, found, &rest).await
        }
        Endpoint::PutInSubject | Endpoint::PostInSubject | Endpoint::PutInSubjectOfId | Endpoint::PostInSubjectOfId => {
            let found = parent::subject(&call, project, subject, Right::Edit).await?;
            changes::change(call, &Parent::Subject(found), &rest).await
        }
        Endpoint::DeleteInSubject | Endpoint::DeleteInSubjectOfId => {
            let found = parent::subject(&call, project, subject, Right::Own).await?;
            changes::change(call, &Parent::Subject(found), &rest).await
        }
        Endpoint::ProjectSubjectProjects | Endpoint::SubjectProjects => {
            let found = parent::subject(&call, project, subject, Right::Read).await?;
            subjects::projects(&call, &found).await
        }
        Endpoint::ProjectSubjectStatus | Endpoint::SubjectStatus => {
            parent::subject(&call, project, subject, Right::Read).await?;
            Ok(ReplyBody::text(subjects::STATUS))
        }
        Endpoint::SubjectExperiments => {
            let found = parent::subject(&call, project, subject, Right::Read).await?;
            lists::experiments(&call, Of::SubjectInProject(&found, project)).await
        }
        Endpoint::ProjectExperiments => lists::experiments(&call, Of::Project(project)).await,
        Endpoint::SubjectExperiment | Endpoint::ProjectExperiment | Endpoint::Experiment => {
            let found = asked::experiments(&call, project, subject, experiment).await?;
            within_some(&call, found, &rest).await
        }
        Endpoint::PutExperiment => experiment_changes::put(call, project, subject, experiment).await,
        Endpoint::ChangeExperimentOfId => experiment_changes::put(call, "", "", experiment).await,
        Endpoint::DeleteExperiment | Endpoint::DeleteExperimentOfId => {
            let found = parent::experiment(&call, project, subject, experiment, Right::Read).await?;
            match project.is_empty() || project == found.project {
                true => experiment_changes::delete(call, &found).await,
                // It only leaves this project.
                false => sharing::delete_experiment(&call, &found, project).await,
            }
        }
        Endpoint::ShareExperiment | Endpoint::ShareExperimentOfId => {
            let found = parent::experiment(&call, project, subject, experiment, Right::Read).await?;
            sharing::put_experiment(call, &found, &target).await
        }
        Endpoint::UnshareExperiment | Endpoint::UnshareExperimentOfId => {
            let found = parent::experiment(&call, project, subject, experiment, Right::Read).await?;
            sharing::delete_experiment(&call, &found, &target).await
        }
        Endpoint::ShareSubject | Endpoint::ShareSubjectOfId => {
            let found = parent::subject(&call, project, subject, Right::Read).await?;
            sharing::put_subject(call, &found, &target).await
        }
        Endpoint::UnshareSubject | Endpoint::UnshareSubjectOfId => {
            let found = parent::subject(&call, project, subject, Right::Read).await?;
            sharing::delete_subject(&call, &found, &target).await
        }
        Endpoint::PutInExperiment
        | Endpoint::PostInExperiment
        | Endpoint::PutInExperimentOfId
        | Endpoint::PostInExperimentOfId => {
            let right = if is_share(&rest) { Right::Read } else { Right::Edit };
            let found = parent::experiment(&call, project, subject, experiment, right).await?;
            changes::change(call, &Parent::Experiment(Box::new(found)), &rest).await
        }
        Endpoint::DeleteInExperiment | Endpoint::DeleteInExperimentOfId => {
            let right = if is_share(&rest) { Right::Read } else { Right::Own };
            let found = parent::experiment(&call, project, subject, experiment, right).await?;
            changes::change(call, &Parent::Experiment(Box::new(found)), &rest).await
        }
        Endpoint::Subjects => lists::subjects(&call, None).await,
        Endpoint::Experiments => lists::experiments(&call, Of::Site).await,
    }
}

/// Whether an address is that of an assessor in another project: there the projects say who may do what.
fn is_share(rest: &[String]) -> bool {
    matches!(rest, [assessors, _, projects, _] if assessors == "assessors" && projects == "projects")
}

/// The experiment of this identifier, if whoever asks may read it; else it does not exist for them.
async fn readable(call: &Call, id: &str) -> Result<Experiment, ClientError> {
    match call.site.core.experiment_by_id(id).await? {
        Some(found) if call.sees_experiment(&found).await? => Ok(found),
        // Guests are told to log in whether it exists or not.
        _ => call.demand_login().and(Err(unknown_experiment())),
    }
}

/// What lies below the experiments that an address names.
async fn within_some(call: &Call, experiments: Vec<Experiment>, rest: &[String]) -> Result<Reply, ClientError> {
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    let asked = Asked::read(&rest);
    if let [one] = experiments.as_slice()
        && (one.assessed.is_some() || !asked.is_some_and(|asked| asked.takes_several()))
    {
        return within(call, one.clone(), &rest).await;
    }
    match asked {
        Some(Asked::Resources(part)) => resources::of_experiments(call, &experiments, part).await,
        Some(Asked::Files(part)) => {
            files::accept_none(call, files::of_experiments(call, &experiments, part, None).await)
        }
        Some(Asked::FilesAt(part, path)) => {
            files::accept_none(call, files::of_experiments(call, &experiments, part, Some(path)).await)
        }
        None => Err(ClientError::bad_request(
            "several-experiments",
            "Of several experiments at once only the resources and files can be asked for; name one of them.",
        )),
    }
}

/// What lies below one experiment, but for lists of files and resources.
async fn within(call: &Call, experiment: Experiment, rest: &[&str]) -> Result<Reply, ClientError> {
    let parent = Parent::Experiment(Box::new(experiment));
    let Parent::Experiment(experiment) = &parent else { return Err(unknown_experiment()) };
    if experiment.assessed.is_some() {
        return within_assessor(call, &parent, rest).await;
    }
    match rest {
        [] => experiment::read(call, experiment).await,
        ["assessors", below @ ..] => assessors::read(call, experiment, below).await,
        ["history"] => history(call, &experiment.project, experiment.as_item()).await,
        ["status"] => Ok(ReplyBody::text(experiment.status.as_str())),
        ["projects"] => experiment::projects(call, experiment).await,
        ["scans"] => scans::list(call, experiment).await,
        ["scans", scan] => scans::read(call, experiment, scan).await,
        ["scans", scan, "resources", resource] => resources::catalog(call, experiment, scan, resource).await,
        ["scans", scan, "resources", resource, "files", path @ ..] => {
            files::accept_none(call, files::of_scan_at(call, experiment, scan, resource, path).await)
        }
        ["resources" | "files", ..] => resources_of(call, &parent, rest).await,
        _ => Err(not_yet()),
    }
}

/// What lies below one assessor.
async fn within_assessor(call: &Call, parent: &Parent, rest: &[&str]) -> Result<Reply, ClientError> {
    let Parent::Experiment(assessor) = parent else { return Err(unknown_experiment()) };
    match assessors::without_side(rest)?.as_slice() {
        [] => assessors::show(call, assessor).await,
        ["history"] => history(call, &assessor.project, assessor.as_item()).await,
        ["status"] => Ok(ReplyBody::text(assessor.status.as_str())),
        ["projects"] => experiment::projects(call, assessor).await,
        rest @ ["resources" | "files", ..] => resources_of(call, parent, rest).await,
        _ => Err(not_yet()),
    }
}

/// What was done to an item, for those who own its project.
async fn history(call: &Call, project: &str, item: Item<'_>) -> Result<Reply, ClientError> {
    parent::demand(call, project, Right::Own).await?;
    let table = views::history::page(&call.site.core, &call.context, item.kind, item.id).await?;
    Ok(ReplyBody::table(table))
}

/// What lies below one subject.
async fn within_subject(call: &Call, subject: Subject, rest: &[String]) -> Result<Reply, ClientError> {
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    match rest.as_slice() {
        [] => subjects::read(call, &subject).await,
        ["history"] => history(call, &subject.project, subject.as_item()).await,
        ["experiments"] => lists::experiments(call, Of::Subject(&subject)).await,
        ["resources" | "files", ..] => resources_of(call, &Parent::Subject(subject), &rest).await,
        _ => Err(not_yet()),
    }
}

/// The resources of an item itself, and their files.
async fn resources_of(call: &Call, parent: &Parent, rest: &[&str]) -> Result<Reply, ClientError> {
    match rest {
        ["resources"] => match parent {
            Parent::Experiment(one) => {
                resources::of_experiments(call, std::slice::from_ref(one.as_ref()), Part::Own(None)).await
            }
            _ => resources::of_item(call, parent).await,
        },
        ["resources", resource] => resources::own_catalog(call, parent, resource).await,
        ["resources", resource, "files"] => {
            files::accept_none(call, files::of_resource(call, parent, resource, None).await)
        }
        ["resources", resource, "files", path @ ..] => {
            files::accept_none(call, files::of_resource(call, parent, resource, Some(path)).await)
        }
        ["resources", _, ..] => Err(ClientError::bad_request(
            "surplus-path",
            "Nothing lies below a resource but its files; address them as .../resources/RESOURCE/files/PATH.",
        )),
        ["files"] => match parent {
            Parent::Experiment(one) => {
                let found = files::of_experiments(call, std::slice::from_ref(one.as_ref()), Part::All, None).await;
                files::accept_none(call, found)
            }
            _ => files::accept_none(call, files::of_item(call, parent).await),
        },
        _ => Err(ClientError::unknown_route()),
    }
}

/// Tells that something does not exist as it is told here; other errors as they are.
fn not_found_as(error: DomainError, told: impl FnOnce() -> ClientError) -> ClientError {
    match error {
        DomainError::NotFound { .. } => told(),
        other => other.into(),
    }
}

/// Refuses a body where none is wanted.
async fn no_body(call: &mut Call, sentence: &str) -> Result<(), ClientError> {
    match call.take_body().collect(0).await {
        Ok(_) => Ok(()),
        Err(error) if error.status.number() == 413 => Err(ClientError::bad_request("body-not-wanted", sentence)),
        Err(error) => Err(error),
    }
}

fn not_yet() -> ClientError {
    ClientError::not_implemented(
        "not-implemented",
        "This version knows no parts of subjects and experiments but their scans, assessors, resources and files.",
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
