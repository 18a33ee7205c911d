//! The parts of an xz stream that are not its data. Section numbers are those of The .xz File Format 1.2.1.

use crate::intake::decode::Compression;
use crate::intake::error::IntakeError;

pub(super) const DAMAGED: IntakeError = IntakeError::Compressed { format: Compression::Xz };

/// Bytes of a stream's header and of its footer (2.1.1 and 2.1.2).
pub(super) const ENDS_BYTES: usize = 12;

/// The check that each block of a stream ends with (2.1.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CheckKind {
    None,
    Crc32,
    Crc64,
    Sha256,
}

impl CheckKind {
    pub(super) fn len(self) -> usize {
        match self {
            Self::None => 0,
            Self::Crc32 => 4,
            Self::Crc64 => 8,
            Self::Sha256 => 32,
        }
    }

    fn id(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Crc32 => 1,
            Self::Crc64 => 4,
            Self::Sha256 => 10,
        }
    }
}

/// A stream's header (2.1.1).
pub(super) fn stream_header(bytes: &[u8]) -> Result<CheckKind, IntakeError> {
    let rest = bytes.strip_prefix(b"\xfd7zXZ\0").ok_or(DAMAGED)?;
    let (flags, crc) = rest.split_at_checked(2).ok_or(DAMAGED)?;
    check_crc32(flags, crc)?;
    let kinds = [CheckKind::None, CheckKind::Crc32, CheckKind::Crc64, CheckKind::Sha256];
    let kind = kinds.into_iter().find(|kind| flags == [0, kind.id()]);
    kind.ok_or(IntakeError::XzFeature { feature: "a check that is not CRC32, CRC64 or SHA-256" })
}

/// A stream's footer (2.1.2), behind an index of so many bytes.
pub(super) fn stream_footer(bytes: &[u8], check: CheckKind, index_bytes: u64) -> Result<(), IntakeError> {
    let (crc, rest) = bytes.split_at_checked(4).ok_or(DAMAGED)?;
    let fields = rest.strip_suffix(b"YZ").ok_or(DAMAGED)?;
    check_crc32(fields, crc)?;
    let (backward, flags) = fields.split_first_chunk().ok_or(DAMAGED)?;
    let backward_bytes = u64::from(u32::from_le_bytes(*backward)).saturating_add(1).saturating_mul(4);
    if backward_bytes == index_bytes && flags == [0, check.id()] { Ok(()) } else { Err(DAMAGED) }
}

pub(super) fn check_crc32(bytes: &[u8], crc: &[u8]) -> Result<(), IntakeError> {
    if crc32fast::hash(bytes).to_le_bytes() == crc { Ok(()) } else { Err(DAMAGED) }
}

/// A block's header (3.1).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BlockHeader {
    /// Bytes of the compressed data.
    pub(super) compressed: Option<u64>,
    /// Bytes after decoding.
    pub(super) uncompressed: Option<u64>,
    /// Bytes of the dictionary.
    pub(super) dictionary: u32,
}

impl BlockHeader {
    /// Parses all bytes of it. Filters other than LZMA2 are for programs and raw sound, and nobody uses them for
    /// images, so they are refused.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, IntakeError> {
        let (fields, crc) = bytes.split_last_chunk::<4>().ok_or(DAMAGED)?;
        check_crc32(fields, crc)?;
        let mut fields = fields.get(1..).ok_or(DAMAGED)?;
        let flags = byte(&mut fields)?;
        if flags & 0x3c != 0 {
            return Err(IntakeError::XzFeature { feature: "a kind of block that is not known" });
        }
        let compressed = if flags & 0x40 != 0 { Some(number(&mut fields)?) } else { None };
        let uncompressed = if flags & 0x80 != 0 { Some(number(&mut fields)?) } else { None };
        if compressed == Some(0) {
            return Err(DAMAGED);
        }
        // 5.3.1: the identifier of LZMA2.
        if flags & 0x03 != 0 || number(&mut fields)? != 0x21 {
            return Err(IntakeError::XzFeature { feature: "a filter beside LZMA2" });
        }
        if number(&mut fields)? != 1 {
            return Err(DAMAGED);
        }
        let dictionary = match byte(&mut fields)? {
            40 => u32::MAX,
            bits @ 0..40 => (2 | u32::from(bits & 1)) << (bits / 2 + 11),
            _ => return Err(DAMAGED),
        };
        if fields.iter().any(|&byte| byte != 0) {
            return Err(DAMAGED);
        }
        Ok(Self { compressed, uncompressed, dictionary })
    }
}

fn byte(fields: &mut &[u8]) -> Result<u8, IntakeError> {
    let (first, rest) = fields.split_first().ok_or(DAMAGED)?;
    *fields = rest;
    Ok(*first)
}

fn number(fields: &mut &[u8]) -> Result<u64, IntakeError> {
    let len = fields.iter().position(|byte| byte & 0x80 == 0).ok_or(DAMAGED)?;
    let (bytes, rest) = fields.split_at_checked(len.saturating_add(1)).ok_or(DAMAGED)?;
    *fields = rest;
    whole_number(bytes)
}

/// Bytes of the longest number (1.2).
const MAX_NUMBER_BYTES: usize = 9;

/// Whether these bytes are a whole number, and if so, which (1.2).
pub(super) fn number_so_far(bytes: &[u8]) -> Result<Option<u64>, IntakeError> {
    match bytes.last() {
        Some(last) if last & 0x80 == 0 => whole_number(bytes).map(Some),
        _ if bytes.len() >= MAX_NUMBER_BYTES => Err(DAMAGED),
        _ => Ok(None),
    }
}

fn whole_number(bytes: &[u8]) -> Result<u64, IntakeError> {
    // Written with more bytes than needed it would be a second form of the same.
    if bytes.len() > MAX_NUMBER_BYTES || (bytes.len() > 1 && bytes.last() == Some(&0)) {
        return Err(DAMAGED);
    }
    Ok(bytes.iter().rev().fold(0, |value, byte| (value << 7) | u64::from(byte & 0x7f)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block_header(mut fields: Vec<u8>) -> Result<BlockHeader, IntakeError> {
        fields.insert(0, (fields.len() / 4) as u8);
        fields.extend(crc32fast::hash(&fields).to_le_bytes());
        BlockHeader::parse(&fields)
    }

    #[test]
    fn block_headers_are_read() {
        let header = block_header(vec![0, 0x21, 1, 22, 0, 0, 0]).unwrap();
        assert_eq!(header, BlockHeader { compressed: None, uncompressed: None, dictionary: 8 << 20 });
        let header = block_header(vec![0xc0, 0x80, 1, 5, 0x21, 1, 40]).unwrap();
        assert_eq!(header, BlockHeader { compressed: Some(128), uncompressed: Some(5), dictionary: u32::MAX });
        assert_eq!(block_header(vec![0, 0x21, 1, 39, 0, 0, 0]).unwrap().dictionary, 3 << 30);
    }

    #[test]
    fn block_headers_of_other_kinds_are_refused() {
        for (fields, code) in [
            (vec![1, 4, 0, 0x21, 1, 22, 0], "compressed.xz_feature"),
            (vec![0, 3, 1, 0, 0, 0, 0], "compressed.xz_feature"),
            (vec![4, 0x21, 1, 22, 0, 0, 0], "compressed.xz_feature"),
            (vec![0, 0x21, 1, 41, 0, 0, 0], "compressed.damaged"),
            (vec![0, 0x21, 2, 22, 0, 0, 0], "compressed.damaged"),
            (vec![0, 0x21, 1, 22, 0, 0, 1], "compressed.damaged"),
            (vec![0x40, 0, 0x21, 1, 22, 0, 0], "compressed.damaged"),
            (vec![0x40, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80], "compressed.damaged"),
            (vec![0x40, 0x81, 0x81, 0x81, 0x81, 0x81, 1], "compressed.damaged"),
            (vec![0x40, 5, 0x21], "compressed.damaged"),
            (vec![0x40, 5, 0x21, 1], "compressed.damaged"),
            (vec![], "compressed.damaged"),
        ] {
            assert_eq!(block_header(fields.clone()).unwrap_err().code(), code, "{fields:?}");
        }
    }

    #[test]
    fn numbers_have_one_form() {
        assert_eq!(number_so_far(&[0x7f]).unwrap(), Some(127));
        assert_eq!(number_so_far(&[0x80, 0x01]).unwrap(), Some(128));
        assert_eq!(
            number_so_far(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]).unwrap(),
            Some(u64::MAX >> 1)
        );
        assert_eq!(number_so_far(&[0x80]).unwrap(), None);
        assert!(number_so_far(&[0x80, 0x00]).is_err());
        assert!(number_so_far(&[0xff; 9]).is_err());
    }
}
