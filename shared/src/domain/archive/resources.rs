//! The resources of two sessions themselves, as one.

use std::collections::BTreeSet;

use super::merge::scans::{file_and_folder, same_files, too_many_files};
use super::merge::{Finding, Reason, Rules};
use crate::domain::Core;
use crate::domain::catalog::{CatalogBuilder, CatalogJoin, Clashes, MAX_FILES};
use crate::domain::error::DomainError;
use crate::domain::resource::{ItemResource, MAX_RESOURCES};
use crate::storage::{PackId, StoreError, pack};

/// Files that are written between two looks at whether to go on.
const KEEP_EVERY: usize = 256;

/// A resource of the session that is merged in.
#[derive(Debug, Clone)]
pub(super) struct ResourceMerge {
    /// The one of the same label that is there.
    pub old: Option<ItemResource>,
    /// The one that comes.
    pub new: ItemResource,
}

impl Core {
    /// What stands against merging resources, and which are to be merged.
    pub(super) async fn compare_resources(
        &self,
        old: &[ItemResource],
        new: &[ItemResource],
        rules: Rules,
    ) -> Result<(Vec<Finding>, Vec<ResourceMerge>), StoreError> {
        let mut findings = Vec::new();
        let mut merges = Vec::new();
        for counted in self.counted_resources(new).await? {
            let new = counted.resource;
            let old = old.iter().find(|known| known.label == new.label).cloned();
            if let Some(old) = &old {
                self.compare_catalogs(&mut findings, &new.label, &old.catalog, &new.catalog, rules).await?;
            }
            merges.push(ResourceMerge { old, new });
        }
        let added = merges.iter().filter(|merge| merge.old.is_none()).count();
        if old.len() + added > MAX_RESOURCES {
            let text = format!("The merged session would have more than {MAX_RESOURCES} resources.");
            findings.push(Finding::new(Reason::TooLarge, text));
        }
        Ok((findings, merges))
    }

    async fn compare_catalogs(
        &self,
        findings: &mut Vec<Finding>,
        label: &str,
        old: &str,
        new: &str,
        rules: Rules,
    ) -> Result<(), StoreError> {
        let mut join = CatalogJoin::new(self, Some(old), Some(new));
        let (mut total, mut same) = (0_u64, 0_u64);
        let (mut first, mut clash) = (None, None);
        let mut clashes = Clashes::default();
        while let Some(joined) = join.next().await? {
            total += 1;
            let is_same = joined.first.is_some() && joined.second.is_some();
            let Some(file) = joined.first.or(joined.second) else { break };
            if is_same {
                same += 1;
                first.get_or_insert_with(|| file.file.name.clone());
            }
            let folder = clashes.next(&file.file.name);
            clash = clash.or(folder);
        }
        if let Some(first) = first.filter(|_| !rules.replaces()) {
            findings.push(same_files("The session", label, same, &first));
        }
        if let Some(clash) = clash {
            findings.push(file_and_folder(label, &clash));
        }
        if total > MAX_FILES {
            findings.push(too_many_files(label));
        }
        Ok(())
    }

    /// Writes the catalog of a merged resource, then gives `owner` the packs of the files that are new in it.
    pub(super) async fn write_merged_catalog(
        &self,
        id: &str,
        merge: &ResourceMerge,
        owner: &str,
        mut keep: impl AsyncFnMut() -> Result<(), DomainError>,
    ) -> Result<(), DomainError> {
        let old = merge.old.as_ref().map(|old| old.catalog.as_str());
        let mut join = CatalogJoin::new(self, old, Some(&merge.new.catalog));
        let mut builder = CatalogBuilder::new(self, id);
        let mut packs = BTreeSet::new();
        let mut count = 0_usize;
        while let Some(joined) = join.next().await? {
            if count.is_multiple_of(KEEP_EVERY) {
                keep().await?;
            }
            count += 1;
            packs.extend(joined.second.as_ref().map(|file| file.file.pack));
            let Some(file) = joined.second.or(joined.first) else { break };
            builder.push(file).await?;
        }
        builder.finish().await?;
        // Not before: whoever clears up behind a dead worker finds the packs by the catalog.
        self.own_packs(packs, owner, keep).await
    }

    /// Gives packs one more owner. Those that share a lease are looked after together.
    async fn own_packs(
        &self,
        packs: BTreeSet<PackId>,
        owner: &str,
        mut keep: impl AsyncFnMut() -> Result<(), DomainError>,
    ) -> Result<(), DomainError> {
        let mut packs: Vec<(String, PackId)> = packs.into_iter().map(|id| (pack::owners_lease(id), id)).collect();
        packs.sort();
        for some in packs.chunk_by(|a, b| a.0 == b.0) {
            for few in some.chunks(KEEP_EVERY) {
                keep().await?;
                let Some((lease, _)) = few.first() else { continue };
                self.with_lease(lease, "the files of this session", async |core| {
                    for (_, id) in few {
                        pack::add_owner(&core.records, *id, owner).await?;
                    }
                    Ok(())
                })
                .await?;
            }
        }
        Ok(())
    }
}
