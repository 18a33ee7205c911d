//! Projects and their settings.

mod code;
mod project;
mod projects;

use http::Method;
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
        (["projects"], &Method::GET) => projects::list(&call).await,
        (["projects"], &Method::POST) => Err(ClientError::not_implemented(
            "not-implemented",
            "This version makes projects by PUT /data/projects/ID only.",
        )),
        (["projects"], _) => Err(ClientError::method_not_allowed(&[Method::GET, Method::POST])),
        (["projects", id], &Method::GET) => project::read(&call, id).await,
        (["projects", id], &Method::PUT) => project::put(call, id).await,
        (["projects", _], &Method::DELETE) => {
            Err(ClientError::not_implemented("not-implemented", "This version cannot delete projects."))
        }
        (["projects", _], _) => Err(ClientError::method_not_allowed(&[Method::GET, Method::PUT, Method::DELETE])),
        (["projects", id, "prearchive_code"], &Method::GET) => code::read(&call, id).await,
        (["projects", id, "prearchive_code", code], &Method::PUT) => code::put(&call, id, code).await,
        (["projects", _, "prearchive_code"], &Method::PUT) => Err(ClientError::bad_request(
            "missing-code",
            "Name the code in the address: .../prearchive_code/0, 1, 4 or 5.",
        )),
        (["projects", _, "prearchive_code", ..], _) => {
            Err(ClientError::method_not_allowed(&[Method::GET, Method::PUT]))
        }
        (
            [
                "projects",
                _,
                "quarantine_code" | "accessibility" | "users" | "config" | "current_arc" | "scan_type_mapping",
                ..,
            ],
            _,
        ) => Err(ClientError::not_implemented(
            "not-implemented",
            "This version has no quarantine code, accessibility, members or configuration of projects yet.",
        )),
        _ => Err(ClientError::unknown_route()),
    }
}
