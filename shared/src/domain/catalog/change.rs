//! Changing a catalog: one page and the head.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::remove::MAX_NEW_PAGES;
use super::{Catalog, CatalogFile, CatalogRef, FILES_PER_PAGE, Leftovers, MAX_FILES, PAGE_BYTES, Page, PageRef};
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::intake::name::ShownName;
use crate::storage::{Lease, StoreError, keys};

/// Neighbours that have no more files than this together are joined when one of them shrinks, so that there are
/// never many more pages than the files need.
const JOIN_AT: u64 = (FILES_PER_PAGE / 2) as u64;

/// Bytes of an entry on a page without its texts, at most.
const ENTRY_BYTES: usize = 220;

/// What came of putting a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// There was none at its path.
    Added,
    /// The one at its path gave way.
    Replaced,
    /// There is one at its path, which was to be kept: nothing has changed.
    Duplicate,
}

/// A catalog under change: the head, and the pages that were read.
pub(super) struct Draft<'a> {
    pub core: &'a Core,
    pub id: &'a str,
    pub head: Catalog,
    pub pages: BTreeMap<u64, Vec<CatalogFile>>,
}

impl Draft<'_> {
    /// The files of the page at this place of the list.
    pub async fn page(&mut self, index: usize) -> Result<&mut Vec<CatalogFile>, StoreError> {
        let Some(page) = self.head.pages.get(index) else { return Ok(self.pages.entry(u64::MAX).or_default()) };
        match self.pages.entry(page.number) {
            Entry::Occupied(held) => Ok(held.into_mut()),
            Entry::Vacant(place) => {
                let files = self.core.catalog_page(self.id, page.number).await?;
                let key = keys::catalog_page(self.id, page.number).to_string();
                Ok(place.insert(files.ok_or(StoreError::Corrupt { key, reason: "it is missing".to_owned() })?))
            }
        }
    }

    /// The file at a path.
    pub async fn find(&mut self, path: &str) -> Result<Option<&CatalogFile>, StoreError> {
        let index = self.head.index_of(path);
        let files = self.page(index).await?;
        let at = files.binary_search_by(|found| found.file.name.as_str().cmp(path));
        Ok(at.ok().and_then(|at| files.get(at)))
    }

    async fn has(&mut self, path: &str) -> Result<bool, StoreError> {
        Ok(self.find(path).await?.is_some())
    }

    /// Refuses a path that is a folder of other files, or has a file among its folders: no archive could be unpacked.
    #[crate::boxed(?Send)]
    pub async fn demand_no_folder(&mut self, path: &str) -> Result<(), DomainError> {
        for (end, _) in path.match_indices('/') {
            let folder = path.get(..end).unwrap_or_default();
            if self.has(folder).await? {
                return Err(taken(folder));
            }
        }
        let below = format!("{path}/");
        let mut index = self.head.index_of(&below);
        while index < self.head.pages.len() {
            let files = self.page(index).await?;
            if let Some(found) = files.get(files.partition_point(|found| found.file.name < below)) {
                return if found.file.name.starts_with(&below) { Err(taken(path)) } else { Ok(()) };
            }
            index += 1;
        }
        Ok(())
    }

    /// Puts new pages in the place of `count` pages from `index` on. An empty list takes them away.
    pub fn replace(&mut self, index: usize, count: usize, new: Vec<Vec<CatalogFile>>) -> Vec<(u64, Page)> {
        let before = index.checked_sub(1).and_then(|before| self.head.pages.get(before));
        // Only the first page's bound may stay: it is no greater than what comes first now.
        let old_from = self.head.pages.get(index).map(|page| page.from.clone()).filter(|_| before.is_some());
        let mut written: Vec<(u64, Page)> = Vec::new();
        let mut refs = Vec::new();
        let mut last: Option<String> = None;
        for files in new {
            let first = files.first().map(|file| file.file.name.as_str()).unwrap_or_default();
            let from = match &last {
                Some(last) => separator(last, first),
                None => old_from.clone().unwrap_or_default(),
            };
            last = files.last().map(|file| file.file.name.clone());
            let number = self.head.next_page;
            self.head.next_page += 1;
            refs.push(PageRef { number, from, count: files.len() as u64 });
            written.push((number, Page { files }));
        }
        let end = index.saturating_add(count).min(self.head.pages.len());
        let old: Vec<PageRef> = self.head.pages.splice(index.min(end)..end, refs).collect();
        self.head.leftovers.pages.extend(old.iter().map(|page| page.number));
        if let Some(first) = self.head.pages.first_mut() {
            first.from = String::new();
        }
        written
    }
}

/// The shortest beginning of `next` that is greater than `last`.
pub(super) fn separator(last: &str, next: &str) -> String {
    let ends = next.char_indices().map(|(start, c)| start + c.len_utf8());
    ends.filter_map(|end| next.get(..end)).find(|beginning| *beginning > last).unwrap_or(next).to_owned()
}

/// Bytes that a file takes on a page at most: JSON doubles what it must escape, as control characters do not come.
pub(super) fn file_bytes(entry: &CatalogFile) -> usize {
    let CatalogFile { file, by, notes, wish, .. } = entry;
    let texts =
        [&file.name, by, &notes.format, &notes.content, &notes.description, &notes.tags, &file.sop_instance_uid];
    let reason = wish.as_ref().map_or(0, |wish| wish.reason.len());
    ENTRY_BYTES + 2 * (reason + texts.iter().map(|text| text.len()).sum::<usize>())
}

fn page_bytes(files: &[CatalogFile]) -> usize {
    files.iter().map(file_bytes).sum()
}

impl Core {
    /// Begins a change; what the last one left behind is removed first.
    pub(super) async fn draft<'a>(&'a self, catalog: CatalogRef<'a>) -> Result<Draft<'a>, StoreError> {
        let mut head = self.catalog(catalog.id).await?;
        self.remove_leftovers(catalog, &std::mem::take(&mut head.leftovers)).await?;
        Ok(Draft { core: self, id: catalog.id, head, pages: BTreeMap::new() })
    }

    /// Writes the new pages and then the head, and removes what is no longer in use. Many new pages are written down as
    /// reserved before.
    pub(super) async fn commit_draft(
        &self,
        lease: &mut Lease,
        catalog: CatalogRef<'_>,
        head: &Catalog,
        pages: Vec<(u64, Page)>,
    ) -> Result<(), DomainError> {
        if pages.len() as u64 > MAX_NEW_PAGES
            && let Some((first, _)) = pages.first()
        {
            self.reserve_pages(lease, catalog, *first..head.next_page).await?;
        }
        for (number, page) in &pages {
            if !self.leases.keep(lease).await? {
                return Err(busy());
            }
            self.records.set(&keys::catalog_page(catalog.id, *number), page).await?;
        }
        if !self.leases.keep(lease).await? {
            return Err(busy());
        }
        match self.records.set(&keys::catalog(catalog.id), head).await {
            Err(StoreError::TooLarge { .. }) => return Err(full()),
            done => done?,
        }
        // The change is done; should this fail, the next one does it.
        if let Err(error) = self.remove_leftovers(catalog, &head.leftovers).await {
            eprintln!("what a change of a resource left behind stays until the next change: {error}");
        }
        Ok(())
    }

    /// Puts a file, whose bytes lie in a pack that is committed already. With `overwrite` it takes the
    /// place of one that is there, whose pack is then released unless others lie in it too.
    ///
    /// # Errors
    /// [`DomainError::Invalid`] if the catalog is full or the path is a folder's, [`DomainError::Busy`] if the lease
    /// has run out, or the store's failure: the file may or may not be there then.
    pub(crate) async fn put_file(
        &self,
        lease: &mut Lease,
        catalog: CatalogRef<'_>,
        new: CatalogFile,
        overwrite: bool,
    ) -> Result<Put, DomainError> {
        let mut draft = self.draft(catalog).await?;
        let index = draft.head.index_of(&new.file.name);
        let at = draft.page(index).await?.binary_search_by(|found| found.file.name.cmp(&new.file.name));
        if at.is_ok() && !overwrite {
            return Ok(Put::Duplicate);
        }
        if at.is_err() {
            if draft.head.files >= MAX_FILES {
                return Err(full());
            }
            draft.demand_no_folder(&new.file.name).await?;
        }
        let (len, pack) = (new.file.extent.len, new.file.pack);
        let mut files = std::mem::take(draft.page(index).await?);
        let outcome = match at {
            Ok(at) => {
                if let Some(place) = files.get_mut(at) {
                    let old = std::mem::replace(place, new);
                    draft.head.bytes = draft.head.bytes.saturating_sub(old.file.extent.len);
                    if old.file.pack != pack {
                        self.leave_behind(&mut draft.head.leftovers, &old.file).await?;
                    }
                }
                Put::Replaced
            }
            Err(at) => {
                files.insert(at.min(files.len()), new);
                draft.head.files += 1;
                Put::Added
            }
        };
        draft.head.bytes = draft.head.bytes.saturating_add(len);
        let mut new_pages = vec![files];
        if let Some(files) = new_pages.first_mut()
            && files.len() > 1
            && (files.len() > FILES_PER_PAGE || page_bytes(files) > PAGE_BYTES)
        {
            // Names mostly come in their order: then the full page stays full.
            let is_append = at == Err(files.len() - 1) && index + 1 >= draft.head.pages.len();
            let cut = if is_append { files.len() - 1 } else { files.len() / 2 };
            let rest = files.split_off(cut);
            new_pages.push(rest);
        }
        let pages = draft.replace(index, 1, new_pages);
        self.commit_draft(lease, catalog, &draft.head, pages).await?;
        Ok(outcome)
    }

    /// Removes the file at a path and releases its pack. `false` if there is none.
    ///
    /// # Errors
    /// [`DomainError::Busy`] if the lease has run out, or the store's failure.
    pub(crate) async fn remove_file(
        &self,
        lease: &mut Lease,
        catalog: CatalogRef<'_>,
        path: &str,
    ) -> Result<bool, DomainError> {
        let mut draft = self.draft(catalog).await?;
        let index = draft.head.index_of(path);
        let mut files = std::mem::take(draft.page(index).await?);
        let Ok(at) = files.binary_search_by(|found| found.file.name.as_str().cmp(path)) else { return Ok(false) };
        let old = files.remove(at);
        draft.head.files = draft.head.files.saturating_sub(1);
        draft.head.bytes = draft.head.bytes.saturating_sub(old.file.extent.len);
        self.leave_behind(&mut draft.head.leftovers, &old.file).await?;
        let left = files.len() as u64;
        let fits = |page: Option<&PageRef>| page.is_some_and(|page| left > 0 && page.count + left <= JOIN_AT);
        let neighbour = if fits(draft.head.pages.get(index + 1)) {
            Some(index + 1)
        } else {
            index.checked_sub(1).filter(|before| fits(draft.head.pages.get(*before)))
        };
        let mut place = (index, 1);
        if let Some(neighbour) = neighbour {
            let mut others = draft.page(neighbour).await?.clone();
            if page_bytes(&others).saturating_add(page_bytes(&files)) <= PAGE_BYTES {
                place = (index.min(neighbour), 2);
                files.append(&mut others);
                files.sort_by(|a, b| a.file.name.cmp(&b.file.name));
            }
        }
        let new = if files.is_empty() { Vec::new() } else { vec![files] };
        let pages = draft.replace(place.0, place.1, new);
        self.commit_draft(lease, catalog, &draft.head, pages).await?;
        Ok(true)
    }

    /// Takes all files out of a catalog. They are gone from then on; [`Core::remove_catalog`], which may take long, is
    /// to follow, and nothing may be put into this catalog again.
    ///
    /// # Errors
    /// [`DomainError::Busy`] if the lease has run out, or the store's failure.
    pub(crate) async fn clear_catalog(&self, lease: &mut Lease, catalog: CatalogRef<'_>) -> Result<(), DomainError> {
        let Draft { head, .. } = self.draft(catalog).await?;
        let cleared = head.pages.iter().map(|page| page.number).collect();
        let leftovers = Leftovers { cleared, ..Leftovers::default() };
        let empty = Catalog { next_page: head.next_page, leftovers, ..Catalog::default() };
        if !self.leases.keep(lease).await? {
            return Err(busy());
        }
        Ok(self.records.set(&keys::catalog(catalog.id), &empty).await?)
    }
}

/// A file stands where a folder is to be, or a folder where a file.
pub(crate) fn taken(path: &str) -> DomainError {
    DomainError::Invalid {
        what: format!("The resource has {} as a file or a folder already; choose another path.", ShownName::new(path)),
    }
}

pub(super) fn busy() -> DomainError {
    DomainError::Busy { what: "the resource".to_owned() }
}

pub(crate) fn full() -> DomainError {
    DomainError::Invalid {
        what: format!(
            "The resource is full: it may have at most {MAX_FILES} files, and fewer if their paths are very long. Put \
             the others into another resource."
        ),
    }
}
