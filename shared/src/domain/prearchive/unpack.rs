//! Unpacking archives that were sent as files: what they hold is stored in their stead, without a copy.
//!
//! The entries of a zip or tar are files where they lie. What is compressed as a whole is decompressed into a pack of
//! its own first. Archives inside archives stay as they are.

use super::upload::without_extension;
use super::upload_files::{FilesError, ReceivedFile, file_name};
use crate::domain::Core;
use crate::intake::kind::SNIFF_BYTES;
use crate::intake::{
    self, BodyKind, Decoder, Entry, EntryName, EntrySink, EntryVisitor, Extent, IntakeError, SingleScanner,
    SinkFactory, TarScanner, ZipScanner,
};
use crate::limits::Limits;
use crate::storage::Store;
use crate::storage::pack::{self, PackReader, PackShape, PackWriter};

/// Bytes of a pack that are looked at at once.
const READ_BYTES: usize = 256 * 1024;

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
struct Listing<'a> {
    /// The folder with a slash behind it, or nothing.
    folder: &'a str,
    limits: Limits,
    files: Vec<UnpackedFile>,
}

impl EntryVisitor<()> for Listing<'_> {
    type Error = FilesError;

    fn entry(&mut self, entry: Entry<()>) -> Result<(), FilesError> {
        let ordinal = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
        let name = match self.folder {
            "" => entry.name,
            folder => file_name(&format!("{folder}{}", entry.name.as_str()), &self.limits)?,
        };
        self.files.push(UnpackedFile { ordinal, name, extent: entry.extent, crc32: entry.crc32 });
        Ok(())
    }
}

/// What looks at the content of an archive as it passes.
enum Scan {
    /// The first bytes, until they say what it is.
    Undecided(Vec<u8>),
    Zip(Box<ZipScanner<NoSinks>>),
    Tar(Box<TarScanner<NoSinks>>),
    Single(Box<SingleScanner<NoSink>>),
}

impl Scan {
    fn push(&mut self, bytes: &[u8], name: &EntryName, limits: Limits) -> Result<(), IntakeError> {
        match self {
            Self::Undecided(head) => {
                head.extend_from_slice(bytes);
                if head.len() >= SNIFF_BYTES { self.decide(name, limits) } else { Ok(()) }
            }
            Self::Zip(scanner) => scanner.push(bytes),
            Self::Tar(scanner) => scanner.push(bytes),
            Self::Single(scanner) => scanner.push(bytes),
        }
    }

    fn decide(&mut self, name: &EntryName, limits: Limits) -> Result<(), IntakeError> {
        let Self::Undecided(head) = self else { return Ok(()) };
        let head = std::mem::take(head);
        *self = match BodyKind::of(&head) {
            BodyKind::Zip | BodyKind::EmptyZip => Self::Zip(Box::new(ZipScanner::new(limits, NoSinks))),
            BodyKind::Tar => Self::Tar(Box::new(TarScanner::new(limits, NoSinks))),
            _ => Self::Single(Box::new(SingleScanner::new(limits, name.clone(), NoSink))),
        };
        self.push(&head, name, limits)
    }
}

/// The folder in which a path stands, with a slash behind it; nothing if it stands in none.
fn folder_of(path: &str) -> &str {
    path.rfind('/').and_then(|slash| path.get(..=slash)).unwrap_or_default()
}

impl<S: Store> Core<S> {
    /// Unpacks those of the files that are archives (zip, tar) or compressed (gzip, bzip2, xz), which their first bytes
    /// say; the others stay as they are. What an archive holds has paths below the folder in which the archive was to
    /// stand.
    ///
    /// # Errors
    /// Why an archive is refused: it is checked as an imported one is. Nothing of all the files is kept then.
    pub async fn unpack_files(&self, files: Vec<ReceivedFile>) -> Result<Vec<ReceivedFile>, FilesError> {
        let mut done = Vec::with_capacity(files.len());
        let mut files = files.into_iter();
        while let Some(mut file) = files.next() {
            let outcome = self.unpack(&mut file).await;
            done.push(file);
            if let Err(error) = outcome {
                done.extend(files);
                self.abandon_files(done).await;
                return Err(error);
            }
        }
        Ok(done)
    }

    async fn unpack(&self, file: &mut ReceivedFile) -> Result<(), FilesError> {
        let reader = PackReader::new(self.blobs.clone(), file.shape);
        let head = reader.read(0, SNIFF_BYTES).await?;
        let kind = BodyKind::of(&head);
        if let Some(compression) = kind.compression() {
            return self.decompress(file, Decoder::new(compression, &self.settings.limits)).await;
        }
        if !kind.is_archive() {
            return Ok(());
        }
        let limits = self.settings.limits;
        let mut scan = Scan::Undecided(Vec::new());
        let mut offset = 0;
        while offset < file.shape.bytes {
            let piece = reader.read(offset, READ_BYTES).await?;
            offset = offset.saturating_add(piece.len() as u64);
            scan.push(&piece, &file.name, limits)?;
        }
        let listed = self.listed(scan, file.shape, &file.name).await?;
        file.unpacked = Some(listed);
        Ok(())
    }

    /// What is compressed as a whole cannot be read from the middle: it goes into a pack of its own.
    async fn decompress(&self, file: &mut ReceivedFile, mut decoder: Decoder) -> Result<(), FilesError> {
        let inner = EntryName::parse(without_extension(file.name.as_str()), &self.settings.limits);
        let name = inner.unwrap_or_else(|_| file.name.clone());
        let mut writer = self.start_pack().await?;
        let outcome = self.decompress_into(&mut writer, file.shape, &name, &mut decoder).await;
        let (shape, scan) = match outcome {
            Ok(done) => done,
            Err(error) => {
                // If this fails the sweep does it later; the first error is the one to tell.
                let _ = writer.abandon().await;
                return Err(error);
            }
        };
        let packed = std::mem::replace(&mut file.shape, shape);
        // As above.
        let _ = pack::remove_uncommitted(&self.blobs, packed.id).await;
        decoder.finish()?;
        let listed = self.listed(scan, shape, &name).await?;
        file.unpacked = Some(listed);
        Ok(())
    }

    async fn decompress_into(
        &self,
        writer: &mut PackWriter<S>,
        packed: PackShape,
        name: &EntryName,
        decoder: &mut Decoder,
    ) -> Result<(PackShape, Scan), FilesError> {
        let reader = PackReader::new(self.blobs.clone(), packed);
        let mut scan = Scan::Undecided(Vec::new());
        let mut offset = 0;
        while offset < packed.bytes {
            let piece = reader.read(offset, READ_BYTES).await?;
            offset = offset.saturating_add(piece.len() as u64);
            let mut input: &[u8] = &piece;
            loop {
                let output = decoder.step(&mut input)?;
                if output.is_empty() {
                    break;
                }
                writer.write(output).await?;
                scan.push(output, name, self.settings.limits)?;
            }
        }
        Ok((writer.finish().await?, scan))
    }

    /// The files of an archive of which all bytes have passed.
    async fn listed(
        &self,
        mut scan: Scan,
        shape: PackShape,
        name: &EntryName,
    ) -> Result<Vec<UnpackedFile>, FilesError> {
        let limits = self.settings.limits;
        scan.decide(name, limits)?;
        let mut listing = Listing { folder: folder_of(name.as_str()), limits, files: Vec::new() };
        match scan {
            Scan::Zip(scanner) => {
                let reader = PackReader::new(self.blobs.clone(), shape);
                intake::zip::finish(*scanner, &reader, &mut listing).await?;
            }
            Scan::Tar(scanner) => {
                scanner.finish(&mut listing)?;
            }
            Scan::Single(scanner) => {
                listing.folder = "";
                listing.entry(scanner.finish()?)?;
            }
            Scan::Undecided(_) => return Err(IntakeError::EmptyBody.into()),
        }
        Ok(listing.files)
    }
}
