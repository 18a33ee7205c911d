//! Files and zips on their way to a client, straight out of the packs.

use std::rc::Rc;

use ::http::{Response, StatusCode};
use bytes::Bytes;
use futures::channel::mpsc;
use futures::{SinkExt, StreamExt};

use super::reply::{Reply, ReplyBody};
use super::{Call, after_the_answer};
use crate::domain::Core;
use crate::domain::digests::ReadError;
use crate::domain::manifest::{FileEntry, Manifest, Resource, StoredScan};
use crate::http::download::{file_headers, zip_headers};
use crate::http::{ClientError, ETag, Plan, Representation};
use crate::intake::zipout::{DosTime, ZipWriter};
use crate::intake::{EntryName, ExtentError, ExtentReader};
use crate::storage::kv::KvStore;
use crate::storage::{PackId, PackReader};

/// Pieces on their way between reading and sending: the store reads ahead while the network sends.
const PIECES_AHEAD: usize = 4;

/// One file, or the part of it that the request asks for.
///
/// # Errors
/// 412, 416, or a failure of the store.
pub async fn file(call: &Call, file: &FileEntry, modified_ms: u64) -> Result<Reply, ClientError> {
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
    *reply.headers_mut() = file_headers(&file.name, file.extent.len);
    plan.describe(&representation, reply.headers_mut());
    Ok(reply)
}

/// How the members of a zip are named: from the scan, the resource and the file.
pub type MemberName = Box<dyn Fn(&StoredScan, &Resource, &FileEntry) -> String>;

/// A zip of the files of some scans, stitched from the stored bytes: nothing is compressed again.
pub fn zip(call: &Call, name: &str, manifest: Manifest, scans: Vec<StoredScan>, member: MemberName) -> Reply {
    let mut reply = Response::new(ReplyBody::empty());
    *reply.status_mut() = StatusCode::OK;
    *reply.headers_mut() = zip_headers(name);
    if call.context.is_head() {
        return reply;
    }
    let (mut sender, receiver) = mpsc::channel(PIECES_AHEAD);
    let core = call.site.core.clone();
    after_the_answer(async move {
        if let Err(error) = send_zip(&core, &manifest, &scans, &member, &mut sender).await {
            // If the client has gone there is nobody to tell.
            let _ = sender.send(Err(error)).await;
        }
    });
    *reply.body_mut() = ReplyBody::stream(receiver.map(|piece: Result<Bytes, ReadError>| piece));
    reply
}

async fn send_zip(
    core: &Core<KvStore>,
    manifest: &Manifest,
    scans: &[StoredScan],
    member: &MemberName,
    sender: &mut mpsc::Sender<Result<Bytes, ReadError>>,
) -> Result<(), ReadError> {
    // The files' own times are in their headers; the zip's would only say when it was made.
    let mut zip = ZipWriter::new(DosTime::new(1980, 1, 1, 0, 0, 0));
    let mut held: Option<(PackId, Rc<PackReader<KvStore>>)> = None;
    for scan in scans {
        for resource in &scan.resources {
            let mut page = 0;
            while let Some(files) = core.files_on_page(manifest, resource, page).await? {
                page += 1;
                for file in files {
                    let pack = match &held {
                        Some((id, pack)) if *id == file.pack => pack.clone(),
                        _ => {
                            let pack = Rc::new(core.pack_reader(file.pack).await?);
                            held = Some((file.pack, pack.clone()));
                            pack
                        }
                    };
                    let limits = &core.settings.limits;
                    let wanted = member(scan, resource, &file);
                    // Names were checked when they came; should one not do, the file is not left out for it.
                    let name = EntryName::parse(&wanted, limits)
                        .or_else(|_| EntryName::parse(&format!("{}-{}", file.pack.number(), file.ordinal), limits))
                        .map_err(|_| ExtentError::Damaged)?;
                    let header = zip.local_header(&name, &file.extent, file.crc32);
                    if sender.send(Ok(header.into())).await.is_err() {
                        return Ok(());
                    }
                    let mut reader = ExtentReader::raw(pack, file.extent);
                    while let Some(piece) = reader.next().await? {
                        if sender.send(Ok(piece)).await.is_err() {
                            return Ok(());
                        }
                    }
                }
            }
        }
    }
    // If the client has gone there is nobody to send the rest to.
    let _ = sender.send(Ok(zip.finish().into())).await;
    Ok(())
}
