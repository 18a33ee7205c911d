//! Making folders, and putting files into them.

use narthex::domain::DomainError;
use narthex::domain::project::Project;
use narthex::domain::triage::{Target, check_label, demand_clients_label};
use narthex::http::views::prearchive::duplicates;
use narthex::http::{BodyKind, ClientError};
use narthex::service::files::receive_unpacked;
use narthex::service::quarantine::{IntoFolder, check, demand_uploader, quarantine, target};
use narthex::service::{Call, Reply, ReplyBody};

/// `PUT .../X`: an empty folder.
pub async fn folder(mut call: Call, project: &str, label: &str) -> Result<Reply, ClientError> {
    let project = demand_uploader(&call, project).await?;
    check(&call)?;
    call.take_body().collect(0).await.map_err(|error| match error.status.number() {
        413 => ClientError::bad_request(
            "body-not-wanted",
            "A folder is made without a body; to store a file, send it to .../files/NAME.",
        ),
        _ => error,
    })?;
    let target = if call.context.params.has("target") { Some(wanted_target(&call, &project).await?) } else { None };
    let made = call.site.core.make_triage_folder(project.id.as_str(), label, &call.user(), target).await;
    made.map_err(|error| match error {
        DomainError::Exists { .. } => {
            ClientError::precondition_failed("exists", "Resource with this name already exists.")
        }
        other => other.into(),
    })?;
    Ok(ReplyBody::nothing())
}

/// `POST` or `PUT .../X/files[/NAME]`: one file as the body, or files as parts of a form. `path` is empty if the address
/// names no file.
pub async fn files(mut call: Call, project: &str, label: &str, path: &str) -> Result<Reply, ClientError> {
    let project = demand_uploader(&call, project).await?;
    let core = call.site.core.clone();
    check_label(label)?;
    if let Err(error) = demand_clients_label(label)
        && core.triage_folder(project.id.as_str(), label).await?.is_none()
    {
        return Err(error.into());
    }
    check(&call)?;
    let is_form = matches!(call.context.body_kind()?, BodyKind::Multipart { .. });
    if !is_form || call.context.params.has("target") {
        // Nobody sends gigabytes for nothing.
        wanted_target(&call, &project).await?;
    }
    let files = receive_unpacked(&mut call, &core, path).await?;
    // Fields of a form are parameters as well.
    let checked = crate::refuse_scripts(&call);
    let target = match checked {
        Ok(()) => wanted_target(&call, &project).await,
        Err(error) => Err(error),
    };
    let target = match target {
        Ok(target) => target,
        Err(error) => {
            core.abandon_files(files).await;
            return Err(error);
        }
    };
    // XNAT's is written in capitals here, and nowhere else.
    let overwrite = call.context.params.flag("OVERWRITE") || call.context.params.flag("overwrite");
    let folder = IntoFolder { project: project.id.to_string(), label: label.to_owned(), is_automatic: false };
    let done = quarantine(&call, folder, target, overwrite, files).await?;
    if done.duplicates.is_empty() {
        return Ok(ReplyBody::nothing());
    }
    Ok(ReplyBody::text(duplicates(&done.duplicates)))
}

/// The resource for which the files are meant: one of the project.
async fn wanted_target(call: &Call, project: &Project) -> Result<Target, ClientError> {
    let Some(text) = call.context.params.text("target") else {
        let sentence = "Say for which resource the files are meant: target=/data/archive/projects/P/.../resources/R.";
        return Err(ClientError::bad_request("no-target", sentence));
    };
    let target = target(call, text, "target").await?;
    if target.project == project.id.as_str() {
        return Ok(target);
    }
    let sentence =
        format!("Invalid target: it does not lie in the project {}, in whose quarantine the files are.", project.id);
    Err(ClientError::bad_request("other-project", sentence))
}
