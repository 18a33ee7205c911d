//! Refreshing catalogs: looking whether what they list is there and is what it was, and putting right what is not.
//!
//! Readers hold nothing, so a refresh reads without a lease; it takes the item's for each change that it makes. A file
//! is looked at a page's worth at a time.

mod check;

pub use check::FileState;

use super::Core;
use super::archive::Experiment;
use super::catalog::{CatalogCursor, CatalogRef};
use super::error::DomainError;
use super::manifest::{FileEntry, Manifest, Resource};
use super::resource::{CountedResource, named};
use super::shelf::ShelfOf;

/// What is to be done beside looking whether every file's pack is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RefreshOptions {
    /// Read every file: compare it with its CRC-32 and digest, and take digests that are missing.
    pub checksum: bool,
    /// Remove the entries of files whose bytes are gone.
    pub delete: bool,
    /// Count files and bytes anew.
    pub populate_stats: bool,
}

/// What is to be refreshed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshTarget {
    /// Whose resources: an experiment's own and those of its scans, or those of another item.
    pub of: ShelfOf,
    /// One resource of it, by its label or number, or all.
    pub resource: Option<String>,
}

/// What a refresh found and did in one resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refreshed {
    /// The scan, if it is one's resource.
    pub scan: Option<String>,
    /// The identifier of the assessor, if it is one's resource.
    pub assessor: Option<String>,
    /// The resource's label.
    pub label: String,
    /// Its number.
    pub number: u64,
    /// Files that it lists now.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Digests that were taken.
    pub digests_taken: u64,
    /// The paths of files that are not what they were; those beyond [`MAX_NAMED`] are only counted.
    pub damaged: Vec<String>,
    /// How many they are.
    pub damaged_count: u64,
    /// The paths of files whose bytes are gone.
    pub missing: Vec<String>,
    /// How many they are.
    pub missing_count: u64,
    /// How many of their entries were removed.
    pub removed: u64,
    /// Whether the numbers of files and bytes were wrong and were put right.
    pub was_miscounted: bool,
}

/// Files of one resource that are named, at most.
pub const MAX_NAMED: usize = 100;

impl Refreshed {
    fn note(&mut self, name: &str, state: FileState) {
        let list = match state {
            FileState::Fine => return,
            FileState::DigestTaken => {
                self.digests_taken += 1;
                return;
            }
            FileState::Damaged => {
                self.damaged_count += 1;
                &mut self.damaged
            }
            FileState::Missing => {
                self.missing_count += 1;
                &mut self.missing
            }
        };
        if list.len() < MAX_NAMED {
            list.push(name.to_owned());
        }
    }
}

impl Core {
    /// Refreshes the catalogs of an item. An experiment's are its own and those of all its scans and assessors.
    ///
    /// # Errors
    /// [`DomainError::NotFound`], [`DomainError::Refused`] if something would change in an experiment that is locked,
    /// [`DomainError::Busy`], or the store's failure; what was done until then stays.
    #[crate::boxed(?Send)]
    pub async fn refresh(
        &self,
        target: &RefreshTarget,
        options: RefreshOptions,
    ) -> Result<Vec<Refreshed>, DomainError> {
        let mut done = Vec::new();
        let (own, only) = (target.of.clone(), target.resource.as_deref());
        if let ShelfOf::Experiment(id) | ShelfOf::Scan { experiment: id, .. } = &target.of {
            let experiment = self.experiment_that_is(id).await?;
            if options.delete || options.populate_stats {
                experiment.demand_unlocked()?;
                self.demand_session_unlocked(&experiment).await?;
            }
            let wanted = match &target.of {
                ShelfOf::Scan { scan, .. } => Some(scan.as_str()),
                // A resource of an experiment is one of its own.
                _ if only.is_some() => None,
                _ => Some(""),
            };
            if let Some(scan) = wanted {
                self.refresh_scans(&experiment, scan, only, options, &mut done).await?;
            }
        }
        if !matches!(own, ShelfOf::Scan { .. }) {
            let counted = self.shelf_resources(&own).await?;
            self.refresh_shelf(&own, None, &counted, only, options, &mut done).await?;
        }
        if let (ShelfOf::Experiment(id), None) = (&own, only) {
            self.refresh_assessors(id, options, &mut done).await?;
        }
        match only {
            Some(name) if done.is_empty() => Err(DomainError::not_found("resource", name)),
            _ => Ok(done),
        }
    }

    /// Refreshes the resources of the assessors of a session.
    async fn refresh_assessors(
        &self,
        session: &str,
        options: RefreshOptions,
        done: &mut Vec<Refreshed>,
    ) -> Result<(), DomainError> {
        let session = self.experiment_that_is(session).await?;
        for assessor in self.assessors_of(&session).await? {
            let counted = self.counted_resources(&assessor.resources).await?;
            let (of, before) = (ShelfOf::Experiment(assessor.id.clone()), done.len());
            self.refresh_shelf(&of, None, &counted, None, options, done).await?;
            done.iter_mut().skip(before).for_each(|one| one.assessor = Some(assessor.id.clone()));
        }
        Ok(())
    }

    /// Refreshes the resources of one scan of an experiment, or of all if `scan` is empty.
    async fn refresh_scans(
        &self,
        experiment: &Experiment,
        scan: &str,
        only: Option<&str>,
        options: RefreshOptions,
        done: &mut Vec<Refreshed>,
    ) -> Result<(), DomainError> {
        let manifest = self.manifest(&experiment.manifest).await?;
        let mut scans = self.scans_of(experiment, &manifest).await?;
        scans.retain(|stored| scan.is_empty() || stored.scan.id == scan);
        if scans.is_empty() && !scan.is_empty() {
            return Err(DomainError::not_found("scan", scan));
        }
        for stored in scans {
            let of = ShelfOf::Scan { experiment: experiment.id.clone(), scan: stored.scan.id.clone() };
            let is_wanted = |resource: &&Resource| {
                only.is_none_or(|name| resource.label == name || resource.number.to_string() == name)
            };
            for resource in stored.resources.iter().filter(is_wanted) {
                let refreshed = self.refresh_images(&of, &manifest, resource, options).await?;
                done.push(Refreshed { scan: Some(stored.scan.id.clone()), ..refreshed });
            }
            self.refresh_shelf(&of, Some(&stored.scan.id), &stored.shelf, only, options, done).await?;
        }
        Ok(())
    }

    async fn refresh_images(
        &self,
        of: &ShelfOf,
        manifest: &Manifest,
        resource: &Resource,
        options: RefreshOptions,
    ) -> Result<Refreshed, DomainError> {
        let mut refreshed = Refreshed {
            label: resource.label.clone(),
            number: resource.number,
            files: resource.count,
            bytes: resource.bytes,
            ..Refreshed::default()
        };
        let mut page = 0;
        while let Some(files) = self.files_on_page(manifest, resource, page).await? {
            page += 1;
            let gone = self.check_page(&files, options, &mut refreshed).await?;
            self.remove_entries(of, gone, options, &mut refreshed).await?;
        }
        Ok(refreshed)
    }

    async fn refresh_shelf(
        &self,
        of: &ShelfOf,
        scan: Option<&str>,
        resources: &[CountedResource],
        only: Option<&str>,
        options: RefreshOptions,
        done: &mut Vec<Refreshed>,
    ) -> Result<(), DomainError> {
        for CountedResource { resource, catalog } in resources {
            if only.is_some_and(|name| !resource.is_named(name)) {
                continue;
            }
            let mut refreshed = Refreshed {
                scan: scan.map(str::to_owned),
                label: resource.label.clone(),
                number: resource.number,
                files: catalog.files,
                bytes: catalog.bytes,
                ..Refreshed::default()
            };
            if options.populate_stats {
                self.recount(of, &resource.catalog, &mut refreshed).await?;
            }
            let mut cursor = CatalogCursor::new(&resource.catalog);
            while let Some(files) = self.next_files(&mut cursor).await? {
                let files: Vec<FileEntry> = files.into_iter().map(|found| found.file).collect();
                let gone = self.check_page(&files, options, &mut refreshed).await?;
                self.remove_entries(of, gone, options, &mut refreshed).await?;
            }
            done.push(refreshed);
        }
        Ok(())
    }

    /// Looks at some files; gives those whose bytes are gone.
    async fn check_page(
        &self,
        files: &[FileEntry],
        options: RefreshOptions,
        refreshed: &mut Refreshed,
    ) -> Result<Vec<FileEntry>, DomainError> {
        let states = self.check_files(files, options.checksum, options.delete).await?;
        let mut gone = Vec::new();
        for (file, state) in files.iter().zip(states) {
            refreshed.note(&file.name, state);
            if state == FileState::Missing {
                gone.push(file.clone());
            }
        }
        Ok(gone)
    }

    async fn remove_entries(
        &self,
        of: &ShelfOf,
        gone: Vec<FileEntry>,
        options: RefreshOptions,
        refreshed: &mut Refreshed,
    ) -> Result<(), DomainError> {
        if !options.delete {
            return Ok(());
        }
        for file in gone {
            match self.remove_item_file_in(of, &refreshed.number.to_string(), &file).await {
                Ok(()) => {
                    refreshed.removed += 1;
                    refreshed.files = refreshed.files.saturating_sub(1);
                    refreshed.bytes = refreshed.bytes.saturating_sub(file.extent.len);
                }
                // Somebody else has removed or replaced it meanwhile.
                Err(DomainError::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Counts the files of a catalog anew.
    async fn recount(&self, of: &ShelfOf, catalog: &str, refreshed: &mut Refreshed) -> Result<(), DomainError> {
        self.with_shelf(of, async |core, held| {
            if !held.shelf.resources.iter().any(|resource| resource.catalog == catalog) {
                return Ok(());
            }
            let reference = CatalogRef { id: catalog, owner: &held.owner };
            refreshed.was_miscounted = core.recount_catalog(&mut held.lease, reference).await?;
            let head = core.catalog(catalog).await?;
            (refreshed.files, refreshed.bytes) = (head.files, head.bytes);
            Ok(())
        })
        .await
    }

    /// Removes the entry of a file, unless another file stands at its path by now.
    async fn remove_item_file_in(&self, of: &ShelfOf, number: &str, file: &FileEntry) -> Result<(), DomainError> {
        let missing = || DomainError::not_found("file", &file.name);
        self.with_shelf(of, async |core, held| {
            let found = match named(&held.shelf.resources, number).cloned() {
                Some(found) => found,
                None => core.changeable(held, number).await?.ok_or_else(missing)?,
            };
            let present = core.catalog_file(&found.catalog, &file.name).await?;
            present.filter(|present| present.file.pack == file.pack).ok_or_else(missing)?;
            let catalog = CatalogRef { id: &found.catalog, owner: &held.owner };
            core.remove_file(&mut held.lease, catalog, &file.name).await?;
            Ok(())
        })
        .await
    }
}
