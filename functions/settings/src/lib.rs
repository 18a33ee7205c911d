//! Projects and their settings.

mod code;
mod project;
mod projects;

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
    let project = found.get("project");
    match found.endpoint {
        Endpoint::Projects => projects::list(&call).await,
        Endpoint::NewProject => {
            call.demand_login()?;
            Err(ClientError::not_implemented(
                "not-implemented",
                "This version makes projects by PUT /data/projects/ID only.",
            ))
        }
        Endpoint::Project => project::read(&call, project).await,
        Endpoint::PutProject => project::put(call, project).await,
        Endpoint::DeleteProject => {
            call.demand_login()?;
            Err(ClientError::not_implemented("not-implemented", "This version cannot delete projects."))
        }
        Endpoint::PrearchiveCode => code::read(&call, project).await,
        Endpoint::SetPrearchiveCode => code::put(&call, project, found.get("code")).await,
    }
}
