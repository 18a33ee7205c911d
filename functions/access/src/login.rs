//! Login sessions.

use http::header::SET_COOKIE;
use narthex::accounts::{User, Via, login};
use narthex::domain::ids;
use narthex::http::ClientError;
use narthex::http::cookies::{expiration_cookie, expired_expiration_cookie, expired_session_cookie, session_cookie};
use narthex::service::{Call, Reply, ReplyBody};

/// `GET` or `POST /data/JSESSION`: the identifier of the login session, which begins if there is none.
pub async fn session(call: &Call) -> Result<Reply, ClientError> {
    call.demand_visitor()?;
    let Some(user) = call.identity.user() else {
        // Clients of guests want an identifier too. Nothing stands behind it: a session that is not known is a guest's.
        return Ok(ReplyBody::text(ids::random_id()?));
    };
    match (&user.via, call.context.credentials().session_token) {
        (Via::Session { csrf, .. }, Some(token)) => {
            Ok(with_cookies(call, ReplyBody::text(with_csrf(call, token, csrf)), token))
        }
        _ => open(call, user).await,
    }
}

/// `DELETE /data/JSESSION`: ends the login session. 200 whether there was one or not.
pub async fn end(call: &Call) -> Result<Reply, ClientError> {
    call.demand_visitor()?;
    if let Some(token) = call.context.credentials().session_token {
        login::end(&call.site.core.records, token).await?;
    }
    let mut reply = ReplyBody::nothing();
    for cookie in [expired_session_cookie(call.context.is_secure(false)), expired_expiration_cookie()] {
        reply.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(reply)
}

/// `GET /data/auth`: who is logged in, in the words that clients look for.
pub fn who(call: &Call) -> Result<Reply, ClientError> {
    call.demand_visitor()?;
    let text = format!("User '{}' is logged in", call.identity.name());
    Ok(ReplyBody::text(match call.identity.user().map(|user| &user.via) {
        Some(Via::Session { csrf, .. }) => with_csrf(call, &text, csrf),
        _ => text,
    }))
}

/// `PUT` or `POST /data/services/auth`: login with a form.
pub async fn by_form(mut call: Call) -> Result<Reply, ClientError> {
    call.read_params().await?;
    let params = &call.context.params;
    let provider = params.text_of(&["provider", "login_method", "authenticatorId"]).unwrap_or_default();
    if !provider.is_empty() && provider != "localdb" {
        return Err(ClientError::bad_request("unknown-provider", "The only authentication provider here is localdb."));
    }
    let name = params.get("username").or_else(|| params.get("j_username")).unwrap_or_default();
    let password = params.get("password").or_else(|| params.get("j_password")).unwrap_or_default();
    if name.is_empty() || password.is_empty() {
        return Err(ClientError::unauthorized("authentication-failed", "Authentication failed."));
    }
    let user = call.site.authenticator().check_password(name, password).await?;
    open(&call, &user).await
}

async fn open(call: &Call, user: &User) -> Result<Reply, ClientError> {
    let issued = call.site.open_login(user).await?;
    let text = with_csrf(call, &issued.token, &issued.session.csrf);
    Ok(with_cookies(call, ReplyBody::text(text), &issued.token))
}

/// The text, with the session's own token behind it if `CSRF=true` asks for it.
fn with_csrf(call: &Call, text: &str, csrf: &str) -> String {
    match call.context.params.flag("CSRF") {
        true => format!("{text}; XNAT_CSRF={csrf}"),
        false => text.to_owned(),
    }
}

/// Adds the cookies of a login session.
pub fn with_cookies(call: &Call, mut reply: Reply, token: &str) -> Reply {
    let secure = call.context.is_secure(false);
    let (now_ms, idle_ms) = (call.site.core.clock.now_ms(), call.site.auth.idle_ms());
    let cookies = [session_cookie(token, secure), expiration_cookie(now_ms, idle_ms, secure)];
    for cookie in cookies.into_iter().flatten() {
        reply.headers_mut().append(SET_COOKIE, cookie);
    }
    reply
}
