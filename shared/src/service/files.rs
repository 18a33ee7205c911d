//! Receiving the files of a request.

use std::collections::BTreeSet;

use super::Call;
use crate::domain::Core;
use crate::domain::catalog::FileNotes;
use crate::domain::prearchive::upload_files::{FilesError, ReceivedFile, file_name, receive_file, receive_form};
use crate::domain::resource::check_notes;
use crate::http::request::BodyKind;
use crate::http::{ClientError, Params, upload_name};

/// Receives the files of a request: the body as one file, or the parts of a form, whose other fields become parameters.
/// `path` is what the address calls the file; empty if it names none. The limits are those of `core`.
///
/// # Errors
/// What is wrong with the body, the form or a name; nothing is kept then.
#[crate::boxed(?Send)]
pub async fn receive(call: &mut Call, core: &Core, path: &str) -> Result<Vec<ReceivedFile>, ClientError> {
    let limits = core.settings.limits;
    if !path.is_empty() {
        file_name(path, &limits)?;
    }
    match call.context.body_kind()? {
        BodyKind::File { media_type } => {
            let name = if path.is_empty() { upload_name(&media_type) } else { path.to_owned() };
            let name = file_name(&name, &limits)?;
            Ok(vec![receive_file(core, call.take_arriving(&limits)?, name).await?])
        }
        BodyKind::Multipart { boundary } => receive_parts(call, core, &boundary, path).await,
        BodyKind::Form | BodyKind::Json => Err(FilesError::NoFile.into()),
    }
}

/// As [`receive`], for files that are to be stored: with the parameter `extract`, of archives what they hold.
///
/// # Errors
/// As there, and why an archive is refused; nothing is kept then.
#[crate::boxed(?Send)]
pub async fn receive_unpacked(call: &mut Call, core: &Core, path: &str) -> Result<Vec<ReceivedFile>, ClientError> {
    let files = receive(call, core, path).await?;
    if !call.context.params.flag("extract") {
        return Ok(files);
    }
    Ok(core.unpack_files(files).await?)
}

/// What the parameters say of files or of a resource.
///
/// # Errors
/// 400 for what is too long.
pub fn notes(params: &Params) -> Result<FileNotes, ClientError> {
    let text = |name| params.text(name).unwrap_or_default().to_owned();
    let notes = FileNotes {
        format: text("format"),
        content: text("content"),
        description: text("description"),
        tags: params.list("tags").collect::<Vec<_>>().join(","),
    };
    check_notes(&notes)?;
    Ok(notes)
}

/// The first name that two files have.
fn twice(files: &[ReceivedFile]) -> Option<&str> {
    let mut names = BTreeSet::new();
    files.iter().map(|file| file.name.as_str()).find(|name| !names.insert(*name))
}

async fn receive_parts(
    call: &mut Call,
    core: &Core,
    boundary: &str,
    path: &str,
) -> Result<Vec<ReceivedFile>, ClientError> {
    let mut form = receive_form(core, call.take_arriving(&core.settings.limits)?, boundary).await?;
    let mut outcome = Ok(());
    for (name, value) in &form.fields {
        outcome = outcome.and_then(|()| Ok(call.context.params.add_field(name, value)?));
    }
    if outcome.is_ok() && !path.is_empty() {
        outcome = match form.files.as_mut_slice() {
            [file] => file_name(path, &core.settings.limits).map(|name| file.name = name).map_err(ClientError::from),
            _ => Err(ClientError::bad_request(
                "one-path",
                "The address names one file, but the form has several; send them to .../files.",
            )),
        };
    }
    if let Some(name) = twice(&form.files) {
        let sentence = format!("The form has two files named {name:?}, of which only one could be kept.");
        outcome = outcome.and(Err(ClientError::bad_request("same-name", sentence)));
    }
    if let Err(error) = outcome {
        core.abandon_files(form.files).await;
        return Err(error);
    }
    Ok(form.files)
}
