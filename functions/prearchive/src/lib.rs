//! The prearchive: list, read, change and clear staged sessions.

mod delete;
mod files;
mod list;
mod session;

use http::Method;
use narthex::domain::prearchive::SessionPlace;
use narthex::http::ClientError;
use narthex::service::{Access, Call, Reply, serve};
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
    let method = call.context.routed_method();
    match (segments.as_slice(), &method) {
        (["prearchive"] | ["prearchive", "projects"], &Method::GET) => list::all(&call).await,
        (["prearchive", "projects", project], &Method::GET) => list::of_projects(&call, project).await,
        (["prearchive", "projects", project, timestamp, folder, rest @ ..], method) => {
            let place = SessionPlace::new(project, timestamp, folder);
            match (rest, method) {
                ([], &Method::GET) => session::read(&call, &place).await,
                ([], &Method::DELETE) => delete::session(&call, &place).await,
                (["scans"], &Method::GET) => files::scans(&call, &place).await,
                (["resources"], &Method::GET) => files::all_resources(&call, &place).await,
                (["scans", scan, "resources"], &Method::GET) => files::resources(&call, &place, scan).await,
                (["scans", scan, "resources", resource, "files"], &Method::GET) => {
                    files::list(&call, &place, scan, resource).await
                }
                (["scans", scan, "resources", resource, "files", name @ ..], &Method::GET) => {
                    files::one(&call, &place, scan, resource, &name.join("/")).await
                }
                _ => Err(not_yet()),
            }
        }
        (["prearchive", ..] | ["services", "prearchive", ..], _) => Err(not_yet()),
        _ => Err(ClientError::unknown_route()),
    }
}

fn not_yet() -> ClientError {
    ClientError::not_implemented(
        "not-implemented",
        "This version lists, reads and deletes sessions of the prearchive; it does nothing else with them yet.",
    )
}
