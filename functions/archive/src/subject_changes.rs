//! Making, changing and deleting subjects.

use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use narthex::domain::DomainError;
use narthex::domain::access::Right;
use narthex::domain::archive::Subject;
use narthex::domain::shelf::ShelfOf;
use narthex::http::ClientError;
use narthex::http::forms::items::SubjectForm;
use narthex::service::{Call, Reply, ReplyBody};

use crate::record::Record;
use crate::{item_body, parent};

/// `PUT .../subjects/S`: makes or changes a subject; answers with its identifier. `project` is empty where the address
/// names none: then only what is there can be changed.
pub async fn put(mut call: Call, project: &str, name: &str) -> Result<Reply, ClientError> {
    let core = call.site.core.clone();
    let found = match project {
        "" => Some(parent::subject(&call, "", name, Right::Edit).await?),
        project => {
            call.project(project, Right::Edit).await?;
            match core.find_subject(project, name).await? {
                Some(found) => {
                    parent::demand(&call, &found.project, Right::Edit).await?;
                    Some(found)
                }
                None => None,
            }
        }
    };
    let document = item_body::document(&mut call).await?;
    let mut form = SubjectForm::read(document.as_deref(), &call.context.params)?;
    demand_same(&form, project, found.as_ref())?;
    demand_resources(&call, &form, found.as_ref()).await?;
    let record = Record::of(&call, "Created", "")?;
    if let Some(found) = found {
        return changed(&call, &found, &form).await;
    }
    if form.change.label.take().is_some_and(|label| label != name) {
        let sentence = "The label in the request differs from that in the address.";
        return Err(ClientError::conflict("label-differs", sentence));
    }
    match core.create_subject(project, name, &form.change, &call.user()).await {
        Ok(made) => {
            record.write(&call, &made.project, made.as_item()).await?;
            Ok(ReplyBody::reply(StatusCode::CREATED, "text/plain; charset=utf-8", made.id))
        }
        // Somebody was quicker: it is a change now.
        Err(DomainError::Exists { .. }) => {
            let found = parent::subject(&call, project, name, Right::Edit).await?;
            changed(&call, &found, &form).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn changed(call: &Call, found: &Subject, form: &SubjectForm) -> Result<Reply, ClientError> {
    let record = Record::of(call, "Modified", "")?;
    let changed = call.site.core.change_subject(found, &form.change).await?;
    record.write(call, &changed.project, changed.as_item()).await?;
    Ok(ReplyBody::text(changed.id))
}

/// A document may name what it is about, but not another.
fn demand_same(form: &SubjectForm, project: &str, found: Option<&Subject>) -> Result<(), ClientError> {
    let project = found.map_or(project, |found| &found.project);
    let is_other_project = form.project.as_ref().is_some_and(|named| named != project);
    let is_other =
        form.id.as_ref().is_some_and(|named| !named.is_empty() && found.is_none_or(|found| found.id != *named));
    if is_other_project || is_other {
        let sentence = "The project or ID in the request differs from that in the address; neither can be changed.";
        return Err(ClientError::conflict("other-item", sentence));
    }
    Ok(())
}

/// A document may refer to resources that are there; it makes none.
async fn demand_resources(call: &Call, form: &SubjectForm, found: Option<&Subject>) -> Result<(), ClientError> {
    if form.resources.is_empty() {
        return Ok(());
    }
    let present = match found {
        Some(found) => call.site.core.shelf_resources(&ShelfOf::Subject(found.id.clone())).await?,
        None => Vec::new(),
    };
    let is_there = |label: &String| present.iter().any(|counted| counted.resource.label == *label);
    if form.resources.iter().all(is_there) {
        return Ok(());
    }
    let sentence = "The document refers to a resource that is not there. Send its files to .../resources/LABEL/files, \
                    or leave it out.";
    Err(ClientError::bad_request("unknown-resource", sentence))
}

/// `POST .../subjects`: makes a subject of a document; answers with its address.
pub async fn create(mut call: Call, project: &str) -> Result<Reply, ClientError> {
    call.project(project, Right::Edit).await?;
    let Some(document) = item_body::document(&mut call).await? else {
        return Err(ClientError::expectation_failed("no-body", "Need POST Contents"));
    };
    let mut form = SubjectForm::read(Some(&document), &call.context.params)?;
    demand_same(&form, project, None)?;
    demand_resources(&call, &form, None).await?;
    let Some(label) = form.change.label.take() else {
        let sentence = "The document names no label; give the attribute label.";
        return Err(ClientError::bad_request("no-label", sentence));
    };
    let record = Record::of(&call, "Created", "")?;
    let made = call.site.core.create_subject(project, &label, &form.change, &call.user()).await?;
    record.write(&call, &made.project, made.as_item()).await?;
    let address = format!("{}/data/subjects/{}", call.context.origin(), made.id);
    let mut reply = ReplyBody::text(address.as_str());
    if let Ok(value) = HeaderValue::from_str(&address) {
        reply.headers_mut().insert(LOCATION, value);
    }
    Ok(reply)
}

/// `DELETE .../subjects/S`: with `removeFiles=true` its experiments go with it.
pub async fn delete(call: Call, project: &str, name: &str) -> Result<Reply, ClientError> {
    let found = parent::subject(&call, project, name, Right::Read).await?;
    if !project.is_empty() && project != found.project {
        // It only leaves this project.
        return crate::sharing::delete_subject(&call, &found, project).await;
    }
    parent::demand(&call, &found.project, Right::Own).await?;
    let record = Record::of(&call, "Removed", "")?;
    let with_experiments = call.context.params.flag("removeFiles");
    call.site.core.delete_subject_with(&found, with_experiments, &record.reviewer(&call)).await?;
    record.write_removal(&call, &found.project, found.as_item()).await?;
    Ok(ReplyBody::nothing())
}
