//! Login, accounts, and what clients ask for when they connect.

mod connect;
mod login;

use http::Method;
use narthex::http::{ClientError, Mount};
use narthex::service::{Access, Call, Reply, serve};
use spin_sdk::http::Request;
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> Reply {
    serve(request, Access::Open, route).await
}

async fn route(call: Call) -> Result<Reply, ClientError> {
    let path = call.context.path.clone();
    let segments = path.segments();
    let method = call.context.routed_method();
    match (call.context.path.mount(), segments.as_slice(), &method) {
        (Mount::Root, [], &Method::GET) => connect::home(&call).await,
        (Mount::Data, ["JSESSION"], &Method::GET | &Method::POST) => login::session(&call).await,
        (Mount::Data, ["JSESSION"], &Method::DELETE) => login::end(&call).await,
        (Mount::Data, ["JSESSION"], _) => {
            Err(ClientError::method_not_allowed(&[Method::GET, Method::POST, Method::DELETE]))
        }
        (Mount::Data, ["auth"], &Method::GET) => login::who(&call),
        (Mount::Data, ["services", "auth"], &Method::PUT | &Method::POST) => login::by_form(call).await,
        (Mount::Data, ["services", "auth"], _) => Err(ClientError::method_not_allowed(&[Method::PUT, Method::POST])),
        (Mount::Xapi, ["siteConfig", "buildInfo"], &Method::GET) => connect::build_info(&call),
        (Mount::Xapi, ["siteConfig", "buildInfo", "version"], &Method::GET) => connect::version(&call),
        (Mount::Xapi, ["users", "username"], &Method::GET) => connect::username(&call),
        (Mount::Data, ["services", "tokens", ..] | ["users", ..], _) | (Mount::Xapi, ["users", ..], _) => {
            login::demand(&call)?;
            Err(ClientError::not_implemented(
                "not-implemented",
                "This version has one administrator and neither alias tokens nor further users yet.",
            ))
        }
        // XNAT since 1.7 has no such thing either; clients then ask for the build information.
        _ => Err(ClientError::unknown_route()),
    }
}
