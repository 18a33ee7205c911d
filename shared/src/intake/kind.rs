//! What a body is, by its first bytes. Its name and its content type are not asked.

use crate::intake::decode::Compression;
use crate::intake::tar;

/// Bytes from the start of a body that [`BodyKind::of`] wants; a shorter body is given whole.
pub const SNIFF_BYTES: usize = 512;

/// What a body seems to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyKind {
    /// No byte at all.
    Empty,
    /// A zip with at least one entry (APPNOTE 4.3.7), or the marker of a split one (8.5.4), which is refused later.
    Zip,
    /// A zip without entries: it begins with the end of its table of contents (APPNOTE 4.3.16).
    EmptyZip,
    /// gzip, so most often a tar.gz (RFC 1952).
    Gzip,
    Bzip2,
    Xz,
    /// A tar: `ustar` at byte 257, or, as older ones do not have it, a first block whose checksum is right. One without
    /// any entry has neither, and is no tar to us.
    Tar,
    /// DICOM with its preamble (PS3.10, section 7.1).
    Dicom,
    /// Begins with a data element of group 0002 or 0008, as DICOM that lost its preamble does.
    DicomWithoutPreamble,
    /// ECAT 7 (`MATRIX7`).
    Ecat7,
    /// Text without control characters.
    Text,
    /// Anything else.
    Unknown,
}

impl BodyKind {
    /// Whether it holds files, or is compressed as a whole.
    pub fn is_archive(self) -> bool {
        matches!(self, Self::Zip | Self::EmptyZip | Self::Gzip | Self::Bzip2 | Self::Xz | Self::Tar)
    }

    /// Decides from the first [`SNIFF_BYTES`] bytes, or all if there are fewer. Archives go before DICOM: what begins
    /// like a zip and has `DICM` at 128 is read as the zip it is.
    pub fn of(first: &[u8]) -> Self {
        const STARTS: [(&[u8], BodyKind); 9] = [
            (b"PK\x03\x04", BodyKind::Zip),
            (b"PK\x07\x08PK\x03\x04", BodyKind::Zip),
            (b"PK00PK\x03\x04", BodyKind::Zip),
            (b"PK\x05\x06", BodyKind::EmptyZip),
            (b"\x1f\x8b\x08", BodyKind::Gzip),
            (b"BZh", BodyKind::Bzip2),
            (b"\xfd7zXZ\0", BodyKind::Xz),
            // Also "MATRIX70v", "MATRIX71v", "MATRIX72v".
            (b"MATRIX7", BodyKind::Ecat7),
            (b"PK\x06\x06", BodyKind::EmptyZip),
        ];
        if first.is_empty() {
            return Self::Empty;
        }
        if let Some((_, kind)) = STARTS.iter().find(|(start, _)| first.starts_with(start)) {
            return *kind;
        }
        if first.get(128..132) == Some(b"DICM") {
            Self::Dicom
        } else if first.get(257..262) == Some(b"ustar") || tar::begins(first) {
            Self::Tar
        } else if is_data_element(first) {
            Self::DicomWithoutPreamble
        } else if is_text(first) {
            Self::Text
        } else {
            Self::Unknown
        }
    }

    /// The compression to take off first, if it is a compressed body: what is inside shows only then.
    pub fn compression(self) -> Option<Compression> {
        match self {
            Self::Gzip => Some(Compression::Gzip),
            Self::Bzip2 => Some(Compression::Bzip2),
            Self::Xz => Some(Compression::Xz),
            _ => None,
        }
    }
}

/// Whether a data element of group 0002 or 0008 stands at the start: explicit (either byte order) or implicit VR
/// (PS3.5, section 7.1).
fn is_data_element(first: &[u8]) -> bool {
    /// No value that stands first in a data set (a group length, a charset, an image type) comes near this.
    const MAX_FIRST_VALUE_BYTES: u32 = 1024;
    let &[g0, g1, e0, e1, v0, v1, v2, v3, ..] = first else { return false };
    let little = matches!((g0, g1), (2 | 8, 0)) && e1 == 0;
    let big = matches!((g0, g1), (0, 8)) && e0 == 0;
    let vr = VRS.contains(&[v0, v1]);
    let len = u32::from_le_bytes([v0, v1, v2, v3]);
    (little && (vr || (len % 2 == 0 && len <= MAX_FIRST_VALUE_BYTES))) || (big && vr)
}

/// The value representations that can stand first (PS3.5, table 6.2-1).
const VRS: [[u8; 2]; 12] =
    [*b"UL", *b"OB", *b"UI", *b"CS", *b"SH", *b"DA", *b"TM", *b"LO", *b"AE", *b"US", *b"DT", *b"SQ"];

fn is_text(first: &[u8]) -> bool {
    let text = match std::str::from_utf8(first) {
        Ok(text) => text,
        // The last character may have been cut in two.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(first.get(..error.valid_up_to()).unwrap_or_default()).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !text.is_empty() && text.chars().all(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r' | '\u{c}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(offset: usize, magic: &[u8], fill: u8) -> Vec<u8> {
        let mut bytes = vec![fill; offset];
        bytes.extend_from_slice(magic);
        bytes.resize(SNIFF_BYTES, fill);
        bytes
    }

    #[test]
    fn bodies_are_known_by_their_first_bytes() {
        for (bytes, kind) in [
            (b"".to_vec(), BodyKind::Empty),
            (b"PK\x03\x04rest".to_vec(), BodyKind::Zip),
            (b"PK00PK\x03\x04rest".to_vec(), BodyKind::Zip),
            (b"PK\x05\x06".to_vec(), BodyKind::EmptyZip),
            (b"\x1f\x8b\x08\0".to_vec(), BodyKind::Gzip),
            (b"BZh91AY".to_vec(), BodyKind::Bzip2),
            (b"\xfd7zXZ\0".to_vec(), BodyKind::Xz),
            (at(257, b"ustar\x0000", 0), BodyKind::Tar),
            (at(128, b"DICM", 0), BodyKind::Dicom),
            (at(128, b"DICM", b'M'), BodyKind::Dicom),
            (b"\x02\0\0\0UL\x04\0\xc0\0\0\0".to_vec(), BodyKind::DicomWithoutPreamble),
            (b"\x08\0\x05\0CS\x0a\0ISO_IR 100".to_vec(), BodyKind::DicomWithoutPreamble),
            (b"\x08\0\0\0\x04\0\0\0\x10\x01\0\0".to_vec(), BodyKind::DicomWithoutPreamble),
            (b"\0\x08\0\x05CS\0\x0aISO_IR 100".to_vec(), BodyKind::DicomWithoutPreamble),
            (b"\x08\0\0\0\xff\xff\xff\x7f".to_vec(), BodyKind::Unknown),
            (b"MATRIX72v\0".to_vec(), BodyKind::Ecat7),
            (b"hello\r\nworld".to_vec(), BodyKind::Text),
            ("é".as_bytes().repeat(256)[..511].to_vec(), BodyKind::Text),
            (b"\xff\xd8\xff\xe0".to_vec(), BodyKind::Unknown),
            (b"MZ\x90\0".to_vec(), BodyKind::Unknown),
        ] {
            assert_eq!(BodyKind::of(&bytes), kind, "{:?}", bytes.get(..12));
        }
    }
}
