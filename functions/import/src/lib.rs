//! The import service and the user cache.

mod import;
mod request;

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
    match (segments.as_slice(), &call.context.method) {
        (["services", "import", name @ ..], &Method::POST) => import::run(call, name.last().copied()).await,
        (["services", "import", ..], _) => Err(ClientError::method_not_allowed(&[Method::POST])),
        (["user", "cache", ..], _) => {
            Err(ClientError::not_implemented("not-implemented", "This version has no user cache yet."))
        }
        _ => Err(ClientError::unknown_route()),
    }
}
