//! Answers: bytes, or a stream of them.

use std::pin::Pin;
use std::task::{Context, Poll};

use ::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use ::http::{HeaderValue, Response, StatusCode};
use bytes::Bytes;
use futures::stream::{Stream, StreamExt};
use http_body::{Body, Frame};

use crate::http::table::Rendered;
use crate::http::{ClientError, ErrorFormat};

/// An answer.
pub type Reply = Response<ReplyBody>;

/// Why a stream broke off: the client sees an incomplete answer, the log says why.
pub type StreamError = Box<dyn std::error::Error + Send + Sync>;

enum Content {
    Whole(Option<Bytes>),
    Stream(Pin<Box<dyn Stream<Item = Result<Bytes, StreamError>>>>),
}

/// The body of an answer.
pub struct ReplyBody(Content);

impl ReplyBody {
    /// No body.
    pub fn empty() -> Self {
        Self(Content::Whole(None))
    }

    /// These bytes.
    pub fn whole(bytes: impl Into<Bytes>) -> Self {
        Self(Content::Whole(Some(bytes.into()).filter(|bytes| !bytes.is_empty())))
    }

    /// What the stream gives. An error ends the answer before its end, which clients notice.
    pub fn stream<E>(stream: impl Stream<Item = Result<Bytes, E>> + 'static) -> Self
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let stream = stream.map(|piece| {
            piece.map_err(|error| {
                eprintln!("an answer broke off: {error}");
                Box::new(error) as StreamError
            })
        });
        Self(Content::Stream(Box::pin(stream)))
    }

    /// An answer of these bytes.
    pub fn reply(status: StatusCode, content_type: &str, bytes: impl Into<Bytes>) -> Reply {
        let bytes: Bytes = bytes.into();
        let length = bytes.len();
        let mut reply = Response::new(Self::whole(bytes));
        *reply.status_mut() = status;
        reply.headers_mut().insert(CONTENT_LENGTH, length.into());
        if let Ok(value) = HeaderValue::from_str(content_type) {
            reply.headers_mut().insert(CONTENT_TYPE, value);
        }
        reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        reply
    }

    /// 200 with plain text.
    pub fn text(text: impl Into<String>) -> Reply {
        Self::reply(StatusCode::OK, "text/plain; charset=utf-8", text.into())
    }

    /// 200 with JSON.
    pub fn json(bytes: impl Into<Bytes>) -> Reply {
        Self::reply(StatusCode::OK, "application/json", bytes)
    }

    /// 200 with a page.
    pub fn page(text: impl Into<String>) -> Reply {
        Self::reply(StatusCode::OK, "text/html; charset=utf-8", text.into())
    }

    /// 200 with XML.
    pub fn xml(bytes: impl Into<Bytes>) -> Reply {
        Self::reply(StatusCode::OK, "text/xml", bytes)
    }

    /// 200 with nothing.
    pub fn nothing() -> Reply {
        Self::reply(StatusCode::OK, "text/plain; charset=utf-8", Bytes::new())
    }

    /// 204
    pub fn no_content() -> Reply {
        let mut reply = Response::new(Self::empty());
        *reply.status_mut() = StatusCode::NO_CONTENT;
        reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        reply
    }

    /// 200 with one URI a line, each line ended as XNAT ends it.
    pub fn uri_list<'a>(uris: impl IntoIterator<Item = &'a str>) -> Reply {
        let list: String = uris.into_iter().flat_map(|uri| [uri, "\r\n"]).collect();
        Self::reply(StatusCode::OK, "text/uri-list", list)
    }

    /// One URI without a line end, as XNAT answers for a single session.
    pub fn uri(status: StatusCode, uri: &str) -> Reply {
        Self::reply(status, "text/uri-list", uri.to_owned())
    }

    /// 200 with a rendered table.
    pub fn table(rendered: Rendered) -> Reply {
        Self::reply(StatusCode::OK, rendered.content_type, rendered.body)
    }

    /// 303 to another address.
    pub fn see_other(address: &str) -> Reply {
        let mut reply = Self::reply(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", Bytes::new());
        if let Ok(value) = HeaderValue::from_str(address) {
            reply.headers_mut().insert(LOCATION, value);
        }
        reply
    }

    /// What a client is told of an error.
    pub fn error(error: &ClientError, format: ErrorFormat) -> Reply {
        error.render(format).map(Self::whole)
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = StreamError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StreamError>>> {
        match &mut self.0 {
            Content::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Content::Stream(stream) => stream.as_mut().poll_next(context).map_ok(Frame::data),
        }
    }
}
