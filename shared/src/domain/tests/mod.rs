//! The way of a session on the memory store, with workers that die at every step.

mod assessors;
mod crash;
mod deletion;
mod documents;
mod early;
mod files;
mod gradual;
mod headers;
mod history;
mod items;
mod jobs;
mod jobs_import;
mod merge;
mod merge_agree;
mod merge_crash;
mod merge_shelves;
mod placed;
mod quarantined;
mod received;
mod refresh;
mod relocate;
mod resumable;
mod resumable_onward;
mod review;
mod scan_fields;
mod separate;
mod several;
mod shared_pack;
mod sharing;
mod sharing_crash;
mod sharing_race;
mod shelf;
mod triage;
mod triage_bounds;
mod triage_crash;
mod triage_together;
mod unpack;
mod user_cache;
mod way;
mod webhooks;
mod xar;
mod xar_assessors;
mod xar_assessors_crash;
mod xar_crash;

use std::rc::Rc;

use bytes::Bytes;
use narthex_generator::{Modality, Study, zip_study};

use super::archive::ArchiveRequest;
use super::ids::ProjectId;
use super::manifest::FileEntry;
use super::prearchive::PrearchiveSession;
use super::prearchive::import::ImportRequest;
use super::prearchive::upload::{self, Arriving, Body, ContentCoding, Upload, UploadError, UploadRules};
use super::project::ProjectChange;
use super::{Core, DomainError, Settings};
use crate::intake::ExtentReader;
use crate::storage::memory::MemoryStore;
use crate::storage::{Clock, Store};

/// Two memory stores and a clock, and cores on them.
struct Site {
    records: MemoryStore,
    blobs: MemoryStore,
    clock: Clock,
}

impl Site {
    fn new() -> Self {
        Self { records: MemoryStore::new(), blobs: MemoryStore::new(), clock: Clock::manual(1_700_000_000_000) }
    }

    fn core(&self) -> Core {
        self.core_on(self.records.clone(), self.blobs.clone())
    }

    fn core_on(&self, records: impl Into<Store>, blobs: impl Into<Store>) -> Core {
        let settings = Settings { lease_seconds: 2, upload_retention_seconds: 3_600, ..Default::default() };
        Core::new(records, blobs, self.clock.clone(), settings)
    }

    async fn with_project(self) -> Self {
        self.with("DEMO").await
    }

    async fn with(self, project: &str) -> Self {
        let id = ProjectId::parse(project).unwrap();
        self.core().put_project(&id, ProjectChange::default(), "admin").await.unwrap();
        self
    }
}

fn study(seed: u64) -> Study {
    Study::new(Modality::Mr, seed).patient("S01_MR1", "S01").slices(3).matrix(16).and_series(
        5,
        "second",
        Modality::Mr,
        2,
    )
}

fn request() -> ImportRequest {
    ImportRequest {
        by: "admin".to_owned(),
        project: Some("DEMO".to_owned()),
        source: "SessionImporter".to_owned(),
        ..Default::default()
    }
}

async fn receive(core: &Core, body: &[u8]) -> Result<Upload, UploadError> {
    let pieces: Vec<Result<Bytes, String>> =
        body.chunks(5_000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    upload::receive(core, UploadRules::default(), arriving(core, pieces), "upload.dcm").await
}

/// A body in pieces.
fn arriving(core: &Core, pieces: Vec<Result<Bytes, String>>) -> Arriving<impl Body> {
    Arriving::new(futures::stream::iter(pieces), ContentCoding::Identity, core.settings.limits)
}

async fn import(core: &Core, study: &Study) -> Result<PrearchiveSession, Box<dyn std::error::Error>> {
    let upload = receive(core, &zip_study(study)).await?;
    Ok(core.import(upload, &request()).await?.sessions.remove(0))
}

/// The staged sessions of a project, each found in the list and at its place.
async fn staged(core: &Core, project: &str) -> Vec<PrearchiveSession> {
    let mut sessions = Vec::new();
    for row in core.list_sessions(project).await.unwrap() {
        let found = core.find_session_at(&row.place).await.unwrap();
        sessions.push(found.unwrap_or_else(|| panic!("{} is listed, but not there", row.place.uri())));
    }
    sessions
}

fn archive_request() -> ArchiveRequest {
    ArchiveRequest { by: "admin".to_owned(), ..Default::default() }
}

/// The bytes of a file.
async fn bytes_of(core: &Core, file: &FileEntry) -> Vec<u8> {
    let pack = Rc::new(core.pack_reader(file.pack).await.unwrap());
    let mut reader = ExtentReader::whole(pack, file.extent, file.crc32).unwrap();
    let mut bytes = Vec::new();
    while let Some(piece) = reader.next().await.unwrap() {
        bytes.extend_from_slice(&piece);
    }
    bytes
}

/// Every file of a manifest with its bytes.
async fn contents(core: &Core, manifest: &str) -> Vec<(String, String, Vec<u8>)> {
    let manifest = core.manifest(manifest).await.unwrap();
    let mut all = Vec::new();
    for scan in core.scans(&manifest).await.unwrap() {
        for resource in &scan.resources {
            for file in core.files(&manifest, resource).await.unwrap() {
                let bytes = bytes_of(core, &file).await;
                all.push((scan.scan.id.clone(), file.name, bytes));
            }
        }
    }
    all.sort();
    all
}

/// What [`contents`] must give for a study.
fn sent(study: &Study) -> Vec<(String, String, Vec<u8>)> {
    let mut all: Vec<_> = study
        .files()
        .map(|file| {
            let name = file.name.rsplit('/').next().unwrap().to_owned();
            (file.series.to_string(), name, file.bytes)
        })
        .collect();
    all.sort();
    all
}
