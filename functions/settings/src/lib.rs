//! Projects and their settings.

mod accessibility;
mod body;
mod code;
mod config;
mod delete;
mod display;
mod members;
mod project;
mod projects;
mod put;
mod record;

use narthex::domain::access::Right;
use narthex::http::ClientError;
use narthex::http::endpoints::settings::{self, Endpoint};
use narthex::service::{Access, Call, Reply, serve};
use spin_sdk::http::Request;
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> Reply {
    serve(request, Access::Login, route).await
}

async fn route(call: Call) -> Result<Reply, ClientError> {
    let found = settings::find(&call.context)?;
    let name = |name| found.get(name);
    let project = name("project");
    match found.endpoint {
        Endpoint::Projects => projects::list(&call).await,
        Endpoint::NewProject => put::post(call).await,
        Endpoint::Project => project::read(&call, project).await,
        Endpoint::PutProject => put::put(call, project).await,
        Endpoint::DeleteProject => delete::project(&call, project).await,
        Endpoint::Accessibility => accessibility::read(&call, project).await,
        Endpoint::SetAccessibility => accessibility::put(&call, project, name("level")).await,
        Endpoint::PrearchiveCode => code::read_prearchive(&call, project).await,
        Endpoint::SetPrearchiveCode => code::put_prearchive(&call, project, name("code")).await,
        Endpoint::QuarantineCode => code::read_quarantine(&call, project).await,
        Endpoint::SetQuarantineCode => code::put_quarantine(&call, project, name("code")).await,
        Endpoint::ResourceQuarantine => code::read_resource_quarantine(&call, project).await,
        Endpoint::SetResourceQuarantine => code::put_resource_quarantine(&call, project, name("code")).await,
        Endpoint::SurplusPath => surplus(&call, project).await,
        Endpoint::UnservedSetting => unserved(&call, project).await,
        Endpoint::Members => members::list(&call, project).await,
        Endpoint::AddMembers => members::add(&call, project, name("role"), name("login")).await,
        Endpoint::RemoveMembers => members::remove(&call, project, name("role"), name("login")).await,
        Endpoint::ProjectConfig => config::read(&call, project, name("tool"), name("file")).await,
        Endpoint::SetProjectConfig => config::put(call, project, name("tool"), name("file")).await,
        Endpoint::DeleteProjectConfig => config::delete(&call, project, name("tool"), name("file")).await,
        Endpoint::SiteConfig => config::of_site(&call, name("tool"), name("file")),
    }
}

/// More of a path than a setting has.
async fn surplus(call: &Call, project: &str) -> Result<Reply, ClientError> {
    call.project(project, Right::Read).await?;
    let sentence = "No extra path information is permitted for this operation.";
    Err(ClientError::bad_request("surplus-path", sentence))
}

/// Settings of XNAT's that nothing here depends on.
async fn unserved(call: &Call, project: &str) -> Result<Reply, ClientError> {
    call.project(project, Right::Read).await?;
    let sentence = "This server has one archive and takes scan types from the headers, so that there is no current_arc \
                    and no scan_type_mapping to set.";
    Err(ClientError::not_implemented("not-implemented", sentence))
}
