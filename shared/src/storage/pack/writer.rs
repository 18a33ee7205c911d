//! Writing a pack, chunk by chunk as its bytes arrive.

use std::future::Future;
use std::pin::Pin;
use std::task::Poll;

use bytes::Bytes;
use futures::stream::{FuturesUnordered, StreamExt};

use super::numbers::Taken;
use super::{CHUNK_BYTES, MAX_CHUNKS_IN_FLIGHT, PackId, PackNumbers, PackShape};
use crate::storage::keys;
use crate::storage::records::Records;
use crate::storage::store::{Store, StoreError};

/// Bytes that are worth being taken over instead of being copied, and the room that a small upload begins with.
const TAKEN_BYTES: usize = 64 * 1024;

type Write = Pin<Box<dyn Future<Output = Result<(), StoreError>>>>;
type Numbering = Pin<Box<dyn Future<Output = Result<PackId, StoreError>>>>;

/// Takes the next numbers; gives the first.
async fn reserve(records: &Records, count: u64) -> Result<PackId, StoreError> {
    let last = records.increment(&keys::sequence("pack"), i64::try_from(count).unwrap_or(1)).await?;
    Ok(PackId((u64::try_from(last).unwrap_or(0) + 1).saturating_sub(count)))
}

/// The number of a pack, or the request for one that is under way.
enum Number {
    Known(PackId),
    Asked(Numbering),
}

/// Writes a new pack. Nothing refers to it until [`commit`].
pub struct PackWriter {
    blobs: Store,
    number: Number,
    buffer: Vec<u8>,
    written: u64,
    chunks: u64,
    in_flight: FuturesUnordered<Write>,
}

impl PackWriter {
    /// Starts a pack under a new number. Does not wait for the number, which nobody needs before the first chunk.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn start(records: &Records, blobs: impl Into<Store>) -> Result<Self, StoreError> {
        Self::start_with(&PackNumbers::off(), records, blobs.into(), 0).await
    }

    /// Starts a pack as [`PackWriter::start`] does, under a number that is kept ready if there is one.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn start_with(
        numbers: &PackNumbers,
        records: &Records,
        blobs: Store,
        now_ms: u64,
    ) -> Result<Self, StoreError> {
        let count = match numbers.take(now_ms) {
            Taken::Number(id) => return Ok(Self::with(blobs, Number::Known(id))),
            Taken::Nothing { reserve: count } => count,
        };
        let (records, numbers) = (records.clone(), numbers.clone());
        let mut asked: Numbering = Box::pin(async move {
            let reserved = reserve(&records, count).await;
            numbers.keep(reserved.as_ref().ok().copied(), count, now_ms);
            reserved
        });
        // The first poll hands the request to the store, which works while the bytes arrive.
        let number = match futures::poll!(asked.as_mut()) {
            Poll::Ready(id) => Number::Known(id?),
            Poll::Pending => Number::Asked(asked),
        };
        Ok(Self::with(blobs, number))
    }

    fn with(blobs: Store, number: Number) -> Self {
        Self { blobs, number, buffer: Vec::new(), written: 0, chunks: 0, in_flight: FuturesUnordered::new() }
    }

    /// Goes on with a pack that holds `bytes` bytes in chunks that are safe. What was written behind them is written
    /// over.
    ///
    /// # Errors
    /// The store's failure, or [`StoreError::Corrupt`] if a chunk that should be there is not.
    pub async fn resume(blobs: Store, id: PackId, bytes: u64) -> Result<Self, StoreError> {
        let chunks = bytes / CHUNK_BYTES as u64;
        let rest = usize::try_from(bytes % CHUNK_BYTES as u64).unwrap_or(0);
        let mut buffer = Vec::new();
        if rest > 0 {
            let key = keys::pack_chunk(id, chunks);
            let held = blobs.get(key.as_str()).await?.unwrap_or_default();
            let held = held.get(..rest).ok_or_else(|| StoreError::Corrupt {
                key: key.to_string(),
                reason: "it is shorter than what was received".to_owned(),
            })?;
            buffer.extend_from_slice(held);
        }
        Ok(Self { buffer, written: bytes, chunks, ..Self::with(blobs, Number::Known(id)) })
    }

    /// The pack's number.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn id(&mut self) -> Result<PackId, StoreError> {
        match &mut self.number {
            Number::Known(id) => Ok(*id),
            Number::Asked(asked) => {
                let id = asked.await?;
                self.number = Number::Known(id);
                Ok(id)
            }
        }
    }

    /// Bytes taken so far.
    pub fn bytes(&self) -> u64 {
        self.written
    }

    /// As [`PackWriter::write`], for bytes that nobody else holds: what begins a chunk and is large is not copied.
    ///
    /// # Errors
    /// The failure of this or an earlier chunk.
    pub async fn take(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        if !self.buffer.is_empty() || !(TAKEN_BYTES..=CHUNK_BYTES).contains(&bytes.len()) {
            return self.write(&bytes).await;
        }
        self.written = self.written.saturating_add(bytes.len() as u64);
        self.buffer = bytes.into();
        if self.buffer.len() == CHUNK_BYTES {
            self.send().await?;
        }
        Ok(())
    }

    /// Takes more bytes. Waits only while too many chunks are on their way.
    ///
    /// # Errors
    /// The failure of this or an earlier chunk.
    pub async fn write(&mut self, mut bytes: &[u8]) -> Result<(), StoreError> {
        self.written = self.written.saturating_add(bytes.len() as u64);
        while !bytes.is_empty() {
            let room = CHUNK_BYTES - self.buffer.len().min(CHUNK_BYTES);
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            if self.buffer.len() + now.len() > self.buffer.capacity() {
                // A small upload should not cost the memory of a whole chunk; one that goes on is moved only once.
                let is_first = self.buffer.is_empty() && later.is_empty();
                self.buffer.reserve_exact(if is_first { now.len().max(TAKEN_BYTES) } else { room });
            }
            self.buffer.extend_from_slice(now);
            bytes = later;
            if self.buffer.len() == CHUNK_BYTES {
                self.send().await?;
            }
        }
        Ok(())
    }

    async fn send(&mut self) -> Result<(), StoreError> {
        let id = self.id().await?;
        let chunk = std::mem::take(&mut self.buffer);
        let key = keys::pack_chunk(id, self.chunks);
        self.chunks += 1;
        let blobs = self.blobs.clone();
        self.in_flight.push(Box::pin(async move { blobs.set(key.as_str(), chunk).await }));
        // The first poll hands the chunk to the store, which works while we go on.
        while let Poll::Ready(Some(done)) = futures::poll!(self.in_flight.next()) {
            done?;
        }
        while self.in_flight.len() >= MAX_CHUNKS_IN_FLIGHT {
            if let Some(done) = self.in_flight.next().await {
                done?;
            }
        }
        Ok(())
    }

    /// Waits until every whole chunk is safe; gives how many bytes these have.
    ///
    /// # Errors
    /// The failure of a chunk.
    pub async fn safe_bytes(&mut self) -> Result<u64, StoreError> {
        self.flush().await?;
        Ok(self.chunks.saturating_mul(CHUNK_BYTES as u64))
    }

    /// Sends what is left on its way: no more bytes will come. The pack is complete after [`PackWriter::flush`].
    ///
    /// # Errors
    /// The store's failure; the pack is then to be abandoned.
    pub async fn close(&mut self) -> Result<PackShape, StoreError> {
        if !self.buffer.is_empty() {
            self.send().await?;
        }
        let id = self.id().await?;
        Ok(PackShape { id, bytes: self.written, chunk_bytes: CHUNK_BYTES as u32 })
    }

    /// Waits until every chunk is safe.
    ///
    /// # Errors
    /// The store's failure; the pack is then to be abandoned.
    pub async fn flush(&mut self) -> Result<(), StoreError> {
        while let Some(done) = self.in_flight.next().await {
            done?;
        }
        Ok(())
    }

    /// Writes what is left and waits until every chunk is safe.
    ///
    /// # Errors
    /// The store's failure; the pack is then to be abandoned.
    pub async fn finish(&mut self) -> Result<PackShape, StoreError> {
        let shape = self.close().await?;
        self.flush().await?;
        Ok(shape)
    }

    /// Removes what was written. The sweep does the same later for a writer that cannot.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn abandon(mut self) -> Result<(), StoreError> {
        self.buffer = Vec::new();
        while self.in_flight.next().await.is_some() {}
        if self.chunks > 0 {
            let id = self.id().await?;
            for chunk in 0..self.chunks {
                self.blobs.delete(keys::pack_chunk(id, chunk).as_str()).await?;
            }
        }
        Ok(())
    }
}
