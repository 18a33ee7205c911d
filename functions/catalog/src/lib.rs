//! Refreshing archive catalogs.

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
    endpoints::find(&call.context)?;
    Err(ClientError::not_implemented("not-implemented", "This version cannot refresh catalogs yet."))
}
