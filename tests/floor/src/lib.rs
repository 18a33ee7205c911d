//! The floor under every ingest and download: the body goes into the store in chunks as it arrives, or comes from it,
//! and nothing is looked at.

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream, FuturesUnordered};
use http::header::CONTENT_LENGTH;
use http_body::Frame;
use http_body_util::StreamBody;
use md5::{Digest, Md5};
use narthex::service::RequestBody;
use narthex::storage::Provider;
use narthex::storage::kv::KvStore;
use narthex::storage::pack::CHUNK_BYTES;
use spin_sdk::http::{Method, Request, Response, StatusCode};
use spin_sdk::http_service;
use spin_sdk::key_value::Store;
use std::task::Poll;

/// How many values may be on their way to the store at once.
const CHUNKS_IN_FLIGHT: usize = 4;

type Body = StreamBody<BoxStream<'static, anyhow::Result<Frame<Bytes>>>>;

/// `POST /bench/floor?NAME` stores the body under keys that begin with NAME, and answers with its length; `GET` gives it
/// back. `PUT /bench/floor?BYTES` takes the MD5 of so many bytes that come from nowhere.
#[http_service]
async fn handle(request: Request) -> anyhow::Result<Response<Body>> {
    let (status, body) = match *request.method() {
        Method::POST => (StatusCode::OK, whole(store(request).await?.to_string())),
        Method::GET => (StatusCode::OK, read(request).await?),
        Method::PUT => (StatusCode::OK, whole(hash(request.uri().query().unwrap_or_default().parse()?))),
        _ => (StatusCode::METHOD_NOT_ALLOWED, whole("POST, GET or PUT".to_owned())),
    };
    let mut response = Response::new(StreamBody::new(body));
    *response.status_mut() = status;
    Ok(response)
}

fn whole(text: String) -> BoxStream<'static, anyhow::Result<Frame<Bytes>>> {
    stream::iter([Ok(Frame::data(text.into()))]).boxed()
}

/// The MD5 of so many bytes, in hexadecimal digits.
fn hash(mut bytes: usize) -> String {
    let piece = vec![0x5A_u8; CHUNK_BYTES];
    let mut md5 = Md5::new();
    while bytes > 0 {
        let some = bytes.min(piece.len());
        md5.update(&piece[..some]);
        bytes -= some;
    }
    md5.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is stored under a name, chunk by chunk; the next is fetched while one is sent.
async fn read(request: Request) -> anyhow::Result<BoxStream<'static, anyhow::Result<Frame<Bytes>>>> {
    let store = std::sync::Arc::new(Store::open("blobs").await?);
    let name = request.uri().query().unwrap_or_default().to_owned();
    let chunks = stream::iter(0_usize..)
        .map(move |number| {
            let (store, key) = (store.clone(), format!("floor:{name}:{number}"));
            async move { store.get(key).await }
        })
        .buffered(2)
        .take_while(|chunk| std::future::ready(!matches!(chunk, Ok(None))))
        .map(|chunk| Ok(Frame::data(chunk?.unwrap_or_default().into())));
    Ok(chunks.boxed())
}

/// Streams the body into the store, by the means with which Narthex reads and writes, and returns its length.
async fn store(request: Request) -> anyhow::Result<usize> {
    let store = KvStore::open("blobs").await?;
    let name = request.uri().query().unwrap_or_default().to_owned();
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let mut body = RequestBody::new(request.into_body(), announced);
    let mut buffer = Vec::new();
    let mut writes = FuturesUnordered::new();
    let mut total = 0_usize;
    let mut number = 0_usize;
    let mut open = true;
    while open {
        match body.next().await.transpose().map_err(anyhow::Error::msg)? {
            // Pieces of a body whose length was announced are chunks already.
            Some(piece) if announced.is_some() && buffer.is_empty() => buffer = piece.into(),
            Some(piece) => {
                buffer.reserve_exact(CHUNK_BYTES.saturating_sub(buffer.len()));
                buffer.extend_from_slice(&piece);
            }
            None => open = false,
        }
        if buffer.len() >= CHUNK_BYTES || (!open && !buffer.is_empty()) {
            if writes.len() == CHUNKS_IN_FLIGHT {
                writes.next().await.transpose()?;
            }
            total += buffer.len();
            let (store, key, chunk) = (&store, format!("floor:{name}:{number}"), std::mem::take(&mut buffer));
            number += 1;
            writes.push(async move { store.set(&key, chunk).await });
            // Begins it, before the body is waited for.
            if let Poll::Ready(done) = futures::poll!(writes.next()) {
                done.transpose()?;
            }
        }
    }
    while writes.next().await.transpose()?.is_some() {}
    Ok(total)
}
