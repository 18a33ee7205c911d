//! Making, changing and deleting assessors.

use http::header::LOCATION;
use http::{HeaderValue, Method, StatusCode};
use narthex::domain::access::Right;
use narthex::domain::archive::{Experiment, ExperimentType, NewAssessor, StatusChange};
use narthex::domain::resource::CountedResource;
use narthex::http::ClientError;
use narthex::http::forms::items::{AssessorForm, ExperimentForm};
use narthex::http::path::join_segments;
use narthex::http::views::assessor::fields;
use narthex::imaging::AssessorType;
use narthex::service::{Call, Reply, ReplyBody};

use crate::assessors::find;
use crate::parent::Parent;
use crate::record::Record;
use crate::{changes, item_body, sharing};

/// PUT, POST or DELETE below `.../assessors`.
pub async fn change(call: Call, session: &Experiment, below: &[&str]) -> Result<Reply, ClientError> {
    let method = call.context.method.clone();
    match (method.as_str(), below) {
        ("POST", []) => create(call, session).await,
        ("PUT", [assessor]) => put(call, session, assessor).await,
        ("DELETE", [assessor]) => {
            let found = find(&call, session, assessor).await?;
            crate::experiment_changes::delete(call, &found).await
        }
        (_, []) => Err(ClientError::method_not_allowed(&[Method::GET, Method::HEAD, Method::POST])),
        (_, [_]) => Err(ClientError::method_not_allowed(&[Method::DELETE, Method::GET, Method::HEAD, Method::PUT])),
        ("PUT", [assessor, "projects", target]) => {
            let found = find(&call, session, assessor).await?;
            sharing::put_experiment(call, &found, target).await
        }
        ("DELETE", [assessor, "projects", target]) => {
            let found = find(&call, session, assessor).await?;
            sharing::delete_experiment(&call, &found, target).await
        }
        (_, [_, "projects", _]) => Err(ClientError::method_not_allowed(&[Method::DELETE, Method::PUT])),
        (_, [assessor, rest @ ..]) => {
            let found = find(&call, session, assessor).await?;
            let rest = crate::assessors::without_side(rest)?;
            changes::change_resources(call, &Parent::Experiment(Box::new(found)), &rest).await
        }
    }
}

/// `PUT .../assessors/LABEL`: makes or changes an assessor; answers with its identifier.
async fn put(mut call: Call, session: &Experiment, name: &str) -> Result<Reply, ClientError> {
    if let Some(found) = call.site.core.assessor(session, name).await? {
        return change_one(call, &found).await;
    }
    let document = item_body::document(&mut call).await?;
    let form = AssessorForm::read(document.as_deref(), &call.context.params, None)?;
    let made = make(&call, session, name, &form).await?;
    Ok(ReplyBody::reply(StatusCode::CREATED, "text/plain; charset=utf-8", made.id))
}

/// `POST .../assessors`: makes an assessor; answers with its address. Its label is in the document or the parameters.
async fn create(mut call: Call, session: &Experiment) -> Result<Reply, ClientError> {
    let document = item_body::document(&mut call).await?;
    let form = AssessorForm::read(document.as_deref(), &call.context.params, None)?;
    let Some(label) = form.fixed.get("label").cloned().filter(|label| !label.is_empty()) else {
        return Err(ClientError::bad_request("no-label", "The assessor has no label; give one with label=."));
    };
    let made = make(&call, session, &label, &form).await?;
    let path = join_segments(["data", "experiments", &session.id, "assessors", &made.id]);
    let address = format!("{}{path}", call.context.origin());
    let mut reply = ReplyBody::reply(StatusCode::OK, "text/plain; charset=utf-8", address.clone());
    if let Ok(value) = HeaderValue::from_str(&address) {
        reply.headers_mut().insert(LOCATION, value);
    }
    Ok(reply)
}

async fn make(call: &Call, session: &Experiment, label: &str, form: &AssessorForm) -> Result<Experiment, ClientError> {
    let Some(xsi_type) = form.xsi_type.clone() else {
        let sentence = "A new assessor needs a data type; name it with xsiType=, such as xnat:qcManualAssessorData.";
        return Err(ClientError::expectation_failed("no-type", sentence));
    };
    demand_same(form, session, label, None)?;
    demand_resources(form, &[])?;
    demand_status_right(call, session, form).await?;
    let record = Record::of(call, "Created", "")?;
    let new = NewAssessor {
        session: session.id.clone(),
        label: label.to_owned(),
        xsi_type,
        by: call.user(),
        change: form.change.clone(),
    };
    let made = call.site.core.create_assessor(&new).await?;
    record.write(call, &made.project, made.as_item()).await?;
    Ok(made)
}

/// Changes an assessor that is there; answers with its identifier.
pub async fn change_one(mut call: Call, found: &Experiment) -> Result<Reply, ClientError> {
    let document = item_body::document(&mut call).await?;
    let form = AssessorForm::read(document.as_deref(), &call.context.params, type_of(found))?;
    if form.xsi_type.as_ref().is_some_and(|wanted| Some(wanted) != type_of(found)) {
        let sentence = "Specified xsiType differs from existing xsiType";
        return Err(ClientError::conflict("type-differs", sentence));
    }
    let core = call.site.core.clone();
    demand_same(&form, found, &found.label, Some(found))?;
    demand_resources(&form, &core.counted_resources(&found.resources).await?)?;
    demand_status_right(&call, found, &form).await?;
    let record = Record::of(&call, "Modified", "")?;
    let changed = core.change_experiment(&found.id, &form.change).await?;
    record.write(&call, &changed.project, changed.as_item()).await?;
    Ok(ReplyBody::text(changed.id))
}

fn type_of(found: &Experiment) -> Option<&AssessorType> {
    match &found.xsi_type {
        ExperimentType::Assessor(kind) => Some(kind),
        ExperimentType::Session(_) => None,
    }
}

/// Compares the assessors that a session's document has with those that are there. Gives those that it leaves out, if they
/// are to be removed.
///
/// # Errors
/// 400 for one that is not there, or is not as it is said to be: assessors are made and changed at their own addresses.
pub async fn compare(call: &Call, session: &Experiment, form: &ExperimentForm) -> Result<Vec<Experiment>, ClientError> {
    if form.assessors.is_empty() && !form.removes_others {
        return Ok(Vec::new());
    }
    let core = &call.site.core;
    let mut left_out = core.assessors_of(session).await?;
    for said in &form.assessors {
        let (id, label) = (said.fixed.get("ID"), said.fixed.get("label"));
        let is_it = |found: &Experiment| match id.filter(|id| !id.is_empty()) {
            Some(id) => found.id == *id,
            None => Some(&found.label) == label,
        };
        let position = left_out.iter().position(is_it);
        let found = position.map(|position| left_out.remove(position)).ok_or_else(changed_assessor)?;
        let present = fields(&found);
        let is_same = |path: &str, value: &str| {
            present.iter().any(|field| field.path == path && field.value.to_string().trim() == value.trim())
        };
        let is_as_said = said.fixed.iter().all(|(path, value)| is_same(path, value))
            && said.change.fields.iter().all(|field| is_same(&field.path, &field.value.to_string()))
            && said.xsi_type.as_ref().is_none_or(|kind| Some(kind) == type_of(&found));
        if !is_as_said {
            return Err(changed_assessor());
        }
        demand_resources(said, &core.counted_resources(&found.resources).await?)?;
    }
    Ok(if form.removes_others { left_out } else { Vec::new() })
}

fn changed_assessor() -> ClientError {
    let sentence = "An assessor in the session's document is not there, or is not as the document says. Make and change \
                    assessors at their own addresses: .../assessors/LABEL.";
    ClientError::bad_request("assessors-in-document", sentence)
}

/// Identifier, project, label and session can be named, but not changed.
fn demand_same(
    form: &AssessorForm,
    of: &Experiment,
    label: &str,
    found: Option<&Experiment>,
) -> Result<(), ClientError> {
    let session = match found {
        Some(found) => found.assessed.clone().unwrap_or_default(),
        None => of.id.clone(),
    };
    let is_same = |name: &str, value: &str| match name {
        "project" => value == of.project,
        "label" => value == label,
        "ID" => found.map_or(value.is_empty(), |found| value == found.id),
        _ => value == session,
    };
    match form.fixed.iter().find(|(name, value)| !is_same(name, value)) {
        None => Ok(()),
        Some((name, _)) => {
            let sentence = format!("The field {name} of an assessor cannot be set here; leave it out.");
            Err(ClientError::bad_request("fixed-field", sentence))
        }
    }
}

/// A document neither makes resources nor changes them.
fn demand_resources(form: &AssessorForm, present: &[CountedResource]) -> Result<(), ClientError> {
    let is_there = |label: &String| present.iter().any(|counted| counted.resource.label == *label);
    match form.resources.iter().find(|label| !is_there(label)) {
        None => Ok(()),
        Some(label) => {
            let shown: String = label.chars().take(100).collect();
            let sentence = format!(
                "The document refers to the resource {shown:?}, which is not there. Send its files to \
                 .../resources/LABEL/files, or leave it out."
            );
            Err(ClientError::bad_request("unknown-resource", sentence))
        }
    }
}

/// Activating and locking is for those who manage the project.
async fn demand_status_right(call: &Call, of: &Experiment, form: &AssessorForm) -> Result<(), ClientError> {
    if !matches!(form.change.status, None | Some(StatusChange::Quarantine)) {
        call.project(&of.project, Right::Own).await?;
    }
    Ok(())
}
