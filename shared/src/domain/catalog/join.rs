//! Reading two catalogs side by side.

use std::cmp::Ordering;
use std::collections::VecDeque;

use super::{CatalogCursor, CatalogFile};
use crate::domain::Core;
use crate::storage::StoreError;

/// What stands at the next path of two catalogs: at least one of them has a file there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Joined {
    /// The file of the first.
    pub first: Option<CatalogFile>,
    /// The file of the second.
    pub second: Option<CatalogFile>,
}

/// How far two catalogs have been read.
pub(crate) struct CatalogJoin<'a> {
    first: Side<'a>,
    second: Side<'a>,
}

struct Side<'a> {
    core: &'a Core,
    cursor: Option<CatalogCursor>,
    read: VecDeque<CatalogFile>,
}

impl<'a> Side<'a> {
    fn new(core: &'a Core, id: Option<&str>) -> Self {
        Self { core, cursor: id.map(CatalogCursor::new), read: VecDeque::new() }
    }

    async fn fill(&mut self) -> Result<(), StoreError> {
        if self.read.is_empty()
            && let Some(cursor) = &mut self.cursor
        {
            match self.core.next_files(cursor).await? {
                Some(files) => self.read.extend(files),
                None => self.cursor = None,
            }
        }
        Ok(())
    }

    fn path(&self) -> Option<&str> {
        self.read.front().map(|file| file.file.name.as_str())
    }
}

impl<'a> CatalogJoin<'a> {
    /// Before the first path of two catalogs. One that is not named has no files.
    pub fn new(core: &'a Core, first: Option<&str>, second: Option<&str>) -> Self {
        Self { first: Side::new(core, first), second: Side::new(core, second) }
    }

    /// What stands at the next path; `None` behind the last.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn next(&mut self) -> Result<Option<Joined>, StoreError> {
        self.first.fill().await?;
        self.second.fill().await?;
        let order = match (self.first.path(), self.second.path()) {
            (Some(first), Some(second)) => first.cmp(second),
            (Some(_), None) => Ordering::Less,
            (None, _) => Ordering::Greater,
        };
        let first = if order.is_le() { self.first.read.pop_front() } else { None };
        let second = if order.is_ge() { self.second.read.pop_front() } else { None };
        Ok((first.is_some() || second.is_some()).then_some(Joined { first, second }))
    }
}
