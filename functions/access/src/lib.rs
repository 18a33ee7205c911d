//! Login, accounts, and what clients ask for when they connect.

mod connect;
mod jobs;
mod login;
mod schemas;
mod search;
mod tokens;
mod user_table;
mod users;

use narthex::http::ClientError;
use narthex::http::endpoints::access::{self, Endpoint};
use narthex::service::{Access, Call, Reply, serve};
use spin_sdk::http::Request;
use spin_sdk::http_service;

use crate::users::Switch;

#[http_service]
async fn handle(request: Request) -> Reply {
    serve(request, Access::Open, route).await
}

async fn route(call: Call) -> Result<Reply, ClientError> {
    let found = access::find(&call.context)?;
    let user = found.get("user");
    match found.endpoint {
        Endpoint::Home => connect::home(&call).await,
        Endpoint::Login => login::session(&call).await,
        Endpoint::Logout => login::end(&call).await,
        Endpoint::WhoAmI => login::who(&call),
        Endpoint::FormLogin => login::by_form(call).await,
        Endpoint::BuildInfo => connect::build_info(&call),
        Endpoint::Version => connect::version(&call),
        Endpoint::Schemas => schemas::list(&call),
        Endpoint::Schema => schemas::read(&call, found.get("schema")),
        Endpoint::ProjectAccess => search::project_access(&call).await,
        Endpoint::SearchElements => search::elements(&call),
        Endpoint::SearchFields => search::fields(&call, found.get("type")),
        Endpoint::Search => search::run(&call),
        Endpoint::Users => users::list(&call).await,
        Endpoint::NewUser => users::create(call).await,
        Endpoint::Profiles => users::profiles(&call).await,
        Endpoint::Username => users::username(&call),
        Endpoint::CurrentUser => users::current(&call),
        Endpoint::EndLogins => users::end_logins(&call, user).await,
        Endpoint::User => users::read(&call, user).await,
        Endpoint::ChangeUser => users::put(call, user).await,
        Endpoint::Enabled => users::read_switch(&call, user, Switch::Enabled).await,
        Endpoint::SetEnabled => users::put_switch(&call, user, Switch::Enabled, found.get("value")).await,
        Endpoint::Verified => users::read_switch(&call, user, Switch::Verified).await,
        Endpoint::SetVerified => users::put_switch(&call, user, Switch::Verified, found.get("value")).await,
        Endpoint::Roles => users::read_roles(&call, user).await,
        Endpoint::JoinRole => users::put_role(&call, user, found.get("role"), true).await,
        Endpoint::LeaveRole => users::put_role(&call, user, found.get("role"), false).await,
        Endpoint::Groups => users::read_groups(&call, user).await,
        Endpoint::JoinGroup => users::put_group(&call, user, found.get("group"), true).await,
        Endpoint::LeaveGroup => users::put_group(&call, user, found.get("group"), false).await,
        Endpoint::UserTable => user_table::list(&call).await,
        Endpoint::IssueToken => tokens::issue(&call).await,
        Endpoint::IssueTokenFor => tokens::issue_to(&call, user).await,
        Endpoint::ShowTokens => tokens::show(&call).await,
        Endpoint::ShowTokensOf => tokens::show_for(&call, user).await,
        Endpoint::ValidateToken => tokens::validate(&call, found.get("alias"), found.get("secret")).await,
        Endpoint::InvalidateToken => tokens::invalidate(&call, found.get("alias"), found.get("secret")).await,
        Endpoint::JobStatus => jobs::status(&call, found.get("key")).await,
        Endpoint::ForgetJob => jobs::forget(&call, found.get("key")).await,
        Endpoint::EventTracking => jobs::event(&call, found.get("key")).await,
        Endpoint::EventPayload => jobs::payload(&call, found.get("key")).await,
        Endpoint::UnknownTokenOperation => tokens::unknown(&call),
    }
}
