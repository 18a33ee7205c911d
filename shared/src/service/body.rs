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

type Pieces = Pin<Box<dyn Stream<Item = Result<Bytes, String>>>>;

/// The body of a request. Reading it is what makes the host send `100 Continue`.
#[derive(Default)]
pub struct RequestBody {
    pieces: Option<Pieces>,
}

/// Bytes asked for at once. The SDK's own reader asks for 16 KiB, which costs a call into the host and back for each.
const READ_BYTES: usize = 128 * 1024;

struct Reading {
    stream: wit_bindgen::StreamReader<u8>,
    /// What came of the body in the end.
    end: Option<wit_bindgen::FutureReader<Result<Option<types::Trailers>, types::ErrorCode>>>,
    /// Held until the body is read: dropping it would say that nobody wants the rest.
    _wanted: wit_bindgen::FutureWriter<Result<(), types::ErrorCode>>,
}

impl Reading {
    async fn next(mut self) -> Option<(Result<Bytes, String>, Self)> {
        self.end.as_ref()?;
        let (status, piece) = self.stream.read(Vec::with_capacity(READ_BYTES)).await;
        if !piece.is_empty() {
            return Some((Ok(piece.into()), self));
        }
        match status {
            StreamResult::Complete(_) => Some((Ok(Bytes::new()), self)),
            StreamResult::Dropped | StreamResult::Cancelled => match self.end.take()?.await {
                Ok(_) => None,
                Err(error) => Some((Err(format!("{error:?}")), self)),
            },
        }
    }
}

impl RequestBody {
    pub(super) fn new(mut body: IncomingRequestBody) -> Self {
        let Some(message) = body.take_unstarted() else { return Self::default() };
        let (wanted, result) = wit_future::new(|| Ok(()));
        let (stream, end) = types::Request::consume_body(message, result);
        let reading = Reading { stream, end: Some(end), _wanted: wanted };
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
