//! Subjects.

use narthex::domain::access::Right;
use narthex::domain::archive::Subject;
use narthex::domain::shelf::ShelfOf;
use narthex::http::views::archive::{SUBJECT_COLUMNS, SUBJECT_DEFAULTS, subject, subjects};
use narthex::http::{ClientError, Format};
use narthex::service::{Call, Reply, ReplyBody};

/// The subjects of a project, or of all.
pub async fn list(call: &Call, project: Option<&str>) -> Result<Reply, ClientError> {
    let core = &call.site.core;
    let mut found = Vec::new();
    match project {
        Some(project) => found = core.list_subjects(project).await?,
        None => {
            for project in core.projects_for(&call.identity, Right::Read).await? {
                found.extend(core.list_subjects(project.id.as_str()).await?);
            }
        }
    }
    crate::render(call, subjects(&found), &SUBJECT_COLUMNS, SUBJECT_DEFAULTS)
}

/// One subject.
pub async fn read(call: &Call, found: &Subject) -> Result<Reply, ClientError> {
    match call.context.format(&[Format::Html, Format::Json])? {
        Format::Json => {
            let resources = call.site.core.shelf_resources(&ShelfOf::Subject(found.id.clone())).await?;
            Ok(ReplyBody::json(subject(found, &resources).to_json()))
        }
        Format::Html => Ok(ReplyBody::table(subjects(std::slice::from_ref(found)).render(&Format::Html))),
        _ => Err(ClientError::not_implemented("not-implemented", "This version gives a subject as json or html only.")),
    }
}

/// The subject of this label or identifier in a project, or of this identifier anywhere.
pub async fn find(call: &Call, project: Option<&str>, name: &str) -> Result<Subject, ClientError> {
    let core = &call.site.core;
    let found = match project {
        Some(project) => core.find_subject(project, name).await?,
        None => match core.subject_by_id(name).await? {
            Some(found) if call.may(&found.project, Right::Read).await? => Some(found),
            // Guests are told to log in whether it exists or not.
            _ => {
                call.demand_login()?;
                None
            }
        },
    };
    found.ok_or_else(|| ClientError::not_found("unknown-subject", "Unable to find the specified subject."))
}
