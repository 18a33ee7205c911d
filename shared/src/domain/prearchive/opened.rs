//! Opening an archive that lies complete in a pack: its entries are files where they lie. What is compressed as a whole
//! is decompressed into a pack of its own first.

use super::upload::without_extension;
use super::upload_files::FilesError;
use crate::domain::Core;
use crate::intake::kind::SNIFF_BYTES;
use crate::intake::{
    self, BodyKind, Decoder, EntryName, EntrySink, EntryVisitor, IntakeError, SingleScanner, SinkFactory, TarScanner,
    ZipScanner,
};
use crate::limits::Limits;
use crate::storage::pack::{self, PackReader, PackShape, PackWriter};

/// Bytes of a pack that are looked at at once.
const READ_BYTES: usize = 256 * 1024;

/// An archive of which all bytes have passed.
pub(in crate::domain) struct Opened<F: SinkFactory> {
    /// Where its files lie: in the pack it came in, or in the one that it was decompressed into.
    pub shape: PackShape,
    /// Its name, without the extension of a compression that was taken off.
    pub name: EntryName,
    /// Streams of compressed files of the upload so far ([`Decoder::spent_streams`]).
    pub spent_streams: u64,
    scan: Scan<F>,
}

impl<F: SinkFactory> Opened<F> {
    /// Whether it is no archive but one file that was compressed.
    pub fn is_single(&self) -> bool {
        matches!(self.scan, Scan::Single(_))
    }
}

/// What looks at the content of an archive as it passes.
enum Scan<F: SinkFactory> {
    /// The first bytes, until they say what it is.
    Undecided(Vec<u8>, F),
    Zip(Box<ZipScanner<F>>),
    Tar(Box<TarScanner<F>>),
    Single(Box<SingleScanner<F::Sink>>),
}

impl<F: SinkFactory> Scan<F> {
    fn push(self, bytes: &[u8], name: &EntryName, limits: Limits) -> Result<Self, IntakeError> {
        match self {
            Self::Undecided(mut head, sinks) => {
                head.extend_from_slice(bytes);
                let undecided = Self::Undecided(head, sinks);
                if undecided.is_short() { Ok(undecided) } else { undecided.decide(name, limits) }
            }
            Self::Zip(mut scanner) => scanner.push(bytes).map(|()| Self::Zip(scanner)),
            Self::Tar(mut scanner) => scanner.push(bytes).map(|()| Self::Tar(scanner)),
            Self::Single(mut scanner) => scanner.push(bytes).map(|()| Self::Single(scanner)),
        }
    }

    fn is_short(&self) -> bool {
        matches!(self, Self::Undecided(head, _) if head.len() < SNIFF_BYTES)
    }

    fn decide(self, name: &EntryName, limits: Limits) -> Result<Self, IntakeError> {
        let Self::Undecided(head, mut sinks) = self else { return Ok(self) };
        let decided = match BodyKind::of(&head) {
            BodyKind::Zip | BodyKind::EmptyZip => Self::Zip(Box::new(ZipScanner::new(limits, sinks))),
            BodyKind::Tar => Self::Tar(Box::new(TarScanner::new(limits, sinks))),
            _ => Self::Single(Box::new(SingleScanner::new(limits, name.clone(), sinks.open(name)))),
        };
        decided.push(&head, name, limits)
    }
}

impl Core {
    /// Looks through a file that lies in a complete pack if it is an archive (zip, tar) or compressed (gzip, bzip2,
    /// xz), which its first bytes say; `None` if it is neither. The pack of what was compressed is removed once it is
    /// decompressed, unless it `is_kept`. `spent_streams` is what files of the same upload have had before
    /// ([`Decoder::spent_streams`]).
    ///
    /// # Errors
    /// Why an archive is refused, or the store's failure. The pack it came in is the caller's to remove then.
    pub(in crate::domain) async fn open_archive<F: SinkFactory>(
        &self,
        shape: PackShape,
        name: &EntryName,
        sinks: F,
        is_kept: bool,
        spent_streams: u64,
    ) -> Result<Option<Opened<F>>, FilesError> {
        let reader = PackReader::new(self.blobs.clone(), shape);
        let kind = BodyKind::of(&reader.read(0, SNIFF_BYTES).await?);
        let limits = self.settings.limits;
        if let Some(compression) = kind.compression() {
            let decoder = Decoder::new(compression, &limits).behind(spent_streams);
            return self.decompress(shape, name, sinks, decoder, is_kept).await.map(Some);
        }
        if !kind.is_archive() {
            return Ok(None);
        }
        let mut scan = Scan::Undecided(Vec::new(), sinks);
        let mut offset = 0;
        while offset < shape.bytes {
            let piece = reader.read(offset, READ_BYTES).await?;
            offset = offset.saturating_add(piece.len() as u64);
            scan = scan.push(&piece, name, limits)?;
        }
        Ok(Some(Opened { shape, name: name.clone(), spent_streams, scan: scan.decide(name, limits)? }))
    }

    /// What is compressed as a whole cannot be read from the middle: it goes into a pack of its own.
    async fn decompress<F: SinkFactory>(
        &self,
        packed: PackShape,
        name: &EntryName,
        sinks: F,
        mut decoder: Decoder,
        is_kept: bool,
    ) -> Result<Opened<F>, FilesError> {
        let inner = EntryName::parse(without_extension(name.as_str()), &self.settings.limits);
        let name = inner.unwrap_or_else(|_| name.clone());
        let mut writer = self.start_pack().await?;
        let outcome = self.decompress_into(&mut writer, packed, &name, sinks, &mut decoder).await;
        let spent_streams = decoder.spent_streams();
        let outcome = outcome.and_then(|done| decoder.finish().map(|()| done).map_err(FilesError::from));
        let (shape, scan) = match outcome {
            Ok(done) => done,
            Err(error) => {
                // If this fails the sweep does it later; the first error is the one to tell.
                let _ = writer.abandon().await;
                return Err(error);
            }
        };
        if !is_kept {
            // As above.
            let _ = pack::remove_uncommitted(&self.blobs, packed.id).await;
        }
        Ok(Opened { shape, name, spent_streams, scan })
    }

    async fn decompress_into<F: SinkFactory>(
        &self,
        writer: &mut PackWriter,
        packed: PackShape,
        name: &EntryName,
        sinks: F,
        decoder: &mut Decoder,
    ) -> Result<(PackShape, Scan<F>), FilesError> {
        let limits = self.settings.limits;
        let reader = PackReader::new(self.blobs.clone(), packed);
        let mut scan = Scan::Undecided(Vec::new(), sinks);
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
                scan = scan.push(output, name, limits)?;
            }
        }
        let scan = scan.decide(name, limits)?;
        Ok((writer.finish().await?, scan))
    }

    /// Gives the files of an opened archive to a visitor.
    ///
    /// # Errors
    /// Why the archive is refused, what the visitor says, or the store's failure.
    pub(in crate::domain) async fn visit<F: SinkFactory>(
        &self,
        opened: Opened<F>,
        visitor: &mut impl EntryVisitor<<F::Sink as EntrySink>::Output, Error = FilesError>,
    ) -> Result<(), FilesError> {
        match opened.scan {
            Scan::Zip(scanner) => {
                let reader = PackReader::new(self.blobs.clone(), opened.shape);
                intake::zip::finish(*scanner, &reader, visitor).await?;
            }
            Scan::Tar(scanner) => {
                scanner.finish(visitor)?;
            }
            Scan::Single(scanner) => visitor.entry(scanner.finish()?)?,
            Scan::Undecided(..) => return Err(IntakeError::EmptyBody.into()),
        }
        Ok(())
    }
}
