//! What clients send to make or change a user: XNAT's profile as JSON.

use serde_json::{Map, Value};

use super::ClientError;
use crate::domain::users::{Profile, UserChange};

/// The longest body, in bytes.
pub const MAX_USER_BYTES: usize = 64 * 1024;
/// Members of a profile that clients read, and send back with the rest of it: they are passed over.
const READ_ONLY: [&str; 11] = [
    "id",
    "fullName",
    "displayName",
    "secured",
    "created",
    "lastModified",
    "lastSuccessfulLogin",
    "lastLoginAttempt",
    "failedLoginAttempts",
    "authorization",
    "authMethod",
];

/// A user as a client sent it.
#[derive(Clone, Default)]
pub struct UserBody {
    /// The login name.
    pub username: Option<String>,
    /// Whether the user is an administrator; this is not changed here, but must not be wrong.
    pub admin: Option<bool>,
    /// Everything that can be changed, the password among it.
    pub change: UserChange,
}

impl UserBody {
    /// Reads a body.
    ///
    /// # Errors
    /// 400 if it is no JSON object, has a member that profiles do not have, or one of the wrong kind.
    pub fn parse(body: &[u8]) -> Result<Self, ClientError> {
        let members: Map<String, Value> = serde_json::from_slice(body).map_err(|_| {
            ClientError::bad_request("not-an-object", "The body must be a JSON object: a user's profile.")
        })?;
        let mut user = Self::default();
        for (name, value) in &members {
            if value.is_null() || READ_ONLY.contains(&name.as_str()) {
                continue;
            }
            match name.as_str() {
                "username" => user.username = text(name, value)?,
                "password" => user.change.password = text(name, value)?,
                "firstName" => user.change.first_name = text(name, value)?,
                "lastName" => user.change.last_name = text(name, value)?,
                "email" => user.change.email = text(name, value)?,
                "enabled" => user.change.enabled = switch(name, value)?,
                "verified" => user.change.verified = switch(name, value)?,
                "admin" => user.admin = switch(name, value)?,
                unknown => {
                    let shown: String = unknown.chars().take(60).collect();
                    return Err(ClientError::bad_request(
                        "unknown-member",
                        format!("A user's profile has no member {shown:?}; leave it out."),
                    ));
                }
            }
        }
        Ok(user)
    }

    /// Refuses to make somebody an administrator, or no longer one, by the way.
    ///
    /// # Errors
    /// 400.
    pub fn refuse_role(&self, is_admin: bool) -> Result<(), ClientError> {
        match self.admin {
            Some(admin) if admin != is_admin => Err(ClientError::bad_request(
                "role-elsewhere",
                "The member admin cannot be changed here; use PUT or DELETE /xapi/users/NAME/roles/Administrator.",
            )),
            _ => Ok(()),
        }
    }

    /// Whether it changes what only administrators may change.
    pub fn needs_admin(&self, user: &Profile) -> bool {
        let differs = |wanted: Option<bool>, present: bool| wanted.is_some_and(|wanted| wanted != present);
        differs(self.change.enabled, user.enabled) || differs(self.change.verified, user.verified)
    }
}

fn text(name: &str, value: &Value) -> Result<Option<String>, ClientError> {
    match value {
        Value::String(text) => Ok(Some(text.clone())),
        _ => Err(wrong_kind(name, "a string")),
    }
}

fn switch(name: &str, value: &Value) -> Result<Option<bool>, ClientError> {
    match value {
        Value::Bool(value) => Ok(Some(*value)),
        _ => Err(wrong_kind(name, "true or false")),
    }
}

fn wrong_kind(name: &str, must_be: &str) -> ClientError {
    ClientError::bad_request("wrong-kind", format!("The member {name} must be {must_be}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(body: &str) -> String {
        UserBody::parse(body.as_bytes()).err().unwrap().code.into_owned()
    }

    #[test]
    fn what_can_be_changed_is_read_and_the_rest_of_a_profile_passed_over() {
        let user = UserBody::parse(
            br#"{"username":"ann","id":3,"password":"secret","firstName":"A","lastName":"B","email":"a@b","enabled":true,
                 "verified":false,"admin":true,"secured":true,"lastModified":1,"authorization":{"x":[1]},"fullName":null}"#,
        )
        .unwrap();
        assert_eq!((user.username.as_deref(), user.admin), (Some("ann"), Some(true)));
        let change = &user.change;
        let texts = [&change.password, &change.first_name, &change.last_name, &change.email];
        assert_eq!(texts.map(|text| text.as_deref().unwrap_or_default()), ["secret", "A", "B", "a@b"]);
        assert_eq!((change.enabled, change.verified), (Some(true), Some(false)));
        assert!(user.refuse_role(true).is_ok() && user.refuse_role(false).is_err());
        let empty = UserBody::parse(br#"{"email":null,"enabled":null}"#).unwrap();
        assert!(empty.change.email.is_none() && empty.change.enabled.is_none() && empty.refuse_role(true).is_ok());
    }

    #[test]
    fn other_bodies_are_refused_by_what_is_wrong() {
        for body in ["", "[]", "1", "{", "{\"a\":1}x", "\u{fffd}"] {
            assert_eq!(code(body), "not-an-object", "{body:?}");
        }
        assert_eq!(code("{\"login\":\"ann\"}"), "unknown-member");
        for body in ["{\"email\":1}", "{\"enabled\":\"true\"}", "{\"password\":[\"x\"]}", "{\"username\":{}}"] {
            assert_eq!(code(body), "wrong-kind", "{body}");
        }
    }
}
