//! The import service and the user cache.

mod answer;
mod background;
mod cache;
mod import;
mod receive;
mod request;
mod resumable;
mod xar;

use narthex::http::endpoints::import::{self as endpoints, Endpoint};
use narthex::http::{ClientError, RequestPath};
use narthex::service::{Access, Call, Reply, serve};
use spin_sdk::http::Request;
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> Reply {
    let is_resumable = RequestPath::parse(request.uri().path()).is_ok_and(|path| resumable::is_address(&path));
    let reply = serve(request, Access::Login, route).await;
    if is_resumable { resumable::with_version(reply) } else { reply }
}

async fn route(mut call: Call) -> Result<Reply, ClientError> {
    call.demand_login()?;
    if resumable::is_address(&call.context.path) {
        resumable::override_method(&mut call)?;
    }
    let found = endpoints::find(&call.context)?;
    match found.endpoint {
        Endpoint::Import => {
            let name = found.get("name").rsplit('/').next().filter(|name| !name.is_empty());
            import::run(call, name).await
        }
        Endpoint::ResumableOptions
        | Endpoint::ResumableBegin
        | Endpoint::ResumableList
        | Endpoint::ResumableShow
        | Endpoint::ResumableAppend
        | Endpoint::ResumableRemove => resumable::route(call, &found).await,
        _ => cache::route(call, &found).await,
    }
}
