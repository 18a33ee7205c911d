//! Leases: one actor at a time on a thing, with an end, so that nothing a dead actor held is held for ever.
//!
//! A lease passes through generations. Whoever gets 1 from the fresh counter of the next generation owns it; the
//! counters are the only thing that decides. The lease's record says which generation is the present one and when
//! it ends. An actor is taken to act within a quarter of the lease's life between looking at its clock
//! ([`Leases::holds`]) and the write that follows, and the clocks of two nodes to differ by less than that.

use serde::{Deserialize, Serialize};

use super::clock::Clock;
use super::keys;
use super::records::{Record, Records};
use super::store::StoreError;

#[derive(Serialize, Deserialize, Clone, Debug)]
struct LeaseRecord {
    generation: u64,
    until_ms: u64,
    released: bool,
}

impl Record for LeaseRecord {
    const VERSION: u32 = 1;
}

#[derive(Serialize, Deserialize)]
struct Seen {
    at_ms: u64,
}

impl Record for Seen {
    const VERSION: u32 = 1;
}

/// How many generations whose owners died before they could write themselves down are stepped over in one call.
const MAX_SKIPPED_GENERATIONS: u64 = 16;

/// A lease that is held.
#[derive(Debug)]
#[must_use = "a lease that is not released blocks others until it ends"]
pub struct Lease {
    name: String,
    generation: u64,
    until_ms: u64,
}

impl Lease {
    /// The fencing token: grows with each owner.
    pub fn generation(&self) -> u64 {
        self.generation
    }
}

/// The leases of one store.
#[derive(Clone)]
pub struct Leases {
    records: Records,
    clock: Clock,
    life_ms: u64,
}

impl Leases {
    /// Leases that live `life_ms` unless renewed or released.
    pub fn new(records: Records, clock: Clock, life_ms: u64) -> Self {
        Self { records, clock, life_ms: life_ms.max(4) }
    }

    fn margin_ms(&self) -> u64 {
        self.life_ms / 4
    }

    /// Takes the lease, or `None` if somebody has it.
    ///
    /// # Errors
    /// The store's failure; the lease is then not held.
    pub async fn acquire(&self, name: &str) -> Result<Option<Lease>, StoreError> {
        let started_ms = self.clock.now_ms();
        let present: Option<LeaseRecord> = self.records.get(&keys::lease(name)).await?;
        let last = match &present {
            Some(record) if !record.released && started_ms <= record.until_ms.saturating_add(self.margin_ms()) => {
                return Ok(None);
            }
            Some(record) => record.generation,
            None => 0,
        };
        for generation in last + 1..=last + MAX_SKIPPED_GENERATIONS {
            let ticket = self.records.increment(&keys::lease_ticket(name, generation), 1).await?;
            if ticket == 1 {
                return self.take(name, last, generation, started_ms).await;
            }
            if self.present_generation(name).await? >= generation || !self.is_abandoned(name, generation).await? {
                return Ok(None);
            }
        }
        Ok(None)
    }

    /// Takes the lease as soon as it is free, or `None` if that takes longer than `patience_ms`.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn acquire_within(&self, name: &str, patience_ms: u64) -> Result<Option<Lease>, StoreError> {
        let mut patience = self.clock.patience(patience_ms);
        loop {
            if let Some(lease) = self.acquire(name).await? {
                return Ok(Some(lease));
            }
            if !patience.wait().await {
                return Ok(None);
            }
        }
    }

    /// The generation's ticket is ours: writes it down and clears up behind.
    async fn take(&self, name: &str, last: u64, generation: u64, started_ms: u64) -> Result<Option<Lease>, StoreError> {
        // The ticket may be one that was cleared away after its generation had passed.
        if self.present_generation(name).await? >= generation {
            self.records.delete(&keys::lease_ticket(name, generation)).await?;
            return Ok(None);
        }
        let until_ms = started_ms.saturating_add(self.life_ms);
        let lease = Lease { name: name.to_owned(), generation, until_ms };
        if !self.holds(&lease) {
            return Ok(None);
        }
        self.records.set(&keys::lease(name), &LeaseRecord { generation, until_ms, released: false }).await?;
        for old in last.max(1)..generation {
            self.records.delete(&keys::lease_ticket(name, old)).await?;
        }
        for skipped in last + 1..generation {
            self.records.delete(&keys::lease_seen(name, skipped)).await?;
        }
        Ok(if self.holds(&lease) { Some(lease) } else { None })
    }

    async fn present_generation(&self, name: &str) -> Result<u64, StoreError> {
        Ok(self.records.get::<LeaseRecord>(&keys::lease(name)).await?.map_or(0, |record| record.generation))
    }

    /// Whether a generation that is taken but not written down was seen like that longer than a lease lives.
    async fn is_abandoned(&self, name: &str, generation: u64) -> Result<bool, StoreError> {
        let key = keys::lease_seen(name, generation);
        let now_ms = self.clock.now_ms();
        match self.records.get::<Seen>(&key).await? {
            Some(seen) => Ok(now_ms > seen.at_ms.saturating_add(self.life_ms + self.margin_ms())),
            None => {
                self.records.set(&key, &Seen { at_ms: now_ms }).await?;
                Ok(false)
            }
        }
    }

    /// Whether the lease has enough time left for one more write. Ask before every write it is to protect.
    pub fn holds(&self, lease: &Lease) -> bool {
        self.clock.now_ms().saturating_add(self.margin_ms()) < lease.until_ms
    }

    /// Makes the lease live its whole life again from now. `false` if it had already run out.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn renew(&self, lease: &mut Lease) -> Result<bool, StoreError> {
        if !self.holds(lease) {
            return Ok(false);
        }
        let until_ms = self.clock.now_ms().saturating_add(self.life_ms);
        let record = LeaseRecord { generation: lease.generation, until_ms, released: false };
        self.records.set(&keys::lease(&lease.name), &record).await?;
        lease.until_ms = until_ms;
        Ok(true)
    }

    /// Renews the lease when more than half of its life is over. `false` if it had already run out.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn keep(&self, lease: &mut Lease) -> Result<bool, StoreError> {
        if self.clock.now_ms().saturating_add(self.life_ms / 2) < lease.until_ms {
            return Ok(true);
        }
        self.renew(lease).await
    }

    /// Gives the lease back. One that has run out is left to whoever took it since.
    ///
    /// # Errors
    /// The store's failure; the lease then ends by itself.
    pub async fn release(&self, lease: Lease) -> Result<(), StoreError> {
        if !self.holds(&lease) {
            return Ok(());
        }
        let record = LeaseRecord { generation: lease.generation, until_ms: lease.until_ms, released: true };
        self.records.set(&keys::lease(&lease.name), &record).await
    }

    /// Gives the lease back for good: the thing it stood for is gone and its name is never used again.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn retire(&self, lease: Lease) -> Result<(), StoreError> {
        if !self.holds(&lease) {
            return Ok(());
        }
        self.records.delete(&keys::lease(&lease.name)).await?;
        self.records.delete(&keys::lease_ticket(&lease.name, lease.generation)).await
    }

    /// Whether somebody holds the lease now.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn is_held(&self, name: &str) -> Result<bool, StoreError> {
        let now_ms = self.clock.now_ms();
        let record: Option<LeaseRecord> = self.records.get(&keys::lease(name)).await?;
        Ok(record.is_some_and(|r| !r.released && now_ms <= r.until_ms.saturating_add(self.margin_ms())))
    }
}
