//! The resource quarantine.

mod approve;
mod delete;
mod list;
mod read;
mod upload;
mod wanted;

use narthex::domain::DomainError;
use narthex::domain::access::Right;
use narthex::domain::project::Project;
use narthex::domain::triage::TriageFolder;
use narthex::http::ClientError;
use narthex::http::endpoints::triage::{self as endpoints, Endpoint};
use narthex::service::{Access, Call, Reply, serve};
use spin_sdk::http::Request;
use spin_sdk::http_service;

/// By which XNAT lets the client choose the body of the answer: text of anybody's choice on a page of ours.
const SCRIPTS: [&str; 4] = ["_onSuccessReturnJS", "_onSuccessReturnHTML", "_onFailureReturnJS", "_onFailureReturnHTML"];

#[http_service]
async fn handle(request: Request) -> Reply {
    serve(request, Access::Login, route).await
}

async fn route(call: Call) -> Result<Reply, ClientError> {
    call.demand_login()?;
    let found = endpoints::find(&call.context)?;
    refuse_scripts(&call)?;
    let (project, label, file) = (found.get("project"), found.get("folder"), found.get("file"));
    match found.endpoint {
        Endpoint::List => list::project(&call, project).await,
        Endpoint::Folder => list::folder(&call, project, label).await,
        Endpoint::Files => list::files(&call, project, label).await,
        Endpoint::File => read::file(&call, project, label, file).await,
        Endpoint::MakeFolder => upload::folder(call, project, label).await,
        Endpoint::AddFiles | Endpoint::AddFile => upload::files(call, project, label, file).await,
        Endpoint::DeleteFolder => delete::folder(&call, project, label).await,
        Endpoint::DeleteFile => delete::file(&call, project, label, file).await,
        Endpoint::Approve => approve::run(call).await,
    }
}

/// Refuses parameters by which the answer's body would be the client's.
fn refuse_scripts(call: &Call) -> Result<(), ClientError> {
    match call.context.params.iter().find(|(name, _)| SCRIPTS.contains(name)) {
        None => Ok(()),
        Some((name, _)) => {
            let sentence =
                format!("The parameter {name} is not supported: answers are not made of what a client sends.");
            Err(ClientError::bad_request("script", sentence))
        }
    }
}

/// Whether whoever asks reviews what is in the quarantine of a project: owners and administrators do.
fn reviews(call: &Call, project: &Project) -> bool {
    project.grants(&call.identity, Right::Own)
}

/// A folder, for its uploader and those who review; for others it does not exist.
async fn find(call: &Call, project: &str, label: &str) -> Result<TriageFolder, ClientError> {
    let project = call.project(project, Right::Read).await?;
    let folder = call.site.core.triage_folder(project.id.as_str(), label).await?;
    let is_theirs = |folder: &TriageFolder| reviews(call, &project) || folder.by == call.user();
    folder.filter(is_theirs).ok_or_else(unknown_folder)
}

/// What XNAT says where there is no such folder.
fn unknown_folder() -> ClientError {
    ClientError::not_found("unknown-folder", "Quarantine directory not found or is not a directory.")
}

/// What XNAT says where there is no such file.
fn unknown_file() -> ClientError {
    ClientError::not_found("unknown-file", "Quarantine file not found.")
}

/// Tells that something does not exist as it is told here; other errors as they are.
fn not_found_as(error: DomainError, told: impl FnOnce() -> ClientError) -> ClientError {
    match error {
        DomainError::NotFound { .. } => told(),
        other => other.into(),
    }
}
