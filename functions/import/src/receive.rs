//! Taking in what a request sends: a file as the body, files of a form, or files of the user's cache.

use std::rc::Rc;

use narthex::domain::digests::ReadError;
use narthex::domain::jobs::{StoredImportError, Watched};
use narthex::domain::prearchive::import::ImportHandler;
use narthex::domain::prearchive::upload::{Receiver, Upload, UploadError};
use narthex::domain::prearchive::upload_files::{ReceivedFile, file_name, receive_fields_and_files, receive_pieces};
use narthex::http::request::BodyKind;
use narthex::http::{ClientError, ResourceUri};
use narthex::intake::ExtentReader;
use narthex::service::Call;

use crate::request::Wanted;

/// What a request asks for, and what it sent.
pub struct Received {
    /// What it asks for.
    pub wanted: Wanted,
    /// What it sent.
    pub sent: Sent,
}

/// What a request sent.
pub enum Sent {
    /// Images.
    Images(Upload),
    /// A XAR.
    Xar(ReceivedFile),
}

/// Where a XAR without a name is said to come from.
const NAMELESS_XAR: &str = "upload.xar";

/// Takes in what a request sends; parameters that are its body were read before, and so was
/// `form`. `name` is the file's name if the address gives one.
pub async fn receive(
    call: &mut Call,
    form: Form,
    name: Option<&str>,
    watched: Option<&mut Watched>,
) -> Result<Received, ClientError> {
    match form {
        Form::Files(files) => return files_of_form(call, files).await,
        Form::None | Form::Fields if call.context.params.has("src") => return stored(call).await,
        Form::None | Form::Fields => {}
    }
    match call.context.body_kind()? {
        BodyKind::File { .. } => {
            let wanted = Wanted::of(call).await?;
            let sent = match wanted.handler {
                ImportHandler::Xar => Sent::Xar(xar(call, watched).await?),
                _ => Sent::Images(one_file(call, &wanted, name.unwrap_or_default(), watched).await?),
            };
            Ok(Received { wanted, sent })
        }
        // A form that has a file was read before.
        BodyKind::Multipart { .. } | BodyKind::Form | BodyKind::Json => {
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
    let core = call.site.core.clone();
    let mut body = call.take_arriving(&core.settings.limits)?;
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

async fn xar(call: &mut Call, mut watched: Option<&mut Watched>) -> Result<ReceivedFile, ClientError> {
    let core = call.site.core.clone();
    let name = file_name(NAMELESS_XAR, &core.settings.limits)?;
    let mut body = call.take_arriving(&core.settings.limits)?;
    let next = async || -> Result<_, ClientError> {
        let piece = body.next().await?;
        if let Some(watched) = &mut watched {
            core.tell_progress(watched, body.received_bytes()).await?;
        }
        Ok(piece)
    };
    receive_pieces(&core, name, core.settings.limits.max_upload_bytes, next).await
}

/// What XNAT says where more than one file comes for a handler that takes one.
fn one_at_a_time() -> ClientError {
    ClientError::bad_request("one-file", "Importer is limited to one uploaded resource at a time.")
}

/// The files of the user's cache that a request names: of each the label of its resource, and its path there.
pub fn sources(call: &Call) -> Result<Vec<(String, String)>, ClientError> {
    let invalid = |()| ClientError::bad_request("bad-src", "src uri is invalid.");
    let one = |src: &str| ResourceUri::parse(src).and_then(|uri| uri.cached_file()).map_err(|_| invalid(()));
    let sources = call.context.params.list("src").map(one).collect::<Result<Vec<_>, _>>()?;
    if sources.is_empty() { Err(invalid(())) } else { Ok(sources) }
}

fn two_sources() -> ClientError {
    ClientError::bad_request("two-sources", "Send files either in the body or by src, not both.")
}

/// Curl and others say that a body is a form if nobody tells them what it is.
pub fn perhaps_a_file(mut error: ClientError) -> ClientError {
    error.sentence.push_str(" If the body is the file itself, say so with inbody=true, or by its media type.");
    error
}

/// Refuses a body beside stored files.
pub async fn demand_no_body(call: &mut Call) -> Result<(), ClientError> {
    let limits = call.site.core.settings.limits;
    let mut body = call.take_arriving(&limits)?;
    while let Some(piece) = body.next().await? {
        if !piece.is_empty() {
            return Err(two_sources());
        }
    }
    Ok(())
}

/// Why a stored file is not taken.
fn refused(error: StoredImportError) -> ClientError {
    match error {
        StoredImportError::Upload(error) => error.into(),
        StoredImportError::Read(error) => error.into(),
        StoredImportError::Domain(error) => error.into(),
        error @ StoredImportError::LeaseLost => ClientError::conflict("busy", error.to_string()),
    }
}

/// A file of the cache is not there.
pub fn unknown_src() -> ClientError {
    ClientError::not_found("unknown-src", "Unknown src file.")
}

/// Files of the user's cache, in the order in which they are named.
async fn stored(call: &mut Call) -> Result<Received, ClientError> {
    let core = call.site.core.clone();
    let sources = sources(call)?;
    demand_no_body(call).await?;
    let wanted = Wanted::of(call).await?;
    let login = call.demand_login()?.login.clone();
    let mut files = Vec::new();
    for (resource, path) in sources {
        let found = core.cache_file(&login, &resource, &path).await?;
        files.push(found.ok_or_else(unknown_src)?.file);
    }
    if wanted.handler == ImportHandler::Xar {
        let [file] = files.as_slice() else { return Err(one_at_a_time()) };
        let pack = Rc::new(core.pack_reader(file.pack).await?);
        let mut bytes = ExtentReader::whole(pack, file.extent, file.crc32).map_err(ReadError::from)?;
        let name = file_name(NAMELESS_XAR, &core.settings.limits)?;
        let next = async || -> Result<_, ClientError> { Ok(bytes.next().await.map_err(ReadError::from)?) };
        let sent = Sent::Xar(receive_pieces(&core, name, core.settings.limits.max_upload_bytes, next).await?);
        return Ok(Received { wanted, sent });
    }
    let mut receiver = Receiver::new(&core, wanted.rules.clone());
    receiver.expect(files.len());
    let mut taken = Ok(());
    for file in files {
        taken = core.receive_stored(&mut receiver, &file, None).await.map_err(refused);
        if taken.is_err() {
            break;
        }
    }
    let sent = Sent::Images(receiver.settle(taken).await?);
    Ok(Received { wanted, sent })
}

/// What a request sends as `multipart/form-data`.
pub enum Form {
    /// The body is no such form.
    None,
    /// Fields alone, which are parameters now and name stored files.
    Fields,
    /// Files; the fields are parameters now.
    Files(Vec<ReceivedFile>),
}

/// Reads a form. Its fields may come in any order, also behind the files: so the files are stored first, and looked at when
/// all fields are known.
pub async fn read_form(call: &mut Call) -> Result<Form, ClientError> {
    if call.context.params.has("src") {
        return Ok(Form::None);
    }
    let BodyKind::Multipart { boundary } = call.context.body_kind()? else { return Ok(Form::None) };
    let core = call.site.core.clone();
    let form = receive_fields_and_files(&core, call.take_arriving(&core.settings.limits)?, &boundary).await?;
    let added = form.fields.iter().try_for_each(|(name, value)| call.context.params.add_field(name, value));
    let error = match (added, call.context.params.has("src"), form.files.is_empty()) {
        (Ok(()), true, true) => return Ok(Form::Fields),
        (Ok(()), false, false) => return Ok(Form::Files(form.files)),
        (Err(error), ..) => error.into(),
        (Ok(()), true, false) => two_sources(),
        (Ok(()), false, true) => {
            let sentence = "Unable to identify upload format: the form has no file.";
            ClientError::bad_request("no-file", sentence)
        }
    };
    core.abandon_files(form.files).await;
    Err(error)
}

/// Takes in the files of a form.
async fn files_of_form(call: &Call, form: Vec<ReceivedFile>) -> Result<Received, ClientError> {
    let core = call.site.core.clone();
    let wanted = match Wanted::of(call).await {
        Ok(wanted) => wanted,
        Err(error) => {
            core.abandon_files(form).await;
            return Err(error);
        }
    };
    if wanted.handler == ImportHandler::Xar {
        let mut files = form;
        return match (files.pop(), files.is_empty()) {
            (Some(file), true) => Ok(Received { wanted, sent: Sent::Xar(file) }),
            (last, _) => {
                files.extend(last);
                core.abandon_files(files).await;
                Err(one_at_a_time())
            }
        };
    }
    let mut receiver = Receiver::new(&core, wanted.rules.clone());
    receiver.expect(form.len());
    let mut files = form.into_iter();
    let mut taken = Ok(());
    for file in files.by_ref() {
        taken = receiver.adopt_file(&file).await;
        if taken.is_err() {
            break;
        }
    }
    core.abandon_files(files.collect()).await;
    let sent = Sent::Images(receiver.settle::<UploadError>(taken).await?);
    Ok(Received { wanted, sent })
}
