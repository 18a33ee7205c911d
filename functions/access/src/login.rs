//! Login sessions.

use http::header::SET_COOKIE;
use narthex::accounts::{Account, login};
use narthex::http::ClientError;
use narthex::http::cookies::{expiration_cookie, expired_session_cookie, session_cookie};
use narthex::service::{Call, Reply, ReplyBody};

/// `GET` or `POST /data/JSESSION`: the identifier of the login session, which begins if there is none.
pub async fn session(call: &Call) -> Result<Reply, ClientError> {
    let account = call.demand_login()?;
    if let (None, Some(token)) = (call.context.credentials().authorization, call.context.credentials().session_token) {
        return Ok(with_cookies(call, ReplyBody::text(with_csrf(call, token)), token));
    }
    open(call, account).await
}

/// `DELETE /data/JSESSION`: ends the login session. 200 whether there was one or not.
pub async fn end(call: &Call) -> Result<Reply, ClientError> {
    call.demand_login()?;
    if let Some(token) = call.context.credentials().session_token {
        login::end(&call.site.core.records, token).await?;
    }
    let mut reply = ReplyBody::nothing();
    reply.headers_mut().append(SET_COOKIE, expired_session_cookie(call.context.is_secure(false)));
    Ok(reply)
}

/// `GET /data/auth`: who is logged in, in the words that clients look for.
pub fn who(call: &Call) -> Result<Reply, ClientError> {
    let account = call.demand_login()?;
    Ok(ReplyBody::text(format!("User '{}' is logged in", account.login.as_str())))
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
    let account = call.site.authenticator().check_password(name, password).await?;
    open(&call, &account).await
}

async fn open(call: &Call, account: &Account) -> Result<Reply, ClientError> {
    let issued = call.site.open_login(account).await?;
    let text = match call.context.params.flag("CSRF") {
        true => format!("{}; XNAT_CSRF={}", issued.token, issued.session.csrf),
        false => issued.token.clone(),
    };
    Ok(with_cookies(call, ReplyBody::text(text), &issued.token))
}

fn with_csrf(call: &Call, token: &str) -> String {
    match call.identity.user().map(|user| &user.via) {
        Some(narthex::accounts::Via::Session { csrf }) if call.context.params.flag("CSRF") => {
            format!("{token}; XNAT_CSRF={csrf}")
        }
        _ => token.to_owned(),
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
