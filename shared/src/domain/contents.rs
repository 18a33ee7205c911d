//! Archives of the files of scans and resources, for downloads.

use std::rc::Rc;

use bytes::Bytes;
use futures::SinkExt;
use futures::channel::mpsc;

use super::Core;
use super::catalog::{CatalogCursor, CatalogFile};
use super::digests::ReadError;
use super::file_filter::FileFilter;
use super::manifest::{FileEntry, Manifest, Resource, StoredScan};
use super::resource::CountedResource;
use crate::intake::archiveout::{ArchiveKind, ArchiveWriter};
use crate::intake::name::MAX_NAME_BYTES;
use crate::intake::{EntryName, ExtentError, ExtentReader};
use crate::limits::Limits;
use crate::storage::{PackId, PackReader, StoreError};

/// Where files are listed.
#[derive(Debug, Clone)]
pub enum FileSource {
    /// A resource of a scan.
    Scan(Rc<Manifest>, Resource),
    /// A catalog, by its identifier.
    Catalog(String),
}

/// A folder of an archive: files of one source, under one beginning of their names.
#[derive(Debug, Clone)]
pub struct Folder {
    /// What stands before the files' paths; ends with `/` unless it is empty.
    pub prefix: String,
    /// The files.
    pub files: FileSource,
    /// Which of the files are wanted. What was said of a scan's resource as a whole is not looked at.
    pub filter: FileFilter,
}

impl Folder {
    /// The folders of the resources of some scans, named by `prefix`.
    pub fn of_scans(
        manifest: Manifest,
        scans: Vec<StoredScan>,
        prefix: impl Fn(&StoredScan, &Resource) -> String,
    ) -> Vec<Self> {
        let manifest = Rc::new(manifest);
        let mut folders = Vec::new();
        for stored in &scans {
            for resource in &stored.resources {
                let files = FileSource::Scan(manifest.clone(), resource.clone());
                folders.push(Self { prefix: prefix(stored, resource), files, filter: FileFilter::default() });
            }
        }
        folders
    }

    /// The folder of a resource.
    pub fn of_resource(counted: &CountedResource, prefix: String) -> Self {
        let files = FileSource::Catalog(counted.resource.catalog.clone());
        Self { prefix, files, filter: FileFilter::default() }
    }
}

/// How far the files of a source have been read.
enum Reading<'a> {
    Scan(&'a Manifest, &'a Resource, u64),
    Catalog(CatalogCursor),
}

impl<'a> Reading<'a> {
    fn of(source: &'a FileSource) -> Self {
        match source {
            FileSource::Scan(manifest, resource) => Self::Scan(manifest, resource, 0),
            FileSource::Catalog(id) => Self::Catalog(CatalogCursor::new(id)),
        }
    }

    async fn next(&mut self, core: &Core, filter: &FileFilter) -> Result<Option<Vec<FileEntry>>, StoreError> {
        match self {
            Self::Scan(manifest, resource, page) => {
                let mut files = core.files_on_page(manifest, resource, *page).await?;
                *page += 1;
                files.iter_mut().for_each(|files| files.retain(|file| filter.paths.accepts(&file.name)));
                Ok(files)
            }
            Self::Catalog(cursor) => {
                let files = core.next_files(cursor).await?;
                let wanted =
                    |file: &CatalogFile| filter.accepts(&file.file.name, &file.notes.format, &file.notes.content);
                Ok(files.map(|files| files.into_iter().filter(wanted).map(|file| file.file).collect()))
            }
        }
    }
}

/// Where pieces of an archive go. A receiver that has gone ends the work.
struct Out<'a>(&'a mut mpsc::Sender<Result<Bytes, ReadError>>);

/// The receiver has gone: there is nobody to tell.
struct Gone;

impl Out<'_> {
    async fn send(&mut self, piece: Bytes) -> Result<(), Gone> {
        if piece.is_empty() {
            return Ok(());
        }
        self.0.send(Ok(piece)).await.map_err(|_| Gone)
    }
}

enum Stop {
    Gone,
    Failed(ReadError),
}

impl From<Gone> for Stop {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

impl<E: Into<ReadError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Core {
    /// Whether there is a file in one of these folders.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn have_files(&self, folders: &[Folder]) -> Result<bool, StoreError> {
        for folder in folders {
            let mut reading = Reading::of(&folder.files);
            while let Some(files) = reading.next(self, &folder.filter).await? {
                if !files.is_empty() {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Sends an archive of all files of these folders, in their order, in pieces. What goes wrong is sent last.
    #[crate::boxed(?Send)]
    pub async fn send_archive(
        &self,
        kind: ArchiveKind,
        folders: &[Folder],
        mut sender: mpsc::Sender<Result<Bytes, ReadError>>,
    ) {
        if let Err(Stop::Failed(error)) = self.write_archive(kind, folders, Out(&mut sender)).await {
            // If the client has gone there is nobody to tell.
            let _ = sender.send(Err(error)).await;
        }
    }

    async fn write_archive(&self, kind: ArchiveKind, folders: &[Folder], mut out: Out<'_>) -> Result<(), Stop> {
        let mut writer = ArchiveWriter::new(kind);
        let mut held: Option<(PackId, Rc<PackReader>)> = None;
        let damaged = |_: std::io::Error| ReadError::from(ExtentError::Damaged);
        for folder in folders {
            let mut reading = Reading::of(&folder.files);
            while let Some(files) = reading.next(self, &folder.filter).await? {
                for file in files {
                    let pack = match &held {
                        Some((id, pack)) if *id == file.pack => pack.clone(),
                        _ => {
                            let pack = Rc::new(self.pack_reader(file.pack).await?);
                            held = Some((file.pack, pack.clone()));
                            pack
                        }
                    };
                    let name = member_name(&folder.prefix, &file)?;
                    out.send(writer.begin(&name, &file.extent, file.crc32).map_err(damaged)?).await?;
                    let mut reader = match writer.wants_stored() {
                        true => ExtentReader::raw(pack, file.extent),
                        false => ExtentReader::whole(pack, file.extent, file.crc32)?,
                    };
                    while let Some(piece) = reader.next().await? {
                        out.send(writer.data(piece).map_err(damaged)?).await?;
                    }
                    out.send(writer.end(&file.extent).map_err(damaged)?).await?;
                }
            }
        }
        out.send(writer.finish().map_err(damaged)?).await?;
        Ok(())
    }
}

/// The name of a file in an archive. Names were checked when they came, against limits that folders may pass here;
/// should one not do, the file is not left out for it.
fn member_name(prefix: &str, file: &FileEntry) -> Result<EntryName, ReadError> {
    let limits = Limits { max_name_bytes: MAX_NAME_BYTES, max_component_bytes: MAX_NAME_BYTES, ..Limits::default() };
    EntryName::parse(&format!("{prefix}{}", file.name), &limits)
        .or_else(|_| EntryName::parse(&format!("{}-{}", file.pack.number(), file.ordinal), &limits))
        .map_err(|_| ExtentError::Damaged.into())
}
