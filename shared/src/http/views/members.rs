//! Members of projects.

use std::collections::BTreeMap;

use crate::domain::project::Project;
use crate::domain::users::Profile;
use crate::http::Table;

/// The members of a project, owners first, by their login names. Those who cannot log in are shown only if wanted; so
/// are those whose account is gone.
pub fn table(project: &Project, users: &[Profile], with_hidden: bool) -> Table {
    let columns = ["GROUP_ID", "displayname", "login", "firstname", "lastname", "email"];
    // XNAT's title, though these are no projects.
    let mut table = Table::with_columns(columns).titled("Projects");
    let profiles: BTreeMap<&str, &Profile> = users.iter().map(|user| (user.login.as_str(), user)).collect();
    let mut members: Vec<_> = project.members.iter().collect();
    members.sort_by_key(|(login, role)| (**role, login.as_str()));
    for (login, role) in members {
        let profile = profiles.get(login.as_str()).copied();
        if !with_hidden && !profile.is_some_and(|profile| profile.enabled) {
            continue;
        }
        let text = |of: fn(&Profile) -> &String| profile.map(of).cloned().unwrap_or_default();
        table.push([
            role.group_id(project.id.as_str()),
            role.display_name().to_owned(),
            login.clone(),
            text(|profile| &profile.first_name),
            text(|profile| &profile.last_name),
            text(|profile| &profile.email),
        ]);
    }
    table
}
