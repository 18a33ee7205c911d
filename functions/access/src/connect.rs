//! What clients ask for before anything else.

use http::StatusCode;
use narthex::http::ClientError;
use narthex::service::{Call, Reply, ReplyBody};

use crate::login::with_cookies;

/// The XNAT version whose API is served: clients choose their ways by it.
const XNAT_VERSION: &str = "1.8.10";

/// The front page. Whoever comes with a password gets a login session, as XNAT gives it.
pub async fn home(call: &Call) -> Result<Reply, ClientError> {
    let page = "<html lang=\"en\"><head><title>Narthex</title></head><body><h1>Narthex</h1>\
                <p>This service speaks XNAT's HTTP API; its paths begin with /data.</p></body></html>\n";
    let reply = ReplyBody::reply(StatusCode::OK, "text/html; charset=utf-8", page);
    let Some(user) = call.identity.user().filter(|_| call.context.credentials().authorization.is_some()) else {
        return Ok(reply);
    };
    let issued = call.site.open_login(&user.account).await?;
    Ok(with_cookies(call, reply, &issued.token))
}

/// `GET /xapi/siteConfig/buildInfo`
pub fn build_info(call: &Call) -> Result<Reply, ClientError> {
    call.demand_login()?;
    let info = format!(
        "{{\"version\":\"{XNAT_VERSION}\",\"application\":\"narthex\",\"narthexVersion\":\"{}\"}}",
        env!("CARGO_PKG_VERSION")
    );
    Ok(ReplyBody::json(info))
}

/// `GET /xapi/siteConfig/buildInfo/version`
pub fn version(call: &Call) -> Result<Reply, ClientError> {
    call.demand_login()?;
    Ok(ReplyBody::text(XNAT_VERSION))
}

/// `GET /xapi/users/username`
pub fn username(call: &Call) -> Result<Reply, ClientError> {
    Ok(ReplyBody::text(call.demand_login()?.login.as_str()))
}
