//! Storage on `get`, `set`, `delete` and `increment` alone, which every key-value provider does soundly.
//!
//! This module knows nothing of sessions: [`records`] are typed values, [`roster`]s are lists, [`lease`]s are locks
//! that end, [`pack`]s are immutable objects. Keys are built in [`keys`] only.

pub mod clock;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod counter;
#[cfg(test)]
pub mod counting;
pub mod keys;
#[cfg(target_family = "wasm")]
pub mod kv;
pub mod lease;
pub mod memory;
#[cfg(any(test, feature = "conformance"))]
pub mod mortal;
pub mod pack;
pub mod records;
pub mod roster;
pub mod store;

pub use clock::Clock;
pub use keys::Key;
pub use lease::{Lease, Leases};
pub use pack::{PackId, PackReader, PackShape, PackWriter};
pub use records::{MAX_RECORD_BYTES, Record, Records};
pub use roster::{Listed, Roster};
pub use store::{Provider, Store, StoreError};
