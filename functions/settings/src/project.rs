//! `GET` and `PUT /data/projects/ID`

use narthex::domain::access::Right;
use narthex::domain::ids::ProjectId;
use narthex::domain::project::ProjectChange;
use narthex::http::views::project::{document, item, table};
use narthex::http::{ClientError, Format};
use narthex::service::{Call, Reply, ReplyBody};

/// One project: JSON item, XML document or HTML page.
pub async fn read(call: &Call, id: &str) -> Result<Reply, ClientError> {
    let format = call.context.format(&[Format::Html, Format::Xml, Format::Json])?;
    let project = call.project(id, Right::Read).await?;
    match format {
        Format::Json => Ok(ReplyBody::json(item(&project).to_json())),
        Format::Xml => {
            Ok(ReplyBody::xml(document(&project).map_err(|error| ClientError::internal(error.to_string()))?))
        }
        other => Ok(ReplyBody::table(table(&[project]).render(&other))),
    }
}

/// The longest body that is looked at to see that there is none, in bytes.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Makes or changes a project from the fields of the query (or of a form). 200 with nothing, as XNAT has it.
pub async fn put(mut call: Call, id: &str) -> Result<Reply, ClientError> {
    call.demand_login()?;
    if call.site.core.find_project(id).await?.is_some() {
        call.project(id, Right::Own).await?;
    }
    let id =
        ProjectId::parse(id).map_err(|error| ClientError::expectation_failed("bad-project-id", error.to_string()))?;
    let body = call.take_body().collect(MAX_BODY_BYTES).await?;
    if call.context.media_type() == "application/x-www-form-urlencoded" {
        call.context.add_body_params(&body)?;
    } else if !body.iter().all(u8::is_ascii_whitespace) {
        return Err(ClientError::not_implemented(
            "not-implemented",
            "This version does not read project documents; give the fields in the query (name=, description=, ...).",
        ));
    }
    let params = &call.context.params;
    for unknown in ["accessibility", "alias"] {
        if params.has(unknown) {
            let sentence = format!("This version has no {unknown} of projects yet; leave the parameter out.");
            return Err(ClientError::not_implemented("not-implemented", sentence));
        }
    }
    let field = |names: [&str; 2]| params.text_of(&names).map(str::to_owned);
    let change = ProjectChange {
        name: field(["name", "xnat:projectData/name"]),
        secondary_id: field(["secondary_ID", "xnat:projectData/secondary_ID"]),
        description: field(["description", "xnat:projectData/description"]),
        keywords: field(["keywords", "xnat:projectData/keywords"]),
        pi_firstname: field(["pi_firstname", "xnat:projectData/PI/firstname"]),
        pi_lastname: field(["pi_lastname", "xnat:projectData/PI/lastname"]),
    };
    call.site.core.put_project(&id, change, &call.user()).await?;
    Ok(ReplyBody::nothing())
}
