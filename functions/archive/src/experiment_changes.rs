//! Making, changing and deleting experiments.

use http::StatusCode;
use narthex::domain::DomainError;
use narthex::domain::access::Right;
use narthex::domain::archive::subject_change::check_item_label;
use narthex::domain::archive::{Experiment, ExperimentChange, NewExperiment, StatusChange};
use narthex::http::ClientError;
use narthex::http::forms::items::{ExperimentForm, Present};
use narthex::service::{Call, Reply, ReplyBody};

use crate::experiment::load;
use crate::record::Record;
use crate::{assessor_changes, item_body, parent};

/// `PUT .../experiments/E`: makes or changes an experiment; answers with its identifier. `project` is empty where the
/// address names none, `subject` where it names none.
pub async fn put(mut call: Call, project: &str, subject: &str, name: &str) -> Result<Reply, ClientError> {
    let found = match parent::experiment(&call, project, subject, name, Right::Edit).await {
        Ok(found) => Some(found),
        Err(error) if error.status.number() == 404 && !project.is_empty() => {
            call.project(project, Right::Edit).await?;
            None
        }
        Err(error) => return Err(error),
    };
    if let Some(found) = found.as_ref().filter(|found| found.assessed.is_some()) {
        return assessor_changes::change_one(call, found).await;
    }
    let document = item_body::document(&mut call).await?;
    let present = match (&document, &found) {
        (Some(_), Some(found)) => {
            let (manifest, scans) = load(&call, found).await?;
            let own = call.site.core.counted_resources(&found.resources).await?;
            Some(Present::of(found, &manifest.session, &scans, &own))
        }
        _ => None,
    };
    let form = ExperimentForm::read(document.as_deref(), &call.context.params, present.as_ref())?;
    if let Some(found) = found {
        return changed(&call, &found, &form).await;
    }
    demand_no_assessors(&form)?;
    let core = call.site.core.clone();
    // It is there, but of another subject.
    if core.experiment_by_label(project, name).await?.is_some() {
        let sentence = "The label is used by an experiment of another subject of the project.";
        return Err(ClientError::conflict("label-used", sentence));
    }
    check_item_label(name).map_err(|error| ClientError::expectation_failed("bad-label", error.to_string()))?;
    let Some(xsi_type) = form.xsi_type.clone() else {
        return Err(ClientError::expectation_failed("no-body", "Need PUT Contents"));
    };
    let named = form.fixed.get("subject_ID").map(String::as_str).filter(|subject| !subject.is_empty());
    let subject = match (subject, named) {
        ("", None) => {
            let sentence = "A new experiment needs a subject: send it to .../subjects/SUBJECT/experiments/LABEL.";
            return Err(ClientError::unprocessable("no-subject", sentence));
        }
        ("", Some(named)) => named,
        (subject, _) => subject,
    };
    demand_same(&form, project, name, None)?;
    demand_rights(&call, project, &form).await?;
    if form.pulls_headers {
        let sentence = "A new experiment has no files whose headers could be read; leave pullDataFromHeaders out.";
        return Err(ClientError::bad_request("no-files", sentence));
    }
    let record = Record::of(&call, "Created", "")?;
    let new = NewExperiment {
        project: project.to_owned(),
        subject: subject.to_owned(),
        label: name.to_owned(),
        xsi_type,
        uid: form.fixed.get("UID").cloned().unwrap_or_default(),
        by: call.user(),
        change: ExperimentChange { reviewer: record.reviewer(&call), ..form.change.clone() },
    };
    match core.create_experiment(&new).await {
        Ok(made) => {
            record.write(&call, &made.project, made.as_item()).await?;
            if made.is_quarantined() {
                Record::of(&call, "Quarantined", "")?.write(&call, &made.project, made.as_item()).await?;
            }
            told(&call, &made, &form).await?;
            Ok(ReplyBody::reply(StatusCode::CREATED, "text/plain; charset=utf-8", made.id))
        }
        // Somebody was quicker: it is a change now.
        Err(DomainError::Exists { .. }) => {
            let found = parent::experiment(&call, project, "", name, Right::Edit).await?;
            changed(&call, &found, &form).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn changed(call: &Call, found: &Experiment, form: &ExperimentForm) -> Result<Reply, ClientError> {
    demand_same(form, &found.project, &found.label, Some(found))?;
    if form.xsi_type.as_ref().is_some_and(|wanted| found.xsi_type != *wanted) {
        let sentence = "Specified xsiType differs from existing xsiType";
        return Err(ClientError::conflict("type-differs", sentence));
    }
    demand_rights(call, &found.project, form).await?;
    let core = &call.site.core;
    let left_out = assessor_changes::compare(call, found, form).await?;
    let what = form.change.status.map_or("", what_becomes);
    let action = match (found.is_quarantined(), form.change.status) {
        (false, Some(StatusChange::Quarantine)) => "Quarantined",
        (true, Some(StatusChange::Activate | StatusChange::Lock)) => "Released",
        _ => "Modified",
    };
    let (record, removal) = (Record::of(call, action, what)?, Record::of(call, "Removed", "")?);
    let change = ExperimentChange { reviewer: record.reviewer(call), ..form.change.clone() };
    let mut changed = core.change_experiment(&found.id, &change).await?;
    for assessor in left_out {
        match core.delete_unlocked_experiment(&assessor.id, &removal.reviewer(call)).await {
            Err(DomainError::NotFound { .. }) => continue,
            done => done?,
        }
        removal.write_removal(call, &assessor.project, assessor.as_item()).await?;
    }
    if form.pulls_headers {
        changed = core.pull_headers(&found.id).await?;
    }
    record.write(call, &changed.project, changed.as_item()).await?;
    told(call, &changed, form).await?;
    Ok(ReplyBody::text(changed.id))
}

/// What is done to the status, for the history.
fn what_becomes(status: StatusChange) -> &'static str {
    match status {
        StatusChange::Quarantine => "put in quarantine",
        StatusChange::Activate => "activated",
        StatusChange::Lock => "locked",
        StatusChange::Unlock => "unlocked",
    }
}

/// Tells the webhooks of a session, as archiving one does, if the request wants that.
async fn told(call: &Call, experiment: &Experiment, form: &ExperimentForm) -> Result<(), ClientError> {
    if form.triggers {
        call.site.core.announce_experiment(experiment, &call.user()).await?;
    }
    Ok(())
}

/// A new session has no assessors that its document could refer to.
fn demand_no_assessors(form: &ExperimentForm) -> Result<(), ClientError> {
    if form.assessors.is_empty() {
        return Ok(());
    }
    let sentence = "A new session is made without assessors; send each to .../assessors/LABEL when it is there.";
    Err(ClientError::bad_request("assessors-in-document", sentence))
}

/// Activating, locking and removing is for those who manage the project; everybody who may change data may ask for
/// quarantine.
async fn demand_rights(call: &Call, project: &str, form: &ExperimentForm) -> Result<(), ClientError> {
    let is_plain = matches!(form.change.status, None | Some(StatusChange::Quarantine)) && !form.removes_others;
    if !is_plain {
        parent::demand(call, project, Right::Own).await?;
    }
    Ok(())
}

/// Identifier, project, label and subject can be named, but not changed.
fn demand_same(
    form: &ExperimentForm,
    project: &str,
    label: &str,
    found: Option<&Experiment>,
) -> Result<(), ClientError> {
    let is_same = |name: &str, value: &str| match (name, found) {
        ("project", _) => value == project,
        ("label", _) => value == label,
        ("ID", Some(found)) => value == found.id,
        ("ID", None) => value.is_empty(),
        ("UID", Some(found)) => value == found.uid,
        (_, Some(found)) => value == found.subject_id || value == found.subject_label,
        _ => true,
    };
    match form.fixed.iter().find(|(name, value)| !is_same(name, value)) {
        None => Ok(()),
        Some((name, _)) => {
            let sentence = format!("The field {name} of an experiment cannot be set here; leave it out.");
            Err(ClientError::bad_request("fixed-field", sentence))
        }
    }
}

/// `DELETE .../experiments/E`: with its scans, resources and files.
pub async fn delete(call: Call, found: &Experiment) -> Result<Reply, ClientError> {
    parent::demand(&call, &found.project, Right::Own).await?;
    let record = Record::of(&call, if found.is_quarantined() { "Rejected" } else { "Removed" }, "")?;
    call.site.core.delete_unlocked_experiment(&found.id, &record.reviewer(&call)).await?;
    record.write_removal(&call, &found.project, found.as_item()).await?;
    Ok(ReplyBody::nothing())
}
