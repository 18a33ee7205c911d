//! Unpacking archives that were sent as files: what they hold is stored in their stead, without a copy. Archives inside
//! archives stay as they are.

use super::opened::Opened;
use super::upload_files::{FilesError, ReceivedFile, file_name};
use crate::domain::Core;
use crate::intake::{Entry, EntryName, EntrySink, EntryVisitor, Extent, SinkFactory};
use crate::limits::Limits;

/// A file of an archive.
#[derive(Debug, Clone)]
pub struct UnpackedFile {
    /// Its number among the files of the pack.
    pub ordinal: u32,
    /// Its path.
    pub name: EntryName,
    /// Where it lies in the pack.
    pub extent: Extent,
    /// CRC-32 of its bytes.
    pub crc32: u32,
}

/// Looks at nothing: an archive is checked whatever its files are.
struct NoSink;

impl EntrySink for NoSink {
    type Output = ();

    fn push(&mut self, _: &[u8]) {}

    fn wants_more(&self) -> bool {
        false
    }

    fn finish(self) {}
}

struct NoSinks;

impl SinkFactory for NoSinks {
    type Sink = NoSink;

    fn open(&mut self, _: &EntryName) -> NoSink {
        NoSink
    }
}

/// Collects the files of an archive, below a folder.
struct Listing {
    /// The folder with a slash behind it, or nothing.
    folder: String,
    limits: Limits,
    files: Vec<UnpackedFile>,
}

impl EntryVisitor<()> for Listing {
    type Error = FilesError;

    fn entry(&mut self, entry: Entry<()>) -> Result<(), FilesError> {
        let ordinal = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
        let name = match self.folder.as_str() {
            "" => entry.name,
            folder => file_name(&format!("{folder}{}", entry.name.as_str()), &self.limits)?,
        };
        self.files.push(UnpackedFile { ordinal, name, extent: entry.extent, crc32: entry.crc32 });
        Ok(())
    }
}

/// The folder in which a path stands, with a slash behind it; nothing if it stands in none.
fn folder_of(path: &str) -> &str {
    path.rfind('/').and_then(|slash| path.get(..=slash)).unwrap_or_default()
}

impl Core {
    /// Unpacks those of the files that are archives (zip, tar) or compressed (gzip, bzip2, xz), which their first bytes
    /// say; the others stay as they are. What an archive holds has paths below the folder in which the archive was to
    /// stand.
    ///
    /// # Errors
    /// Why an archive is refused: it is checked as an imported one is. Nothing of all the files is kept then.
    #[crate::boxed(?Send)]
    pub async fn unpack_files(&self, files: Vec<ReceivedFile>) -> Result<Vec<ReceivedFile>, FilesError> {
        let mut done = Vec::with_capacity(files.len());
        let mut files = files.into_iter();
        let mut spent_streams = 0;
        while let Some(mut file) = files.next() {
            let outcome = self.unpack(&mut file, &mut spent_streams).await;
            done.push(file);
            if let Err(error) = outcome {
                done.extend(files);
                self.abandon_files(done).await;
                return Err(error);
            }
        }
        Ok(done)
    }

    async fn unpack(&self, file: &mut ReceivedFile, spent_streams: &mut u64) -> Result<(), FilesError> {
        if !file.is_alone() {
            return Ok(());
        }
        let opened = self.open_archive(file.shape, &file.name, NoSinks, false, *spent_streams).await?;
        let Some(opened) = opened else { return Ok(()) };
        *spent_streams = opened.spent_streams;
        file.shape = opened.shape;
        let limits = self.settings.limits;
        let Opened { name, .. } = &opened;
        let folder = if opened.is_single() { "" } else { folder_of(name.as_str()) };
        let mut listing = Listing { folder: folder.to_owned(), limits, files: Vec::new() };
        self.visit(opened, &mut listing).await?;
        file.unpacked = Some(listing.files);
        Ok(())
    }
}
