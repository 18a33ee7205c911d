//! Everything that can be wrong with an upload: a closed list, one variant an offence, one sentence each that names
//! the entry and says what to do.

use std::fmt;

use crate::intake::decode::Compression;
use crate::intake::name::{NameError, ShownName};
use crate::intake::source::PackReadError;
use crate::intake::tar::HeaderProblem;

/// Why an upload is refused (or, for [`IntakeError::Pack`], why we could not read it back).
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    // The upload as a whole.
    #[error("the body is empty; send an archive of DICOM files or one DICOM file")]
    EmptyBody,
    #[error("the body is larger than {limit_bytes} bytes, the most that one upload may have; send it in parts")]
    UploadTooLarge { limit_bytes: u64 },
    #[error("the archive has more than {limit} entries, the most that one upload may have; send it in parts")]
    TooManyEntries { limit: u64 },
    #[error("the files of the upload have more than {limit_bytes} bytes together; send them in parts")]
    InflatedTooLarge { limit_bytes: u64 },
    #[error("the upload inflates to more than {limit} times its size, which no images do; check what it holds")]
    TotalRatio { limit: u64 },

    #[error("the upload has more than {limit} archives inside archives; send them on their own")]
    TooManyArchives { limit: u64 },

    // The zip's table of contents.
    #[error("the zip has no end of its table of contents; it was cut off or is not a zip, so send it again")]
    NoDirectoryEnd,
    #[error("the zip has {extra_bytes} bytes after its end; zip the files again")]
    BytesAfterEnd { extra_bytes: u64 },
    #[error("the zip can be read in two ways, as it has several ends of its table of contents; zip the files again")]
    AmbiguousEnd,
    #[error("the zip's zip64 records are broken or contradict the others; zip the files again")]
    Zip64End,
    #[error("the zip is one part of several; join the parts into one zip")]
    MultiDisk,
    #[error("the zip's table of contents is not where the zip says it is; remove what was put before or into the zip")]
    DirectoryPlace,
    #[error("the zip's table of contents has {bytes} bytes, more than {limit_bytes}; send the files in parts")]
    DirectoryTooLarge { bytes: u64, limit_bytes: u64 },
    #[error("the zip's table of contents does not have the {listed} entries it announces; zip the files again")]
    EntryCount { listed: u64 },
    #[error("the zip's table of contents is broken at its entry {index}; zip the files again")]
    DirectoryRecord {
        /// Counted from 1.
        index: u64,
    },

    // One entry, by what the archive says of it.
    #[error("the name of the entry {entry} is not allowed: {problem}; rename it and pack the files again")]
    Name { entry: ShownName, problem: NameError },
    #[error("the archive has the entry {entry} more than once; pack the files again")]
    Duplicate { entry: ShownName },
    #[error("the archive has {entry} both as a file and as a folder; rename one and pack the files again")]
    FileAndFolder { entry: ShownName },
    #[error("the entry {entry} is a symbolic link; put the file itself into the archive (zip without -y, tar with -h)")]
    Symlink { entry: ShownName },
    #[error("the entry {entry} is neither a file nor a folder but a device, pipe or socket; leave it out")]
    SpecialFile { entry: ShownName },
    #[error("the entry {entry} is a folder, yet it has content; pack the files again")]
    FolderWithData { entry: ShownName },
    #[error("the entry {entry} is encrypted; zip the files again without a password")]
    Encrypted { entry: ShownName },
    #[error(
        "the entry {entry} is compressed with {method}; zip again with deflate (zip -Z deflate, or 7z -mm=Deflate)"
    )]
    Method { entry: ShownName, method: MethodName },
    #[error("the extra fields of the entry {entry} are broken; zip the files again")]
    Extra { entry: ShownName },
    #[error("the entry {entry} has another name in its extra fields, {other}; rename it and zip the files again")]
    TwoNames { entry: ShownName, other: ShownName },
    #[error("the entry {entry} lacks the zip64 sizes it needs; zip the files again")]
    Zip64Missing { entry: ShownName },
    #[error("the entry {entry} overlaps another entry or the table of contents; zip the files again")]
    Overlap { entry: ShownName },
    #[error("the entry {entry} lies outside of the zip; it was cut off or altered, so send it again")]
    OutOfRange { entry: ShownName },

    // One entry, by what is found at its place.
    #[error("there is no entry where the table of contents says {entry} is; zip the files again")]
    NoLocalHeader { entry: ShownName },
    #[error("the two headers of the entry {entry} contradict each other in {field}; zip the files again")]
    Disagree { entry: ShownName, field: Field },
    #[error("the entry {entry} is larger than {limit_bytes} bytes, the most that one file may have")]
    EntryTooLarge { entry: ShownName, limit_bytes: u64 },
    #[error("the entry {entry} inflates to more than {limit} times its size, which no image does; leave it out")]
    Ratio { entry: ShownName, limit: u64 },
    #[error("the compressed data of the entry {entry} are damaged; zip the files again and send the zip again")]
    Deflate { entry: ShownName },
    #[error("the compressed data of the entry {entry} do not end where the zip says; zip the files again")]
    StoredLength { entry: ShownName },
    #[error("the entry {entry} does not have the {expected_bytes} bytes the zip says; zip the files again")]
    Length { entry: ShownName, expected_bytes: u64 },
    #[error("the CRC-32 of the entry {entry} is wrong, so it was damaged; zip the files again and send the zip again")]
    Crc { entry: ShownName },
    #[error("the data descriptor after the entry {entry} is missing or contradicts it; zip the files again")]
    Descriptor { entry: ShownName },

    // A tar.
    #[error(
        "the header at byte {offset} of the tar is broken: {problem}; it was damaged or is no tar, so make it again"
    )]
    TarHeader {
        /// Where the header begins, in bytes from the start of the tar.
        offset: u64,
        problem: HeaderProblem,
    },
    #[error("the entry {entry} is a hard link; put the file itself into the tar (tar with --hard-dereference)")]
    HardLink { entry: ShownName },
    #[error("the entry {entry} is a sparse file; put it into the tar as an ordinary one (tar without -S)")]
    SparseFile { entry: ShownName },
    #[error("the entry {entry} goes on from another tar; join the volumes into one tar")]
    MultiVolume { entry: ShownName },
    #[error("the entry {entry} is of the type \"{flag}\", which is neither file nor folder; leave it out of the tar")]
    TarType {
        entry: ShownName,
        /// The type flag, escaped.
        flag: std::ascii::EscapeDefault,
    },
    #[error("the entry {entry} has two sizes, {header_bytes} and {pax_bytes} bytes; make the tar again")]
    TwoSizes { entry: ShownName, header_bytes: u64, pax_bytes: u64 },
    #[error("the tar ends without the two empty blocks of its end; it was cut off, so send it again")]
    TarCutOff,
    #[error("the tar goes on at byte {offset}, behind its end; make one tar of all files")]
    BytesAfterTar { offset: u64 },

    // A compressed body.
    #[error("the {format} data are damaged; compress the files again and send them again")]
    Compressed { format: Compression },
    #[error("the {format} data end too early; they were cut off, so send them again")]
    CompressedCutOff { format: Compression },
    #[error("there is something else behind the end of the {format} data; compress the files again")]
    BytesAfterCompressed { format: Compression },
    #[error(
        "the upload has more than {limit} streams of compressed data, here of {format}, that hold next to nothing; \
         compress each file in one stream"
    )]
    TooManyStreams { format: Compression, limit: u64 },
    #[error("the xz data need a dictionary of {bytes} bytes, more than {limit_bytes}; compress with xz -9 or less")]
    DictionaryTooLarge { bytes: u64, limit_bytes: u64 },
    #[error("the xz data use {feature}, which is not taken; compress with xz and no special options")]
    XzFeature {
        /// As a noun phrase.
        feature: &'static str,
    },

    // Not the client's fault.
    #[error("the upload could not be read back from the store")]
    Pack(#[from] PackReadError),
}

/// What differs between an entry's local header and its line in the central directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    Name,
    Method,
    Crc,
    Length,
    StoredLength,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "the name",
            Self::Method => "the compression method",
            Self::Crc => "the CRC-32",
            Self::Length => "the size",
            Self::StoredLength => "the compressed size",
        })
    }
}

/// A compression method by its number (APPNOTE 4.4.5), shown by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MethodName(pub u16);

impl fmt::Display for MethodName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.0 {
            1 => "Shrink",
            2..=5 => "Reduce",
            6 => "Implode",
            8 => "Deflate as a patch",
            9 => "Deflate64",
            10 => "PKWARE Implode",
            12 => "BZIP2",
            14 => "LZMA",
            20 | 93 => "Zstandard",
            94 => "MP3",
            95 => "XZ",
            96 => "JPEG",
            97 => "WavPack",
            98 => "PPMd",
            _ => return write!(f, "the unknown method {}", self.0),
        };
        write!(f, "{name} (method {})", self.0)
    }
}

impl IntakeError {
    /// A stable code for programs. Codes are kept: those of what first existed for zips begin with `zip` for all.
    pub fn code(&self) -> &'static str {
        match self {
            Self::EmptyBody => "upload.empty",
            Self::UploadTooLarge { .. } => "upload.too_large",
            Self::TooManyEntries { .. } => "zip.too_many_entries",
            Self::InflatedTooLarge { .. } => "zip.inflated_too_large",
            Self::TotalRatio { .. } => "zip.ratio",
            Self::TooManyArchives { .. } => "upload.too_many_archives",
            Self::NoDirectoryEnd => "zip.directory.no_end",
            Self::BytesAfterEnd { .. } => "zip.directory.bytes_after_end",
            Self::AmbiguousEnd => "zip.directory.ambiguous_end",
            Self::Zip64End => "zip.directory.zip64",
            Self::MultiDisk => "zip.directory.multi_disk",
            Self::DirectoryPlace => "zip.directory.place",
            Self::DirectoryTooLarge { .. } => "zip.directory.too_large",
            Self::EntryCount { .. } => "zip.directory.entry_count",
            Self::DirectoryRecord { .. } => "zip.directory.record",
            Self::Name { problem, .. } => problem.code(),
            Self::Duplicate { .. } => "zip.entry.duplicate",
            Self::FileAndFolder { .. } => "zip.entry.file_and_folder",
            Self::Symlink { .. } => "zip.entry.symlink",
            Self::SpecialFile { .. } => "zip.entry.special_file",
            Self::FolderWithData { .. } => "zip.entry.folder_with_data",
            Self::Encrypted { .. } => "zip.entry.encrypted",
            Self::Method { .. } => "zip.entry.method",
            Self::Extra { .. } => "zip.entry.extra",
            Self::TwoNames { .. } => "zip.entry.two_names",
            Self::Zip64Missing { .. } => "zip.entry.zip64",
            Self::Overlap { .. } => "zip.entry.overlap",
            Self::OutOfRange { .. } => "zip.entry.out_of_range",
            Self::NoLocalHeader { .. } => "zip.entry.no_local_header",
            Self::Disagree { .. } => "zip.entry.disagree",
            Self::EntryTooLarge { .. } => "zip.entry.too_large",
            Self::Ratio { .. } => "zip.entry.ratio",
            Self::Deflate { .. } => "zip.entry.deflate",
            Self::StoredLength { .. } => "zip.entry.stored_length",
            Self::Length { .. } => "zip.entry.length",
            Self::Crc { .. } => "zip.entry.crc",
            Self::Descriptor { .. } => "zip.entry.descriptor",
            Self::TarHeader { problem, .. } => problem.code(),
            Self::HardLink { .. } => "tar.entry.hard_link",
            Self::SparseFile { .. } => "tar.entry.sparse",
            Self::MultiVolume { .. } => "tar.entry.multi_volume",
            Self::TarType { .. } => "tar.entry.type",
            Self::TwoSizes { .. } => "tar.entry.two_sizes",
            Self::TarCutOff => "tar.cut_off",
            Self::BytesAfterTar { .. } => "tar.bytes_after_end",
            Self::Compressed { .. } => "compressed.damaged",
            Self::CompressedCutOff { .. } => "compressed.cut_off",
            Self::BytesAfterCompressed { .. } => "compressed.bytes_after_end",
            Self::TooManyStreams { .. } => "compressed.too_many_streams",
            Self::DictionaryTooLarge { .. } => "compressed.dictionary",
            Self::XzFeature { .. } => "compressed.xz_feature",
            Self::Pack(_) => "pack.read",
        }
    }

    /// Whether the upload is to blame (an answer of 400 or 413), not our store (500 or 503).
    pub fn is_client_fault(&self) -> bool {
        !matches!(self, Self::Pack(_))
    }

    /// Whether a size limit was passed (an answer of 413 rather than 400).
    pub fn is_too_large(&self) -> bool {
        matches!(
            self,
            Self::UploadTooLarge { .. }
                | Self::TooManyEntries { .. }
                | Self::InflatedTooLarge { .. }
                | Self::TotalRatio { .. }
                | Self::TooManyArchives { .. }
                | Self::DirectoryTooLarge { .. }
                | Self::EntryTooLarge { .. }
                | Self::Ratio { .. }
                | Self::DictionaryTooLarge { .. }
        )
    }
}
