//! Putting many files into a catalog at once, or taking many out of it: all of them, or none.

use std::collections::BTreeSet;

use super::change::{Draft, file_bytes, full};
use super::paths::Clashes;
use super::{Catalog, CatalogFile, CatalogRef, FILES_PER_PAGE, Leftovers, MAX_FILES, PAGE_BYTES};
use crate::domain::Core;
use crate::domain::error::DomainError;
use crate::intake::name::ShownName;
use crate::storage::{Lease, StoreError, keys};

/// Of two lists of files in the order of their paths, one; a new file takes the place of an old one.
fn merged(old: Vec<CatalogFile>, new: Vec<CatalogFile>) -> Vec<CatalogFile> {
    let mut files: Vec<CatalogFile> = new.into_iter().chain(old).collect();
    // The sort keeps the new one before the old.
    files.sort_by(|a, b| a.file.name.cmp(&b.file.name));
    files.dedup_by(|later, earlier| later.file.name == earlier.file.name);
    files
}

/// Files cut into pages.
fn paged(files: Vec<CatalogFile>) -> Vec<Vec<CatalogFile>> {
    let mut pages: Vec<Vec<CatalogFile>> = Vec::new();
    let mut bytes = 0;
    for file in files {
        let size = file_bytes(&file);
        match pages.last_mut() {
            Some(page) if page.len() < FILES_PER_PAGE && bytes + size <= PAGE_BYTES => {
                page.push(file);
                bytes += size;
            }
            _ => {
                pages.push(vec![file]);
                bytes = size;
            }
        }
    }
    pages
}

/// Refuses paths, which come in order, of which one is a folder of others.
pub(crate) fn demand_no_clash<'a>(mut paths: impl Iterator<Item = &'a str>) -> Result<(), DomainError> {
    let mut clashes = Clashes::default();
    match paths.find_map(|path| clashes.next(path)) {
        None => Ok(()),
        Some(path) => Err(DomainError::Invalid {
            what: format!("{} is both a file and a folder among the files sent.", ShownName::new(&path)),
        }),
    }
}

impl Core {
    /// Puts files, whose packs are committed already, with one write that makes all of them seen. With `overwrite` they
    /// take the place of those that are there; without, what is there stays, and the paths are given back.
    ///
    /// # Errors
    /// As [`Core::put_file`]; nothing has changed then, unless the store failed.
    pub(crate) async fn put_files(
        &self,
        lease: &mut Lease,
        catalog: CatalogRef<'_>,
        mut new: Vec<CatalogFile>,
        overwrite: bool,
    ) -> Result<Vec<String>, DomainError> {
        let mut draft = self.draft(catalog).await?;
        new.sort_by(|a, b| a.file.name.cmp(&b.file.name));
        new.dedup_by(|later, earlier| later.file.name == earlier.file.name);
        let mut duplicates = Vec::new();
        let mut wanted = Vec::with_capacity(new.len());
        let mut replaced: BTreeSet<u64> = BTreeSet::new();
        for file in new {
            let path = file.file.name.as_str();
            match draft.find(path).await?.map(|found| found.file.extent.len) {
                Some(_) if !overwrite => duplicates.push(path.to_owned()),
                Some(old_bytes) => {
                    draft.head.bytes = draft.head.bytes.saturating_sub(old_bytes);
                    let page = draft.head.pages.get(draft.head.index_of(path));
                    replaced.extend(page.map(|page| page.number));
                    wanted.push(file);
                }
                None => {
                    draft.demand_no_folder(path).await?;
                    draft.head.files += 1;
                    wanted.push(file);
                }
            }
            self.keep_reading(lease).await?;
        }
        if draft.head.files > MAX_FILES {
            return Err(full());
        }
        demand_no_clash(wanted.iter().map(|file| file.file.name.as_str()))?;
        if wanted.is_empty() {
            return Ok(duplicates);
        }
        for file in &wanted {
            draft.head.bytes = draft.head.bytes.saturating_add(file.file.extent.len);
        }
        let mut pages = Vec::new();
        // From the last page to the first, so that the places of those before stay as they are.
        while let Some(last) = wanted.last() {
            let index = draft.head.index_of(&last.file.name);
            let from = draft.head.pages.get(index).map(|page| page.from.clone()).unwrap_or_default();
            let cut = if index == 0 { 0 } else { wanted.partition_point(|file| file.file.name < from) };
            let here = wanted.split_off(cut);
            let old = std::mem::take(draft.page(index).await?);
            pages.extend(draft.replace(index, 1, paged(merged(old, here))));
        }
        let leftovers = &mut draft.head.leftovers;
        leftovers.pages.retain(|page| !replaced.contains(page));
        leftovers.replaced.extend(replaced);
        self.commit_draft(lease, catalog, &draft.head, pages).await?;
        Ok(duplicates)
    }

    /// Divides files into those that could be put into a catalog as it is, and those whose paths are there already or
    /// would be both a file and a folder.
    ///
    /// # Errors
    /// [`DomainError::Busy`] if the lease has run out, or the store's failure.
    pub(crate) async fn fitting(
        &self,
        lease: &mut Lease,
        catalog: CatalogRef<'_>,
        files: Vec<CatalogFile>,
    ) -> Result<(Vec<CatalogFile>, Vec<CatalogFile>), DomainError> {
        let mut draft = self.draft(catalog).await?;
        let (mut fitting, mut others) = (Vec::new(), Vec::new());
        for file in files {
            let path = file.file.name.as_str();
            let fits = match draft.find(path).await? {
                Some(_) => false,
                None => match draft.demand_no_folder(path).await {
                    Ok(()) => true,
                    Err(DomainError::Invalid { .. }) => false,
                    Err(error) => return Err(error),
                },
            };
            if fits {
                fitting.push(file)
            } else {
                others.push(file)
            }
            self.keep_reading(lease).await?;
        }
        Ok((fitting, others))
    }

    /// Lets a catalog list these of its files only, with one write. The packs of the others are not touched: they are
    /// listed elsewhere, or gone.
    ///
    /// # Errors
    /// [`DomainError::Busy`] if the lease has run out, or the store's failure.
    pub(crate) async fn keep_only(
        &self,
        lease: &mut Lease,
        catalog: CatalogRef<'_>,
        kept: Vec<CatalogFile>,
    ) -> Result<(), DomainError> {
        let mut draft = self.draft(catalog).await?;
        draft.head.files = kept.len() as u64;
        draft.head.bytes = kept.iter().map(|file| file.file.extent.len).fold(0, u64::saturating_add);
        let count = draft.head.pages.len();
        let pages = draft.replace(0, count, paged(kept));
        self.commit_draft(lease, catalog, &draft.head, pages).await
    }

    /// Removes the files at paths that `is_wanted` picks with one write, and releases their packs. Gives how many they
    /// were.
    ///
    /// # Errors
    /// As [`Core::remove_file`].
    pub(crate) async fn remove_files(
        &self,
        lease: &mut Lease,
        catalog: CatalogRef<'_>,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<u64, DomainError> {
        let mut draft = self.draft(catalog).await?;
        let (mut removed, mut touched) = (0_u64, Vec::new());
        for index in 0..draft.head.pages.len() {
            let gone = draft.page(index).await?.iter().filter(|found| is_wanted(&found.file.name));
            let (count, bytes) =
                gone.fold((0_u64, 0_u64), |(count, bytes), found| (count + 1, bytes + found.file.extent.len));
            if count > 0 {
                touched.push(index);
                draft.head.files = draft.head.files.saturating_sub(count);
                draft.head.bytes = draft.head.bytes.saturating_sub(bytes);
                removed += count;
            }
            draft.pages.clear();
            self.keep_reading(lease).await?;
        }
        let (Some(first), Some(last)) = (touched.first().copied(), touched.last().copied()) else { return Ok(0) };
        // Those pages are written anew from the first to the last, so that no more are left than the files need.
        let mut left = Vec::new();
        for index in first..=last {
            left.extend(
                std::mem::take(draft.page(index).await?).into_iter().filter(|found| !is_wanted(&found.file.name)),
            );
            draft.pages.clear();
        }
        let old: Vec<u64> =
            draft.head.pages.iter().skip(first).take(last + 1 - first).map(|page| page.number).collect();
        let pages = draft.replace(first, last + 1 - first, paged(left));
        // Of each of these pages what has gone is given back.
        draft.head.leftovers.pages.retain(|page| !old.contains(page));
        draft.head.leftovers.replaced.extend(old);
        self.commit_draft(lease, catalog, &draft.head, pages).await?;
        Ok(removed)
    }

    /// Looks whether files of these paths could be put into a catalog, and changes nothing. Gives those of the paths that
    /// it has.
    ///
    /// # Errors
    /// [`DomainError::Invalid`] if the catalog would be too full or a path is a folder's, or the store's failure.
    pub(crate) async fn check_paths<'a>(
        &self,
        id: &str,
        paths: impl Iterator<Item = &'a str>,
    ) -> Result<Vec<String>, DomainError> {
        let head = self.catalog(id).await?;
        let mut draft = Draft { core: self, id, head, pages: Default::default() };
        let mut there = Vec::new();
        for path in paths {
            if draft.find(path).await?.is_some() {
                there.push(path.to_owned());
                continue;
            }
            draft.demand_no_folder(path).await?;
            draft.head.files += 1;
        }
        if draft.head.files > MAX_FILES { Err(full()) } else { Ok(there) }
    }

    /// Counts files and bytes anew, and puts the head right. Gives whether it was wrong.
    ///
    /// # Errors
    /// [`DomainError::Busy`] if the lease has run out, or the store's failure.
    pub(crate) async fn recount_catalog(
        &self,
        lease: &mut Lease,
        catalog: CatalogRef<'_>,
    ) -> Result<bool, DomainError> {
        let mut draft = self.draft(catalog).await?;
        let (mut files, mut bytes) = (0_u64, 0_u64);
        let mut counts = Vec::with_capacity(draft.head.pages.len());
        for index in 0..draft.head.pages.len() {
            let page = draft.page(index).await?;
            files += page.len() as u64;
            bytes = page.iter().map(|file| file.file.extent.len).fold(bytes, u64::saturating_add);
            counts.push(page.len() as u64);
            draft.pages.clear();
            self.keep_reading(lease).await?;
        }
        let is_right = (draft.head.files, draft.head.bytes) == (files, bytes)
            && draft.head.pages.iter().zip(&counts).all(|(page, count)| page.count == *count);
        if is_right {
            return Ok(false);
        }
        (draft.head.files, draft.head.bytes) = (files, bytes);
        draft.head.pages.iter_mut().zip(counts).for_each(|(page, count)| page.count = count);
        self.commit_draft(lease, catalog, &draft.head, Vec::new()).await?;
        Ok(true)
    }

    /// Writes down which pages are about to be written, so that they are removed should nothing come of it.
    pub(super) async fn reserve_pages(
        &self,
        lease: &mut Lease,
        catalog: CatalogRef<'_>,
        numbers: std::ops::Range<u64>,
    ) -> Result<(), DomainError> {
        let head = self.catalog(catalog.id).await?;
        let next_page = numbers.end;
        let leftovers = Leftovers { pages: numbers.collect(), ..Leftovers::default() };
        self.keep_reading(lease).await?;
        let head = Catalog { next_page, leftovers, ..head };
        match self.records.set(&keys::catalog(catalog.id), &head).await {
            Err(StoreError::TooLarge { .. }) => Err(full()),
            done => Ok(done?),
        }
    }

    async fn keep_reading(&self, lease: &mut Lease) -> Result<(), DomainError> {
        match self.leases.keep(lease).await? {
            true => Ok(()),
            false => Err(super::change::busy()),
        }
    }
}
