//! Reading again what the headers of an experiment's images say (XNAT's `pullDataFromHeaders`).
//!
//! The headers are read without a lease, which takes long; the change is one write, and is begun again if the
//! experiment's scans have been changed meanwhile.

use std::rc::Rc;

use super::experiment::Experiment;
use crate::domain::Core;
use crate::domain::catalog::CatalogCursor;
use crate::domain::error::DomainError;
use crate::domain::manifest::{FileEntry, Manifest, StoredScan};
use crate::imaging::session::Scan;
use crate::imaging::{Field, HeaderLimits, ImageReader, ImageSession, PetMr, Progress, SeriesSummary, build_session};
use crate::intake::ExtentReader;
use crate::storage::pack::PackReader;
use crate::storage::{Lease, PackId, StoreError};

/// How often it is begun again.
const MAX_READS: usize = 3;

impl Core {
    /// Sets what the headers of an experiment's images say. What they do not speak of stays as it was said by hand, and so
    /// do the data types, and types and quality of scans.
    ///
    /// # Errors
    /// [`DomainError::NotFound`], [`DomainError::Refused`] if it is locked, [`DomainError::Invalid`] if it has no images,
    /// [`DomainError::Busy`] if others change its scans all the time, or the store's failure.
    #[crate::boxed(?Send)]
    pub async fn pull_headers(&self, id: &str) -> Result<Experiment, DomainError> {
        for _ in 0..MAX_READS {
            let found = self.experiment_that_is(id).await?;
            found.demand_unlocked()?;
            let manifest = self.manifest(&found.manifest).await?;
            let scans = self.scans_of(&found, &manifest).await?;
            let mut series = Vec::with_capacity(scans.len());
            for stored in &scans {
                series.push(self.summary_of(&manifest, stored).await?);
            }
            let known: Vec<SeriesSummary> = series.iter().flatten().cloned().collect();
            if known.is_empty() {
                let what = "The session has no images whose headers could be read.".to_owned();
                return Err(DomainError::Invalid { what });
            }
            let session = build_session(&known, PetMr::PetMr);
            if let Some(changed) = self.set_headers(id, &manifest, session, &scans, &series).await? {
                return Ok(changed);
            }
        }
        Err(DomainError::Busy { what: "this experiment, whose scans are being changed,".to_owned() })
    }

    /// Writes what was read of the scans of a manifest; `None` if the experiment has another by now.
    async fn set_headers(
        &self,
        id: &str,
        read: &Manifest,
        session: ImageSession,
        scans: &[StoredScan],
        series: &[Option<SeriesSummary>],
    ) -> Result<Option<Experiment>, DomainError> {
        self.with_experiment(id, async |core, lease: &mut Lease, experiment| {
            experiment.demand_unlocked()?;
            let before = core.settled_for_scans(lease, experiment).await?;
            if before.manifest != read.id {
                return Ok(None);
            }
            let mut present = core.scans(read).await?;
            for (stored, summary) in scans.iter().zip(series) {
                let of_id = present.iter_mut().find(|present| present.scan.id == stored.scan.id);
                if let (Some(present), Some(summary)) = (of_id, summary) {
                    set_scan(&mut present.scan, summary);
                }
            }
            let mut experiment = before.clone();
            let said = session.flat_fields();
            experiment.fields.retain(|field| !said.iter().any(|new| new.path == field.path));
            if let Some(date) = &session.date {
                experiment.date.clone_from(date);
            }
            let mut manifest = read.clone();
            set_session(&mut manifest.session, session);
            core.commit_scans(lease, before, &mut experiment, &manifest, present).await?;
            Ok(Some(experiment))
        })
        .await
    }

    /// What the images of a scan say; `None` if it has none.
    async fn summary_of(&self, manifest: &Manifest, stored: &StoredScan) -> Result<Option<SeriesSummary>, StoreError> {
        let mut summary = None;
        let mut pack = None;
        for resource in &stored.resources {
            let mut page = 0;
            while let Some(files) = self.files_on_page(manifest, resource, page).await? {
                page += 1;
                for file in &files {
                    self.add_header(&mut summary, &mut pack, file).await?;
                }
            }
        }
        for counted in &stored.shelf {
            let mut cursor = CatalogCursor::new(&counted.resource.catalog);
            while let Some(files) = self.next_files(&mut cursor).await? {
                for found in files.iter().filter(|found| !found.file.sop_instance_uid.is_empty()) {
                    self.add_header(&mut summary, &mut pack, &found.file).await?;
                }
            }
        }
        Ok(summary)
    }

    /// Adds what an image says. One that cannot be read says nothing.
    async fn add_header(
        &self,
        summary: &mut Option<SeriesSummary>,
        pack: &mut Option<(PackId, Rc<PackReader>)>,
        file: &FileEntry,
    ) -> Result<(), StoreError> {
        let opened = match pack {
            Some((id, reader)) if *id == file.pack => reader.clone(),
            _ => {
                let reader = Rc::new(self.pack_reader(file.pack).await?);
                *pack = Some((file.pack, reader.clone()));
                reader
            }
        };
        let Ok(mut bytes) = ExtentReader::whole(opened, file.extent, file.crc32) else { return Ok(()) };
        let limits = self.settings.limits;
        let mut reader = ImageReader::new(HeaderLimits {
            max_header_bytes: limits.max_header_bytes,
            max_value_bytes: limits.max_value_bytes,
            max_depth: limits.max_depth,
        });
        while let Ok(Some(piece)) = bytes.next().await {
            if reader.push(&piece) == Progress::Done {
                break;
            }
        }
        let Ok(header) = reader.finish() else { return Ok(()) };
        let one = SeriesSummary::of(&header);
        match summary {
            Some(summary) => summary.absorb(&one),
            None => *summary = Some(one),
        }
        Ok(())
    }
}

/// New fields, and those of the old that they do not speak of.
fn renewed(old: &mut Vec<Field>, new: Vec<Field>) {
    old.retain(|field| !new.iter().any(|known| known.path == field.path));
    old.extend(new);
}

fn set_some<T>(old: &mut Option<T>, new: Option<T>) {
    if new.is_some() {
        *old = new;
    }
}

fn set_scan(old: &mut Scan, summary: &SeriesSummary) {
    let Some(new) = build_session(std::slice::from_ref(summary), PetMr::PetMr).scans.pop() else { return };
    if !new.uid.is_empty() {
        old.uid = new.uid;
    }
    old.frames = new.frames;
    if !new.scanner.is_empty() {
        old.scanner = new.scanner;
    }
    set_some(&mut old.series_description, new.series_description);
    set_some(&mut old.modality, new.modality);
    set_some(&mut old.start_time, new.start_time);
    set_some(&mut old.start_date, new.start_date);
    set_some(&mut old.dimensions, new.dimensions);
    set_some(&mut old.voxel_size, new.voxel_size);
    set_some(&mut old.orientation, new.orientation);
    renewed(&mut old.parameters, new.parameters);
}

fn set_session(old: &mut ImageSession, new: ImageSession) {
    if !new.scanner.is_empty() {
        old.scanner = new.scanner;
    }
    set_some(&mut old.modality, new.modality);
    set_some(&mut old.date, new.date);
    set_some(&mut old.time, new.time);
    renewed(&mut old.fields, new.fields);
}
