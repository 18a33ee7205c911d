//! Folding: what becomes of the pages when the settled part of the log is taken into them.

use std::collections::{BTreeMap, BTreeSet};

use super::{FETCH_WIDTH, Head, Page, Roster, Row, RowSource, SETTLE_MS, Slot};
use crate::storage::keys;
use crate::storage::store::StoreError;

/// Rows on a full page, and encoded bytes: a page stays well below the largest record.
const PAGE_ROWS: usize = 300;
const PAGE_BYTES: usize = 160 * 1024;

/// How many nearly empty pages one folding draws together beside those it must rewrite.
const MAX_MERGED_PAGES: usize = 32;

/// How many slots from the start of the log can be folded.
pub(super) fn settled_prefix(slots: &[Option<Slot>], now_ms: u64) -> usize {
    let is_settled = |slot: &Slot| slot.t.saturating_add(SETTLE_MS) < now_ms;
    // A slot that is still missing when a later one has settled was lost with its writer.
    let last_settled = slots.iter().rposition(|slot| slot.as_ref().is_some_and(is_settled));
    let first_open = slots.iter().position(|slot| slot.as_ref().is_some_and(|slot| !is_settled(slot)));
    match (last_settled, first_open) {
        (None, _) => 0,
        (Some(last), None) => last + 1,
        (Some(last), Some(open)) => (last + 1).min(open),
    }
}

/// One folding's work on the pages.
pub(super) struct Folding<'a, R> {
    pub(super) roster: &'a Roster,
    pub(super) head: &'a Head,
    pub(super) touched: BTreeMap<u64, String>,
    pub(super) pages: Vec<Page<R>>,
    pub(super) replaced: BTreeSet<u64>,
}

impl<R: Row> Folding<'_, R> {
    pub(super) async fn gather(&mut self, source: &impl RowSource<R>) -> Result<(), StoreError> {
        let mut rows: Vec<(u64, String, R)> = Vec::new();
        let touched: Vec<(u64, String)> = std::mem::take(&mut self.touched).into_iter().collect();
        let places: BTreeSet<u64> = touched.iter().map(|(place, _)| *place).collect();
        let mut small_pages = 0;
        for (index, page) in self.head.pages.iter().enumerate() {
            let next = self.head.pages.get(index + 1).map_or(u64::MAX, |next| next.f);
            let is_touched = places.range(page.f..next).next().is_some();
            // Pages that deletions have left nearly empty are drawn together, so that the list's cost follows
            // what is alive.
            let is_small =
                usize::try_from(page.c).unwrap_or(PAGE_ROWS) < PAGE_ROWS / 4 && small_pages < MAX_MERGED_PAGES;
            if !is_touched && !is_small {
                continue;
            }
            small_pages += usize::from(!is_touched);
            let key = keys::roster_page(&self.roster.name, page.p);
            if let Some(held) = self.roster.records.get::<Page<R>>(&key).await? {
                rows.extend(held.rows.into_iter().filter(|(place, _, _)| !places.contains(place)));
            }
            self.replaced.insert(page.p);
        }
        for some in touched.chunks(FETCH_WIDTH) {
            let found = futures::future::join_all(some.iter().map(|(place, member)| source.row(member, *place))).await;
            for ((place, member), row) in some.iter().zip(found) {
                if let Some(row) = row? {
                    rows.push((*place, member.clone(), row));
                }
            }
        }
        rows.sort_by_key(|(place, _, _)| *place);
        self.cut(rows);
        Ok(())
    }

    /// Cuts the rows into pages; a page never spans one that was left alone.
    fn cut(&mut self, rows: Vec<(u64, String, R)>) {
        let kept: BTreeSet<u64> =
            self.head.pages.iter().filter(|page| !self.replaced.contains(&page.p)).map(|page| page.f).collect();
        let mut page: Vec<(u64, String, R)> = Vec::new();
        let mut bytes = 0;
        for entry in rows {
            let size = serde_json::to_vec(&entry).map_or(PAGE_BYTES, |json| json.len());
            let spans = page.first().is_some_and(|first| kept.range(first.0..entry.0).next().is_some());
            if !page.is_empty() && (page.len() >= PAGE_ROWS || bytes + size > PAGE_BYTES || spans) {
                self.pages.push(Page { rows: std::mem::take(&mut page) });
                bytes = 0;
            }
            bytes += size;
            page.push(entry);
        }
        if !page.is_empty() {
            self.pages.push(Page { rows: page });
        }
    }
}
