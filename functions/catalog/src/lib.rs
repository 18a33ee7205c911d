//! Refreshing archive catalogs.

mod refresh;
mod target;

use narthex::http::ClientError;
use narthex::http::endpoints::catalog as endpoints;
use narthex::service::{Access, Call, Reply, serve};
use spin_sdk::http::Request;
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> Reply {
    serve(request, Access::Login, route).await
}

async fn route(call: Call) -> Result<Reply, ClientError> {
    call.demand_login()?;
    match endpoints::find(&call.context)?.endpoint {
        endpoints::Endpoint::Refresh => refresh::run(call).await,
    }
}
