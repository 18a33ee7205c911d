//! Files and archives on their way to a client, straight out of the packs.

use ::http::{Response, StatusCode};
use futures::channel::mpsc;

use super::reply::{Reply, ReplyBody};
use super::{Call, after_the_answer};
use crate::domain::contents::Folder;
use crate::domain::digests::ReadError;
use crate::domain::manifest::FileEntry;
use crate::http::download::{BYTES, download_headers, file_headers, media_type_of};
use crate::http::{ClientError, ETag, Format, Plan, Representation};
use crate::intake::ExtentReader;
use crate::intake::archiveout::ArchiveKind;

/// Pieces on their way between reading and sending: the store reads ahead while the network sends.
const PIECES_AHEAD: usize = 4;

/// One file, or the part of it that the request asks for. Its name says of which media type it is.
///
/// # Errors
/// 412, 416, or a failure of the store.
#[crate::boxed(?Send)]
pub async fn file(call: &Call, file: &FileEntry, modified_ms: u64) -> Result<Reply, ClientError> {
    send(call, file, modified_ms, media_type_of(&file.name)).await
}

/// The same for a file of a scan, which is served as bytes: a preamble has room for a page or a program (DICOM PS3.10,
/// section 7.1), and the name is the client's.
///
/// # Errors
/// As [`file`].
#[crate::boxed(?Send)]
pub async fn image(call: &Call, file: &FileEntry, modified_ms: u64) -> Result<Reply, ClientError> {
    send(call, file, modified_ms, BYTES).await
}

/// Refuses to make a picture (`format=image/jpeg`) of what is no such picture itself; lists of files are none.
///
/// # Errors
/// 501.
pub fn refuse_rendering(call: &Call, media_type: Option<&str>) -> Result<(), ClientError> {
    let wanted = call.context.params.in_query("format").map(Format::parse);
    match wanted {
        Some(Format::Other(word)) if word.starts_with("image/") && media_type != Some(word.as_str()) => {
            let sentence = "This version makes no pictures of images; leave the format out to get the file as it is.";
            Err(ClientError::not_implemented("not-implemented", sentence))
        }
        _ => Ok(()),
    }
}

async fn send(call: &Call, file: &FileEntry, modified_ms: u64, media_type: &'static str) -> Result<Reply, ClientError> {
    refuse_rendering(call, Some(media_type))?;
    let representation = Representation {
        length_bytes: file.extent.len,
        // A pack never changes, so where the bytes lie says which they are.
        etag: Some(ETag::strong(&format!("{}-{}-{:08x}", file.pack.number(), file.ordinal, file.crc32))),
        modified_ms: Some(modified_ms),
    };
    let plan = Plan::decide(&call.context.method, &call.context.headers, &representation)?;
    let mut reply = match plan.extent(&representation).filter(|_| !call.context.is_head()) {
        None => Response::new(ReplyBody::empty()),
        Some((offset, length)) => {
            let pack = call.site.core.pack_reader(file.pack).await?;
            let end = offset.saturating_add(length);
            let reader = ExtentReader::new(pack, file.extent, file.crc32, offset..end).map_err(ReadError::from)?;
            Response::new(ReplyBody::stream(reader.into_stream()))
        }
    };
    *reply.status_mut() = plan.status();
    *reply.headers_mut() = file_headers(&file.name, file.extent.len, media_type);
    plan.describe(&representation, reply.headers_mut());
    Ok(reply)
}

/// The kind of archive that a format stands for, if it is one.
pub fn archive_kind(format: &Format) -> Option<ArchiveKind> {
    match format {
        Format::Zip => Some(ArchiveKind::Zip),
        Format::Tar => Some(ArchiveKind::Tar),
        Format::TarGz => Some(ArchiveKind::TarGz),
        _ => None,
    }
}

/// An archive of the files of some folders, made while it is sent. `name` is its name without the ending.
pub fn archive(call: &Call, kind: ArchiveKind, name: &str, folders: Vec<Folder>) -> Reply {
    let mut reply = Response::new(ReplyBody::empty());
    *reply.status_mut() = StatusCode::OK;
    *reply.headers_mut() = download_headers(&format!("{name}.{}", kind.extension()), kind.media_type());
    if call.context.is_head() {
        return reply;
    }
    let (sender, receiver) = mpsc::channel(PIECES_AHEAD);
    let core = call.site.core.clone();
    after_the_answer(async move { core.send_archive(kind, &folders, sender).await });
    *reply.body_mut() = ReplyBody::stream(receiver);
    reply
}
