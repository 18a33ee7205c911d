//! Users and alias tokens.

use serde_json::{Value, json};

use crate::accounts::{AllData, Role, TokenInfo};
use crate::domain::users::Profile;
use crate::http::Table;

/// XNAT's name for the role of administrators of the site.
pub const ADMINISTRATOR: &str = "Administrator";
/// XNAT's name for the group of users who may read the data of all projects.
pub const ALL_DATA_ACCESS: &str = "ALL_DATA_ACCESS";
/// XNAT's name for the group of users who may change them too.
pub const ALL_DATA_ADMIN: &str = "ALL_DATA_ADMIN";

/// The columns of the table of users, in XNAT's order.
pub const COLUMNS: [&str; 5] = ["xdat_user_id", "login", "firstname", "lastname", "email"];

/// A user's profile.
pub fn profile(user: &Profile) -> Value {
    json!({
        "id": user.number,
        "username": user.login.as_str(),
        "firstName": user.first_name,
        "lastName": user.last_name,
        "fullName": format!("{} {}", user.first_name, user.last_name).trim(),
        "email": user.email,
        "enabled": user.enabled,
        "verified": user.verified,
        "admin": user.role == Role::SiteAdmin,
        "created": user.created_ms,
        "lastModified": user.changed_ms,
    })
}

/// The names of a user's roles for the whole site.
pub fn roles(user: &Profile) -> Value {
    match user.role {
        Role::SiteAdmin => json!([ADMINISTRATOR]),
        Role::User => json!([]),
    }
}

/// The name of the group that lets a user work with the data of all projects, if there is one.
pub fn all_data_group(user: &Profile) -> Option<&'static str> {
    match user.all_data {
        AllData::None => None,
        AllData::Read => Some(ALL_DATA_ACCESS),
        AllData::Admin => Some(ALL_DATA_ADMIN),
    }
}

/// The table of those users who can log in.
pub fn table(users: &[Profile]) -> Table {
    let mut table = Table::with_columns(COLUMNS).titled("Users");
    for user in users.iter().filter(|user| user.enabled) {
        table.push([
            user.number.to_string(),
            user.login.to_string(),
            user.first_name.clone(),
            user.last_name.clone(),
            user.email.clone(),
        ]);
    }
    table
}

/// An alias token; the secret is known only when the token is issued.
pub fn token(token: &TokenInfo, secret: Option<&str>) -> Value {
    let mut out = json!({
        "id": token.number,
        "alias": token.alias,
        "xdatUserId": token.login.as_str(),
        "singleUse": false,
        "estimatedExpirationTime": token.expires_ms,
        "validIPAddresses": [],
        "enabled": true,
        "disabled": 0,
        "created": token.created_ms,
        "timestamp": token.created_ms,
    });
    if let (Value::Object(members), Some(secret)) = (&mut out, secret) {
        members.insert("secret".to_owned(), secret.into());
    }
    out
}
