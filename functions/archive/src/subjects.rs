//! Subjects.

use narthex::domain::archive::Subject;
use narthex::domain::shelf::ShelfOf;
use narthex::http::views::subject::{document, item};
use narthex::http::{ClientError, Format};
use narthex::service::{Call, Reply, ReplyBody};

use crate::sharing;

/// What a subject is that nobody has put in another state, which nothing here can do.
pub const STATUS: &str = "active";

/// One subject.
pub async fn read(call: &Call, found: &Subject) -> Result<Reply, ClientError> {
    let format = call.context.format(&[Format::Html, Format::Xml, Format::Json])?;
    let resources = call.site.core.shelf_resources(&ShelfOf::Subject(found.id.clone())).await?;
    let shares = sharing::shown(call, &found.project, &found.shares).await?;
    let found = &Subject { shares, ..found.clone() };
    match format {
        Format::Json => Ok(ReplyBody::json(item(found, &resources).to_json())),
        Format::Html => Ok(ReplyBody::table(item(found, &resources).fields_table().render(&Format::Html))),
        Format::Xml => {
            let document = document(found, &resources).map_err(|error| ClientError::internal(error.to_string()))?;
            Ok(ReplyBody::xml(document))
        }
        _ => Err(ClientError::bad_request(
            "unsupported-format",
            "Requested type is not supported: a subject is given as json, xml or html.",
        )),
    }
}

/// The projects that a subject is in.
pub async fn projects(call: &Call, found: &Subject) -> Result<Reply, ClientError> {
    sharing::projects(call, (&found.project, &found.label), &found.shares).await
}

/// The subject of this label or identifier in a project, or of this identifier anywhere.
pub async fn find(call: &Call, project: Option<&str>, name: &str) -> Result<Subject, ClientError> {
    let core = &call.site.core;
    let found = match project {
        Some(project) => core.find_subject(project, name).await?,
        None => match core.subject_by_id(name).await? {
            Some(found) if call.sees_subject(&found).await? => Some(found),
            // Guests are told to log in whether it exists or not.
            _ => {
                call.demand_login()?;
                None
            }
        },
    };
    found.ok_or_else(|| ClientError::not_found("unknown-subject", "Unable to find the specified subject."))
}
