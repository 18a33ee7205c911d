//! Taking in what a request sends: a file as the body, files of a form, or files of the user's cache.

use narthex::domain::jobs::Watched;
use narthex::domain::prearchive::upload::{Receiver, Upload, UploadError};
use narthex::domain::prearchive::upload_files::{FilesError, receive_form};
use narthex::http::ClientError;
use narthex::http::request::BodyKind;
use narthex::service::Call;

use crate::request::Wanted;

/// What a request asks for, and what it sent.
pub struct Received {
    /// What it asks for.
    pub wanted: Wanted,
    /// What it sent.
    pub upload: Upload,
}

/// Takes in what a request sends. `name` is the file's name if the address gives one.
pub async fn receive(
    call: &mut Call,
    name: Option<&str>,
    watched: Option<&mut Watched>,
) -> Result<Received, ClientError> {
    match call.context.body_kind()? {
        BodyKind::File { .. } => {
            let wanted = Wanted::of(call).await?;
            let upload = one_file(call, &wanted, name.unwrap_or_default(), watched).await?;
            Ok(Received { wanted, upload })
        }
        BodyKind::Multipart { boundary } => form(call, &boundary).await,
        BodyKind::Form | BodyKind::Json => {
            let sentence = "The body is no file; send the archive or DICOM file as the body, with inbody=true.";
            Err(ClientError::bad_request("no-file", sentence))
        }
    }
}

async fn one_file(
    call: &mut Call,
    wanted: &Wanted,
    name: &str,
    mut watched: Option<&mut Watched>,
) -> Result<Upload, ClientError> {
    let mut body = call.take_arriving()?;
    let core = call.site.core.clone();
    let mut receiver = Receiver::new(&core, wanted.rules.clone());
    let next = async || -> Result<_, ClientError> {
        let piece = body.next().await?;
        if let Some(watched) = &mut watched {
            core.tell_progress(watched, body.received_bytes()).await?;
        }
        Ok(piece)
    };
    let taken = receiver.take(name, next).await;
    receiver.settle(taken).await
}

/// The fields of a form may come in any order, also behind the files: so the files are stored first, and looked at when
/// all fields are known.
async fn form(call: &mut Call, boundary: &str) -> Result<Received, ClientError> {
    let core = call.site.core.clone();
    let mut form = match receive_form(&core, call.take_arriving()?, boundary).await {
        Err(FilesError::NoFile) => {
            let sentence = "Unable to identify upload format: the form has no file.";
            return Err(ClientError::bad_request("no-file", sentence));
        }
        form => form?,
    };
    let fields = std::mem::take(&mut form.fields);
    let added = fields.iter().try_for_each(|(name, value)| call.context.params.add_field(name, value));
    let wanted = match added {
        Ok(()) => Wanted::of(call).await,
        Err(error) => Err(error.into()),
    };
    let wanted = match wanted {
        Ok(wanted) => wanted,
        Err(error) => {
            core.abandon_files(form.files).await;
            return Err(error);
        }
    };
    let mut receiver = Receiver::new(&core, wanted.rules.clone());
    let mut files = form.files.into_iter();
    let mut taken = Ok(());
    for file in files.by_ref() {
        receiver.begun_at(file.started_ms);
        taken = receiver.adopt(file.name.as_str(), file.shape).await;
        if taken.is_err() {
            break;
        }
    }
    core.abandon_files(files.collect()).await;
    let upload = receiver.settle::<UploadError>(taken).await?;
    Ok(Received { wanted, upload })
}
