//! Login, accounts, and what clients ask for when they connect.

mod connect;
mod login;

use narthex::http::ClientError;
use narthex::http::endpoints::access::{self, Endpoint};
use narthex::service::{Access, Call, Reply, serve};
use spin_sdk::http::Request;
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> Reply {
    serve(request, Access::Open, route).await
}

async fn route(call: Call) -> Result<Reply, ClientError> {
    match access::find(&call.context)?.endpoint {
        Endpoint::Home => connect::home(&call).await,
        Endpoint::Login => login::session(&call).await,
        Endpoint::Logout => login::end(&call).await,
        Endpoint::WhoAmI => login::who(&call),
        Endpoint::FormLogin => login::by_form(call).await,
        Endpoint::BuildInfo => connect::build_info(&call),
        Endpoint::Version => connect::version(&call),
        Endpoint::Username => connect::username(&call),
    }
}
