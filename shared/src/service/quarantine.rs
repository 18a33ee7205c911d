//! Sending files to the resource quarantine: because a request asks for it, or because the project's setting sends
//! there what somebody uploads to the archive.

use sha2::{Digest, Sha256};

use super::files::{notes, receive_unpacked};
use super::items::locate;
use super::targets::lasting_address;
use super::{Call, Reply, ReplyBody};
use crate::domain::DomainError;
use crate::domain::access::Right;
use crate::domain::prearchive::upload_files::ReceivedFile;
use crate::domain::project::Project;
use crate::domain::resource::check_label;
use crate::domain::shelf::ShelfOf;
use crate::domain::triage::{AUTOMATIC, Quarantine, Quarantined, Target};
use crate::http::cause::cause;
use crate::http::path::join_segments;
use crate::http::views::triage::{file_address, quarantined};
use crate::http::{ClientError, ResourceUri};
use crate::intake::name::ShownName;

/// Parameters that this version cannot serve.
const NOT_YET: &[(&str, &str)] = &[("async", "adding files later")];

/// Digits of the label of a folder that the service makes by itself.
const LABEL_BYTES: usize = 8;

/// Files on their way to the archive that go to the quarantine instead.
pub struct Diverted {
    project: Project,
    target: Target,
    path: String,
}

/// The resource of the archive that a URI names, for somebody who may read its item.
///
/// # Errors
/// 400 for what is no resource of the archive, or of an item that does not exist for whoever asks; `what` is what the
/// sentence calls it. 403 as [`locate`].
#[crate::boxed(?Send)]
pub async fn target(call: &Call, text: &str, what: &str) -> Result<Target, ClientError> {
    let invalid = |why: &str| {
        let sentence = format!("Invalid {what}: {} {why}.", ShownName::new(text));
        ClientError::bad_request("invalid-uri", sentence)
    };
    let uri = ResourceUri::parse(text).map_err(|error| invalid(&format!("cannot be read ({error})")))?;
    target_of(call, &uri).await.map_err(|error| match error.code.as_ref() {
        "not-that-kind" => invalid("names no resource of the archive"),
        _ if error.status.number() == 404 => invalid("does not lie in any item of the archive that you may read"),
        _ => error,
    })
}

async fn target_of(call: &Call, uri: &ResourceUri) -> Result<Target, ClientError> {
    let target = named_target(call, uri).await?;
    if let ShelfOf::Scan { experiment, scan } = &target.of
        && !call.site.core.has_scan(experiment, scan).await?
    {
        return Err(DomainError::not_found("scan", scan).into());
    }
    Ok(target)
}

/// As [`target`], of a URI that was read already. Whether there is such a scan is not looked at.
///
/// # Errors
/// 400 for what is no resource of the archive; 404 and 403 as [`locate`].
pub(super) async fn named_target(call: &Call, uri: &ResourceUri) -> Result<Target, ClientError> {
    let wrong_kind = || ClientError::bad_request("not-that-kind", "This names no resource of the archive.");
    let named = uri.archive_resource().map_err(|_| wrong_kind())?;
    let resource = named.resource.clone().ok_or_else(wrong_kind)?;
    check_label(&resource)?;
    let located = locate(call, &named).await?;
    // One resource has one name here, however it is addressed.
    let resource = call.site.core.label_of_resource(&located.of, resource).await?;
    let address = uri.to_string();
    let address = address.strip_suffix("/files").filter(|start| !start.ends_with("/resources")).unwrap_or(&address);
    Ok(Target {
        uri: format!("/data/archive{address}/files"),
        project: located.project,
        of: located.of,
        resource,
        subject: located.subject,
        experiment: located.experiment,
        scan: named.scan.unwrap_or_default(),
        assessor: named.assessor.unwrap_or_default(),
    })
}

/// Whether the files of this request are meant for the archive and go to the quarantine, by the setting of the project
/// to which the item belongs.
///
/// # Errors
/// 404 and 403 as for every item of the archive.
#[crate::boxed(?Send)]
pub async fn divert(call: &Call) -> Result<Option<Diverted>, ClientError> {
    let is_upload = matches!(call.context.method.as_str(), "PUT" | "POST");
    if !is_upload || call.identity.login().is_none() || call.identity.edits_all_data() {
        return Ok(None);
    }
    let Some((uri, path)) = ResourceUri::sent_to(&call.context.path) else { return Ok(None) };
    let Ok(named) = uri.archive_resource() else { return Ok(None) };
    // The archive refuses in its own words.
    let Some(located) = known(locate(call, &named).await)? else { return Ok(None) };
    let core = &call.site.core;
    // The item's own project decides, even if the address names another that the item is shared with.
    let own = core.project_by_id(&located.project).await?.filter(|project| project.quarantines(&call.identity));
    let Some(project) = own else { return Ok(None) };
    let Some(mut target) = known(target_of(call, &uri).await)? else { return Ok(None) };
    if let ["projects", name, ..] = uri.segments().as_slice()
        && core.find_project(name).await?.is_none_or(|named| named.id != project.id)
    {
        // Who reviews it need not know the other project.
        target.uri = address_by_id(&target);
    }
    Ok(Some(Diverted { project, target, path }))
}

/// What was found; nothing where that is refused.
pub(super) fn known<T>(found: Result<T, ClientError>) -> Result<Option<T>, ClientError> {
    match found {
        Err(error) if error.status.number() < 500 => Ok(None),
        found => found.map(Some),
    }
}

/// The address of a resource in which no other project than its own appears.
fn address_by_id(target: &Target) -> String {
    let below = join_segments(["resources", target.resource.as_str(), "files"]);
    format!("/data/archive{}{below}", lasting_address(&target.of))
}

/// Receives files that go to the quarantine instead of the archive: all of one user for one resource into one folder.
///
/// # Errors
/// As every upload.
#[crate::boxed(?Send)]
pub async fn receive_diverted(mut call: Call, diverted: Diverted) -> Result<Reply, ClientError> {
    call.demand_login()?;
    let core = call.site.core.clone();
    let Diverted { project, target, path } = diverted;
    check(&call)?;
    let files = receive_unpacked(&mut call, &core, &path).await?;
    let label = label_of(&call.user(), &target);
    let overwrite = call.context.params.flag("overwrite");
    let folder = IntoFolder { project: project.id.to_string(), label: label.clone(), is_automatic: true };
    let done = quarantine(&call, folder, target, overwrite, files).await?;
    let addresses: Vec<String> =
        done.paths.iter().map(|path| file_address(project.id.as_str(), &label, path)).collect();
    Ok(ReplyBody::json(quarantined(&addresses, &done.duplicates)))
}

/// Refuses parameters that cannot be served.
///
/// # Errors
/// 400, 501.
pub fn check(call: &Call) -> Result<(), ClientError> {
    ClientError::refuse_unserved(&call.context.params, NOT_YET)?;
    ClientError::refuse_reference(&call.context.params)
}

/// Into which folder files go.
#[derive(Debug, Clone)]
pub struct IntoFolder {
    /// The project of the quarantine.
    pub project: String,
    /// The folder.
    pub label: String,
    /// Whether the service makes it by itself.
    pub is_automatic: bool,
}

/// Puts received files into a folder of the quarantine.
///
/// # Errors
/// As [`crate::domain::Core::quarantine_files`]; 400 for what the parameters say.
#[crate::boxed(?Send)]
pub async fn quarantine(
    call: &Call,
    folder: IntoFolder,
    target: Target,
    overwrite: bool,
    files: Vec<ReceivedFile>,
) -> Result<Quarantined, ClientError> {
    let core = &call.site.core;
    let params = &call.context.params;
    // Fields of a form are parameters as well.
    let said = check(call).and_then(|()| Ok((notes(params)?, cause(params)?)));
    let (notes, cause) = match said {
        Ok(said) => said,
        Err(error) => {
            core.abandon_files(files).await;
            return Err(error);
        }
    };
    let IntoFolder { project, label, is_automatic } = folder;
    let wanted = Quarantine { project, label, by: call.user(), target, overwrite, is_automatic, notes, cause };
    Ok(core.quarantine_files(&wanted, files).await?)
}

/// Refuses whoever may not send files to the quarantine of a project: those may who may change its data, and those whose
/// uploads go there by its setting.
///
/// # Errors
/// 404, 403; 401 for guests.
#[crate::boxed(?Send)]
pub async fn demand_uploader(call: &Call, name: &str) -> Result<Project, ClientError> {
    let project = call.project(name, Right::Read).await?;
    if project.quarantines(&call.identity) {
        return Ok(project);
    }
    call.project(name, Right::Edit).await
}

/// The label of the folder of one user for one resource, however that is addressed.
fn label_of(login: &str, target: &Target) -> String {
    let digest = Sha256::digest(format!("{login}\n{}\n{}", lasting_address(&target.of), target.resource));
    let digits: String = digest.iter().take(LABEL_BYTES).map(|byte| format!("{byte:02x}")).collect();
    format!("{AUTOMATIC}{digits}")
}
