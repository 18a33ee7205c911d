//! The second form of the list of projects, which XNAT's pages are made of.

use narthex::domain::access::{ProjectRole, Right};
use narthex::domain::project::Project;
use narthex::domain::time::date_time;
use narthex::http::filter::{self, Filters};
use narthex::http::views::project::{DISPLAY_FILTERS, display_table};
use narthex::http::{ClientError, Params, Table};
use narthex::service::Call;

/// The parameters that ask for this form.
const SWITCHES: [&str; 11] = [
    "accessible",
    "owner",
    "member",
    "collaborator",
    "admin",
    "data",
    "recent",
    "favorite",
    "activeSince",
    "prearc_code",
    "users",
];

/// Parameters that need what is not kept here.
const UNSERVED: &[(&str, &str)] =
    &[("recent", "remembering who looked at which project"), ("favorite", "favourite projects")];

/// Whether a request wants this form.
pub fn is_wanted(params: &Params) -> bool {
    SWITCHES.iter().any(|name| params.has(name))
}

/// The projects that the parameters ask for, as they are for whoever asks. `accessible` and `data` restrict the list;
/// of the roles and `activeSince` one must fit, if any is asked for.
pub async fn table(call: &Call) -> Result<Table, ClientError> {
    let params = &call.context.params;
    ClientError::refuse_unserved(params, UNSERVED)?;
    let filters = Filters::of(params, &DISPLAY_FILTERS)?;
    let is_wanted = |name: &str| params.flag(name);
    let data = match params.text("data") {
        None => None,
        Some("readable") => Some(Right::Read),
        Some("writable") => Some(Right::Edit),
        Some(_) => {
            let sentence = "The parameter data must be readable or writable.";
            return Err(ClientError::bad_request("bad-data", sentence));
        }
    };
    let since = params.text("activeSince").map(since).transpose()?;
    let roles: Vec<ProjectRole> = ProjectRole::ALL.into_iter().filter(|role| is_wanted(role.word())).collect();
    let wants_one_of = !roles.is_empty() || since.is_some() || is_wanted("admin");
    let mut projects = Vec::new();
    for project in call.site.core.projects_for(&call.identity, Right::See).await? {
        let may = |right| project.grants(&call.identity, right);
        let is_accessible = match params.flag_if_given("accessible") {
            // Those that are only told of, for instance to ask for access.
            Some(false) => !may(Right::Read),
            Some(true) | None => may(Right::Read),
        };
        if !is_accessible || !data.is_none_or(may) {
            continue;
        }
        let role = call.identity.login().and_then(|login| project.role_of(login.as_str()));
        let fits = !wants_one_of
            || role.is_some_and(|role| roles.contains(&role))
            || (is_wanted("admin") && call.identity.is_admin())
            || match &since {
                Some(since) => is_active(call, &project, since).await?,
                None => false,
            };
        if fits {
            projects.push(project);
        }
    }
    let account = call.identity.user().map(|user| &user.account);
    let (number, login) = (account.map_or(0, |account| account.number), account.map(|account| account.login.as_str()));
    let mut table = display_table(&projects, number, login, is_wanted("prearc_code"));
    table.filter(&filters);
    Ok(table)
}

/// The day or time of `activeSince`, as times are written in lists.
fn since(text: &str) -> Result<String, ClientError> {
    filter::date(text).ok_or_else(|| {
        let sentence = "The parameter activeSince must be a date such as 2024-05-31 or 05/31/2024.";
        ClientError::bad_request("bad-date", sentence)
    })
}

/// Whether the project, a session of its prearchive or its archive has changed since.
async fn is_active(call: &Call, project: &Project, since: &str) -> Result<bool, ClientError> {
    // Times are written so that their texts are in their order.
    let is_later = |ms: u64| date_time(ms).as_str() >= since;
    let core = &call.site.core;
    // What is in quarantine does not show by this either.
    let experiments = call.without_hidden(core.list_experiments(project.id.as_str()).await?).await?;
    Ok(is_later(project.last_modified_ms())
        || experiments.iter().any(|experiment| is_later(experiment.insert_ms))
        || core.list_sessions(project.id.as_str()).await?.iter().any(|session| is_later(session.lastmod_ms)))
}
