//! The body of a request, as a stream.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::stream::{Stream, StreamExt};
use spin_sdk::wasip3::http::types;
use spin_sdk::wasip3::http_compat::IncomingRequestBody;
use spin_sdk::wasip3::wit_bindgen::{self, StreamResult};
use spin_sdk::wasip3::wit_future;

use crate::http::ClientError;
use crate::storage::pack::CHUNK_BYTES;

type Pieces = Pin<Box<dyn Stream<Item = Result<Bytes, String>>>>;

/// The body of a request. Reading it is what makes the host send `100 Continue`.
#[derive(Default)]
pub struct RequestBody {
    pieces: Option<Pieces>,
}

/// Bytes of a piece whose length is not known before. The SDK's own reader asks for 16 KiB, which costs a call into the
/// host and back for each.
const READ_BYTES: usize = 128 * 1024;

/// Bytes of a piece of a body whose length was announced: those of a chunk of a pack, which then need not be copied
/// together.
const GATHERED_BYTES: usize = CHUNK_BYTES;

struct Reading {
    stream: wit_bindgen::StreamReader<u8>,
    /// What came of the body in the end.
    end: Option<wit_bindgen::FutureReader<Result<Option<types::Trailers>, types::ErrorCode>>>,
    /// Bytes that are still to come, as far as that was announced.
    announced: Option<u64>,
    is_over: bool,
    /// Held until the body is read: dropping it would say that nobody wants the rest.
    _wanted: wit_bindgen::FutureWriter<Result<(), types::ErrorCode>>,
}

impl Reading {
    async fn next(mut self) -> Option<(Result<Bytes, String>, Self)> {
        self.end.as_ref()?;
        let piece = self.gather().await;
        if !piece.is_empty() || !self.is_over {
            return Some((Ok(piece.into()), self));
        }
        match self.end.take()?.await {
            Ok(_) => None,
            Err(error) => Some((Err(format!("{error:?}")), self)),
        }
    }

    /// What comes next: as much as makes a piece if that much was announced, otherwise what is there.
    async fn gather(&mut self) -> Vec<u8> {
        let wanted = self.announced.map_or(READ_BYTES, |rest| {
            usize::try_from(rest).map_or(GATHERED_BYTES, |rest| rest.clamp(1, GATHERED_BYTES))
        });
        let mut piece = Vec::with_capacity(wanted);
        while !self.is_over && piece.len() < wanted {
            let (status, filled) = self.stream.read(piece).await;
            piece = filled;
            self.is_over = !matches!(status, StreamResult::Complete(_));
            if self.announced.is_none() {
                break;
            }
        }
        self.announced = self.announced.map(|rest| rest.saturating_sub(piece.len() as u64));
        piece
    }
}

impl RequestBody {
    /// The body of a request whose head announces this many bytes.
    pub fn new(mut body: IncomingRequestBody, announced: Option<u64>) -> Self {
        let Some(message) = body.take_unstarted() else { return Self::default() };
        let (wanted, result) = wit_future::new(|| Ok(()));
        let (stream, end) = types::Request::consume_body(message, result);
        let reading = Reading { stream, end: Some(end), announced, is_over: false, _wanted: wanted };
        Self { pieces: Some(Box::pin(futures::stream::unfold(reading, Reading::next))) }
    }

    /// Reads it whole.
    ///
    /// # Errors
    /// 413 if it is longer than `max_bytes`, 400 if it is cut off.
    #[crate::boxed(?Send)]
    pub async fn collect(mut self, max_bytes: usize) -> Result<Vec<u8>, ClientError> {
        let mut whole = Vec::new();
        while let Some(piece) = self.next().await {
            let piece = piece.map_err(|reason| {
                ClientError::bad_request("body.cut-off", format!("The body was cut off ({reason}); send it again."))
            })?;
            if whole.len() + piece.len() > max_bytes {
                let sentence = format!("The body is longer than the {max_bytes} bytes allowed here.");
                return Err(ClientError::too_large("body.too-large", sentence));
            }
            whole.extend_from_slice(&piece);
        }
        Ok(whole)
    }
}

impl Stream for RequestBody {
    type Item = Result<Bytes, String>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match &mut self.pieces {
            Some(pieces) => pieces.as_mut().poll_next(context),
            None => Poll::Ready(None),
        }
    }
}
