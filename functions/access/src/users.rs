//! `/xapi/users`: users and what they are for the whole site.

use http::StatusCode;
use narthex::accounts::{Account, AllData, Login, Role};
use narthex::domain::users::{AllDataChange, Profile, UserChange};
use narthex::http::ClientError;
use narthex::http::user_body::{MAX_USER_BYTES, UserBody};
use narthex::http::views::users::{ADMINISTRATOR, ALL_DATA_ACCESS, ALL_DATA_ADMIN, all_data_group, profile, roles};
use narthex::service::{Call, Reply, ReplyBody};
use serde_json::{Value, json};

fn answer(value: &Value) -> Reply {
    ReplyBody::json(value.to_string())
}

/// The account of that login name, for itself or for an administrator.
///
/// # Errors
/// 403 for everybody else, whether it exists or not; 404.
async fn own_or_any(call: &Call, name: &str) -> Result<Account, ClientError> {
    let own = call.demand_login()?;
    if own.login.as_str() == name {
        return Ok(own.clone());
    }
    any(call, name).await
}

/// The account of that login name, for an administrator.
///
/// # Errors
/// 403 for everybody else, 404.
pub async fn any(call: &Call, name: &str) -> Result<Account, ClientError> {
    call.demand_admin()?;
    let found = match Login::parse(name) {
        Ok(login) => Account::load(&call.site.core.records, &login).await?,
        Err(_) => None,
    };
    found.ok_or_else(|| {
        let shown: String = name.chars().take(100).collect();
        ClientError::not_found("unknown-user", format!("There is no user {shown:?}."))
    })
}

async fn change(call: &Call, name: &str, change: UserChange) -> Result<Account, ClientError> {
    let account = any(call, name).await?;
    Ok(call.site.core.change_user(&account.login, change).await?)
}

/// `GET /xapi/users`: all login names.
pub async fn list(call: &Call) -> Result<Reply, ClientError> {
    call.demand_admin()?;
    let users = call.site.core.list_users().await?;
    Ok(answer(&users.iter().map(|user| Value::from(user.login.as_str())).collect()))
}

/// `GET /xapi/users/profiles`
pub async fn profiles(call: &Call) -> Result<Reply, ClientError> {
    call.demand_admin()?;
    Ok(answer(&call.site.core.list_users().await?.iter().map(profile).collect()))
}

/// `GET /xapi/users/current`
pub fn current(call: &Call) -> Result<Reply, ClientError> {
    Ok(answer(&profile(&Profile::from(call.demand_login()?))))
}

/// `GET /xapi/users/username`
pub fn username(call: &Call) -> Result<Reply, ClientError> {
    call.demand_visitor()?;
    Ok(ReplyBody::text(call.identity.name()))
}

/// `GET /xapi/users/NAME`
pub async fn read(call: &Call, name: &str) -> Result<Reply, ClientError> {
    Ok(answer(&profile(&Profile::from(&own_or_any(call, name).await?))))
}

async fn body(call: &mut Call) -> Result<UserBody, ClientError> {
    if call.context.media_type() != "application/json" {
        let sentence = "A user is sent as JSON: set the header Content-Type to application/json.";
        return Err(ClientError::unsupported_media_type("not-json", sentence));
    }
    UserBody::parse(&call.take_body().collect(MAX_USER_BYTES).await?)
}

/// `POST /xapi/users`: a new user. 201 with the profile.
pub async fn create(mut call: Call) -> Result<Reply, ClientError> {
    call.demand_admin()?;
    let mut user = body(&mut call).await?;
    user.refuse_role(false)?;
    let missing = |what: &str| {
        ClientError::bad_request("missing-member", format!("A new user needs the member {what} in the body."))
    };
    let name = user.username.take().ok_or_else(|| missing("username"))?;
    let password = user.change.password.take().ok_or_else(|| missing("password"))?;
    let account = call.site.core.create_user(&name, &password, user.change).await?;
    let shown = profile(&Profile::from(&account)).to_string();
    Ok(ReplyBody::reply(StatusCode::CREATED, "application/json", shown))
}

/// `PUT /xapi/users/NAME`: changes what the body names. Users may change their own names, address and password.
pub async fn put(mut call: Call, name: &str) -> Result<Reply, ClientError> {
    let account = own_or_any(&call, name).await?;
    let user = body(&mut call).await?;
    user.refuse_role(account.is_admin())?;
    if user.username.as_ref().is_some_and(|username| *username != name) {
        let sentence = "A user's login name cannot be changed; leave username out or as it is.";
        return Err(ClientError::bad_request("fixed-username", sentence));
    }
    if user.needs_admin(&Profile::from(&account)) {
        call.demand_admin()?;
    }
    let is_own = call.identity.login() == Some(&account.login);
    if is_own && user.change.password.is_some() {
        crate::tokens::demand_password_login(&call, "change a password")?;
    }
    let account = call.site.core.change_user(&account.login, user.change).await?;
    Ok(answer(&profile(&Profile::from(&account))))
}

/// A switch of a user that has addresses of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// Whether the user may log in.
    Enabled,
    /// Whether the e-mail address counts as verified.
    Verified,
}

/// `GET /xapi/users/NAME/enabled` and `verified`: `true` or `false`.
pub async fn read_switch(call: &Call, name: &str, switch: Switch) -> Result<Reply, ClientError> {
    let account = own_or_any(call, name).await?;
    let value = match switch {
        Switch::Enabled => account.enabled,
        Switch::Verified => account.verified,
    };
    Ok(answer(&Value::from(value)))
}

/// `PUT /xapi/users/NAME/enabled/true`, and so on.
pub async fn put_switch(call: &Call, name: &str, switch: Switch, value: &str) -> Result<Reply, ClientError> {
    call.demand_admin()?;
    let value: bool = value
        .parse()
        .map_err(|_| ClientError::bad_request("not-a-switch", "The last part of the address must be true or false."))?;
    let wanted = match switch {
        Switch::Enabled => UserChange { enabled: Some(value), ..Default::default() },
        Switch::Verified => UserChange { verified: Some(value), ..Default::default() },
    };
    change(call, name, wanted).await?;
    Ok(answer(&Value::from(value)))
}

/// `GET /xapi/users/NAME/roles`
pub async fn read_roles(call: &Call, name: &str) -> Result<Reply, ClientError> {
    Ok(answer(&roles(&Profile::from(&own_or_any(call, name).await?))))
}

/// `PUT` and `DELETE /xapi/users/NAME/roles/Administrator`. Answers with the roles that the user has then.
pub async fn put_role(call: &Call, name: &str, role: &str, joins: bool) -> Result<Reply, ClientError> {
    call.demand_admin()?;
    if role != ADMINISTRATOR {
        let sentence = "The only role for the whole site is Administrator.";
        return Err(ClientError::not_found("unknown-role", sentence));
    }
    let role = if joins { Role::SiteAdmin } else { Role::User };
    let account = change(call, name, UserChange { role: Some(role), ..Default::default() }).await?;
    Ok(answer(&roles(&Profile::from(&account))))
}

/// The groups of a user: that for all data, and those of the projects in which the user has a role.
async fn groups(call: &Call, account: &Account) -> Result<Value, ClientError> {
    let mut groups: Vec<Value> = all_data_group(&Profile::from(account)).map(Value::from).into_iter().collect();
    for project in call.site.core.list_projects().await? {
        if let Some(role) = project.role_of(account.login.as_str()) {
            groups.push(role.group_id(project.id.as_str()).into());
        }
    }
    Ok(json!(groups))
}

/// `GET /xapi/users/NAME/groups`
pub async fn read_groups(call: &Call, name: &str) -> Result<Reply, ClientError> {
    let account = own_or_any(call, name).await?;
    Ok(answer(&groups(call, &account).await?))
}

/// `PUT` and `DELETE /xapi/users/NAME/groups/ALL_DATA_ADMIN` or `ALL_DATA_ACCESS`. Answers with the groups that the
/// user has then.
pub async fn put_group(call: &Call, name: &str, group: &str, joins: bool) -> Result<Reply, ClientError> {
    call.demand_admin()?;
    let group = match group {
        ALL_DATA_ADMIN => AllData::Admin,
        ALL_DATA_ACCESS => AllData::Read,
        _ => {
            return Err(ClientError::bad_request(
                "project-group",
                "The groups here are ALL_DATA_ADMIN and ALL_DATA_ACCESS; members of a project are set under \
                 /data/projects/PROJECT/users.",
            ));
        }
    };
    let all_data = Some(if joins { AllDataChange::Join(group) } else { AllDataChange::Leave(group) });
    let account = change(call, name, UserChange { all_data, ..Default::default() }).await?;
    Ok(answer(&groups(call, &account).await?))
}

/// `DELETE /xapi/users/active/NAME`: ends all login sessions and alias tokens of a user.
pub async fn end_logins(call: &Call, name: &str) -> Result<Reply, ClientError> {
    let account = own_or_any(call, name).await?;
    call.site.core.change_user(&account.login, UserChange { end_logins: true, ..Default::default() }).await?;
    Ok(ReplyBody::nothing())
}
