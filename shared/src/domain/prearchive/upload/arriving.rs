//! A request body on its way in: counted, and decompressed if it was compressed for the transport.

use bytes::{Buf, Bytes};
use futures::stream::StreamExt;

use super::{Body, UploadError};
use crate::intake::{Compression, Decoder, IntakeError};
use crate::limits::Limits;

/// How a body was compressed for the transport (RFC 9110, section 8.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentCoding {
    /// Not at all.
    Identity,
    /// `gzip`
    Gzip,
}

/// Gives the pieces of a body.
pub struct Arriving<B> {
    body: B,
    limits: Limits,
    received_bytes: u64,
    decoder: Option<Decoder>,
    /// Of the last piece received, what was not decompressed yet.
    held: Bytes,
}

impl<B: Body> Arriving<B> {
    /// Before the first byte.
    pub fn new(body: B, coding: ContentCoding, limits: Limits) -> Self {
        let decoder = match coding {
            ContentCoding::Identity => None,
            ContentCoding::Gzip => Some(Decoder::new(Compression::Gzip, &limits)),
        };
        Self { body, limits, received_bytes: 0, decoder, held: Bytes::new() }
    }

    /// Bytes received so far, as they came.
    pub fn received_bytes(&self) -> u64 {
        self.received_bytes
    }

    /// The next piece; `None` behind the last.
    ///
    /// # Errors
    /// The body is cut off, too large, or its compression is broken.
    #[crate::boxed(?Send)]
    pub async fn next(&mut self) -> Result<Option<Bytes>, UploadError> {
        loop {
            if let Some(decoder) = &mut self.decoder {
                let mut input: &[u8] = &self.held;
                let output = Bytes::copy_from_slice(decoder.step(&mut input)?);
                let taken = self.held.len().saturating_sub(input.len());
                self.held.advance(taken);
                if !output.is_empty() {
                    return Ok(Some(output));
                }
            }
            let Some(piece) = self.receive().await? else {
                return match self.decoder.take() {
                    Some(decoder) => decoder.finish().map(|()| None).map_err(UploadError::from),
                    None => Ok(None),
                };
            };
            if self.decoder.is_none() {
                return Ok(Some(piece));
            }
            self.held = piece;
        }
    }

    async fn receive(&mut self) -> Result<Option<Bytes>, UploadError> {
        let received_bytes = self.received_bytes;
        let piece = self.body.next().await.transpose();
        let piece = piece.map_err(|reason| UploadError::CutOff { received_bytes, reason })?;
        self.received_bytes = received_bytes.saturating_add(piece.as_ref().map_or(0, Bytes::len) as u64);
        let limit_bytes = self.limits.max_upload_bytes;
        if self.received_bytes > limit_bytes {
            return Err(IntakeError::UploadTooLarge { limit_bytes }.into());
        }
        Ok(piece)
    }
}
