//! The domain: projects, prearchive sessions, the archive. It knows neither HTTP nor Spin, and storage only as
//! [`crate::storage`] offers it.

pub mod access;
pub mod archive;
pub mod catalog;
pub mod contents;
pub mod digests;
pub mod error;
pub mod file_filter;
pub mod history;
pub mod ids;
pub mod jobs;
pub mod manifest;
mod owners;
pub mod prearchive;
pub mod project;
pub mod refresh;
pub mod resource;
pub mod resumable;
pub mod settings;
pub mod shelf;
pub mod sweep;
pub mod time;
pub mod triage;
pub mod user_cache;
pub mod users;
pub mod webhooks;
pub mod xar;

#[cfg(test)]
mod tests;

pub use error::DomainError;
pub use settings::Settings;

use crate::storage::pack::{PackNumbers, PackWriter};
use crate::storage::{Clock, Leases, Records, Roster, Store, StoreError};

/// The shortest `upload_retention_seconds` with which numbers of packs are kept ready.
const LEAST_RETENTION_TO_KEEP_NUMBERS_S: u64 = 60;

/// What every operation of the domain works on: the stores, the leases, the clock and the settings.
#[derive(Clone)]
pub struct Core {
    /// Metadata.
    pub records: Records,
    /// Chunks of packs.
    pub blobs: Store,
    /// Who may act on what.
    pub leases: Leases,
    /// The time.
    pub clock: Clock,
    /// What the operator has set.
    pub settings: std::rc::Rc<Settings>,
    /// Whether messages to webhooks were put in the queue through this core or a clone, and nobody was told to send them.
    has_messages: std::rc::Rc<std::cell::Cell<bool>>,
    /// Numbers of packs that are kept ready.
    pack_numbers: PackNumbers,
}

impl Core {
    /// A core on these stores.
    pub fn new(records: impl Into<Store>, blobs: impl Into<Store>, clock: Clock, settings: Settings) -> Self {
        let records = Records::new(records);
        let leases = Leases::new(records.clone(), clock.clone(), settings.lease_seconds.saturating_mul(1000));
        let keeps_numbers = settings.upload_retention_seconds >= LEAST_RETENTION_TO_KEEP_NUMBERS_S;
        let pack_numbers = if keeps_numbers { PackNumbers::default() } else { PackNumbers::off() };
        let (settings, has_messages) = (std::rc::Rc::new(settings), Default::default());
        Self { records, blobs: blobs.into(), leases, clock, settings, has_messages, pack_numbers }
    }

    /// Starts a pack.
    ///
    /// # Errors
    /// The store's failure.
    pub(crate) async fn start_pack(&self) -> Result<PackWriter, StoreError> {
        let now_ms = self.clock.now_ms();
        PackWriter::start_with(&self.pack_numbers, &self.records, self.blobs.clone(), now_ms).await
    }

    /// The same for an upload that may have fewer bytes.
    #[must_use]
    pub fn with_upload_limit(&self, max_bytes: u64) -> Self {
        let mut settings = Settings::clone(&self.settings);
        settings.limits.max_upload_bytes = settings.limits.max_upload_bytes.min(max_bytes);
        Self { settings: std::rc::Rc::new(settings), ..self.clone() }
    }

    /// The same for an upload of which, unpacked, no more may be left.
    #[must_use]
    pub fn with_unpacked_limit(&self, max_bytes: u64) -> Self {
        let mut settings = Settings::clone(&self.settings);
        settings.limits.max_inflated_bytes = settings.limits.max_inflated_bytes.min(max_bytes);
        Self { settings: std::rc::Rc::new(settings), ..self.clone() }
    }

    /// The list of this name.
    pub(crate) fn roster(&self, name: impl Into<String>) -> Roster {
        Roster::new(name, self.records.clone(), self.leases.clone(), self.clock.clone())
    }

    /// How long a request waits for another that works on the same thing, in milliseconds.
    pub(crate) fn patience_ms(&self) -> u64 {
        self.settings.lease_seconds.saturating_mul(1000).saturating_add(2_000)
    }
}
