//! Reading a part of a list at the cost of that part.

use std::collections::BTreeMap;

use super::{FETCH_WIDTH, Listed, MAX_READS, Page, Roster, Row, RowSource};
use crate::storage::keys;
use crate::storage::store::StoreError;

/// A part of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Part<R> {
    /// The rows, in order of their places.
    pub rows: Vec<Listed<R>>,
    /// How many rows were passed over before them; fewer than asked for only if the list has no more.
    pub passed: usize,
}

/// Cuts the part out of rows that come in order.
struct Cutter<R> {
    offset: usize,
    limit: usize,
    part: Part<R>,
}

impl<R> Cutter<R> {
    fn is_full(&self) -> bool {
        self.part.rows.len() >= self.limit
    }

    /// Whether so many rows can be passed over without being looked at.
    fn pass(&mut self, rows: usize) -> bool {
        let fits = self.part.passed.saturating_add(rows) <= self.offset;
        if fits {
            self.part.passed += rows;
        }
        fits
    }

    fn take(&mut self, row: Listed<R>) {
        if self.part.passed < self.offset {
            self.part.passed += 1;
        } else if !self.is_full() {
            self.part.rows.push(row);
        }
    }
}

impl Roster {
    /// At most `limit` rows in order of their places, after the first `offset`. Pages that lie before are not read,
    /// unless members on them were touched lately.
    ///
    /// # Errors
    /// The store's failure.
    pub async fn page<R: Row>(
        &self,
        source: &impl RowSource<R>,
        offset: usize,
        limit: usize,
    ) -> Result<Part<R>, StoreError> {
        for _ in 0..MAX_READS {
            if let Some(part) = self.try_page(source, offset, limit).await? {
                return Ok(part);
            }
        }
        Err(self.too_restless())
    }

    async fn try_page<R: Row>(
        &self,
        source: &impl RowSource<R>,
        offset: usize,
        limit: usize,
    ) -> Result<Option<Part<R>>, StoreError> {
        let head = self.head().await?;
        let (mut touched, slot_missing) = self.touched_since(&head).await?;
        let mut cutter = Cutter { offset, limit, part: Part { rows: Vec::new(), passed: 0 } };
        for (index, page) in head.pages.iter().enumerate() {
            if cutter.is_full() {
                break;
            }
            // A touched member belongs to the page whose range its place falls into, whether it still stands there or
            // not; what lies behind the last page comes after it.
            let later = match head.pages.get(index + 1) {
                Some(next) => touched.split_off(&next.f),
                None => BTreeMap::new(),
            };
            let here = std::mem::replace(&mut touched, later);
            if here.is_empty() && cutter.pass(usize::try_from(page.c).unwrap_or(usize::MAX)) {
                continue;
            }
            let Some(held) = self.records.get::<Page<R>>(&keys::roster_page(&self.name, page.p)).await? else {
                return Ok(None);
            };
            let mut rows = self.rows_of(source, &here).await?;
            for (place, member, row) in held.rows {
                if !here.contains_key(&place) {
                    rows.insert(place, Listed { place, member, row });
                }
            }
            rows.into_values().for_each(|row| cutter.take(row));
        }
        if !cutter.is_full() {
            self.rows_of(source, &touched).await?.into_values().for_each(|row| cutter.take(row));
        }
        // A missing slot is either not written yet, which is as if it never were, or folded and removed since.
        if slot_missing && self.head().await?.folded != head.folded {
            return Ok(None);
        }
        Ok(Some(cutter.part))
    }

    pub(super) async fn rows_of<R: Row>(
        &self,
        source: &impl RowSource<R>,
        touched: &BTreeMap<u64, String>,
    ) -> Result<BTreeMap<u64, Listed<R>>, StoreError> {
        let mut rows = BTreeMap::new();
        let touched: Vec<(&u64, &String)> = touched.iter().collect();
        for some in touched.chunks(FETCH_WIDTH) {
            let found = futures::future::join_all(some.iter().map(|(place, member)| source.row(member, **place))).await;
            for ((place, member), row) in some.iter().zip(found) {
                if let Some(row) = row? {
                    rows.insert(**place, Listed { place: **place, member: (*member).clone(), row });
                }
            }
        }
        Ok(rows)
    }
}
