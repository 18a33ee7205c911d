//! `GET /data/projects/ID/users`, `PUT` and `DELETE /data/projects/ID/users/ROLE/LOGIN`

use narthex::accounts::Login;
use narthex::accounts::account::GUEST;
use narthex::domain::access::{ProjectRole, Right};
use narthex::domain::project::{LastOwner, Project};
use narthex::http::views::members::table;
use narthex::http::{ClientError, Format};
use narthex::service::{Call, Reply, ReplyBody};

use crate::record::Record;

/// Users that one request can name, at most.
const MAX_NAMED: usize = 100;

/// Parameters that need what is not done here.
const UNSERVED: &[(&str, &str)] =
    &[("sendemail", "sending mail"), ("includeAllDataAccess", "listing those who may see all data as members")];

/// The members of a project, for those who may read it; not for guests, since names and e-mail addresses stand in it.
pub async fn list(call: &Call, name: &str) -> Result<Reply, ClientError> {
    call.demand_login()?;
    ClientError::refuse_unserved(&call.context.params, UNSERVED)?;
    let project = call.project(name, Right::Read).await?;
    answer(call, &project, &format(call)?).await
}

/// Gives users a role in the project, in place of the one they have. 200 with the members.
pub async fn add(call: &Call, name: &str, role: &str, logins: &str) -> Result<Reply, ClientError> {
    let (project, role, logins) = named(call, name, role, logins).await?;
    let core = &call.site.core;
    let (record, format) = (Record::of(call)?, format(call)?);
    let project = core.add_members(project.id.as_str(), role, &logins, last_owner(call)).await?;
    record.write(call, &project, &format!("{} now: {}", role.display_name(), named_in(&logins))).await?;
    answer(call, &project, &format).await
}

/// Takes the role from users. 200 with the members; those who do not have it are left as they are.
pub async fn remove(call: &Call, name: &str, role: &str, logins: &str) -> Result<Reply, ClientError> {
    let (project, role, logins) = named(call, name, role, logins).await?;
    let core = &call.site.core;
    let (record, format) = (Record::of(call)?, format(call)?);
    let project = core.remove_members(project.id.as_str(), role, &logins, last_owner(call)).await?;
    record.write(call, &project, &format!("{} no more: {}", role.display_name(), named_in(&logins))).await?;
    answer(call, &project, &format).await
}

fn named_in(logins: &[Login]) -> String {
    logins.iter().map(Login::as_str).collect::<Vec<_>>().join(", ")
}

/// Administrators can give the project an owner again.
fn last_owner(call: &Call) -> LastOwner {
    if call.identity.edits_all_data() { LastOwner::MayGo } else { LastOwner::Stays }
}

/// What an address names, for those who may manage the project's members. All users must be known, so that nothing is
/// done by halves.
async fn named(
    call: &Call,
    name: &str,
    role: &str,
    logins: &str,
) -> Result<(Project, ProjectRole, Vec<Login>), ClientError> {
    let project = call.project(name, Right::Own).await?;
    ClientError::refuse_unserved(&call.context.params, UNSERVED)?;
    let Some(role) = ProjectRole::parse(role, project.id.as_str()) else {
        let sentence = "There is no such role; the roles are owner, member and collaborator.";
        return Err(ClientError::not_found("unknown-role", sentence));
    };
    let names: Vec<&str> = logins.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    if names.is_empty() || names.len() > MAX_NAMED {
        let sentence = format!("Name 1 to {MAX_NAMED} users, divided by commas.");
        return Err(ClientError::bad_request("bad-user-list", sentence));
    }
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        if name.eq_ignore_ascii_case(GUEST) {
            let sentence = "The guest cannot have a role in a project; make the project public instead.";
            return Err(ClientError::precondition_failed("guest", sentence));
        }
        let login = match call.site.core.find_user(name).await? {
            Some(account) => Some(account.login),
            // Somebody whose account is gone can still be taken off the list.
            None => Login::parse(name).ok().filter(|login| project.role_of(login.as_str()).is_some()),
        };
        let Some(login) = login else {
            let shown: String = name.chars().take(100).collect();
            let sentence =
                format!("There is no user {shown:?}. This server sends no invitations; make the account first.");
            return Err(ClientError::not_found("unknown-user", sentence));
        };
        found.push(login);
    }
    Ok((project, role, found))
}

/// The format of the answer; asked for before anything is changed.
fn format(call: &Call) -> Result<Format, ClientError> {
    Ok(call.context.format(&[Format::Json, Format::Html, Format::Xml, Format::Csv])?)
}

async fn answer(call: &Call, project: &Project, format: &Format) -> Result<Reply, ClientError> {
    let users = call.site.core.list_users().await?;
    let with_hidden = call.context.params.flag("DISPLAY_HIDDEN_USERS");
    let mut table = table(project, &users, with_hidden);
    table.arrange(&call.context.params)?;
    Ok(ReplyBody::table(table.render(format)))
}
