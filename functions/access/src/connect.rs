//! What clients ask for before anything else.

use http::StatusCode;
use narthex::accounts::{User, Via};
use narthex::http::ClientError;
use narthex::service::{Call, Reply, ReplyBody};

use crate::login::with_cookies;

/// The XNAT version whose API is served: clients choose their ways by it.
const XNAT_VERSION: &str = "1.8.10";

/// The front page. Whoever comes with a password gets a login session, as XNAT gives it.
///
/// Some clients read the token that browsers must send along with changes out of a script on this page; no browser
/// runs it, which the content security policy forbids.
pub async fn home(call: &Call) -> Result<Reply, ClientError> {
    match call.identity.user() {
        Some(User { via: Via::Session { csrf, .. }, .. }) => Ok(page(Some(csrf))),
        Some(user) => {
            let issued = call.site.open_login(user).await?;
            Ok(with_cookies(call, page(Some(&issued.session.csrf)), &issued.token))
        }
        None => Ok(page(None)),
    }
}

fn page(csrf: Option<&str>) -> Reply {
    let script = csrf.map(|token| format!("<script>var csrfToken = '{token}';</script>")).unwrap_or_default();
    let page = format!(
        "<html lang=\"en\"><head><title>Narthex</title>{script}</head><body><h1>Narthex</h1>\
         <p>This service speaks XNAT's HTTP API; its paths begin with /data.</p></body></html>\n"
    );
    ReplyBody::reply(StatusCode::OK, "text/html; charset=utf-8", page)
}

/// `GET /xapi/siteConfig/buildInfo`
pub fn build_info(call: &Call) -> Result<Reply, ClientError> {
    call.demand_visitor()?;
    let info = format!(
        "{{\"version\":\"{XNAT_VERSION}\",\"application\":\"narthex\",\"narthexVersion\":\"{}\"}}",
        env!("CARGO_PKG_VERSION")
    );
    Ok(ReplyBody::json(info))
}

/// `GET /xapi/siteConfig/buildInfo/version`
pub fn version(call: &Call) -> Result<Reply, ClientError> {
    call.demand_visitor()?;
    Ok(ReplyBody::text(XNAT_VERSION))
}
