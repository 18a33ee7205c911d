//! `/data/services/tokens`: alias tokens.

use narthex::accounts::{Account, TokenInfo, token};
use narthex::http::ClientError;
use narthex::http::views::users::token as view;
use narthex::service::{Call, Reply, ReplyBody};
use serde_json::{Value, json};

use crate::users::any;

/// When somebody with too many tokens may try again: not soon.
const RETRY_SECONDS: u32 = 3600;

/// Refuses guests: with 401 where a login is required, with 403 where guests are let in.
fn demand_user(call: &Call) -> Result<&Account, ClientError> {
    call.demand_visitor()?;
    match call.identity.user() {
        Some(user) => Ok(&user.account),
        None => Err(ClientError::forbidden("users-only", "Guests have no alias tokens; log in first.")),
    }
}

/// Refuses who came in with an alias token, or with a login session that was opened with one: a token that got into
/// wrong hands must not outlive its time.
///
/// # Errors
/// 403.
pub fn demand_password_login(call: &Call, what: &str) -> Result<(), ClientError> {
    match call.identity.user().and_then(|user| user.via.alias()) {
        Some(_) => {
            let sentence = format!("Who logged in with an alias token cannot {what}; log in with the password.");
            Err(ClientError::forbidden("token-login", sentence))
        }
        None => Ok(()),
    }
}

/// `GET .../issue`: a new token, with its secret, which is never shown again.
pub async fn issue(call: &Call) -> Result<Reply, ClientError> {
    let account = demand_user(call)?;
    issue_for(call, account).await
}

/// `GET .../issue/user/NAME`: one for another user.
pub async fn issue_to(call: &Call, name: &str) -> Result<Reply, ClientError> {
    demand_user(call)?;
    let account = any(call, name).await?;
    if !account.may_log_in() {
        let sentence = "The user may not log in, so a token would not either; enable the account first.";
        return Err(ClientError::conflict("disabled", sentence));
    }
    issue_for(call, &account).await
}

async fn issue_for(call: &Call, account: &Account) -> Result<Reply, ClientError> {
    demand_password_login(call, "issue another")?;
    let (core, tokens) = (&call.site.core, call.site.alias_tokens());
    let now_ms = core.clock.now_ms();
    if token::list(&core.records, &tokens, account, now_ms).await?.len() >= token::MAX_TOKENS_OF_A_USER {
        let sentence =
            format!("The user has {} alias tokens already; invalidate some first.", token::MAX_TOKENS_OF_A_USER);
        return Err(ClientError::too_many("too-many-tokens", sentence, RETRY_SECONDS));
    }
    let life_ms = call.site.auth.alias_token_seconds.saturating_mul(1000);
    let issued = token::issue(&core.records, &tokens, account, now_ms, life_ms).await?;
    Ok(ReplyBody::json(view(&issued.info, Some(&issued.secret)).to_string()))
}

/// `GET .../show`: the user's tokens, without their secrets.
pub async fn show(call: &Call) -> Result<Reply, ClientError> {
    let account = demand_user(call)?;
    show_of(call, account).await
}

/// `GET .../show/user/NAME`: another user's.
pub async fn show_for(call: &Call, name: &str) -> Result<Reply, ClientError> {
    demand_user(call)?;
    show_of(call, &any(call, name).await?).await
}

async fn show_of(call: &Call, account: &Account) -> Result<Reply, ClientError> {
    let core = &call.site.core;
    let tokens = token::list(&core.records, &call.site.alias_tokens(), account, core.clock.now_ms()).await?;
    Ok(ReplyBody::json(tokens.iter().map(|token| view(token, None)).collect::<Value>().to_string()))
}

/// `GET .../validate/ALIAS/SECRET`: for whom a token logs in, or null.
pub async fn validate(call: &Call, alias: &str, secret: &str) -> Result<Reply, ClientError> {
    demand_user(call)?;
    let core = &call.site.core;
    let found = token::verify(&core.records, alias, secret, core.clock.now_ms()).await?;
    let login = found.map(|(_, account)| account.login.to_string());
    Ok(ReplyBody::json(json!({ "valid": login }).to_string()))
}

/// `GET .../invalidate/ALIAS[/SECRET]`: ends one's own token, or as an administrator any. A secret that is given must
/// be the token's.
pub async fn invalidate(call: &Call, alias: &str, secret: &str) -> Result<Reply, ClientError> {
    let account = demand_user(call)?;
    let core = &call.site.core;
    let may_end = |token: &TokenInfo| account.is_admin() || token.login == account.login;
    let mut found = token::find(&core.records, alias).await?.filter(may_end);
    if !secret.is_empty() && token::verify(&core.records, alias, secret, core.clock.now_ms()).await?.is_none() {
        found = None;
    }
    let found = found.ok_or_else(|| ClientError::not_found("unknown-token", "There is no such alias token."))?;
    token::remove(&core.records, &call.site.alias_tokens(), &found).await?;
    Ok(ReplyBody::json(json!({ "result": "OK" }).to_string()))
}

/// Everything else.
pub fn unknown(call: &Call) -> Result<Reply, ClientError> {
    demand_user(call)?;
    Err(ClientError::bad_request(
        "unknown-operation",
        "The operations on alias tokens are issue, issue/user/NAME, show, show/user/NAME, validate/ALIAS/SECRET and \
         invalidate/ALIAS.",
    ))
}
