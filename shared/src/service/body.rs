//! The body of a request, as a stream.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::stream::{Stream, StreamExt};
use http_body::Body;

use crate::http::ClientError;

type Pieces = Pin<Box<dyn Stream<Item = Result<Bytes, String>>>>;

/// The body of a request. Reading it is what makes the host send `100 Continue`.
#[derive(Default)]
pub struct RequestBody {
    pieces: Option<Pieces>,
}

impl RequestBody {
    pub(super) fn new<B>(body: B) -> Self
    where
        B: Body<Data = Bytes> + 'static,
        B::Error: std::fmt::Debug,
    {
        let mut body = Box::pin(body);
        let pieces = futures::stream::poll_fn(move |context| {
            loop {
                return match futures::ready!(body.as_mut().poll_frame(context)) {
                    None => Poll::Ready(None),
                    Some(Err(error)) => Poll::Ready(Some(Err(format!("{error:?}")))),
                    Some(Ok(frame)) => match frame.into_data() {
                        Ok(data) => Poll::Ready(Some(Ok(data))),
                        Err(_) => continue,
                    },
                };
            }
        });
        Self { pieces: Some(Box::pin(pieces)) }
    }

    /// Reads it whole.
    ///
    /// # Errors
    /// 413 if it is longer than `max_bytes`, 400 if it is cut off.
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
