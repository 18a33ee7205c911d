//! Writing an archive for a download, piece by piece: a zip out of stored bytes, a tar, or a compressed tar.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::extent::Extent;
use super::name::EntryName;
use super::zipout::{DosTime, ZipWriter};

/// Bytes of a tar's blocks: headers are one, data are padded to whole ones.
const BLOCK_BYTES: u64 = 512;

/// Compressed bytes that are gathered before they are sent.
const GATHER_BYTES: usize = 64 * 1024;

/// The kinds of archives that can be downloaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveKind {
    /// A zip of what is stored, compressed or not: nothing is compressed again.
    Zip,
    /// A tar in GNU's format: names of any length, files beyond 8 GiB.
    Tar,
    /// The same, compressed with gzip at its fastest.
    TarGz,
}

impl ArchiveKind {
    /// The ending of its name, without a dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Zip => "zip",
            Self::Tar => "tar",
            Self::TarGz => "tar.gz",
        }
    }

    /// The media type, as XNAT names it.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Zip => "application/zip",
            Self::Tar => "application/x-tar",
            Self::TarGz => "application/x-gtar",
        }
    }
}

enum Format {
    Zip(ZipWriter),
    Tar(tar::Builder<Vec<u8>>),
    TarGz(tar::Builder<Vec<u8>>, Box<GzEncoder<Vec<u8>>>),
}

/// Writes an archive: for each file [`ArchiveWriter::begin`], its bytes by [`ArchiveWriter::data`], then
/// [`ArchiveWriter::end`]; at last [`ArchiveWriter::finish`]. Each gives what is to be sent, which may be nothing.
pub struct ArchiveWriter(Format);

impl ArchiveWriter {
    /// Before the first file.
    pub fn new(kind: ArchiveKind) -> Self {
        let tar = || tar::Builder::new(Vec::new());
        Self(match kind {
            // The files' own times are in their headers; the zip's would only say when it was made.
            ArchiveKind::Zip => Format::Zip(ZipWriter::new(DosTime::EARLIEST)),
            ArchiveKind::Tar => Format::Tar(tar()),
            ArchiveKind::TarGz => Format::TarGz(tar(), Box::new(GzEncoder::new(Vec::new(), Compression::fast()))),
        })
    }

    /// Whether the bytes of files are wanted as they are stored, compressed or not.
    pub fn wants_stored(&self) -> bool {
        matches!(self.0, Format::Zip(_))
    }

    /// The next file.
    ///
    /// # Errors
    /// A name that this archive cannot hold.
    pub fn begin(&mut self, name: &EntryName, extent: &Extent, crc32: u32) -> io::Result<Bytes> {
        match &mut self.0 {
            Format::Zip(zip) => Ok(zip.local_header(name, extent, crc32).into()),
            Format::Tar(tar) => Ok(tar_header(tar, name, extent.len)?.into()),
            Format::TarGz(tar, gzip) => compressed(gzip, &tar_header(tar, name, extent.len)?),
        }
    }

    /// The next bytes of the file.
    ///
    /// # Errors
    /// The compressor's failure.
    pub fn data(&mut self, piece: Bytes) -> io::Result<Bytes> {
        match &mut self.0 {
            Format::Zip(_) | Format::Tar(_) => Ok(piece),
            Format::TarGz(_, gzip) => compressed(gzip, &piece),
        }
    }

    /// The file has ended.
    ///
    /// # Errors
    /// The compressor's failure.
    pub fn end(&mut self, extent: &Extent) -> io::Result<Bytes> {
        let padding = || vec![0; usize::try_from(extent.len.wrapping_neg() % BLOCK_BYTES).unwrap_or(0)];
        match &mut self.0 {
            Format::Zip(_) => Ok(Bytes::new()),
            Format::Tar(_) => Ok(padding().into()),
            Format::TarGz(_, gzip) => compressed(gzip, &padding()),
        }
    }

    /// The end of the archive.
    ///
    /// # Errors
    /// The compressor's failure.
    pub fn finish(self) -> io::Result<Bytes> {
        match self.0 {
            Format::Zip(zip) => Ok(zip.finish().into()),
            Format::Tar(tar) => Ok(tar.into_inner()?.into()),
            Format::TarGz(tar, mut gzip) => {
                gzip.write_all(&tar.into_inner()?)?;
                Ok(gzip.finish()?.into())
            }
        }
    }
}

/// The header of a file, with GNU's extension before it where the name is long.
fn tar_header(tar: &mut tar::Builder<Vec<u8>>, name: &EntryName, len: u64) -> io::Result<Vec<u8>> {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Regular);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_size(len);
    tar.append_data(&mut header, name.as_str(), io::empty())?;
    Ok(std::mem::take(tar.get_mut()))
}

fn compressed(gzip: &mut GzEncoder<Vec<u8>>, bytes: &[u8]) -> io::Result<Bytes> {
    gzip.write_all(bytes)?;
    if gzip.get_ref().len() < GATHER_BYTES {
        return Ok(Bytes::new());
    }
    Ok(std::mem::take(gzip.get_mut()).into())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;
    use crate::intake::Method;
    use crate::limits::Limits;

    fn extent(len: u64) -> Extent {
        Extent { offset: 0, stored_len: len, len, method: Method::Stored }
    }

    fn name(text: &str) -> EntryName {
        EntryName::parse(text, &Limits { max_name_bytes: 4_000, ..Limits::default() }).unwrap()
    }

    fn files() -> Vec<(EntryName, Vec<u8>)> {
        let long = format!("{}/ä.dcm", vec!["folder".repeat(20); 5].join("/"));
        [("a", 0), ("b/c.txt", 1), ("b/d", 512), (&long, 513), (&"n".repeat(100), 300_000)]
            .into_iter()
            .map(|(path, len)| (name(path), (0..len).map(|number| (number % 7) as u8).collect()))
            .collect()
    }

    fn written(kind: ArchiveKind) -> Vec<u8> {
        let mut writer = ArchiveWriter::new(kind);
        let mut out = Vec::new();
        for (name, bytes) in files() {
            let extent = extent(bytes.len() as u64);
            out.extend_from_slice(&writer.begin(&name, &extent, crc32fast::hash(&bytes)).unwrap());
            for piece in bytes.chunks(1_000) {
                out.extend_from_slice(&writer.data(Bytes::copy_from_slice(piece)).unwrap());
            }
            out.extend_from_slice(&writer.end(&extent).unwrap());
        }
        out.extend_from_slice(&writer.finish().unwrap());
        out
    }

    fn read(tar: impl Read) -> Vec<(EntryName, Vec<u8>)> {
        let mut archive = tar::Archive::new(tar);
        let entries = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().to_str().unwrap().to_owned();
            assert_eq!(entry.header().entry_type(), tar::EntryType::Regular);
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            (name(&path), bytes)
        });
        entries.collect()
    }

    #[test]
    fn a_tar_reads_back_as_it_was_written_compressed_or_not() {
        let plain = written(ArchiveKind::Tar);
        assert_eq!(plain.len() % 512, 0);
        assert_eq!(read(plain.as_slice()), files());
        let compressed = written(ArchiveKind::TarGz);
        assert!(compressed.len() < plain.len() / 10);
        assert_eq!(read(GzDecoder::new(compressed.as_slice())), files());
    }

    #[test]
    fn an_empty_tar_is_one_that_readers_take() {
        for kind in [ArchiveKind::Tar, ArchiveKind::TarGz, ArchiveKind::Zip] {
            let bytes = ArchiveWriter::new(kind).finish().unwrap();
            match kind {
                ArchiveKind::Tar => assert_eq!(bytes.len(), 1024),
                ArchiveKind::TarGz => assert!(read(GzDecoder::new(&bytes[..])).is_empty()),
                ArchiveKind::Zip => assert!(bytes.starts_with(b"PK\x05\x06")),
            }
        }
    }

    #[test]
    fn a_file_beyond_8_gib_says_its_size() {
        let large = extent((8 << 30) + 5);
        let header = ArchiveWriter::new(ArchiveKind::Tar).begin(&name("large"), &large, 0).unwrap();
        let header = tar::Header::from_byte_slice(&header[..512]);
        assert_eq!(header.size().unwrap(), large.len);
        assert_eq!(ArchiveWriter::new(ArchiveKind::Tar).end(&large).unwrap().len(), 507);
    }
}
