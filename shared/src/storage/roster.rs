//! Rosters: lists that many requests add to at once and that stay cheap to read.
//!
//! A roster is a log of *touches* (this member is new, or has changed, or is gone) and pages into which the log is
//! folded from time to time. A touch is written **before** the member's record is: whoever reads the list looks at
//! the records of the members touched lately, and takes the others from the pages. Only touches older than
//! [`SETTLE_MS`] are folded, so that the record has been written by then; a writer that was slower touches again
//! ([`Roster::settled`]).

mod folding;
mod paging;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::clock::Clock;
use super::keys::{self, Key};
use super::lease::Leases;
use super::records::{Record, Records};
use super::store::StoreError;

/// How old a touch must be before it is folded, in milliseconds.
pub const SETTLE_MS: u64 = 10_000;

/// How many touches may stand unfolded before folding is worth its writes.
pub const FOLD_AT: u64 = 96;

/// How many touches one folding takes at most: bounds its memory and time.
const MAX_FOLDED_AT_ONCE: u64 = 4_096;

/// How often a reader starts again because a folding overtook it.
const MAX_READS: usize = 8;

/// How many records are fetched at once.
const FETCH_WIDTH: usize = 16;

/// What the members of a roster look like in the list.
pub trait Row: Serialize + DeserializeOwned + Clone {}

impl<T: Serialize + DeserializeOwned + Clone> Row for T {}

/// Gives the present row of a member, or `None` when the member is gone, belongs to another roster now, or has another
/// place: who died between a first touch and the member's record has left a place that is nobody's, and the member
/// would be seen twice.
pub trait RowSource<R> {
    /// Looks the member up that is said to have this place.
    fn row(&self, member: &str, place: u64) -> impl Future<Output = Result<Option<R>, StoreError>>;
}

impl<R, F, Fut> RowSource<R> for F
where
    F: Fn(String, u64) -> Fut,
    Fut: Future<Output = Result<Option<R>, StoreError>>,
{
    async fn row(&self, member: &str, place: u64) -> Result<Option<R>, StoreError> {
        self(member.to_owned(), place).await
    }
}

#[derive(Serialize, Deserialize, Clone)]
struct Slot {
    /// The member's identifier.
    m: String,
    /// The member's place in the list: the slot in which it first stood.
    n: u64,
    /// When it was touched.
    t: u64,
}

impl Record for Slot {
    const VERSION: u32 = 1;
}

#[derive(Serialize, Deserialize, Clone, Default)]
struct Head {
    /// Slots up to here are in the pages.
    folded: u64,
    /// Slots up to here have been removed.
    cleared: u64,
    pages: Vec<PageRef>,
    /// Pages that are to be removed: replaced ones, and those of a folding that did not come to its end.
    stale: Vec<u64>,
    next_page: u64,
}

impl Record for Head {
    const VERSION: u32 = 1;
}

#[derive(Serialize, Deserialize, Clone)]
struct PageRef {
    /// The key number of the page.
    p: u64,
    /// The first place on it.
    f: u64,
    /// How many rows it has.
    c: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(bound = "R: Row")]
struct Page<R> {
    rows: Vec<(u64, String, R)>,
}

impl<R: Row> Record for Page<R> {
    const VERSION: u32 = 1;
}

/// What a touch gives back.
#[derive(Debug, Clone, Copy)]
pub struct Touch {
    /// The member's place in the list; to be kept with the member and given with its next touch.
    pub place: u64,
    /// Where the touch stands in the list's log.
    pub slot: u64,
    at_ms: u64,
}

/// A row of a list with the member it stands for.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed<R> {
    /// The member's place in the list.
    pub place: u64,
    /// The member's identifier.
    pub member: String,
    /// What the list shows of it.
    pub row: R,
}

/// One list.
#[derive(Clone)]
pub struct Roster {
    name: String,
    records: Records,
    leases: Leases,
    clock: Clock,
}

impl Roster {
    /// The list of this name.
    pub fn new(name: impl Into<String>, records: Records, leases: Leases, clock: Clock) -> Self {
        Self { name: name.into(), records, leases, clock }
    }

    /// Says that `member` is about to be made, changed or removed. `place` is what its first touch gave.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn touch(&self, member: &str, place: Option<u64>) -> Result<Touch, StoreError> {
        loop {
            let at_ms = self.clock.now_ms();
            let slot = self.records.increment(&keys::roster_counter(&self.name), 1).await?;
            let slot = u64::try_from(slot).unwrap_or(0);
            let place = place.unwrap_or(slot);
            self.records
                .set(&keys::roster_slot(&self.name, slot), &Slot { m: member.to_owned(), n: place, t: at_ms })
                .await?;
            let touch = Touch { place, slot, at_ms };
            // A folding may have passed a slot that took too long to be written.
            if self.is_fresh(&touch) {
                return Ok(touch);
            }
        }
    }

    fn is_fresh(&self, touch: &Touch) -> bool {
        self.clock.now_ms().saturating_sub(touch.at_ms) < SETTLE_MS / 2
    }

    /// To be called after the member's record was written: touches again if that took so long that a folding may
    /// have read the record too early.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn settled(&self, member: &str, touch: Touch) -> Result<(), StoreError> {
        if !self.is_fresh(&touch) {
            self.touch(member, Some(touch.place)).await?;
        }
        Ok(())
    }

    /// Whether whoever made the touch of this number should see to it that the list is folded: one in so many does, so
    /// that a log that nobody reads does not grow without end, and not everybody looks.
    pub fn is_long_at(slot: u64) -> bool {
        slot.is_multiple_of(FOLD_AT)
    }

    async fn head(&self) -> Result<Head, StoreError> {
        Ok(self.records.get(&keys::roster_head(&self.name)).await?.unwrap_or_default())
    }

    async fn last_slot(&self) -> Result<u64, StoreError> {
        let count = self.records.store().counter(keys::roster_counter(&self.name).as_str()).await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// How many touches wait to be folded.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn unfolded(&self) -> Result<u64, StoreError> {
        Ok(self.last_slot().await?.saturating_sub(self.head().await?.folded))
    }

    /// How many pages the folded part of the list has.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn pages(&self) -> Result<usize, StoreError> {
        Ok(self.head().await?.pages.len())
    }

    /// All rows in order of their places, each exactly once, whatever is folded meanwhile.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn list<R: Row>(&self, source: &impl RowSource<R>) -> Result<Vec<Listed<R>>, StoreError> {
        for _ in 0..MAX_READS {
            if let Some(rows) = self.try_list(source).await? {
                return Ok(rows);
            }
        }
        Err(self.too_restless())
    }

    fn too_restless(&self) -> StoreError {
        StoreError::Failed {
            operation: "get",
            key: keys::roster_head(&self.name).to_string(),
            reason: "the list changed too often while it was read".to_owned(),
        }
    }

    async fn try_list<R: Row>(&self, source: &impl RowSource<R>) -> Result<Option<Vec<Listed<R>>>, StoreError> {
        let head = self.head().await?;
        let (touched, slot_missing) = self.touched_since(&head).await?;
        let mut rows: Vec<Listed<R>> = Vec::with_capacity(head.pages.iter().map(|page| page.c as usize).sum());
        let refs: Vec<Key> = head.pages.iter().map(|page| keys::roster_page(&self.name, page.p)).collect();
        for keys in refs.chunks(FETCH_WIDTH) {
            let pages = futures::future::join_all(keys.iter().map(|key| self.records.get::<Page<R>>(key))).await;
            for page in pages {
                let Some(page) = page? else { return Ok(None) };
                for (place, member, row) in page.rows {
                    if !touched.contains_key(&place) {
                        rows.push(Listed { place, member, row });
                    }
                }
            }
        }
        // A missing slot is either not written yet, which is as if it never were, or folded and removed since.
        if slot_missing && self.head().await?.folded != head.folded {
            return Ok(None);
        }
        rows.extend(self.rows_of(source, &touched).await?.into_values());
        // Pages are in order already, so there are few pieces to be merged.
        rows.sort_by_key(|row| row.place);
        Ok(Some(rows))
    }

    /// The members touched since the last folding, by place, and whether a slot of the log is missing.
    async fn touched_since(&self, head: &Head) -> Result<(BTreeMap<u64, String>, bool), StoreError> {
        let last = self.last_slot().await?;
        let mut touched: BTreeMap<u64, String> = BTreeMap::new();
        let mut slot_missing = false;
        for slot in self.slots(head.folded + 1, last).await? {
            match slot {
                Some(slot) => {
                    touched.insert(slot.n, slot.m);
                }
                None => slot_missing = true,
            }
        }
        Ok((touched, slot_missing))
    }

    async fn slots(&self, first: u64, last: u64) -> Result<Vec<Option<Slot>>, StoreError> {
        let mut slots = Vec::new();
        let mut from = first;
        while from <= last {
            let to = last.min(from + FETCH_WIDTH as u64 - 1);
            let keys: Vec<Key> = (from..=to).map(|slot| keys::roster_slot(&self.name, slot)).collect();
            for slot in futures::future::join_all(keys.iter().map(|key| self.records.get::<Slot>(key))).await {
                slots.push(slot?);
            }
            from = to + 1;
        }
        Ok(slots)
    }

    /// Folds the log if it has grown long. `true` if it did.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn fold_if_long<R: Row>(&self, source: &impl RowSource<R>) -> Result<bool, StoreError> {
        if self.unfolded().await? < FOLD_AT {
            return Ok(false);
        }
        self.fold(source).await
    }

    /// Folds the settled part of the log into the pages, if nobody else is at it. `true` if anything was folded.
    ///
    /// # Errors
    /// The store's failure; what is not folded stays in the log.
    pub async fn fold<R: Row>(&self, source: &impl RowSource<R>) -> Result<bool, StoreError> {
        let lease_name = format!("roster/{}", self.name);
        let Some(mut lease) = self.leases.acquire(&lease_name).await? else { return Ok(false) };
        let result = self.fold_under(source, &mut lease).await;
        self.leases.release(lease).await?;
        result
    }

    async fn fold_under<R: Row>(
        &self,
        source: &impl RowSource<R>,
        lease: &mut super::lease::Lease,
    ) -> Result<bool, StoreError> {
        let mut head = self.head().await?;
        let last = self.last_slot().await?.min(head.folded + MAX_FOLDED_AT_ONCE);
        let slots = self.slots(head.folded + 1, last).await?;
        let settled = folding::settled_prefix(&slots, self.clock.now_ms());
        if settled == 0 {
            return Ok(false);
        }
        self.clear(&mut head).await?;
        let touched: BTreeMap<u64, String> =
            slots.into_iter().take(settled).flatten().map(|slot| (slot.n, slot.m)).collect();
        let mut folding =
            folding::Folding { roster: self, head: &head, touched, pages: Vec::new(), replaced: BTreeSet::new() };
        folding.gather(source).await?;
        let (pages, replaced) = (folding.pages, folding.replaced);

        // The numbers of the new pages are written down before the pages are, so that none is ever forgotten.
        let first_new = head.next_page;
        head.next_page += pages.len() as u64;
        head.stale.extend(first_new..head.next_page);
        if !self.leases.keep(lease).await? {
            return Ok(false);
        }
        self.records.set(&keys::roster_head(&self.name), &head).await?;
        let mut refs: Vec<PageRef> = head.pages.iter().filter(|page| !replaced.contains(&page.p)).cloned().collect();
        for (number, page) in (first_new..).zip(&pages) {
            self.records.set(&keys::roster_page(&self.name, number), page).await?;
            if let Some((first, _, _)) = page.rows.first() {
                refs.push(PageRef { p: number, f: *first, c: u32::try_from(page.rows.len()).unwrap_or(u32::MAX) });
            }
        }
        refs.sort_by_key(|page| page.f);
        head.pages = refs;
        head.stale = replaced.into_iter().collect();
        head.folded += settled as u64;
        if !self.leases.keep(lease).await? {
            return Ok(false);
        }
        self.records.set(&keys::roster_head(&self.name), &head).await?;
        Ok(true)
    }

    /// Removes what the last folding left behind: readers that began before it have long ended.
    async fn clear(&self, head: &mut Head) -> Result<(), StoreError> {
        let mut gone: Vec<Key> = head.stale.drain(..).map(|page| keys::roster_page(&self.name, page)).collect();
        gone.extend((head.cleared + 1..=head.folded).map(|slot| keys::roster_slot(&self.name, slot)));
        for some in gone.chunks(FETCH_WIDTH) {
            for done in futures::future::join_all(some.iter().map(|key| self.records.delete(key))).await {
                done?;
            }
        }
        head.cleared = head.folded;
        Ok(())
    }
}
