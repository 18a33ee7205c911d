//! The rows of logins, users and alias tokens.

use super::rows::{Body, Row, Spoils, row};
use super::rules::Rule;

/// The rows.
pub fn rows() -> Vec<Row> {
    const TARGET: &[(&str, &str)] =
        &[("user", "target"), ("value", "true"), ("role", "Administrator"), ("group", "ALL_DATA_ACCESS")];
    const NEW: Body = Body::Json(r#"{"username": "{fresh}", "password": "a long password"}"#);
    let row = |name, rule| row("access", name, rule);
    vec![
        row("Home", Rule::Open),
        row("Login", Rule::Visitor),
        row("Logout", Rule::Visitor).spoils(Spoils::Login),
        row("WhoAmI", Rule::Visitor),
        row("FormLogin", Rule::Open).body(Body::Form("username=eve&password=a%20long%20password")),
        row("BuildInfo", Rule::Visitor),
        row("Version", Rule::Visitor),
        row("Schemas", Rule::Visitor),
        row("Schema", Rule::Visitor).with(&[("schema", "xnat")]),
        row("ProjectAccess", Rule::Visitor),
        row("SearchElements", Rule::Visitor),
        row("SearchFields", Rule::Visitor).with(&[("type", "xnat:subjectData")]),
        row("Search", Rule::User).answers(&[501]),
        row("Users", Rule::AdminOnly),
        row("NewUser", Rule::AdminOnly).body(NEW).answers(&[201]),
        row("Profiles", Rule::AdminOnly),
        row("Username", Rule::Visitor),
        row("CurrentUser", Rule::User),
        row("EndLogins", Rule::SelfOrAdmin).spoils(Spoils::Login),
        row("User", Rule::SelfOrAdmin),
        row("ChangeUser", Rule::SelfOrAdmin).body(Body::Json(r#"{"firstName": "Changed"}"#)),
        row("Enabled", Rule::SelfOrAdmin),
        row("SetEnabled", Rule::AdminOnly).with(TARGET),
        row("Verified", Rule::SelfOrAdmin),
        row("SetVerified", Rule::AdminOnly).with(TARGET),
        row("Roles", Rule::SelfOrAdmin),
        row("JoinRole", Rule::AdminOnly).with(TARGET),
        row("LeaveRole", Rule::AdminOnly).with(TARGET),
        row("Groups", Rule::SelfOrAdmin),
        row("JoinGroup", Rule::AdminOnly).with(TARGET),
        row("LeaveGroup", Rule::AdminOnly).with(TARGET),
        row("UserTable", Rule::User),
        row("IssueToken", Rule::TokenUser),
        row("IssueTokenFor", Rule::TokenAdmin).with(TARGET),
        row("ShowTokens", Rule::TokenUser),
        row("ShowTokensOf", Rule::TokenAdmin).with(TARGET),
        row("ValidateToken", Rule::TokenUser).with(&[("alias", "x"), ("secret", "y")]),
        row("InvalidateToken", Rule::OwnThing).spoils(Spoils::Token),
        // There are no messages for a key that is not known.
        row("JobStatus", Rule::User).with(&[("key", "unknown")]),
        row("ForgetJob", Rule::User).with(&[("key", "unknown")]),
        row("EventTracking", Rule::OwnWork).spoils(Spoils::Work),
        row("EventPayload", Rule::OwnWork).spoils(Spoils::Work),
        row("UnknownTokenOperation", Rule::TokenUser).answers(&[400]).with(&[("operation", "x")]),
    ]
}
