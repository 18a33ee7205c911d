//! Reading a finished pack: random access, and a cursor over it that holds one piece at a time.

use std::rc::Rc;
use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};

/// Bytes of a pack that are asked for at once.
pub const PIECE_BYTES: usize = 256 * 1024;

/// Why a pack could not be read. Never the client's fault.
#[derive(Debug, thiserror::Error)]
pub enum PackReadError {
    /// The pack has fewer bytes than it should: `len` or an extent promised more.
    #[error("the pack ends before byte {end}")]
    Short {
        /// The end of the range that was asked for.
        end: u64,
    },
    /// The store failed.
    #[error("the store did not give the bytes at {offset} of the pack")]
    Store {
        /// Where in the pack.
        offset: u64,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Random access to the bytes of one complete, immutable pack.
#[allow(async_fn_in_trait)] // Guests have one thread, so nobody needs these futures to be `Send`.
pub trait PackSource {
    /// The bytes from `offset` on: at most `len` of them and, unless `len` is 0 or the pack ends there, at least one.
    /// Fewer than `len` are fine, so that a store of chunks can answer with a slice of one chunk and copy nothing.
    async fn read(&self, offset: u64, len: usize) -> Result<Bytes, PackReadError>;

    /// Bytes of the whole pack.
    fn len(&self) -> u64;

    /// Whether the pack has no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<P: PackSource> PackSource for $pointer {
            async fn read(&self, offset: u64, len: usize) -> Result<Bytes, PackReadError> {
                P::read(self, offset, len).await
            }
            fn len(&self) -> u64 {
                P::len(self)
            }
        }
    )*};
}
forward!(&P, Rc<P>, Arc<P>);

/// Walks a range of a pack from its start to its end.
pub(super) struct Cursor<P> {
    pack: P,
    /// Where the next piece is read, in bytes from the start of the pack.
    next: u64,
    end: u64,
    held: Bytes,
}

impl<P: PackSource> Cursor<P> {
    pub(super) fn new(pack: P, start: u64, end: u64) -> Self {
        Self { pack, next: start, end, held: Bytes::new() }
    }

    /// Bytes of the range not yet taken.
    pub(super) fn left(&self) -> u64 {
        self.end.saturating_sub(self.next).saturating_add(self.held.len() as u64)
    }

    /// The next bytes, as many as are at hand: empty only at the end of the range. Take them with [`Self::skip`].
    pub(super) async fn peek(&mut self) -> Result<&[u8], PackReadError> {
        if self.held.is_empty() {
            self.held = self.fetch().await?;
        }
        Ok(&self.held)
    }

    /// Takes `count` bytes of what [`Self::peek`] showed.
    pub(super) fn skip(&mut self, count: usize) {
        self.held.advance(count.min(self.held.len()));
    }

    /// Takes the next piece whole; `None` at the end of the range.
    pub(super) async fn piece(&mut self) -> Result<Option<Bytes>, PackReadError> {
        self.peek().await?;
        Ok(Some(std::mem::take(&mut self.held)).filter(|piece| !piece.is_empty()))
    }

    /// Takes exactly `count` bytes; `None`, taking nothing, if the range has fewer left.
    pub(super) async fn take(&mut self, count: usize) -> Result<Option<Bytes>, PackReadError> {
        if self.left() < count as u64 {
            return Ok(None);
        }
        if self.held.len() < count {
            // The bytes lie across pieces; what is asked for here is small (a header), so copying it costs nothing.
            let mut joined = BytesMut::from(&*self.held);
            while joined.len() < count {
                joined.extend_from_slice(&self.fetch().await?);
            }
            self.held = joined.freeze();
        }
        Ok(Some(self.held.split_to(count)))
    }

    async fn fetch(&mut self) -> Result<Bytes, PackReadError> {
        let len = usize::try_from(self.end.saturating_sub(self.next)).unwrap_or(usize::MAX).min(PIECE_BYTES);
        if len == 0 {
            return Ok(Bytes::new());
        }
        let mut piece = self.pack.read(self.next, len).await?;
        if piece.is_empty() {
            return Err(PackReadError::Short { end: self.end });
        }
        piece.truncate(len);
        self.next = self.next.saturating_add(piece.len() as u64);
        Ok(piece)
    }
}
