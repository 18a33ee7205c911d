//! Packs: immutable objects of bytes, written once in chunks as they arrive and read back by offset.

mod numbers;
mod writer;

pub use numbers::PackNumbers;
pub use writer::PackWriter;

use bytes::Bytes;
use futures::StreamExt;
use serde::{Deserialize, Serialize};

use super::keys;
use super::records::{Record, Records};
use super::store::{Store, StoreError};

/// The length of a pack's chunks in bytes. The last may be shorter.
pub const CHUNK_BYTES: usize = 1024 * 1024;

/// How many chunks of one pack are on their way to the store at once: memory and throughput in balance.
const MAX_CHUNKS_IN_FLIGHT: usize = 4;

/// The number of a pack. A number is given once and never again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PackId(u64);

impl PackId {
    /// The pack with this number.
    pub fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub fn number(self) -> u64 {
        self.0
    }
}

/// What is known of a committed pack.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PackRecord {
    /// Its length in bytes.
    pub bytes: u64,
    /// The length of its chunks in bytes.
    pub chunk_bytes: u32,
    /// When it was committed, in milliseconds since the epoch.
    pub created_ms: u64,
    /// The sessions whose files lie in it.
    pub owners: Vec<String>,
    /// Whether all of them have taken their files over. Until then the sweep looks whether any has.
    pub sealed: bool,
    /// Whether no owner needs it any more, so that it is being removed: what each has said is not asked again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_done_with: bool,
}

impl Record for PackRecord {
    const VERSION: u32 = 1;
}

/// Where a pack lies and how long it is: all that reading needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackShape {
    /// Which pack.
    pub id: PackId,
    /// Its length in bytes.
    pub bytes: u64,
    /// The length of its chunks in bytes.
    pub chunk_bytes: u32,
}

impl PackShape {
    /// How many chunks it has.
    pub fn chunks(&self) -> u64 {
        self.bytes.div_ceil(u64::from(self.chunk_bytes.max(1)))
    }
}

/// Writes down whose files lie in a finished pack. To be [`seal`]ed when the owners have taken them over.
///
/// # Errors
/// The store's failure.
pub async fn commit(records: &Records, shape: PackShape, owners: Vec<String>, now_ms: u64) -> Result<(), StoreError> {
    let record = PackRecord {
        bytes: shape.bytes,
        chunk_bytes: shape.chunk_bytes,
        created_ms: now_ms,
        owners,
        sealed: false,
        is_done_with: false,
    };
    records.set(&keys::pack(shape.id), &record).await
}

/// The lease to hold while owners are added to a pack.
pub fn owners_lease(id: PackId) -> String {
    // Many packs share one: a lease's name stays in the store.
    format!("pack-owners/{:02x}", id.number() & 0xFF)
}

/// Gives a committed pack one more owner, which may have been one before. Called under [`owners_lease`] by somebody who is
/// its owner already, so that it cannot go meanwhile.
///
/// # Errors
/// The store's failure.
pub async fn add_owner(records: &Records, id: PackId, owner: &str) -> Result<(), StoreError> {
    let Some(mut record) = records.get::<PackRecord>(&keys::pack(id)).await? else {
        return Err(StoreError::Corrupt { key: keys::pack(id).to_string(), reason: "it is missing".to_owned() });
    };
    if !record.owners.iter().any(|known| known == owner) {
        record.owners.push(owner.to_owned());
        return records.set(&keys::pack(id), &record).await;
    }
    records.delete(&keys::pack_released(id, owner)).await
}

/// Whose files lie in a committed pack; nobody's if it is not there.
///
/// # Errors
/// The store's failure.
pub async fn owners(records: &Records, id: PackId) -> Result<Vec<String>, StoreError> {
    let record: Option<PackRecord> = records.get(&keys::pack(id)).await?;
    Ok(record.map(|record| record.owners).unwrap_or_default())
}

/// Whether every owner of a committed pack has taken its files over.
///
/// # Errors
/// The store's failure.
pub async fn is_sealed(records: &Records, id: PackId) -> Result<bool, StoreError> {
    let record: Option<PackRecord> = records.get(&keys::pack(id)).await?;
    Ok(record.is_some_and(|record| record.sealed))
}

/// Says that every owner of a committed pack has taken its files over.
///
/// # Errors
/// The store's failure; the sweep then finds out by itself.
pub async fn seal(records: &Records, id: PackId) -> Result<(), StoreError> {
    match records.get::<PackRecord>(&keys::pack(id)).await? {
        Some(record) if !record.sealed => records.set(&keys::pack(id), &PackRecord { sealed: true, ..record }).await,
        _ => Ok(()),
    }
}

/// Whether an owner has said that it needs the pack no more, while others do.
///
/// # Errors
/// The store's failure.
pub async fn is_released(records: &Records, id: PackId, owner: &str) -> Result<bool, StoreError> {
    Ok(records.store().get(keys::pack_released(id, owner).as_str()).await?.is_some())
}

/// The shape of a committed pack, if it is there.
///
/// # Errors
/// The store's failure.
pub async fn find(records: &Records, id: PackId) -> Result<Option<PackShape>, StoreError> {
    let record: Option<PackRecord> = records.get(&keys::pack(id)).await?;
    Ok(record.map(|record| PackShape { id, bytes: record.bytes, chunk_bytes: record.chunk_bytes }))
}

/// Says that `owner` needs the pack no more, and removes the pack when nobody does.
///
/// # Errors
/// The store's failure; to be called again then.
pub async fn release(records: &Records, blobs: &Store, id: PackId, owner: &str) -> Result<(), StoreError> {
    let Some(record) = records.get::<PackRecord>(&keys::pack(id)).await? else {
        return Ok(());
    };
    if !record.owners.iter().any(|known| known == owner) {
        return Ok(());
    }
    if record.owners.len() > 1 && !record.is_done_with {
        records.store().set(keys::pack_released(id, owner).as_str(), Vec::new()).await?;
        for other in record.owners.iter().filter(|other| *other != owner) {
            if !is_released(records, id, other).await? {
                return Ok(());
            }
        }
        records.set(&keys::pack(id), &PackRecord { is_done_with: true, ..record.clone() }).await?;
    }
    remove_chunks(blobs, PackShape { id, bytes: record.bytes, chunk_bytes: record.chunk_bytes }).await?;
    if record.owners.len() > 1 {
        for other in &record.owners {
            records.delete(&keys::pack_released(id, other)).await?;
        }
    }
    records.delete(&keys::pack(id)).await
}

async fn remove_chunks(blobs: &Store, shape: PackShape) -> Result<(), StoreError> {
    for chunk in 0..shape.chunks() {
        blobs.delete(keys::pack_chunk(shape.id, chunk).as_str()).await?;
    }
    Ok(())
}

/// Removes complete packs that were never committed. What cannot be removed now is left to the sweep, since nothing
/// refers to the packs.
pub async fn remove_unwanted(blobs: &Store, shapes: impl IntoIterator<Item = PackShape>) {
    const WIDTH: usize = 16;
    futures::stream::iter(shapes)
        .for_each_concurrent(WIDTH, async |shape| {
            let _ = remove_chunks(blobs, shape).await;
        })
        .await;
}

/// How far behind the newest chunk a missing one is looked for when an unfinished pack is removed: chunks are
/// written several at once and may have been lost out of order.
const MAX_CHUNK_GAP: u64 = 2 * MAX_CHUNKS_IN_FLIGHT as u64;

/// Removes the chunks of a pack that was never committed. Gives how many there were.
///
/// # Errors
/// The store's failure.
pub async fn remove_uncommitted(blobs: &Store, id: PackId) -> Result<u64, StoreError> {
    let (mut chunk, mut missing, mut removed) = (0, 0, 0);
    while missing < MAX_CHUNK_GAP {
        let key = keys::pack_chunk(id, chunk);
        if blobs.get(key.as_str()).await?.is_some() {
            blobs.delete(key.as_str()).await?;
            removed += 1;
            missing = 0;
        } else {
            missing += 1;
        }
        chunk += 1;
    }
    Ok(removed)
}

/// Reads a pack by offset. Keeps the chunk it read last, so that reading on costs one fetch a chunk.
pub struct PackReader {
    blobs: Store,
    shape: PackShape,
    last: std::cell::RefCell<Option<(u64, Bytes)>>,
}

impl PackReader {
    /// A reader of the pack of this shape.
    pub fn new(blobs: Store, shape: PackShape) -> Self {
        Self { blobs, shape, last: std::cell::RefCell::new(None) }
    }

    /// The pack's length in bytes.
    pub fn bytes(&self) -> u64 {
        self.shape.bytes
    }

    /// Bytes from `offset`: at least one and at most `max`, as many as lie in the same chunk; empty at the end.
    ///
    /// # Errors
    /// The store's failure, or [`StoreError::Corrupt`] if a chunk is missing or too short.
    pub async fn read(&self, offset: u64, max: usize) -> Result<Bytes, StoreError> {
        if offset >= self.shape.bytes || max == 0 {
            return Ok(Bytes::new());
        }
        let chunk_bytes = u64::from(self.shape.chunk_bytes.max(1));
        let number = offset / chunk_bytes;
        let chunk = self.chunk(number).await?;
        let from = usize::try_from(offset % chunk_bytes).unwrap_or(usize::MAX);
        let to = from.saturating_add(max).min(chunk.len());
        if from >= to {
            return Err(self.broken(number, "it is shorter than the pack's record says"));
        }
        Ok(chunk.slice(from..to))
    }

    async fn chunk(&self, number: u64) -> Result<Bytes, StoreError> {
        if let Some((held, bytes)) = &*self.last.borrow()
            && *held == number
        {
            return Ok(bytes.clone());
        }
        let key = keys::pack_chunk(self.shape.id, number);
        let bytes = self.blobs.get(key.as_str()).await?.ok_or_else(|| self.broken(number, "it is missing"))?;
        let bytes = Bytes::from(bytes);
        *self.last.borrow_mut() = Some((number, bytes.clone()));
        Ok(bytes)
    }

    fn broken(&self, chunk: u64, reason: &str) -> StoreError {
        StoreError::Corrupt { key: keys::pack_chunk(self.shape.id, chunk).to_string(), reason: reason.to_owned() }
    }
}
