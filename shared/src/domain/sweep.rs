//! The sweep: removes what uploads that never ended left behind, and finishes what dead workers left half done.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Core;
use super::error::DomainError;
use super::ids::UNASSIGNED;
use super::owners::is_item;
use super::prearchive::segment::Segment;
use crate::storage::pack::{self, PackRecord};
use crate::storage::{PackId, Record, StoreError, keys};

/// How far the sweep has come with the packs.
#[derive(Serialize, Deserialize, Default)]
struct PackSweep {
    /// Packs up to here have been looked at.
    upto: u64,
    /// Those of them that belonged to nobody, and since when.
    waiting: Vec<(u64, u64)>,
    /// When the last sweep was, in milliseconds since the epoch.
    swept_ms: u64,
}

impl Record for PackSweep {
    const VERSION: u32 = 1;
}

/// The packs of the content that was looked at last: packs of one session often follow each other.
#[derive(Default)]
struct KnownPacks {
    content: String,
    packs: BTreeSet<PackId>,
}

/// Whose files lie in a pack.
#[derive(Debug, PartialEq, Eq)]
enum PackLife {
    /// Nobody's.
    None,
    /// Those of some owners; these others died before they had any.
    Partly { dead: Vec<String> },
    /// Those of all owners.
    Whole,
}

/// New packs that one sweep looks at, at most.
const MAX_NEW_PACKS: u64 = 10_000;

/// Packs that are waited for at once; more than there can be uploads under way.
const MAX_WAITING: usize = 5_000;

/// The longest time between two sweeps done on the way, in milliseconds.
const MAX_INTERVAL_MS: u64 = 10 * 60 * 1000;

/// What a sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// Uploads that were removed.
    pub uploads: u64,
    /// Chunks of theirs.
    pub chunks: u64,
    /// Sessions on which the work of a dead worker was finished or taken back.
    pub sessions: u64,
    /// Sessions that were complete by silence.
    pub completed: u64,
    /// Sessions that had gone and whose remains were removed.
    pub emptied: u64,
    /// Jobs that nobody worked on any more.
    pub jobs: u64,
    /// Files of the user cache that were removed because of their age, or because their user is gone.
    pub cached: u64,
}

impl Core {
    /// Whether the last sweep is some time ago.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn sweep_is_due(&self) -> Result<bool, StoreError> {
        let state: PackSweep = self.records.get(&keys::pack_sweep()).await?.unwrap_or_default();
        let interval_ms = MAX_INTERVAL_MS.min(self.settings.upload_retention_seconds.saturating_mul(250));
        Ok(self.clock.now_ms() >= state.swept_ms.saturating_add(interval_ms))
    }

    /// Sweeps now. What somebody else is at is left to them.
    ///
    /// # Errors
    /// The store's failure; what was not swept is swept the next time.
    #[crate::boxed(?Send)]
    pub async fn sweep(&self) -> Result<Swept, DomainError> {
        let mut swept = Swept::default();
        if let Some(lease) = self.leases.acquire("sweep").await? {
            let packs = self.sweep_packs(&mut swept).await;
            self.leases.release(lease).await?;
            packs?;
        }
        let mut projects: Vec<String> = vec![UNASSIGNED.to_owned()];
        projects.extend(self.list_projects().await?.into_iter().map(|project| project.id.to_string()));
        for project in &projects {
            let (finished, completed) = self.finish_sessions(project).await?;
            swept.sessions += finished;
            swept.completed += completed;
            self.tidy_triage(project).await?;
        }
        self.finish_triage().await?;
        self.finish_deleted_projects().await?;
        self.finish_deleted_experiments().await?;
        self.finish_deleted_subjects().await?;
        self.finish_renamed_subjects().await?;
        swept.emptied = self.empty_trash().await?;
        self.finish_uploads().await?;
        swept.uploads += self.remove_stale_uploads().await?;
        swept.cached = self.sweep_user_caches().await?;
        swept.jobs = self.run_due_jobs().await?;
        Ok(swept)
    }

    async fn sweep_packs(&self, swept: &mut Swept) -> Result<(), DomainError> {
        let mut state: PackSweep = self.records.get(&keys::pack_sweep()).await?.unwrap_or_default();
        let now_ms = self.clock.now_ms();
        let last = self.records.store().counter(keys::sequence("pack").as_str()).await?;
        let last = u64::try_from(last).unwrap_or(0).min(state.upto.saturating_add(MAX_NEW_PACKS));
        let open = self.packs_of_open_uploads().await?;
        let mut known = KnownPacks::default();
        while state.upto < last && state.waiting.len() < MAX_WAITING {
            state.upto += 1;
            if self.life_of_pack(PackId::from_number(state.upto), &mut known).await? != PackLife::Whole {
                state.waiting.push((state.upto, now_ms));
            }
        }
        let retention_ms = self.settings.upload_retention_seconds.saturating_mul(1000);
        let mut waiting = Vec::new();
        for (number, since_ms) in std::mem::take(&mut state.waiting) {
            let id = PackId::from_number(number);
            // What is about to be removed is looked at anew.
            let life = self.life_of_pack(id, &mut KnownPacks::default()).await?;
            if life == PackLife::Whole {
                continue;
            }
            if open.contains(&id) {
                waiting.push((number, now_ms));
                continue;
            }
            if now_ms.saturating_sub(since_ms) < retention_ms {
                waiting.push((number, since_ms));
                continue;
            }
            match life {
                PackLife::Partly { dead } => self.release_for(&dead, id).await?,
                _ => {
                    swept.chunks += self.remove_dead_upload(id).await?;
                    swept.uploads += 1;
                }
            }
        }
        state.waiting = waiting;
        state.swept_ms = now_ms;
        self.records.set(&keys::pack_sweep(), &state).await?;
        Ok(())
    }

    /// Whose files lie in a pack.
    async fn life_of_pack(&self, id: PackId, known: &mut KnownPacks) -> Result<PackLife, DomainError> {
        let Some(record) = self.records.get::<PackRecord>(&keys::pack(id)).await? else { return Ok(PackLife::None) };
        let mut dead = Vec::new();
        for owner in &record.owners {
            let is_alive = match record.sealed {
                true => self.content_is_alive(owner).await?,
                false => self.content_has_pack(owner, id, known).await?,
            };
            // Who has given it back says so, and is not asked again.
            if !is_alive && !pack::is_released(&self.records, id, owner).await? {
                dead.push(owner.clone());
            }
        }
        Ok(match dead.as_slice() {
            [] => PackLife::Whole,
            _ if dead.len() == record.owners.len() => PackLife::None,
            _ => PackLife::Partly { dead },
        })
    }

    /// Gives a pack back for owners who never came to have files in it.
    async fn release_for(&self, owners: &[String], id: PackId) -> Result<(), StoreError> {
        for owner in owners {
            // A session that was there before the upload has segments of its own.
            if !self.content_is_alive(owner).await? {
                self.remove_segments(owner).await?;
            }
            pack::release(&self.records, &self.blobs, id, owner).await?;
        }
        Ok(())
    }

    /// Whether a session, or the experiment that it became, or whoever else owns files under this name, has taken files
    /// over from a pack.
    async fn content_has_pack(&self, content: &str, id: PackId, known: &mut KnownPacks) -> Result<bool, DomainError> {
        if !self.content_is_alive(content).await? {
            return Ok(false);
        }
        if !is_item(content) {
            if known.content != content {
                *known = KnownPacks { content: content.to_owned(), packs: self.packs_of_images(content).await? };
            }
            if known.packs.contains(&id) {
                return Ok(true);
            }
        }
        Ok(self.has_catalog_with_pack(content, id, "").await?)
    }

    /// The packs in which the images of a session lie, or of the experiment that it became.
    async fn packs_of_images(&self, content: &str) -> Result<BTreeSet<PackId>, DomainError> {
        let mut packs = BTreeSet::new();
        for number in 1..=self.segments_begun(content).await? {
            packs.extend(self.segment(content, number).await?.iter().flat_map(Segment::packs));
        }
        if let Some(experiment) = self.experiment_of(content).await? {
            let manifest = self.manifest(&experiment.manifest).await?;
            for page in 0..manifest.file_pages {
                packs.extend(self.file_page(&manifest, page).await?.iter().map(|file| file.pack));
            }
        }
        Ok(packs)
    }

    /// Removes a pack that is nobody's, and what its upload wrote beside it before it died.
    async fn remove_dead_upload(&self, id: PackId) -> Result<u64, StoreError> {
        let mut chunks = 0;
        if let Some(record) = self.records.get::<PackRecord>(&keys::pack(id)).await? {
            chunks += record.bytes.div_ceil(u64::from(record.chunk_bytes.max(1)));
            self.release_for(&record.owners, id).await?;
        }
        let upload = id.number().to_string();
        self.remove_pages(&upload).await?;
        Ok(chunks + pack::remove_uncommitted(&self.blobs, id).await?)
    }
}
