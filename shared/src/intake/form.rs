//! Reading a `multipart/form-data` body in bounded memory.
//!
//! `multer` takes whatever its stream has before it looks at any of it, and would keep headers of any length. So it is
//! given one piece at a time, only when it can do nothing without one, and not more than [`MAX_HEADER_BYTES`] before a
//! part begins.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::stream::{Stream, StreamExt};
use multer::{Field, Multipart};

/// Bytes of what stands before a part's data (its headers, the boundary), at most.
const MAX_HEADER_BYTES: usize = 16 * 1024;

/// Parts of a form, at most: files and fields.
const MAX_PARTS: usize = 2_000;

/// Bytes that are handed over at once.
const PIECE_BYTES: usize = 64 * 1024;

/// A form that cannot be read.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the form is broken ({reason}); send it again")]
pub struct FormError {
    /// What is wrong with it.
    pub reason: String,
}

/// What is handed over to `multer`.
#[derive(Default)]
struct Feed {
    piece: Option<Bytes>,
    has_ended: bool,
}

#[derive(Clone, Default)]
struct FeedStream(Arc<Mutex<Feed>>);

impl Stream for FeedStream {
    type Item = Result<Bytes, std::io::Error>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        // A poisoned lock cannot be: nobody panics while holding it. It would end the form, which is then incomplete.
        let Ok(mut feed) = self.0.lock() else { return Poll::Ready(None) };
        match feed.piece.take() {
            Some(piece) => Poll::Ready(Some(Ok(piece))),
            None if feed.has_ended => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}

/// Reads a form part by part.
pub struct FormReader {
    parser: Multipart<'static>,
    feed: FeedStream,
    /// Of the last piece of the body, what was not handed over yet.
    held: Bytes,
    parts: usize,
}

/// A part whose data are being read with [`FormReader::piece`].
pub struct Part(Field<'static>);

impl Part {
    /// The name of the field.
    pub fn name(&self) -> Option<&str> {
        self.0.name()
    }

    /// The name of the file, if the part is one. A part with an empty one is what a browser sends for no file.
    pub fn file_name(&self) -> Option<&str> {
        self.0.file_name()
    }
}

impl FormReader {
    /// Before the first byte of a body with this boundary.
    pub fn new(boundary: &str) -> Self {
        let feed = FeedStream::default();
        Self { parser: Multipart::new(feed.clone(), boundary), feed, held: Bytes::new(), parts: 0 }
    }

    /// The next part; `None` behind the last. `next` gives the next piece of the body.
    ///
    /// # Errors
    /// [`FormError`] if the form is broken or cut off, or what `next` gives.
    pub async fn part<E: From<FormError>>(
        &mut self,
        mut next: impl AsyncFnMut() -> Result<Option<Bytes>, E>,
    ) -> Result<Option<Part>, E> {
        let mut given = 0;
        loop {
            let polled = std::future::poll_fn(|context| Poll::Ready(self.parser.poll_next_field(context))).await;
            match polled {
                Poll::Ready(Ok(Some(_))) if self.parts >= MAX_PARTS => {
                    return Err(broken(format!("it has more than {MAX_PARTS} parts")).into());
                }
                Poll::Ready(found) => {
                    self.parts += 1;
                    return Ok(found.map_err(broken)?.map(Part));
                }
                Poll::Pending if given > MAX_HEADER_BYTES => {
                    return Err(broken(format!("more than {MAX_HEADER_BYTES} bytes stand before a part's data")).into());
                }
                Poll::Pending => given += self.hand_over(MAX_HEADER_BYTES, &mut next).await?,
            }
        }
    }

    /// The next bytes of a part, never empty; `None` when it has ended.
    ///
    /// # Errors
    /// As [`FormReader::part`].
    pub async fn piece<E: From<FormError>>(
        &mut self,
        part: &mut Part,
        mut next: impl AsyncFnMut() -> Result<Option<Bytes>, E>,
    ) -> Result<Option<Bytes>, E> {
        loop {
            let polled = std::future::poll_fn(|context| Poll::Ready(part.0.poll_next_unpin(context))).await;
            match polled {
                Poll::Ready(None) => return Ok(None),
                Poll::Ready(Some(piece)) => {
                    let piece = piece.map_err(broken)?;
                    if !piece.is_empty() {
                        return Ok(Some(piece));
                    }
                }
                Poll::Pending => {
                    self.hand_over(PIECE_BYTES, &mut next).await?;
                }
            }
        }
    }

    /// Hands over at most `max` bytes more, or the end. Gives how many bytes it were.
    async fn hand_over<E: From<FormError>>(
        &mut self,
        max: usize,
        next: &mut impl AsyncFnMut() -> Result<Option<Bytes>, E>,
    ) -> Result<usize, E> {
        let mut has_ended = false;
        if self.feed.0.lock().map_or(true, |feed| feed.has_ended) {
            return Err(broken("it is incomplete").into());
        }
        while self.held.is_empty() && !has_ended {
            match next().await? {
                Some(piece) => self.held = piece,
                None => has_ended = true,
            }
        }
        let piece = self.held.split_to(self.held.len().min(max));
        let bytes = piece.len();
        let mut feed = self.feed.0.lock().map_err(|_| broken("it could not be read"))?;
        feed.has_ended = has_ended;
        feed.piece = Some(piece).filter(|piece| !piece.is_empty());
        Ok(bytes)
    }
}

fn broken(reason: impl std::fmt::Display) -> FormError {
    FormError { reason: reason.to_string() }
}
