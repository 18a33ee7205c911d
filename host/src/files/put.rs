//! `files put`: reads files and puts them beside a resource.

use super::source::{Source, Sources};
use super::{Done, FilesError};
use bytes::Bytes;
use narthex::domain::Core;
use narthex::domain::prearchive::upload::UploadError;
use narthex::domain::prearchive::upload_files::{FilesError as Refused, file_name, receive_pieces};
use narthex::domain::shelf::placed::{ArchiveFolder, PlacedFile, ResourceFolder, is_catalog};
use narthex::imaging::{HeaderLimits, ImageReader};
use std::fs::File;
use std::io::{self, Read};
use std::time::{Duration, Instant};

/// Files that are put with one write, at most.
const MAX_BATCH_FILES: usize = 500;

/// Bytes after which a batch is put: what would have to be read again should the command die.
const MAX_BATCH_BYTES: u64 = 1 << 30;

/// Time after which a batch is put, far below that after which the sweep takes it for a dead upload's.
const MAX_BATCH_TIME: Duration = Duration::from_secs(30);

/// Bytes that are read at once.
const PIECE_BYTES: usize = 256 * 1024;

/// Puts files. Each is there as a whole or not at all.
pub(super) async fn run(
    core: &Core,
    folder: &ArchiveFolder,
    shown: &str,
    by: &str,
    sources: Sources,
) -> Result<Done, FilesError> {
    let target = core.resource_of_folder(folder).await?;
    let Sources { files, mut refused } = sources;
    let mut putting = Putting { core, folder, target, by, batch: Vec::new(), files: 0, bytes: 0 };
    let (mut batch_bytes, mut since) = (0, Instant::now());
    for source in files {
        if is_catalog(&source.name) {
            refused.push(format!("{:?} is not put: it is a catalog", source.path));
            continue;
        }
        match putting.read(&source).await {
            Ok(file) => {
                batch_bytes += file.received.bytes();
                putting.batch.push(file);
            }
            Err(ReadError::Refused(Refused::Upload(UploadError::Store(source)))) => {
                return Err(FilesError::Stopped { files: putting.files, source: source.into() });
            }
            Err(error) => refused.push(format!("{:?} is not put: {error}", source.path)),
        }
        let is_full = putting.batch.len() >= MAX_BATCH_FILES || batch_bytes >= MAX_BATCH_BYTES;
        if is_full || since.elapsed() >= MAX_BATCH_TIME {
            putting.flush().await?;
            (batch_bytes, since) = (0, Instant::now());
        }
    }
    putting.flush().await?;
    let lines = vec![format!(
        "{} files of {} bytes wait in {shown} until a refresh with options=append takes them up.",
        putting.files, putting.bytes
    )];
    Ok(Done { lines, refused })
}

/// Why a file is not put.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error("{0}")]
    Io(#[from] io::Error),
    /// An empty file is refused by this, too, as it is when it is uploaded.
    #[error(transparent)]
    Refused(#[from] Refused),
}

struct Putting<'a> {
    core: &'a Core,
    folder: &'a ArchiveFolder,
    target: ResourceFolder,
    by: &'a str,
    batch: Vec<PlacedFile>,
    files: u64,
    bytes: u64,
}

impl Putting<'_> {
    /// Reads a file into a pack, and its header on the way if it may be an image.
    async fn read(&self, source: &Source) -> Result<PlacedFile, ReadError> {
        let limits = self.core.settings.limits;
        let name = file_name(&self.folder.path_of(&source.name), &limits)?;
        let mut file = File::open(&source.path)?;
        let header_limits = HeaderLimits {
            max_header_bytes: limits.max_header_bytes,
            max_value_bytes: limits.max_value_bytes,
            max_depth: limits.max_depth,
        };
        let mut reader = self.target.has_images.then(|| ImageReader::new(header_limits));
        let mut buffer = vec![0; PIECE_BYTES];
        let received = receive_pieces(self.core, name, limits.max_entry_bytes, async || {
            let read = file.read(&mut buffer)?;
            let piece = buffer.get(..read).unwrap_or_default();
            if let Some(reader) = &mut reader {
                reader.push(piece);
            }
            Ok::<_, ReadError>((read > 0).then(|| Bytes::copy_from_slice(piece)))
        })
        .await?;
        // A file that is no image is put all the same, as an upload would be.
        let header = reader.and_then(|reader| reader.finish().ok()).filter(|header| !header.is_ecat());
        let (sop_instance_uid, instance_number) = match header {
            Some(header) => (header.sop_instance_uid, header.instance_number),
            None => (String::new(), None),
        };
        Ok(PlacedFile { received, sop_instance_uid, instance_number })
    }

    async fn flush(&mut self) -> Result<(), FilesError> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let batch = std::mem::take(&mut self.batch);
        let (files, bytes) = (batch.len() as u64, batch.iter().map(|file| file.received.bytes()).sum::<u64>());
        let put = self.core.place_files(&self.target.of, &self.target.label, self.by, batch).await;
        if let Err(source) = put {
            return Err(FilesError::Stopped { files: self.files, source });
        }
        self.files += files;
        self.bytes += bytes;
        Ok(())
    }
}
