//! `PUT /data/projects/ID` and `POST /data/projects`

use http::HeaderValue;
use http::header::LOCATION;
use narthex::domain::DomainError;
use narthex::domain::access::Right;
use narthex::domain::ids::ProjectId;
use narthex::domain::project::Project;
use narthex::http::ClientError;
use narthex::service::{Call, Reply, ReplyBody};

use crate::body;
use crate::record::Record;

/// Makes or changes a project. 200 with nothing both ways, as XNAT has it.
pub async fn put(mut call: Call, name: &str) -> Result<Reply, ClientError> {
    call.demand_login()?;
    let found = demand_change(&call, name).await?;
    if found.is_none() {
        demand_creation(&call)?;
    }
    let form = body::read(&mut call).await?.form;
    let core = call.site.core.clone();
    let id = match &found {
        Some(project) => project.id.clone(),
        None => project_id(name)?,
    };
    if form.id.as_ref().is_some_and(|given| given != id.as_str()) {
        let sentence = "The project ID in the request differs from that in the address.";
        return Err(ClientError::expectation_failed("id-differs", sentence));
    }
    let record = Record::of(&call)?;
    if found.is_none() {
        match core.create_project(&id, &form.change, &call.user()).await {
            // Somebody was quicker: it is a change now, for those who may make it.
            Err(DomainError::Exists { .. }) => drop(demand_change(&call, name).await?),
            made => return made.map(|_| ReplyBody::nothing()).map_err(ClientError::from),
        }
    }
    let changed = core.change_project(id.as_str(), &form.change).await?;
    record.write(&call, &changed, "fields of the project").await?;
    Ok(ReplyBody::nothing())
}

/// Makes a project. 200 with its address.
pub async fn post(mut call: Call) -> Result<Reply, ClientError> {
    call.demand_login()?;
    demand_creation(&call)?;
    let said = body::read(&mut call).await?;
    if !said.has_body {
        return Err(ClientError::expectation_failed("no-body", "Need POST Contents"));
    }
    let Some(id) = said.form.id else {
        let sentence = "The document names no project ID; give the attribute ID.";
        return Err(ClientError::bad_request("no-project-id", sentence));
    };
    let id = project_id(&id)?;
    call.site.core.create_project(&id, &said.form.change, &call.user()).await?;
    let address = format!("{}/data/projects/{id}", call.context.origin());
    let mut reply = ReplyBody::text(address.as_str());
    if let Ok(value) = HeaderValue::from_str(&address) {
        reply.headers_mut().insert(LOCATION, value);
    }
    Ok(reply)
}

/// The project of this name, if there is one, for those who may change it. That it exists cannot be hidden from those
/// who may make projects, so that the others get 403.
async fn demand_change(call: &Call, name: &str) -> Result<Option<Project>, ClientError> {
    let Some(project) = call.site.core.find_project(name).await? else { return Ok(None) };
    if project.grants(&call.identity, Right::Own) {
        return Ok(Some(project));
    }
    let sentence = format!("User {} doesn't have permission to edit the project {}.", call.user(), project.id);
    Err(ClientError::forbidden("not-permitted", sentence))
}

fn demand_creation(call: &Call) -> Result<(), ClientError> {
    if call.identity.is_admin() || call.site.core.settings.users_may_create_projects {
        return Ok(());
    }
    let sentence = format!("User {} doesn't have permission to create projects on this system", call.user());
    Err(ClientError::forbidden("not-permitted", sentence))
}

fn project_id(text: &str) -> Result<ProjectId, ClientError> {
    ProjectId::parse(text).map_err(|error| ClientError::expectation_failed("bad-project-id", error.to_string()))
}
