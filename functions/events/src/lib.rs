//! What has happened: the history of a project, and the webhooks that are told of sessions.

mod history;
mod webhooks;

use narthex::domain::access::Right;
use narthex::domain::webhooks::Scope;
use narthex::http::ClientError;
use narthex::http::endpoints::events::{self as endpoints, Endpoint};
use narthex::service::{Access, Call, Reply, serve};
use spin_sdk::http::Request;
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> Reply {
    // Whoever has messages sent that are due anyhow needs no name.
    serve(request, Access::Open, route).await
}

async fn route(call: Call) -> Result<Reply, ClientError> {
    let found = endpoints::find(&call.context)?;
    if found.endpoint == Endpoint::Deliver {
        return webhooks::deliver(&call).await;
    }
    if found.endpoint == Endpoint::ProjectHistory {
        return history::of_project(&call, found.get("project")).await;
    }
    call.demand_login()?;
    let scope = match found.get("project") {
        "" => {
            call.demand_admin()?;
            Scope::Site
        }
        name => Scope::Project(call.project(name, Right::Own).await?.id.to_string()),
    };
    let webhook = found.get("webhook");
    match found.endpoint {
        Endpoint::Webhooks | Endpoint::SiteWebhooks => webhooks::list(&call, &scope).await,
        Endpoint::NewWebhook | Endpoint::NewSiteWebhook => webhooks::create(call, &scope).await,
        Endpoint::Webhook | Endpoint::SiteWebhook => webhooks::read(&call, &scope, webhook).await,
        Endpoint::SetWebhook | Endpoint::SetSiteWebhook => webhooks::change(call, &scope, webhook).await,
        Endpoint::RemoveWebhook | Endpoint::RemoveSiteWebhook => webhooks::remove(&call, &scope, webhook).await,
        Endpoint::TryWebhook | Endpoint::TrySiteWebhook => webhooks::test(&call, &scope, webhook).await,
        Endpoint::Deliveries | Endpoint::SiteDeliveries => webhooks::deliveries(&call, &scope, webhook).await,
        Endpoint::Deliver | Endpoint::ProjectHistory => {
            Err(ClientError::internal("an operation that was served above".to_owned()))
        }
    }
}
